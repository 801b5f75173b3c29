//! Signatures beside zips: what the keyring says of them, what a branch makes of that, and what becomes of the rest.

use std::sync::Arc;

use airlock::admin::keys::{self, KeyRequest};
use airlock::admin::quarantine::{self, CasesRequest};
use airlock::admin::signatures as policies;
use airlock::distribution::{
    BranchKind, DistributionName, SignatureCounts, SignaturePolicy, SignatureStatus,
};
use airlock::import::{self, PlanReport, Progress, StageRequest};
use airlock::people::Actor;
use airlock::store::garbage::{Step, Sweep};
use airlock::store::signatures as stored;
use airlock::store::stages::StageId;

use crate::archives::{ImageForm, Tar, Zip, image, tar, zip};
use crate::signer::Signer;
use crate::trees::manifest;
use crate::{Ask, Place, with_causes};

fn nginx(version: &str) -> Vec<u8> {
    nginx_with(version, "# nginx\n")
}

fn nginx_with(version: &str, readme: &str) -> Vec<u8> {
    let root = format!("nginx-{version}");
    zip()
        .deflated(format!("{root}/manifest.yml"), manifest("nginx", version))
        .deflated(format!("{root}/docs/README.md"), readme)
        .bytes()
}

fn trust(place: &Place, signer: &Signer) -> usize {
    let request = KeyRequest {
        fingerprint: signer.fingerprint(),
        key: signer.key(),
    };
    let added = keys::add(
        &place.store,
        &Actor::here("tester"),
        &request,
        &place.limits,
    )
    .unwrap();
    assert!(added.is_changed);
    added.judged_again
}

fn distrust(place: &Place, signer: &Signer) -> usize {
    let removed = keys::remove(
        &place.store,
        &Actor::here("tester"),
        &signer.fingerprint(),
        &place.limits,
    );
    removed.unwrap().judged_again
}

fn require(branch: &str) -> Ask {
    Ask {
        signatures: Some(SignaturePolicy::Require),
        ..Ask::release(branch)
    }
}

fn name(text: &str) -> DistributionName {
    DistributionName::parse(text).unwrap()
}

/// Returns each package version of a branch with what is known of its signature.
fn known(place: &Place, branch: &str) -> Vec<(String, SignatureStatus)> {
    let mut reports = policies::list(&place.store, Some(&name(branch))).unwrap();
    let packages = reports.remove(0).packages.into_iter();
    packages.map(|it| (it.package, it.status)).collect()
}

fn status_of(place: &Place, branch: &str, package: &str) -> SignatureStatus {
    let mut all = known(place, branch).into_iter();
    all.find(|(it, _)| it == package).unwrap().1
}

fn good(signer: &Signer) -> SignatureStatus {
    SignatureStatus::Good {
        key: signer.fingerprint(),
        until: None,
    }
}

/// A source with every kind of signature there is.
fn every_kind(signer: &Signer, stranger: &Signer) -> Tar {
    let changed = nginx_with("1.3.0", "# changed on the way\n");
    tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("nginx-1.1.0.zip", nginx("1.1.0"))
        .file("nginx-1.1.0.zip.sig", signer.sign_binary(nginx("1.1.0")))
        .file("nginx-1.2.0.zip", nginx("1.2.0"))
        .file("nginx-1.2.0.zip.sig", stranger.sign(nginx("1.2.0")))
        .file("nginx-1.3.0.zip", changed)
        .file("nginx-1.3.0.zip.sig", signer.sign(nginx("1.3.0")))
        .file("nginx-1.4.0.zip", nginx("1.4.0"))
        .file("nginx-1.4.0.zip.sig", "not a signature")
        .file("nginx-1.5.0.zip", nginx("1.5.0"))
}

const DISARMED: &str = "the signature is not over these bytes, though the zip opens: a scanner that disarms content \
                        on its way may have changed it";

#[test]
fn verify_takes_everything_and_says_what_is_wrong() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let place = Place::new();
    trust(&place, &signer);
    let plan = place.import(
        every_kind(&signer, &stranger).bytes(),
        &Ask::release("9.2.0"),
    );
    assert_eq!(plan.added.len(), 6);
    assert_eq!(plan.quarantined, []);
    assert_eq!(plan.ignored_files, 0);
    assert_eq!(plan.signatures.policy, SignaturePolicy::Verify);
    let counts = SignatureCounts {
        good: 2,
        unknown_key: 1,
        wrong: 1,
        unreadable: 1,
        absent: 1,
        expired_key: 0,
    };
    assert_eq!(plan.signatures.counts, counts);
    let [doubtful] = plan.signatures.doubtful.try_into().unwrap();
    assert_eq!(
        (doubtful.package, doubtful.why),
        ("nginx 1.3.0".into(), DISARMED.into())
    );
    assert_eq!(status_of(&place, "9.2.0", "nginx 1.1.0"), good(&signer));
    assert!(matches!(
        status_of(&place, "9.2.0", "nginx 1.2.0"),
        SignatureStatus::UnknownKey { key: Some(_) }
    ));
    let last: Vec<_> = known(&place, "9.2.0")
        .drain(4..)
        .map(|(_, status)| status)
        .collect();
    assert_eq!(last, [SignatureStatus::Unreadable, SignatureStatus::Absent]);
}

#[test]
fn require_takes_what_is_good_and_keeps_the_rest_out() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let place = Place::new();
    trust(&place, &signer);
    let plan = place.import(every_kind(&signer, &stranger).bytes(), &require("9.2.0"));
    assert_eq!(plan.added, ["nginx 1.0.0", "nginx 1.1.0"]);
    let reasons: Vec<_> = plan
        .quarantined
        .iter()
        .map(|it| (&*it.package, &*it.why))
        .collect();
    assert_eq!(reasons[0].0, "nginx 1.2.0");
    assert!(
        reasons[0].1.ends_with("which is not in the keyring"),
        "{reasons:?}"
    );
    assert_eq!(
        reasons[1..],
        [
            ("nginx 1.3.0", DISARMED),
            (
                "nginx 1.4.0",
                "what came as its signature is no OpenPGP signature"
            ),
            ("nginx 1.5.0", "it came without a signature"),
        ]
    );
    assert_eq!(place.artifacts("9.2.0").len(), 2);
    assert_eq!(quarantine::list(&place.store).unwrap().len(), 4);
}

#[test]
fn off_takes_everything_and_speaks_of_nothing_wrong() {
    let signer = Signer::new();
    let place = Place::new();
    let ask = Ask {
        signatures: Some(SignaturePolicy::Off),
        ..Ask::release("9.2.0")
    };
    let plan = place.import(every_kind(&signer, &signer).bytes(), &ask);
    assert_eq!((plan.added.len(), plan.quarantined.len()), (6, 0));
    let report = policies::list(&place.store, Some(&name("9.2.0"))).unwrap();
    assert_eq!(report[0].policy, SignaturePolicy::Off);
}

#[test]
fn a_signature_is_found_wherever_it_lies_beside_its_zip() {
    let signer = Signer::new();
    let [one, two] = ["1.0.0", "1.1.0"].map(nginx);
    let (first, second) = (signer.sign(&one), signer.sign(&two));
    let behind = tar()
        .file("a/nginx-1.0.0.zip", &one)
        .file("a/nginx-1.0.0.zip.sig", &first)
        .file("a/nginx-1.1.0.zip", &two)
        .file("a/nginx-1.1.0.zip.sig", &second);
    let before = tar()
        .file("a/nginx-1.0.0.zip.sig", &first)
        .file("a/nginx-1.1.0.zip.sig", &second)
        .file("a/nginx-1.0.0.zip", &one)
        .file("a/nginx-1.1.0.zip", &two);
    let after = tar()
        .file("a/nginx-1.0.0.zip", &one)
        .file("a/nginx-1.1.0.zip", &two)
        .file("a/nginx-1.0.0.zip.sig", &first)
        .file("a/nginx-1.1.0.zip.sig", &second);
    let saved = image(
        ImageForm::DockerOci,
        &[
            tar()
                .file("packages/package-storage/nginx-1.0.0.zip", &one)
                .file("packages/package-storage/nginx-1.1.0.zip", &two),
            tar()
                .file("packages/package-storage/nginx-1.0.0.zip.sig", &first)
                .file("packages/package-storage/nginx-1.1.0.zip.sig", &second),
        ],
    );
    for (how, source) in [
        ("behind", behind.bytes()),
        ("before", before.bytes()),
        ("after", after.bytes()),
        ("in another layer", saved.tag("x:9.2.0").bytes()),
    ] {
        let place = Place::new();
        trust(&place, &signer);
        let plan = place.import(source, &require("9.2.0"));
        assert_eq!(plan.signatures.counts.good, 2, "{how}");
        assert_eq!(
            (plan.quarantined.len(), plan.ignored_files),
            (0, 0),
            "{how}"
        );
    }
}

#[test]
fn what_is_no_signature_of_a_zip_here_is_ignored() {
    let signer = Signer::new();
    let place = Place::new();
    trust(&place, &signer);
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("other/nginx-1.0.0.zip.sig", signer.sign("nothing"))
        .file("nginx-9.9.9.zip.sig", signer.sign("nothing"))
        .file("nginx-1.1.0.zip", nginx("1.1.0"))
        .file(
            "nginx-1.1.0.zip.sig",
            vec![b'x'; place.limits.signature_bytes + 1],
        )
        .file("nginx-1.2.0.zip", nginx("1.2.0"))
        .file("nginx-1.2.0.zip.sig", "");
    let plan = place.import(source.bytes(), &Ask::release("9.2.0"));
    assert_eq!((plan.added.len(), plan.ignored_files), (3, 4));
    let counts = plan.signatures.counts;
    assert_eq!((counts.good, counts.absent), (1, 2));
    assert_eq!(place.count("signature"), 1);
}

#[test]
fn signatures_without_end_are_refused_and_nothing_is_stored() {
    let mut place = Place::new();
    place.limits.loose_signatures_bytes = 1_000;
    let source = (0..10).fold(
        tar().file("nginx-1.0.0.zip", nginx("1.0.0")),
        |tar, number| tar.file(format!("a/nginx-1.{number}.0.zip.sig"), vec![b'x'; 100]),
    );
    let before = place.offered();
    let error = place
        .stage(source.bytes(), &Ask::release("9.2.0"))
        .unwrap_err();
    let told = with_causes(&error);
    assert!(
        told.contains("more than 1000 bytes of signatures"),
        "{told}"
    );
    assert_eq!(place.offered(), before);
    assert_eq!(place.count("signature"), 0);
}

#[test]
fn a_key_that_comes_or_goes_judges_again_what_is_there() {
    let signer = Signer::new();
    let place = Place::new();
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("nginx-1.1.0.zip", nginx_with("1.1.0", "changed"))
        .file("nginx-1.1.0.zip.sig", signer.sign(nginx("1.1.0")));
    place.import(source.bytes(), &Ask::release("9.2.0"));
    let statuses = || {
        known(&place, "9.2.0")
            .into_iter()
            .map(|(_, it)| it)
            .collect::<Vec<_>>()
    };
    let unknown = statuses();
    assert!(
        unknown
            .iter()
            .all(|it| matches!(it, SignatureStatus::UnknownKey { .. }))
    );
    assert_eq!(trust(&place, &signer), 2);
    let wrong = SignatureStatus::Wrong {
        why: DISARMED.into(),
    };
    assert_eq!(statuses(), [good(&signer), wrong]);
    assert_eq!(trust(&place, &Signer::new()), 0);
    assert_eq!(distrust(&place, &signer), 2);
    assert_eq!(statuses(), unknown);
}

#[test]
fn what_a_branch_holds_stays_when_it_comes_again_after_its_key_has_gone() {
    let signer = Signer::new();
    let place = Place::new();
    trust(&place, &signer);
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("nginx-1.1.0.zip", nginx("1.1.0"));
    place.import(source.bytes(), &require("9.2.0"));
    distrust(&place, &signer);
    let staged = place.stage(source.bytes(), &require("9.2.0")).unwrap();
    let plan = place.plan(staged.stage);
    assert_eq!((plan.added.len(), plan.unchanged), (0, 1));
    let kept_out: Vec<_> = plan.quarantined.iter().map(|it| &it.package).collect();
    assert_eq!(kept_out, ["nginx 1.1.0"]);
    assert_eq!(plan.signatures.counts.unknown_key, 1);
}

#[test]
fn a_key_that_comes_while_an_import_reads_counts_for_it() {
    let signer = Signer::new();
    let place = Place::new();
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")));
    let staged = place.stage(source.bytes(), &require("9.2.0")).unwrap();
    assert_eq!(place.plan(staged.stage).quarantined.len(), 1);
    trust(&place, &signer);
    assert_eq!(place.plan(staged.stage).added, ["nginx 1.0.0"]);
}

#[test]
fn a_key_in_an_image_is_never_trusted() {
    let signer = Signer::new();
    let layer = tar()
        .file("etc/pki/rpm-gpg/GPG-KEY-elasticsearch", signer.key())
        .file("packages/GPG-KEY-elasticsearch", signer.key())
        .file("packages/package-storage/nginx-1.0.0.zip", nginx("1.0.0"))
        .file(
            "packages/package-storage/nginx-1.0.0.zip.sig",
            signer.sign(nginx("1.0.0")),
        );
    let place = Place::new();
    let saved = image(ImageForm::Oci, &[layer]).tag("x:9.2.0").bytes();
    let plan = place.import(saved, &require("9.2.0"));
    assert_eq!((plan.added.len(), plan.quarantined.len()), (0, 1));
    assert_eq!(place.count("key"), 0);
    assert_eq!(place.count("branch"), 0, "a branch is not made for nothing");
}

fn retried(place: &Place) -> PlanReport {
    let request = CasesRequest::default();
    let retried = quarantine::retry(
        &place.store,
        &Actor::here("tester"),
        &request,
        &place.limits,
    )
    .unwrap();
    let [plan] = retried.plans.try_into().unwrap();
    let report = place.plan(StageId(plan));
    place.commit(StageId(plan)).unwrap();
    report
}

#[test]
fn what_was_kept_out_comes_in_once_its_key_is_there() {
    let signer = Signer::new();
    let place = Place::new();
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("nginx-1.1.0.zip", nginx("1.1.0"));
    place.import(source.bytes(), &require("9.2.0"));
    assert_eq!(place.count("branch"), 0);
    assert_eq!(retried(&place).quarantined.len(), 2);
    assert_eq!(
        place.count("quarantine"),
        2,
        "trying in vain leaves each there once"
    );

    trust(&place, &signer);
    let plan = retried(&place);
    assert_eq!(plan.added, ["nginx 1.0.0"]);
    assert_eq!(plan.signatures.policy, SignaturePolicy::Require);
    let left = quarantine::list(&place.store).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].package, "nginx 1.1.0");
    assert_eq!(left[0].kept.as_ref().unwrap().branch, "9.2.0");

    // The release is completed by what it kept out, and by nothing else.
    policies::set_policy(
        &place.store,
        &Actor::here("tester"),
        &name("9.2.0"),
        SignaturePolicy::Verify,
    )
    .unwrap();
    let plan = retried(&place);
    assert_eq!(
        (plan.added, plan.unchanged),
        (vec!["nginx 1.1.0".to_owned()], 1)
    );
    assert_eq!(place.count("quarantine"), 0);
    assert_eq!(place.artifacts("9.2.0").len(), 2);
}

#[test]
fn the_same_source_completes_a_release_once_its_key_is_there() {
    let (signer, other) = (Signer::new(), Signer::new());
    let place = Place::new();
    trust(&place, &other);
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")))
        .file("nginx-1.1.0.zip", nginx("1.1.0"))
        .file("nginx-1.1.0.zip.sig", other.sign(nginx("1.1.0")));
    place.import(source.clone().bytes(), &require("9.2.0"));
    assert_eq!(place.artifacts("9.2.0").len(), 1);
    trust(&place, &signer);
    let plan = place.import(source.bytes(), &Ask::release("9.2.0"));
    assert_eq!(
        (plan.added, plan.unchanged),
        (vec!["nginx 1.0.0".to_owned()], 1)
    );
    assert_eq!(place.count("quarantine"), 0);
}

#[test]
fn what_is_in_quarantine_is_kept_until_it_is_dropped() {
    let place = Place::new();
    let source = tar().file("nginx-1.0.0.zip", nginx("1.0.0"));
    place.import(source.bytes(), &require("9.2.0"));
    let collect = || {
        let mut sweep = Sweep::after(Sweep::start());
        while place.store.write(|conn| sweep.step(conn)).unwrap() == Step::More {}
        place.count("artifact")
    };
    assert_eq!(collect(), 1);
    let request = CasesRequest::default();
    assert_eq!(
        quarantine::drop_cases(&place.store, &Actor::here("tester"), &request)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(collect(), 0);
    assert_eq!(place.count("source"), 0);
}

#[test]
fn a_package_that_cannot_be_read_is_told_apart_when_it_is_tried_again() {
    let place = Place::new();
    let source = tar()
        .file("bad-1.0.0.zip", "no zip")
        .file("nginx-1.0.0.zip", nginx("1.0.0"));
    place.import(source.bytes(), &require("9.2.0"));
    let request = CasesRequest::default();
    let retried = quarantine::retry(
        &place.store,
        &Actor::here("tester"),
        &request,
        &place.limits,
    )
    .unwrap();
    assert_eq!(retried.plans.len(), 1);
    assert_eq!(retried.not_kept.len(), 1);
    assert_eq!(retried.not_kept[0].package, "bad-1.0.0.zip");
    let missing = CasesRequest { ids: vec![99] };
    assert!(
        quarantine::retry(
            &place.store,
            &Actor::here("tester"),
            &missing,
            &place.limits
        )
        .is_err()
    );
    assert!(quarantine::drop_cases(&place.store, &Actor::here("tester"), &missing).is_err());
}

#[test]
fn a_signature_that_comes_later_joins_the_zip_that_is_there() {
    let signer = Signer::new();
    let place = Place::new();
    trust(&place, &signer);
    let zip: Zip = zip()
        .deflated("nginx-1.0.0/manifest.yml", manifest("nginx", "1.0.0"))
        .deflated("nginx-1.0.0/docs/README.md", "# nginx\n");
    let zip = zip.bytes();
    place.import(
        tar().file("nginx-1.0.0.zip", &zip).bytes(),
        &Ask::branch("mine"),
    );
    assert_eq!(
        status_of(&place, "mine", "nginx 1.0.0"),
        SignatureStatus::Absent
    );
    let signed = tar()
        .file("nginx-1.0.0.zip", &zip)
        .file("nginx-1.0.0.zip.sig", signer.sign(&zip));
    let plan = place.import(signed.bytes(), &Ask::branch("mine"));
    assert_eq!((plan.added.len(), plan.unchanged), (0, 1));
    assert_eq!(status_of(&place, "mine", "nginx 1.0.0"), good(&signer));
}

#[test]
fn what_an_edition_keeps_out_is_no_other_content() {
    let signer = Signer::new();
    let place = Place::new();
    trust(&place, &signer);
    let first = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.0.0.zip.sig", signer.sign(nginx("1.0.0")));
    let second = first.clone().file("nginx-1.1.0.zip", nginx("1.1.0"));
    place.import(first.bytes(), &require("9.2.0"));
    // What it keeps out is other content than the release was made of: it is the next edition, which that may complete.
    let plan = place.import(second.clone().bytes(), &Ask::release("9.2.0"));
    assert_eq!(
        plan.signatures.policy,
        SignaturePolicy::Require,
        "as its release"
    );
    let edition = plan.branch;
    assert!(edition.starts_with("9.2.0+"), "{edition}");
    assert_eq!(plan.quarantined.len(), 1);
    assert_eq!(place.artifacts(&edition).len(), 1);
    // The same again is the same edition, and still nothing to do.
    let plan = place.import(second.clone().bytes(), &Ask::release("9.2.0"));
    assert_eq!((plan.branch, plan.unchanged), (edition.clone(), 1));
    assert_eq!(place.count("branch"), 2);
    policies::set_policy(
        &place.store,
        &Actor::here("tester"),
        &name(&edition),
        SignaturePolicy::Verify,
    )
    .unwrap();
    let plan = place.import(second.bytes(), &Ask::release("9.2.0"));
    assert_eq!(
        (plan.branch, plan.added),
        (edition, vec!["nginx 1.1.0".to_owned()])
    );
    assert_eq!(place.count("quarantine"), 0);
}

#[test]
fn a_stricter_policy_makes_no_edition_of_what_is_there() {
    let place = Place::new();
    let source = tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0"))
        .file("nginx-1.1.0.zip", nginx("1.1.0"));
    place.import(source.clone().bytes(), &Ask::release("9.2.0"));
    let plan = place.import(source.bytes(), &require("9.2.0"));
    assert_eq!((plan.branch.as_str(), plan.added.len()), ("9.2.0", 0));
    assert_eq!(
        place.artifacts("9.2.0").len(),
        2,
        "what a release holds stays"
    );
    assert_eq!(place.count("branch"), 1);
}

/// Returns a source of one zip with its signature.
fn signed(signer: &Signer, version: &str, readme: &str) -> Tar {
    let zip = nginx_with(version, readme);
    tar()
        .file(format!("nginx-{version}.zip"), &zip)
        .file(format!("nginx-{version}.zip.sig"), signer.sign(&zip))
}

#[test]
fn of_several_zips_of_one_version_in_quarantine_the_best_is_tried_and_the_others_stay() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    for kind in [BranchKind::Release, BranchKind::Local] {
        let place = Place::new();
        let ask = Ask {
            signatures: Some(SignaturePolicy::Require),
            ..Ask::into("9.2.0", kind)
        };
        for (signer, readme) in [(&signer, "one"), (&signer, "two"), (&stranger, "three")] {
            place.import(signed(signer, "1.0.0", readme).bytes(), &ask);
        }
        assert_eq!(place.count("quarantine"), 3);
        trust(&place, &signer);
        let request = CasesRequest::default();
        let retried = quarantine::retry(
            &place.store,
            &Actor::here("tester"),
            &request,
            &place.limits,
        )
        .unwrap();
        let passed_over: Vec<_> = retried.passed_over.iter().map(|case| case.id).collect();
        assert_eq!(passed_over, [1, 3]);
        let [plan] = retried.plans.try_into().unwrap();
        let done = place.commit(StageId(plan)).unwrap();
        assert_eq!((done.added, done.quarantined), (1, 0));
        let held = place.artifacts("9.2.0");
        let second = airlock::crypto::Digest::of(&nginx_with("1.0.0", "two"));
        assert_eq!(held[0].sha256, second);
        assert_eq!(place.count("quarantine"), 2);

        // What is left and good is another zip of a version that is there.
        let request = CasesRequest { ids: vec![1, 1] };
        let retried = quarantine::retry(
            &place.store,
            &Actor::here("tester"),
            &request,
            &place.limits,
        )
        .unwrap();
        assert_eq!(retried.passed_over, []);
        let [plan] = retried.plans.try_into().unwrap();
        let done = place.commit(StageId(plan)).unwrap();
        let (branch, added, refused) = match kind {
            BranchKind::Release => (done.branch.starts_with("9.2.0+"), 1, 0),
            _ => (done.branch == "9.2.0", 0, 1),
        };
        assert!(branch, "{}", done.branch);
        assert_eq!((done.added, done.refused), (added, refused), "{kind}");
        assert_eq!(place.artifacts("9.2.0"), held);
    }
}

/// Reads a source, and does something before its first byte.
struct Before<F>(Option<F>, std::io::Cursor<Vec<u8>>);

impl<F: FnOnce()> std::io::Read for Before<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(act) = self.0.take() {
            act();
        }
        self.1.read(buffer)
    }
}

#[test]
fn a_key_that_goes_while_an_import_fails_is_no_longer_believed() {
    let signer = Signer::new();
    let place = Arc::new(Place::new());
    trust(&place, &signer);
    let whole = signed(&signer, "1.0.0", "one").file("nginx-1.1.0.zip", nginx("1.1.0"));
    let mut cut = whole.bytes();
    cut.truncate(cut.len() - 1024 - 512);
    let (inside, key) = (Arc::clone(&place), signer.fingerprint());
    let act = move || {
        drop(keys::remove(&inside.store, &Actor::here("tester"), &key, &inside.limits).unwrap())
    };
    let source = Before(Some(act), std::io::Cursor::new(cut));
    let request = StageRequest {
        source_name: "source".to_owned(),
        who: Actor::here("tester"),
        target: Some((name("9.2.0"), BranchKind::Release)),
        may_ask: false,
        signatures: None,
        image: None,
    };
    let progress = Arc::new(Progress::default());
    let failed = import::stage(
        &place.store,
        Box::new(source),
        &request,
        &progress,
        &place.limits,
    );
    assert!(with_causes(&failed.unwrap_err()).contains("truncated"));
    assert_eq!((place.count("key"), place.count("signature")), (0, 1));

    let unsigned = tar().file("nginx-1.0.0.zip", nginx_with("1.0.0", "one"));
    let plan = place.import(unsigned.bytes(), &require("9.2.0"));
    assert_eq!((plan.added.len(), plan.quarantined.len()), (0, 1));
}

#[test]
fn what_a_wrong_clock_kept_out_comes_in_when_it_is_tried_again() {
    let signer = Signer::new();
    let place = Place::new();
    trust(&place, &signer);
    let source = signed(&signer, "1.0.0", "one").bytes();
    place.import(source, &Ask::branch("mine"));
    // What it was judged while the clock was slow.
    let future = SignatureStatus::Wrong {
        why: "it was made in the future".into(),
    };
    place
        .store
        .write(|conn| {
            let mut ids = Vec::new();
            stored::for_each(conn, None, |id, _, _| {
                ids.push(id);
                Ok(())
            })?;
            ids.iter()
                .try_for_each(|id| stored::set_status(conn, *id, &future))
        })
        .unwrap();
    let unsigned = tar().file("nginx-1.0.0.zip", nginx_with("1.0.0", "one"));
    let plan = place.import(unsigned.bytes(), &require("9.2.0"));
    assert_eq!(plan.quarantined.len(), 1);
    assert_eq!(retried(&place).added, ["nginx 1.0.0"]);
}

//! What forms do: releases deleted, keys believed, policies set, cases tried again.

use std::sync::Arc;
use std::time::Duration;

use airlock::admin::jobs::{Job, JobId, JobKind, NewJob, Stop};
use airlock::admin::keys;
use airlock::admin::quarantine;
use airlock::distribution::SignaturePolicy;

use crate::support::package;
use crate::visits::{
    HOSTILE, fetched, full, import, key, led_to, not_done, page, quarantine_hostile, send, state,
};
use crate::world::World;

#[actix_web::test]
async fn a_release_goes_once_its_name_is_typed() {
    let world = full();
    fetched(&world, "9.1.0", "nginx", "1.0.0", "9.1.0");
    let shown = page(&world, "admin", "/system/releases/9.1.0/delete").await;
    assert!(
        shown.contains("takes 1 package version away for good"),
        "{shown}"
    );
    let before = state(&world);
    let path = "/system/releases/9.1.0/delete";
    for typed in ["", "9.1", "9.2.0", "9.1.0 now"] {
        not_done(&send(&world, "admin", path, &[("typed", typed)]).await, 400);
    }
    // What something else serves stays, whatever is typed.
    let served = "/system/releases/9.2.0/delete";
    not_done(
        &send(&world, "admin", served, &[("typed", "9.2.0")]).await,
        409,
    );
    assert_eq!(state(&world), before);
    led_to(
        &send(&world, "admin", path, &[("typed", "9.1.0")]).await,
        "/system?done=deleted",
    );
    let after = page(&world, "admin", "/system?done=deleted").await;
    assert!(
        !after.contains(">9.1.0</th>") && after.contains("The release is deleted."),
        "{after}"
    );
    let collect = send(&world, "admin", "/system/collect", &[]).await;
    led_to(&collect, "/system?done=collected");
}

#[actix_web::test]
async fn a_release_with_what_some_kibana_runs_goes_only_where_that_is_ticked() {
    let world = full();
    import(&world, "9.0.0", None, [package("redis", "1.0.0")]);
    fetched(&world, "9.0.0", "redis", "1.0.0", "9.0.0");
    let path = "/system/releases/9.0.0/delete";
    let shown = page(&world, "admin", path).await;
    assert!(
        shown.contains("1 of them were fetched by some Kibana"),
        "{shown}"
    );
    let before = state(&world);
    not_done(
        &send(&world, "admin", path, &[("typed", "9.0.0")]).await,
        409,
    );
    assert_eq!(state(&world), before);
    let fields = [
        ("typed", "9.0.0"),
        ("also_fetched", "1"),
        ("reason", HOSTILE),
    ];
    led_to(
        &send(&world, "admin", path, &fields).await,
        "/system?done=deleted",
    );
}

#[actix_web::test]
async fn a_key_is_believed_once_the_digits_that_one_has_are_typed() {
    let world = World::new();
    let (text, fingerprint) = key(HOSTILE);
    let before = state(&world);
    let shown = send(&world, "admin", "/system/keys/look", &[("key", &text)]).await;
    assert_eq!(shown.status, 200);
    let groups: Vec<_> = fingerprint
        .as_bytes()
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect();
    assert!(shown.body.contains(&groups.join(" ")), "{}", shown.body);
    assert_eq!(shown.body.matches("<script").count(), 1);
    let end = &fingerprint[fingerprint.len() - 8..];
    let add = |typed: &str| {
        let fields = [
            ("fingerprint", fingerprint.as_str()),
            ("key", &text),
            ("typed", typed),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    for typed in ["", "00000000", &end[1..]] {
        let fields = add(typed);
        let fields = fields
            .each_ref()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        not_done(
            &send(&world, "admin", "/system/keys/add", &fields).await,
            400,
        );
    }
    assert_eq!(state(&world), before);
    let fields = add(&end.to_lowercase());
    let fields = fields
        .each_ref()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let added = send(&world, "admin", "/system/keys/add", &fields).await;
    led_to(&added, "/system/keys?done=added");
    assert_eq!(keys::list(&world.store).unwrap().len(), 1);

    let remove = |typed: &'static str| {
        [
            ("fingerprint", fingerprint.clone()),
            ("typed", typed.to_owned()),
        ]
    };
    let wrong = remove("12345678");
    let wrong = wrong
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    not_done(
        &send(&world, "admin", "/system/keys/remove", &wrong).await,
        400,
    );
    assert_eq!(keys::list(&world.store).unwrap().len(), 1);
    let right = [("fingerprint", fingerprint.as_str()), ("typed", end)];
    let removed = send(&world, "admin", "/system/keys/remove", &right).await;
    led_to(&removed, "/system/keys?done=removed");
    assert!(keys::list(&world.store).unwrap().is_empty());
}

#[actix_web::test]
async fn what_holds_no_key_and_what_holds_a_secret_one_is_not_believed() {
    let world = World::new();
    for (text, why) in [("nonsense", "no key"), ("", "no key")] {
        let shown = send(&world, "admin", "/system/keys/look", &[("key", text)]).await;
        assert!(shown.body.contains(why), "{}", shown.body);
        assert!(!shown.body.contains("/system/keys/add"), "{}", shown.body);
    }
}

#[actix_web::test]
async fn a_branch_is_given_a_policy() {
    let world = full();
    let fields = [("branch", "9.2.0"), ("policy", "require")];
    let answer = send(&world, "admin", "/system/keys/policy", &fields).await;
    led_to(&answer, "/system/keys?done=policy");
    assert!(
        state(&world).contains("(\"9.2.0\", Require)"),
        "{}",
        state(&world)
    );
    let before = state(&world);
    let fields = [("branch", "9.2.0"), ("policy", "believe")];
    not_done(
        &send(&world, "admin", "/system/keys/policy", &fields).await,
        400,
    );
    let fields = [("branch", "nothing"), ("policy", "off")];
    not_done(
        &send(&world, "admin", "/system/keys/policy", &fields).await,
        404,
    );
    assert_eq!(state(&world), before);
}

#[actix_web::test]
async fn what_is_in_quarantine_is_tried_again_or_let_go() {
    let world = World::new();
    let empty = page(&world, "viewer", "/transfer/quarantine").await;
    assert!(
        empty.contains("Everything that came in was good."),
        "{empty}"
    );
    import(&world, "9.2.0", None, [package("redis", "1.0.0")]);
    import(
        &world,
        "local",
        Some(SignaturePolicy::Require),
        [package("mine", "1.0.0")],
    );
    quarantine_hostile(&world);
    let cases = quarantine::list(&world.store).unwrap();
    let [kept, lost] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    let (kept, lost) = (kept.id.to_string(), lost.id.to_string());
    let shown = page(&world, "publisher", "/transfer/quarantine").await;
    assert!(
        shown.contains("<b>2 packages are</b> in quarantine"),
        "{shown}"
    );
    assert!(shown.contains("no zip of it is kept"), "{shown}");

    let before = state(&world);
    let nothing = send(
        &world,
        "publisher",
        "/transfer/quarantine/retry",
        &[("id", &lost)],
    )
    .await;
    led_to(&nothing, "/transfer/quarantine?done=not-kept");
    let unknown = send(
        &world,
        "publisher",
        "/transfer/quarantine/retry",
        &[("id", "77")],
    )
    .await;
    assert_eq!(unknown.status, 409);
    let wrong = [("id", lost.as_str()), ("typed", kept.as_str())];
    not_done(
        &send(&world, "approver", "/transfer/quarantine/drop", &wrong).await,
        400,
    );
    let none = [("id", ""), ("typed", "")];
    not_done(
        &send(&world, "approver", "/transfer/quarantine/drop", &none).await,
        400,
    );
    assert_eq!(state(&world), before);

    let tried = send(
        &world,
        "publisher",
        "/transfer/quarantine/retry",
        &[("id", &kept)],
    )
    .await;
    assert_eq!(tried.status, 303);
    assert!(
        tried
            .header("location")
            .unwrap()
            .starts_with("/admin/plans/"),
        "{tried:?}"
    );
    let right = [("id", lost.as_str()), ("typed", lost.as_str())];
    let dropped = send(&world, "approver", "/transfer/quarantine/drop", &right).await;
    led_to(&dropped, "/transfer/quarantine?done=dropped");
    assert_eq!(quarantine::list(&world.store).unwrap().len(), 1);
}

#[actix_web::test]
async fn who_began_a_job_by_a_token_cancels_it_and_no_other_publisher_does() {
    let world = World::new();
    let begin = |who: &str| {
        let new = NewJob {
            id: JobId::random(),
            kind: JobKind::Import,
            subject: "packages.tar".to_owned(),
            who: who.to_owned(),
            upload: None,
        };
        let work = |job: &Arc<Job>| {
            while job.stopped().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        };
        world.operator.jobs.begin(new, work).unwrap().0
    };
    let own = begin("Publisher by token ci");
    let path = format!("/jobs/{}/cancel", own.id());
    led_to(&send(&world, "publisher", &path, &[]).await, "/transfer");
    assert_eq!(own.stopped(), Some(Stop::Cancelled));
    let other = begin("somebody by token publisher");
    let path = format!("/jobs/{}/cancel", other.id());
    not_done(&send(&world, "publisher", &path, &[]).await, 403);
    assert_eq!(other.stopped(), None);
    other.stop(Stop::Cancelled).unwrap();
}

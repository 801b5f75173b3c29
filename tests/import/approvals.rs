//! Plans that somebody else has to commit than who staged them.

use airlock::admin::audit::{self, AuditRequest, EntryReport};
use airlock::admin::distributions::{self, LayersRequest};
use airlock::distribution::{BranchKind, Consent, DistributionName};
use airlock::import::{self, Committed, ImportError};
use airlock::people::{Actor, Role, by_token};
use airlock::store::stages::StageId;

use crate::trees::Tree;
use crate::{Ask, Place};

fn nginx(version: &str, readme: &str) -> Vec<u8> {
    let mut tree = Tree::default().package(&format!("packages/nginx/{version}"));
    tree.0[0].1 = readme.as_bytes().to_vec();
    tree.tar().bytes()
}

fn name(text: &str) -> DistributionName {
    DistributionName::parse(text).unwrap()
}

fn ask_for_approvals(place: &Place, distribution: &str, approvals: u8) {
    let layers = LayersRequest {
        approvals: Some(approvals),
        ..LayersRequest::default()
    };
    let root = Actor::here("root");
    distributions::set(&place.store, &root, &name(distribution), &layers).unwrap();
}

/// A branch `mine` that is served where somebody else has to commit.
fn place() -> Place {
    let place = Place::new();
    place.import(nginx("1.5.0", "first"), &Ask::branch("mine"));
    ask_for_approvals(&place, "mine", 1);
    place
}

fn commit(
    place: &Place,
    plan: StageId,
    who: &str,
    digest: Option<&str>,
) -> Result<Committed, ImportError> {
    let consent = Consent {
        plan: digest.map(|digest| digest.parse().unwrap()),
        ..Consent::default()
    };
    import::commit(&place.store, plan, &Actor::here(who), consent)
}

fn last_entry(place: &Place) -> EntryReport {
    audit::list(&place.store, AuditRequest::default())
        .unwrap()
        .remove(0)
}

#[test]
fn who_staged_a_plan_does_not_commit_it_by_whatever_token_and_somebody_else_does() {
    let place = place();
    let staged = place
        .stage(nginx("1.6.0", "x"), &Ask::branch("mine"))
        .unwrap();
    let plan = place.plan(staged.stage);
    assert_eq!(plan.approving, ["mine"]);
    let before = place.offered();
    for who in ["tester", "Tester", &by_token("tester", "ci")] {
        let refused = commit(&place, staged.stage, who, Some(&plan.digest)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "plan {} was staged by tester, and mine asks for somebody else to commit it",
                plan.plan
            )
        );
        assert_eq!(place.offered(), before, "the plan waits");
        let entry = last_entry(&place);
        assert_eq!((&*entry.outcome, &*entry.who), ("refused", who));
    }
    let done = commit(&place, staged.stage, "alice", Some(&plan.digest)).unwrap();
    assert_eq!(done.added, 1);
    let entry = last_entry(&place);
    assert_eq!((&*entry.action, &*entry.outcome), ("import", "done"));
    assert!(entry.detail.contains(&plan.digest), "{}", entry.detail);
}

#[test]
fn a_second_person_says_what_they_looked_at_and_nothing_else_is_committed() {
    let place = place();
    let staged = place
        .stage(nginx("1.6.0", "x"), &Ask::branch("mine"))
        .unwrap();
    let looked_at = place.plan(staged.stage).digest;
    let before = place.offered();
    let unsaid = commit(&place, staged.stage, "alice", None).unwrap_err();
    assert!(
        matches!(unsaid, ImportError::NeedsDigest { .. }),
        "{unsaid}"
    );
    assert_eq!(place.offered(), before);

    // Another one comes first, by two persons: what was an addition is refused by then.
    let other = place
        .stage(nginx("1.6.0", "other"), &Ask::branch("mine"))
        .unwrap();
    let digest = place.plan(other.stage).digest;
    assert_ne!(digest, looked_at);
    commit(&place, other.stage, "alice", Some(&digest)).unwrap();
    ask_for_approvals(&place, "mine", 0);
    let again = place
        .stage(nginx("1.7.0", "x"), &Ask::branch("mine"))
        .unwrap();
    let before = place.offered();
    let changed = commit(&place, again.stage, "alice", Some(&looked_at)).unwrap_err();
    assert!(
        matches!(changed, ImportError::PlanChanged { .. }),
        "{changed}"
    );
    assert_eq!(
        place.offered(),
        before,
        "asked for or not, a digest that is said counts"
    );
    let own = place.plan(again.stage).digest;
    commit(&place, again.stage, "tester", Some(&own)).unwrap();
}

#[test]
fn the_digest_of_a_plan_is_that_of_what_it_changes() {
    let digests = || {
        let place = place();
        let plan = |version: &str, readme: &str, branch: &str| {
            let staged = place
                .stage(nginx(version, readme), &Ask::branch(branch))
                .unwrap();
            place.plan(staged.stage).digest
        };
        [
            plan("1.6.0", "x", "mine"),
            plan("1.6.0", "y", "mine"),
            plan("1.7.0", "x", "mine"),
            plan("1.6.0", "x", "other"),
            plan("1.6.0", "x", "mine"),
        ]
    };
    let (one, other) = (digests(), digests());
    assert_eq!(one, other, "every process computes the same");
    assert_eq!(one[0], one[4], "it is not the plan's number, nor its time");
    let mut differing = one[..4].to_vec();
    differing.sort();
    differing.dedup();
    assert_eq!(differing.len(), 4);
}

#[test]
fn a_branch_that_a_distribution_will_serve_once_it_is_made_needs_a_second_person_too() {
    let place = Place::new();
    place.import(nginx("1.5.0", "first"), &Ask::branch("production"));
    // What answers as `snapshot` serves production, and staging and snapshot before it once they are made.
    let served = distributions::list(&place.store).unwrap();
    let built_in: Vec<_> = served
        .into_iter()
        .filter(|it| it.name == "production")
        .collect();
    assert_eq!(built_in.len(), 1);
    place.import(nginx("1.6.0", "x"), &Ask::branch("snapshot"));
    ask_for_approvals(&place, "snapshot", 1);
    let staged = place
        .stage(nginx("1.7.0", "x"), &Ask::branch("staging"))
        .unwrap();
    let digest = place.plan(staged.stage).digest;
    let refused = commit(&place, staged.stage, "tester", Some(&digest)).unwrap_err();
    assert!(
        matches!(refused, ImportError::NeedsSecondPerson { .. }),
        "{refused}"
    );
}

#[test]
fn what_changes_nothing_needs_nobody_and_what_no_such_distribution_serves_neither() {
    let place = place();
    let same = place
        .stage(nginx("1.5.0", "first"), &Ask::branch("mine"))
        .unwrap();
    assert_eq!(
        commit(&place, same.stage, "tester", None)
            .unwrap()
            .change_set,
        None
    );
    let other = place
        .stage(nginx("1.6.0", "x"), &Ask::branch("other"))
        .unwrap();
    assert!(place.plan(other.stage).approving.is_empty());
    commit(&place, other.stage, "tester", None).unwrap();
}

#[test]
fn approvals_are_a_change_set_and_in_the_audit_log_and_outlive_likeness_and_deletion() {
    let place = place();
    let root = Actor::here("root");
    let approvals = |text: &str| {
        let shown = distributions::show(&place.store, &name(text));
        shown.unwrap().approvals
    };
    place.import(nginx("1.6.0", "x"), &Ask::branch("other"));
    let like = |of: &str| LayersRequest {
        like: Some(of.to_owned()),
        ..LayersRequest::default()
    };
    distributions::create(&place.store, &root, &name("prod"), &like("mine")).unwrap();
    assert_eq!(approvals("prod"), 1, "what is like it asks for it too");
    let set = distributions::set(&place.store, &root, &name("prod"), &like("other")).unwrap();
    assert_eq!(
        (approvals("prod"), set.approvals),
        (1, None),
        "nobody is let off"
    );
    distributions::delete(&place.store, &root, &name("prod")).unwrap();
    let from = LayersRequest {
        from: Some("other".to_owned()),
        ..LayersRequest::default()
    };
    distributions::create(&place.store, &root, &name("prod"), &from).unwrap();
    assert_eq!(approvals("prod"), 1, "nor by deleting it");
    distributions::delete(&place.store, &root, &name("prod")).unwrap();
    let deleted = distributions::needed_role_to_delete(&place.store, &name("prod"));
    assert_eq!(deleted.unwrap(), Role::Admin);
    let off = LayersRequest {
        approvals: Some(0),
        ..from.clone()
    };
    assert_eq!(distributions::needed_role(&off), Role::Admin);
    distributions::create(&place.store, &root, &name("prod"), &off).unwrap();
    assert_eq!(approvals("prod"), 0, "an admin's word counts");
    ask_for_approvals(&place, "prod", 1);

    ask_for_approvals(&place, "prod", 0);
    assert_eq!(approvals("prod"), 0);
    let entry = last_entry(&place);
    assert_eq!((&*entry.action, &*entry.subject), ("approvals", "prod"));
    assert!(entry.detail.contains("\"approvals\":0"), "{}", entry.detail);
    let number = place.count("change_set");
    ask_for_approvals(&place, "prod", 0);
    assert_eq!(place.count("change_set"), number, "nothing changes twice");
    let more = LayersRequest {
        approvals: Some(2),
        ..LayersRequest::default()
    };
    assert!(distributions::set(&place.store, &root, &name("prod"), &more).is_err());
    assert_eq!(place.count("change_set"), number);
}

#[test]
fn who_says_where_a_plan_belongs_does_not_commit_it_either() {
    let place = place();
    let ask = Ask {
        may_ask: true,
        ..Ask::default()
    };
    let staged = place.stage(nginx("1.6.0", "x"), &ask).unwrap();
    let aim = |who: &str, kind| {
        let who = Actor::here(who);
        import::set_target(&place.store, &who, staged.stage, name("mine"), kind)
    };
    aim("bob", BranchKind::Local).unwrap();
    // Said again by somebody else it is still bob's word.
    aim("alice", BranchKind::Local).unwrap();
    assert!(aim("alice", BranchKind::Release).is_err());
    let plan = place.plan(staged.stage);
    let before = place.offered();
    for who in ["tester", "Bob", &by_token("bob", "ci")] {
        let refused = commit(&place, staged.stage, who, Some(&plan.digest)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "plan {} was staged by tester and given its branch by bob, and mine asks for somebody else to commit it",
                plan.plan
            )
        );
        assert_eq!(place.offered(), before, "the plan waits");
    }
    commit(&place, staged.stage, "alice", Some(&plan.digest)).unwrap();
}

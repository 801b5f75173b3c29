//! What a plan may change, and what commits leave behind.

use airlock::admin::distributions::{self, LayersRequest};
use airlock::admin::operations;
use airlock::distribution::DistributionName;
use airlock::import;
use airlock::people::Actor;

use crate::trees::{Tree, release};
use crate::{Ask, Place};

fn nginx(readme: &str) -> Vec<u8> {
    let mut tree = Tree::default().package("packages/nginx/1.5.0");
    tree.0[0].1 = readme.as_bytes().to_vec();
    tree.tar().bytes()
}

#[test]
fn the_first_release_answers_at_the_root_and_the_second_does_not() {
    let place = Place::new();
    for (version, is_default) in [("7.9.0", true), ("8.5.0", false)] {
        let staged = place
            .stage(release(version).tar().zst(), &Ask::default())
            .unwrap();
        let committed = place.commit(staged.stage).unwrap();
        assert_eq!(
            (committed.branch.as_str(), committed.is_default),
            (version, is_default)
        );
        assert_eq!(committed.added, 2);
    }
    assert_eq!(
        place.count("artifact"),
        2,
        "both releases hold the same two"
    );
    assert_eq!((place.count("stage"), place.count("staged")), (0, 0));
}

#[test]
fn the_same_release_again_changes_nothing() {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let before = place.count("change_set");
    let staged = place
        .stage(release("8.5.0").git_tar().xz(), &Ask::default())
        .unwrap();
    assert_eq!(staged.new, 0);
    let committed = place.commit(staged.stage).unwrap();
    assert_eq!((committed.change_set, committed.unchanged), (None, 2));
    assert_eq!(place.count("change_set"), before);
}

#[test]
fn a_release_that_comes_again_with_other_content_is_its_next_edition() {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let first = place.digests("8.5.0");
    let with = |version: &str| {
        release("8.5.0").package(&format!("package-storage-8.5.0/packages/nginx/{version}"))
    };
    let today = jiff::Timestamp::now().to_string()[..10].to_owned();
    let names = [format!("8.5.0+{today}"), format!("8.5.0+{today}.2")];
    for (name, version, last) in [
        (&names[0], "1.6.0", "8.5.0"),
        (&names[1], "1.7.0", names[0].as_str()),
    ] {
        let plan = place.import(with(version).tar().bytes(), &Ask::default());
        assert_eq!(plan.branch, **name);
        assert!(plan.is_new_branch);
        let edition = plan.edition.unwrap();
        assert_eq!(
            (edition.release.as_str(), edition.last.as_str()),
            ("8.5.0", last)
        );
        assert_eq!(edition.added, [format!("nginx {version}")]);
        let removed = match last {
            "8.5.0" => vec![],
            _ => vec!["nginx 1.6.0".to_owned()],
        };
        assert_eq!((edition.changed, edition.removed), (vec![], removed));
        assert_eq!(place.artifacts(name).len(), 3);
    }
    assert_eq!(place.digests("8.5.0"), first);
    let held = || {
        let counts = ["branch", "change_set", "distribution", "member"].map(|it| place.count(it));
        (counts, place.digests(&names[0]))
    };
    let before = held();
    // Each of the three is known again, whatever it is called by, and nothing is put into it.
    for (source, asked, branch) in [
        (release("8.5.0"), Ask::default(), "8.5.0"),
        (with("1.6.0"), Ask::default(), &names[0]),
        (with("1.7.0"), Ask::release("8.5.0"), &names[1]),
        (with("1.6.0"), Ask::release(&names[1]), &names[0]),
    ] {
        let plan = place.import(source.tar().xz(), &asked);
        assert_eq!(plan.branch, branch);
        assert_eq!((plan.is_new_branch, plan.edition), (false, None));
        assert_eq!((plan.added.len(), plan.refused.len()), (0, 0));
    }
    assert_eq!(held(), before);
}

#[test]
fn an_edition_is_settled_when_it_is_committed() {
    let place = Place::new();
    let with = |version: &str| {
        let tree = release("8.5.0");
        tree.package(&format!("package-storage-8.5.0/packages/nginx/{version}"))
    };
    let stage = |tree: Tree| {
        place
            .stage(tree.tar().bytes(), &Ask::default())
            .unwrap()
            .stage
    };
    let plans = [
        release("8.5.0"),
        with("1.6.0"),
        with("1.6.0"),
        with("1.7.0"),
    ]
    .map(stage);
    assert!(plans.iter().all(|plan| place.plan(*plan).branch == "8.5.0"));
    let done = plans.map(|plan| place.commit(plan).unwrap());
    let today = jiff::Timestamp::now().to_string()[..10].to_owned();
    let branches = done.each_ref().map(|done| done.branch.clone());
    let edition = format!("8.5.0+{today}");
    let second = format!("{edition}.2");
    assert_eq!(
        branches,
        ["8.5.0".to_owned(), edition.clone(), edition, second]
    );
    let is_new = done.map(|done| done.change_set.is_some());
    assert_eq!(is_new, [true, true, false, true]);
}

#[test]
fn a_release_whose_name_leaves_no_room_for_a_day_has_no_editions() {
    let place = Place::new();
    let ask = Ask::release(&"a".repeat(60));
    place.import(nginx("first"), &ask);
    let staged = place.stage(nginx("second"), &ask).unwrap();
    let before = place.count("change_set");
    let error = place.commit(staged.stage).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("its name is too long for another edition's")
    );
    assert_eq!(place.count("change_set"), before);
}

#[test]
fn a_known_source_is_no_longer_known_once_the_branch_lost_some_of_it() {
    let place = Place::new();
    let first = nginx("first");
    let known = || {
        let digest = airlock::crypto::Digest::of(&first);
        operations::known_source(&place.store, first.len() as u64, Some(&digest))
            .unwrap()
            .branches
    };
    place.import(first.clone(), &Ask::branch("snapshot"));
    assert_eq!(known(), ["snapshot"]);
    let plan = place.import(nginx("second"), &Ask::branch("snapshot"));
    assert_eq!(plan.replaced, ["nginx 1.5.0"]);
    assert_eq!(known(), [""; 0]);
}

#[test]
fn a_branch_is_not_made_where_another_distribution_has_its_address() {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let name = |text| DistributionName::parse(text).unwrap();
    let layers = LayersRequest {
        from: Some("8.5.0".into()),
        ..LayersRequest::default()
    };
    distributions::create(&place.store, &Actor::here("tester"), &name("mine"), &layers).unwrap();
    let before = place.count("change_set");
    let staged = place.stage(nginx("x"), &Ask::branch("mine")).unwrap();
    let error = place.commit(staged.stage).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is a distribution mine already, which serves other branches"
    );
    assert_eq!(place.count("change_set"), before);
}

#[test]
fn a_release_and_a_branch_do_not_share_a_name() {
    let place = Place::new();
    place.import(nginx("x"), &Ask::branch("mine"));
    let staged = place.stage(nginx("x"), &Ask::release("mine")).unwrap();
    let error = place.commit(staged.stage).unwrap_err();
    assert_eq!(error.to_string(), "mine is here as a local branch");
}

#[test]
fn a_plan_that_is_dropped_is_forgotten_with_its_source() {
    let place = Place::new();
    let before = place.offered();
    let with_a_bad_one = release("8.5.0").file("package-storage-8.5.0/packages/bad/1.0.0/x", "");
    let staged = place
        .stage(with_a_bad_one.tar().bytes(), &Ask::default())
        .unwrap();
    assert_eq!(place.plan(staged.stage).quarantined.len(), 1);
    import::drop_stage(
        &place.store,
        &airlock::people::Actor::here("tester"),
        staged.stage,
    )
    .unwrap();
    assert_eq!(place.offered(), before);
    let again = import::drop_stage(
        &place.store,
        &airlock::people::Actor::here("tester"),
        staged.stage,
    )
    .unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("there is no plan {}", staged.stage.0)
    );
    assert!(place.commit(staged.stage).is_err());
}

#[test]
fn names_say_what_is_a_release_and_what_a_branch() {
    let outcome = |release, branch| match operations::target(release, branch) {
        Ok(Some((name, kind))) => format!("{kind} {name}"),
        Ok(None) => "unnamed".to_owned(),
        Err(error) => error.to_string(),
    };
    let seen: Vec<_> = [
        (None, None),
        (Some("8.5.0"), None),
        (Some("lite-9.2.0"), None),
        (None, Some("production")),
        (None, Some("production-7.9")),
        (None, Some("mine")),
        (Some("default"), None),
        (None, Some("default")),
        (Some("production"), None),
        (None, Some("8.5.0")),
        (None, Some("lite-8.5.0")),
        (None, Some("Mine")),
        (Some("8.5.0"), Some("mine")),
    ]
    .map(|(release, branch)| outcome(release, branch))
    .into();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    unnamed
    release 8.5.0
    release lite-9.2.0
    production production
    production production-7.9
    local mine
    default is a name with a meaning of its own
    default is a name with a meaning of its own
    production is a name with a meaning of its own
    8.5.0 is what a release is called, and nothing else may be
    lite-8.5.0 is what a release is called, and nothing else may be
    invalid request: invalid name "Mine": names are 1 to 64 of a-z, 0-9, '.', '_', '+' and '-', and begin with a letter or digit
    invalid request: a release and a branch were named, it can be only one
    "#);
}

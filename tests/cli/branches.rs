//! Branches by their rules: what is removed, promoted, tagged, served and gone back on, and what the history says of it.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Site;
use crate::server::Server;
use crate::trees::Tree;

/// Imports packages, `name/version` each, into a branch; what `readme` says is their content.
fn import(site: &Site, branch: &str, packages: &[&str], readme: &str) {
    let mut tree = packages.iter().fold(Tree::default(), |tree, package| {
        tree.package(&format!("packages/{package}"))
    });
    for (path, content) in &mut tree.0 {
        if path.ends_with("README.md") {
            *content = readme.as_bytes().to_vec();
        }
    }
    let source = site.source("source.tar", tree.tar().bytes());
    let said = site.run(&["import", &source, "--branch", branch]);
    assert!(said.starts_with("exit 0\n"), "{said}");
}

fn change_sets(site: &Site) -> usize {
    let said = site.run(&["history", "--json", "--limit", "1000"]);
    let json: serde_json::Value = serde_json::from_str(&said["exit 0\n".len()..]).unwrap();
    json["change_sets"].as_array().unwrap().len()
}

#[test]
fn versions_are_removed_by_the_rule_of_their_branch() {
    for (branch, unasked, with_reason) in [
        ("production", false, false),
        ("production-7.9", false, false),
        ("staging", false, true),
        ("snapshot", true, true),
        ("experimental", true, true),
        ("mine", true, true),
    ] {
        let site = Site::new();
        import(
            &site,
            branch,
            &["buoy/1.0.0", "buoy/1.1.0", "dock/1.0.0"],
            "x",
        );
        for (reason, package, is_allowed) in [
            (&[][..], "buoy@1.0.0", unasked),
            (&["--reason", "it leaks"][..], "buoy@1.1.0", with_reason),
        ] {
            let before = change_sets(&site);
            let said = site.run(&[&["remove", branch, package][..], reason].concat());
            assert_eq!(said.starts_with("exit 0\n"), is_allowed, "{branch}: {said}");
            let after = before + usize::from(is_allowed);
            assert_eq!(change_sets(&site), after, "{branch}: {said}");
        }
    }
}

#[test]
fn a_release_keeps_what_it_has_whatever_is_said() {
    let site = Site::new();
    let source = site.source("8.5.0.tar", crate::trees::release("8.5.0").tar().bytes());
    site.run(&["import", &source]);
    insta::assert_snapshot!(site.run(&["remove", "8.5.0", "nginx@1.5.0", "--reason", "it leaks"]), @r"
    exit 1
    Error: 8.5.0 is a release, and never gives up a version
    Hint: `airlock rollback` goes back to an earlier state of everything; `airlock distribution set` serves something else
    ");
    assert_eq!(change_sets(&site), 1);
}

#[test]
fn what_is_removed_is_named_exactly_or_nothing_is() {
    let site = Site::new();
    import(&site, "staging", &["buoy/1.0.0"], "x");
    insta::assert_snapshot!(site.run(&["remove", "staging", "buoy@1.0.0"]), @r"
    exit 1
    Error: staging gives up no version without a reason, which such an exception needs
    Hint: say why with --reason
    ");
    insta::assert_snapshot!(site.run(&["remove", "staging", "buoy@1.0.0", "dock", "--reason", "x"]), @r"
    exit 1
    Error: staging does not hold dock
    Hint: `airlock signatures list BRANCH --all` shows what a branch holds
    ");
    assert_eq!(change_sets(&site), 1);
    insta::assert_snapshot!(site.run(&["remove", "staging", "buoy", "--reason", "x", "--dry-run"]), @r"
    exit 0
    This would change:
      staging: 1 removed
        - buoy 1.0.0
    ");
    assert_eq!(change_sets(&site), 1);
}

#[test]
fn promotion_moves_versions_on_and_never_overwrites_production() {
    let site = Site::new();
    import(&site, "staging", &["buoy/1.0.0", "dock/1.0.0"], "staging");
    import(&site, "production", &["buoy/1.0.0"], "production");
    let server = Server::start(&site);
    let promoted = site.run(&["promote", "dock", "1.0.0", "--dry-run"]);
    assert_eq!(change_sets(&site), 2);
    insta::assert_snapshot!(promoted, @r"
    exit 0
    This would change:
      production: 1 added
        + dock 1.0.0
      staging: 1 removed
        - dock 1.0.0
    ");
    insta::assert_snapshot!(site.run(&["promote", "--all"]), @r"
    exit 2
    Change set 3:
      production: 1 added
        + dock 1.0.0
      staging: 1 removed
        - dock 1.0.0
    Refused:
      buoy 1.0.0: it is in production with other content, and production never changes a version
    ");
    for path in ["/d/production/", "/d/staging/"] {
        let found = server.get(&format!("{path}search?all=true")).packages();
        assert_eq!(found, ["buoy-1.0.0", "dock-1.0.0"], "{path}");
        let readme = server.get(&format!("{path}package/buoy/1.0.0/docs/README.md"));
        assert_eq!(readme.body, b"production", "{path}");
    }
    let before = change_sets(&site);
    for (args, error) in [
        (
            &["promote", "--all", "--to", "snapshot"][..],
            "versions are promoted from snapshot",
        ),
        (
            &["promote", "--all", "--from", "production"],
            "versions are promoted from snapshot",
        ),
        (
            &["promote", "--all", "--to", "staging"],
            "there is no branch snapshot",
        ),
        (&["promote", "zeek"], "staging does not hold zeek"),
    ] {
        let said = site.run(args);
        assert!(
            said.starts_with("exit 1\nError: ") && said.contains(error),
            "{said}"
        );
    }
    assert_eq!(change_sets(&site), before);
}

#[test]
fn a_tag_freezes_production_and_a_second_one_is_an_edition() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0"], "x");
    insta::assert_snapshot!(site.run(&["tag", "8.5.0"]), @r"
    exit 0
    Change set 2: 8.5.0 is what production serves now, 1 package version, served at /d/8.5.0/; `airlock activate 8.5.0` puts it at /
    ");
    insta::assert_snapshot!(site.run(&["tag", "8.5.0"]), @r"
    exit 0
    Nothing changed: 8.5.0 has all that production serves, and no more.
    ");
    import(&site, "production", &["buoy/1.1.0"], "x");
    insta::assert_snapshot!(site.run(&["tag", "8.5.0"]), @r"
    exit 0
    Change set 4: 8.5.0+[TODAY] is what production serves now, 2 package versions, served at /d/8.5.0+[TODAY]/; `airlock activate 8.5.0+[TODAY]` puts it at /
    8.5.0 is here with other content, and stays as it is.
    ");
    let server = Server::start(&site);
    assert_eq!(
        server.get("/d/8.5.0/search?all=true").packages(),
        ["buoy-1.0.0"]
    );
}

#[test]
fn a_rollback_goes_back_to_right_after_a_change_set_and_the_past_is_served() {
    let site = Site::new();
    import(&site, "snapshot", &["buoy/1.0.0"], "first");
    import(&site, "snapshot", &["buoy/1.0.0", "dock/1.0.0"], "second");
    let server = Server::start(&site);
    let said = site.run(&["distribution", "create", "mine", "--from", "snapshot"]);
    assert!(
        said.starts_with("exit 0\nChange set 3: mine serves snapshot"),
        "{said}"
    );
    let readme = |path: &str| server.get(&format!("{path}package/buoy/1.0.0/docs/README.md"));
    let found = |path: &str| server.get(&format!("{path}search?all=true"));
    assert_eq!(readme("/d/snapshot@1/").body, b"first");
    assert_eq!(readme("/d/snapshot@2/").body, b"second");
    assert_eq!(found("/d/snapshot%401/").packages(), ["buoy-1.0.0"]);
    for absent in [
        "/d/snapshot@0/",
        "/d/snapshot@4/",
        "/d/snapshot@01/",
        "/d/mine@2/",
        "/d/x@1/",
    ] {
        assert_eq!(found(absent).status, 404, "{absent}");
    }
    let dry = site.run(&["rollback", "1", "--dry-run"]);
    assert_eq!(change_sets(&site), 3);
    let said = site.run(&["rollback", "1", "--reason", "too soon"]);
    insta::assert_snapshot!(said, @r"
    exit 0
    Change set 4:
      snapshot: 1 replaced, 1 removed
        ~ buoy 1.0.0
        - dock 1.0.0
      distribution mine: deleted, served snapshot
    ");
    assert_eq!(dry, said.replace("Change set 4:", "This would change:"));
    assert_eq!(readme("/d/snapshot/").body, b"first");
    assert_eq!(readme("/d/snapshot@2/").body, b"second");
    assert_eq!(readme("/d/mine@3/").body, b"second");
    assert_eq!(found("/d/mine/").status, 404);
    assert_eq!(site.run(&["rollback", "4"]), "exit 0\nNothing changes.");
    assert!(
        site.run(&["rollback", "9"])
            .contains("there is no change set 9")
    );
    // A rollback is gone back on as anything else.
    site.run(&["rollback", "3"]);
    assert_eq!(readme("/d/mine/").body, b"second");
    let history = site.run(&["history", "4"]);
    assert!(history.contains("rollback: too soon"), "{history}");
}

#[test]
fn a_rollback_takes_from_production_with_a_reason_alone() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0"], "x");
    import(&site, "production", &["dock/1.0.0"], "x");
    let said = site.run(&["rollback", "1"]);
    assert!(
        said.contains("production gives up no version without a reason"),
        "{said}"
    );
    assert_eq!(change_sets(&site), 2);
    let said = site.run(&["rollback", "1", "--reason", "it leaks"]);
    assert!(said.contains("- dock 1.0.0"), "{said}");
    assert_eq!(change_sets(&site), 3);
}

#[test]
fn distributions_are_set_and_deleted_and_those_of_branches_are_not() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0"], "production");
    import(&site, "staging", &["buoy/1.0.0", "dock/1.0.0"], "staging");
    import(&site, "local", &["dock/1.0.0"], "local");
    site.run(&[
        "distribution",
        "create",
        "test",
        "--from",
        "staging",
        "--with",
        "local",
    ]);
    let serves = |name: &str| {
        let said = site.run(&["distribution", "show", name]);
        said.split(" at /").next().unwrap().replace("exit 0\n", "")
    };
    assert_eq!(serves("test"), "test serves local, then staging");
    assert_eq!(serves("staging"), "staging serves production, then staging");
    site.run(&["distribution", "set", "test", "--from", "production"]);
    assert_eq!(serves("test"), "test serves local, then production");
    site.run(&[
        "distribution",
        "set",
        "test",
        "--from",
        "production",
        "--alone",
    ]);
    assert_eq!(serves("test"), "test serves production");
    site.run(&["distribution", "set", "default", "--like", "staging"]);
    assert_eq!(serves("default"), "default serves production, then staging");
    let shown = site.run(&["distribution", "show", "staging"]);
    assert!(
        shown.contains("buoy 1.0.0 of staging is shadowed by production, with other content"),
        "{shown}"
    );
    let before = change_sets(&site);
    for args in [
        &["distribution", "set", "staging", "--from", "local"][..],
        &["distribution", "delete", "staging"],
        &["distribution", "delete", "default"],
        &["distribution", "delete", "none"],
        &["distribution", "set", "none", "--from", "local"],
    ] {
        let said = site.run(args);
        assert!(said.starts_with("exit 1\nError: "), "{args:?}: {said}");
    }
    assert_eq!(change_sets(&site), before);
    let said = site.run(&["distribution", "delete", "test"]);
    assert!(
        said.contains("test is deleted; its branches stay."),
        "{said}"
    );
    assert!(!site.run(&["distribution", "list"]).contains("test serves"));
}

#[test]
fn a_version_is_fetched_at_every_moment_of_its_promotion() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0"], "x");
    import(&site, "staging", &["dock/1.0.0"], "x");
    let server = Server::start(&site);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut asked = 0;
            while !is_over.load(Ordering::Relaxed) {
                for path in ["search?package=dock", "package/dock/1.0.0/"] {
                    let answer = server.get(&format!("/d/staging/{path}"));
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    let is_there = answer.status == 200 && text.contains("dock");
                    assert!(is_there, "{path}: {}", answer.head);
                }
                asked += 1;
            }
            asked
        });
        let mut said = String::new();
        for _ in 0..4 {
            said.push_str(&site.run(&["promote", "dock"]));
            said.push_str(&site.run(&["rollback", "2", "--reason", "once more"]));
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(client.join().unwrap() > 0);
        assert_eq!(said.matches("exit 0\nChange set").count(), 8, "{said}");
    });
}

#[test]
fn what_the_policy_of_production_does_not_take_stays_in_staging() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0"], "x");
    import(&site, "staging", &["dock/1.0.0"], "x");
    site.run(&["signatures", "set", "production", "require"]);
    let before = change_sets(&site);
    insta::assert_snapshot!(site.run(&["promote", "dock"]), @r"
    exit 1
    Nothing changes.
    Refused:
      dock 1.0.0: it came without a signature
    ");
    assert_eq!(change_sets(&site), before);
    let shown = site.run(&["distribution", "show", "staging"]);
    assert!(shown.contains("staging (staging): 1 version\n"), "{shown}");
}

#[test]
fn refusals_read_the_same_through_a_running_server() {
    let site = Site::new();
    import(&site, "production", &["buoy/1.0.0", "buoy/1.2.0"], "x");
    import(&site, "staging", &["buoy/1.0.0"], "y");
    site.run(&["tag", "8.5.0"]);
    let commands: [&[&str]; 12] = [
        &["remove", "production", "buoy", "--reason", "it leaks"],
        &["remove", "8.5.0", "buoy"],
        &["remove", "staging", "buoy"],
        &["remove", "staging", "boy", "--reason", "x"],
        &["remove", "stagign", "buoy"],
        &["promote", "buoy"],
        &["promote", "buoy", "1.0.1"],
        &["promote", "--all", "--to", "snapshot"],
        &["tag", "production"],
        &["rollback", "1"],
        &["distribution", "set", "staging", "--from", "production"],
        &["distribution", "show", "8.5"],
    ];
    let said = || -> Vec<String> { commands.iter().map(|args| site.run(args)).collect() };
    let before = change_sets(&site);
    let alone = said();
    let server = Server::start(&site);
    let served = said();
    assert!(server.stop());
    for (args, (alone, served)) in commands.iter().zip(alone.iter().zip(&served)) {
        assert!(alone.starts_with("exit 1\n"), "{args:?}: {alone}");
        assert_eq!(alone, served, "{args:?}");
    }
    assert_eq!(change_sets(&site), before);
    for (number, meant) in [
        (3, "buoy"),
        (4, "staging"),
        (6, "buoy@1.0.0"),
        (11, "8.5.0"),
    ] {
        let hint = format!("Hint: Did you mean {meant}?\n");
        assert!(alone[number].contains(&hint), "{}", alone[number]);
    }
}

#[test]
fn an_address_is_joined_with_whatever_slashes_and_answered_at_once() {
    let site = Site::new();
    let source = site.source("8.5.0.tar", crate::trees::release("8.5.0").tar().bytes());
    site.run(&["import", &source]);
    let server = Server::start(&site);
    for base in ["", "/d/8.5.0", "/d/8.5.0/", "//d//8.5.0/"] {
        let get = |path: &str| {
            let answer = server.get(&format!("{base}{path}"));
            assert_eq!(answer.status, 200, "{base}{path}: {}", answer.head);
            answer
        };
        if base.ends_with(|end: char| end != '/') {
            assert_eq!(get("").body, get("/").body);
        }
        for element in get("/search?all=true").json().as_array().unwrap() {
            let text = |key: &str| element[key].as_str().unwrap().to_owned();
            // As in the answer at `/`: a client appends it to its base address.
            assert!(text("path").starts_with("/package/"));
            let document = get(&text("path")).json();
            let slash = get(&format!("{}/", text("path"))).json();
            assert_eq!(document, slash);
            let zip = get(document["download"].as_str().unwrap());
            assert_eq!(zip.body[..4], *b"PK\x03\x04");
        }
    }
}

#[test]
fn a_pruned_past_is_gone_and_what_was_fetched_lately_is_kept() {
    let site = Site::new();
    import(&site, "snapshot", &["buoy/1.0.0", "dock/1.0.0"], "first");
    import(&site, "snapshot", &["buoy/1.0.0"], "second");
    site.run(&["remove", "snapshot", "dock"]);
    let server = Server::start(&site);
    let dock = || server.get("/d/snapshot/epr/dock/dock-1.0.0.zip").status;
    let past = |at: u32| server.get(&format!("/d/snapshot@{at}/search")).status;
    assert_eq!((dock(), past(2)), (200, 200));
    let kept = "kept unless --also-fetched:\n  dock 1.0.0";
    let dry = site.run(&["history", "prune", "--up-to", "3", "--dry-run"]);
    let going = "1 version that branches gave up, 1 zip that nothing else keeps (";
    assert!(
        dry.starts_with(&format!("exit 0\nThis would go: {going}")),
        "{dry}"
    );
    assert!(dry.contains(kept), "{dry}");
    assert_eq!((change_sets(&site), past(2)), (3, 200));
    let said = site.run(&["history", "prune", "--up-to", "3"]);
    assert!(
        said.starts_with(&format!("exit 0\nChange set 4: let go of {going}")),
        "{said}"
    );
    assert_eq!((dock(), past(2), past(3)), (200, 404, 200));
    let said = site.run(&["rollback", "2"]);
    assert!(
        said.contains("the history up to change set 3 was pruned"),
        "{said}"
    );
    let said = site.run(&["diff", "snapshot@2", "snapshot"]);
    assert!(
        said.contains("the history up to change set 3 was pruned"),
        "{said}"
    );
    assert!(
        site.run(&["history", "2"])
            .contains("import from source.tar (pruned)")
    );
    assert_eq!(change_sets(&site), 4);
    let said = site.run(&["history", "prune", "--up-to", "3", "--also-fetched"]);
    assert!(said.contains("Change set 5: let go of 1 version"), "{said}");
    assert_eq!(dock(), 404);
    let said = site.run(&["history", "prune", "--up-to", "3"]);
    assert_eq!(said, "exit 0\nThere is nothing to prune.");
    assert_eq!(
        server
            .get("/d/snapshot/package/buoy/1.0.0/docs/README.md")
            .body,
        b"second"
    );
}

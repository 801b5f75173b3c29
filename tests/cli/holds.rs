//! Holds, what is withdrawn, and what is answered for though it is no longer offered.

use crate::Site;
use crate::server::{Answer, Server, until};
use crate::trees::{Tree, release};

/// Imports packages, `name/version` each, into a branch.
fn import(site: &Site, branch: &str, packages: &[&str]) -> String {
    let tree = packages.iter().fold(Tree::default(), |tree, package| {
        tree.package(&format!("packages/{package}"))
    });
    let source = site.source("source.tar", tree.tar().bytes());
    let said = site.run(&["import", &source, "--branch", branch]);
    assert!(said.starts_with("exit 0\n"), "{said}");
    said
}

/// A site where `prod` serves production and local.
fn with_prod() -> Site {
    let site = Site::new();
    import(
        &site,
        "production",
        &["buoy/1.0.0", "buoy/1.1.0", "buoy/1.2.0", "dock/1.0.0"],
    );
    import(&site, "local", &["buoy/1.0.1"]);
    site.run(&[
        "distribution",
        "create",
        "prod",
        "--from",
        "production",
        "--with",
        "local",
    ]);
    site
}

fn found(server: &Server, distribution: &str) -> Vec<String> {
    server
        .get(&format!("/d/{distribution}/search?all=true"))
        .packages()
}

/// All that a client asks for of a package version: document, files and zip.
fn fetched(server: &Server, address: &str, name: &str, version: &str) -> Vec<Answer> {
    let package = format!("{address}/package/{name}/{version}");
    [
        format!("{package}/"),
        format!("{package}/manifest.yml"),
        format!("{package}/docs/README.md"),
        format!("{address}/epr/{name}/{name}-{version}.zip"),
    ]
    .map(|path| server.get(&path))
    .into()
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

#[test]
fn each_kind_of_hold_keeps_back_what_it_says_and_is_released() {
    let site = with_prod();
    let server = Server::start(&site);
    let all = [
        "buoy-1.0.0",
        "buoy-1.0.1",
        "buoy-1.1.0",
        "buoy-1.2.0",
        "dock-1.0.0",
    ];
    assert_eq!(found(&server, "prod"), all);
    let said = site.run(&[
        "hold",
        "prod",
        "buoy",
        "--at",
        "1.0.1",
        "--reason",
        "dashboards break",
    ]);
    insta::assert_snapshot!(said, @r"
    exit 0
    Change set 4:
      hold 1 on prod: buoy newer than 1.0.1 (dashboards break)
        keeps back buoy 1.1.0
        keeps back buoy 1.2.0
    ");
    assert_eq!(
        found(&server, "prod"),
        ["buoy-1.0.0", "buoy-1.0.1", "dock-1.0.0"]
    );
    assert_eq!(found(&server, "production").len(), 4, "it is prod's alone");
    // Another one of the kind takes its place.
    site.run(&["hold", "prod", "buoy", "--at", "1.1.0"]);
    assert_eq!(found(&server, "prod").len(), 4);
    site.run(&["hold", "prod", "buoy@1.0.0"]);
    site.run(&[
        "hold",
        "prod",
        "buoy",
        "--only",
        "local",
        "--until",
        "2999-01-31",
    ]);
    assert_eq!(found(&server, "prod"), ["buoy-1.0.1", "dock-1.0.0"]);
    let holds = site.run(&["holds", "prod"]);
    assert!(
        holds.contains("hold 2 on prod: buoy newer than 1.1.0"),
        "{holds}"
    );
    assert!(
        holds.contains(
            "hold 4 on prod: buoy of other branches than local, until 2999-01-31T00:00:00Z"
        ),
        "{holds}"
    );
    assert!(!holds.contains("hold 1 "), "{holds}");
    let shown = site.run(&["distribution", "show", "prod"]);
    assert!(
        shown.contains("hold 3 on prod: buoy 1.0.0\n    keeps back buoy 1.0.0\n"),
        "{shown}"
    );
    let said = site.run(&["hold", "prod", "buoy@1.0.0"]);
    assert_eq!(said, "exit 0\nNothing changes.");
    for number in ["2", "3", "4"] {
        let said = site.run(&["release-hold", number]);
        assert!(
            said.contains(&format!("hold {number} on prod released")),
            "{said}"
        );
    }
    assert_eq!(found(&server, "prod"), all);
    assert_eq!(site.run(&["holds"]), "exit 0\nNothing is held back.");
}

#[test]
fn holds_that_mean_nothing_are_refused() {
    let site = with_prod();
    let changes = || site.run(&["history", "--limit", "1", "--json"]);
    let before = changes();
    for (args, error) in [
        (
            &["hold", "prd", "buoy@1.0.0"][..],
            "there is no distribution prd\nHint: Did you mean prod?",
        ),
        (
            &["hold", "prod", "boy@1.0.0"],
            "there is no package boy\nHint: Did you mean buoy?",
        ),
        (&["hold", "prod", "buoy"], "a hold names one version"),
        (
            &["hold", "prod", "buoy@1.0.0", "--at", "1.0.0"],
            "a hold names one version",
        ),
        (
            &["hold", "prod", "buoy", "--only", "loca"],
            "there is no branch loca\nHint: Did you mean local?",
        ),
        (
            &["hold", "prod", "buoy@1.0.0", "--until", "2020-01-01"],
            "2020-01-01 is over",
        ),
        (
            &["hold", "prod", "buoy@1.0.0", "--until", "soon"],
            "an end is a day",
        ),
        (
            &["hold", "prod", "buoy@1.0.0", "--until", "2999-01-31 10:00"],
            "an end is a day",
        ),
        (
            &[
                "distribution",
                "set",
                "prod",
                "--with",
                "local",
                "--exact",
                "now",
            ],
            "it is not said what it serves",
        ),
        (
            &["withdraw", "buoy", "--reason", "x"],
            "one version of a package is withdrawn",
        ),
        (
            &["release-hold", "7"],
            "there is no hold 7\nHint: `airlock holds`",
        ),
    ] {
        let said = site.run(args);
        assert!(
            said.starts_with("exit 1\nError: ") && said.contains(error),
            "{args:?}: {said}"
        );
    }
    assert_eq!(changes(), before);
    let said = site.run(&["hold", "prod", "buoy@1.0.0", "--dry-run"]);
    assert!(
        said.starts_with("exit 0\nThis would change:\n  hold 1 on prod: buoy 1.0.0\n"),
        "{said}"
    );
    assert_eq!(changes(), before);
}

#[test]
fn a_hold_that_ends_by_itself_ends_without_a_change_set() {
    let site = with_prod();
    let server = Server::start(&site);
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let said = site.run(&["hold", "prod", "buoy@1.0.0", "--until", &end.to_string()]);
    assert!(said.starts_with("exit 0\nChange set 4:"), "{said}");
    if jiff::Timestamp::now() < end {
        // It may be over on a slow machine.
        let _ = found(&server, "prod");
    }
    until(|| (found(&server, "prod").len() == 5).then_some(()));
    assert!(jiff::Timestamp::now() >= end);
    assert_eq!(site.run(&["holds"]), "exit 0\nNothing is held back.");
    let history = site.run(&["history", "--limit", "1"]);
    assert!(history.starts_with("exit 0\n4 "), "{history}");
}

#[test]
fn what_is_withdrawn_is_answered_nowhere_and_what_is_superseded_everywhere() {
    let site = Site::new();
    for number in ["8.5.0", "8.6.0"] {
        let mut tree = release(number);
        if number == "8.6.0" {
            // The next release without any version of the one before.
            tree = Tree::default().package("packages/dock/9.0.0");
        }
        let source = site.source(&format!("{number}.tar"), tree.tar().bytes());
        let said = site.run(&["import", &source, "--release", number]);
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    site.run(&["distribution", "create", "prod", "--from", "8.5.0"]);
    let server = Server::start(&site);
    let packages = found(&server, "prod");
    let (name, version) = packages[0].split_once('-').unwrap();
    let before = fetched(&server, "/d/prod", name, version);
    assert_eq!(statuses(&before), [200; 4]);
    let dry = site.run(&[
        "distribution",
        "set",
        "prod",
        "--from",
        "8.6.0",
        "--dry-run",
    ]);
    let missed = format!(
        "Fetched by some Kibana, and no longer offered to it:\n  {name} {version} of prod (last on "
    );
    assert!(
        dry.contains(&missed) && dry.contains("): answered all the same"),
        "{dry}"
    );
    assert_eq!(found(&server, "prod"), packages);
    let said = site.run(&["distribution", "set", "prod", "--from", "8.6.0"]);
    assert!(said.contains(&missed), "{said}");
    assert_eq!(found(&server, "prod"), ["dock-9.0.0"]);
    let after = fetched(&server, "/d/prod", name, version);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.status, &before.body), (after.status, &after.body));
        let etag = |answer: &Answer| {
            let mut lines = answer.head.lines();
            lines
                .find(|line| line.starts_with("etag"))
                .map(str::to_owned)
        };
        assert_eq!(etag(before), etag(after));
    }
    // What it never offered it does not answer for, whatever else is in the store.
    let never = fetched(&server, "/d/8.5.0", "dock", "9.0.0");
    assert_eq!(statuses(&never), [404; 4]);
    let past = fetched(&server, "/d/prod@3", "dock", "9.0.0");
    assert_eq!(statuses(&past), [404; 4], "nor before it did");

    let withdraw = |args: &[&str]| {
        let package = format!("{name}@{version}");
        site.run(&[&["withdraw", &package], args].concat())
    };
    assert!(withdraw(&[]).contains("--reason <REASON>"));
    let said = withdraw(&["--reason", "CVE-2026-0001"]);
    assert!(
        said.contains(&format!(
            "{name} {version} everywhere is withdrawn (CVE-2026-0001)"
        )),
        "{said}"
    );
    for address in ["/d/prod", "/d/8.5.0", "", "/d/prod@3"] {
        let answers = fetched(&server, address, name, version);
        assert_eq!(statuses(&answers), [404; 4], "{address}");
    }
    assert!(!found(&server, "8.5.0").contains(&packages[0]));
    let said = site.run(&["rollback", "4"]);
    assert!(
        said.contains("what is withdrawn is not offered again without a reason"),
        "{said}"
    );
    let said = site.run(&["rollback", "4", "--reason", "a false alarm"]);
    assert!(said.contains("released"), "{said}");
    assert_eq!(
        statuses(&fetched(&server, "/d/prod", name, version)),
        [200; 4]
    );

    let said = site.run(&["distribution", "set", "prod", "--exact", "now"]);
    assert!(said.starts_with("exit 0\nChange set"), "{said}");
    assert_eq!(
        statuses(&fetched(&server, "/d/prod", name, version)),
        [404; 4]
    );
    assert_eq!(
        statuses(&fetched(&server, "/d/8.5.0", name, version)),
        [200; 4]
    );
    let history = site.run(&["history", "--limit", "1"]);
    assert!(
        history.contains("distribution prod: answers only for what it offers now"),
        "{history}"
    );
    site.run(&["rollback", "4"]);
    assert_eq!(
        statuses(&fetched(&server, "/d/prod", name, version)),
        [200; 4]
    );
}

#[test]
fn a_plan_says_what_a_hold_will_keep_back() {
    let site = with_prod();
    site.run(&["hold", "prod", "buoy", "--at", "1.2.0"]);
    let said = import(&site, "production", &["buoy/1.3.0"]);
    assert!(
        said.contains("Held back:\n  buoy 1.3.0: prod keeps back buoy newer than 1.2.0 (hold 1)"),
        "{said}"
    );
}

#[test]
fn a_plan_says_what_is_withdrawn_whether_its_branch_is_here_or_comes_with_it() {
    let site = with_prod();
    site.run(&["withdraw", "buoy@1.3.0", "--reason", "it leaks"]);
    for branch in ["production", "9.2.0"] {
        let option = if branch == "9.2.0" {
            "--release"
        } else {
            "--branch"
        };
        let source = site.source(
            "source.tar",
            Tree::default().package("packages/buoy/1.3.0").tar().bytes(),
        );
        let said = site.run(&["import", &source, option, branch]);
        let expected = "Held back:\n  buoy 1.3.0: it is withdrawn everywhere (hold 1)\n";
        assert_eq!(said.matches(expected).count(), 1, "{said}");
        assert_eq!(said.matches("hold 1").count(), 1, "{said}");
    }
}

#[test]
fn what_is_superseded_and_no_longer_answered_for_is_told_too() {
    let site = with_prod();
    let server = Server::start(&site);
    let buoy = || server.get("/d/prod/epr/buoy/buoy-1.0.1.zip").status;
    assert_eq!(buoy(), 200);
    let told = |said: &str, answered: &str| {
        let line = "  buoy 1.0.1 of prod (last on ";
        said.contains(line) && said.contains(answered)
    };
    let said = site.run(&[
        "distribution",
        "set",
        "prod",
        "--from",
        "production",
        "--alone",
    ]);
    assert!(told(&said, "answered all the same"), "{said}");
    assert_eq!(buoy(), 200);
    for args in [
        &[
            "distribution",
            "set",
            "prod",
            "--from",
            "production",
            "--exact",
            "now",
            "--dry-run",
        ][..],
        &[
            "withdraw",
            "buoy@1.0.1",
            "--reason",
            "it leaks",
            "--dry-run",
        ],
        &["distribution", "delete", "prod"],
    ] {
        let said = site.run(args);
        assert!(told(&said, "not answered either"), "{args:?}: {said}");
    }
    assert_eq!(buoy(), 404);
}

#[test]
fn what_keeps_nothing_back_says_so() {
    let site = with_prod();
    let nothing = "    keeps back nothing that is offered now\n";
    for args in [
        &["hold", "prod", "buoy@1.0.9"][..],
        &["hold", "prod", "dock", "--at", "1.0.0", "--dry-run"],
        &["withdraw", "buoy@1.0.9", "--reason", "it leaks"],
        &["holds"],
    ] {
        let said = site.run(args);
        assert!(format!("{said}\n").contains(nothing), "{args:?}: {said}");
    }
    let said = site.run(&["hold", "prod", "buoy@1.0.0"]);
    assert!(!said.contains("nothing"), "{said}");
}

#[test]
fn a_rollback_brings_holds_back_and_takes_them_away() {
    let site = with_prod();
    site.run(&["hold", "prod", "buoy@1.0.0"]);
    site.run(&["release-hold", "1"]);
    let said = site.run(&["rollback", "4"]);
    assert!(said.contains("hold 2 on prod: buoy 1.0.0"), "{said}");
    assert_eq!(site.run(&["rollback", "4"]), "exit 0\nNothing changes.");
    let said = site.run(&["rollback", "3"]);
    assert!(
        said.contains("hold 2 on prod released: buoy 1.0.0"),
        "{said}"
    );
    // A distribution that is deleted takes its holds with it.
    site.run(&["hold", "prod", "buoy@1.0.0"]);
    site.run(&["distribution", "delete", "prod"]);
    assert_eq!(site.run(&["holds"]), "exit 0\nNothing is held back.");
}

/// What is printed with `--json`.
fn json(site: &Site, args: &[&str]) -> serde_json::Value {
    let said = site.run(&[args, &["--json"]].concat());
    let text = said.strip_prefix("exit 0\n");
    serde_json::from_str(text.unwrap_or_else(|| panic!("{args:?}: {said}"))).unwrap()
}

#[test]
fn what_is_made_like_another_takes_its_holds_along_and_has_its_fingerprint() {
    let site = with_prod();
    site.run(&["distribution", "create", "test", "--from", "production"]);
    let reason = ["--reason", "dashboards break", "--until", "3027-01-31"];
    site.run(&[&["hold", "test", "buoy", "--at", "1.1.0"][..], &reason].concat());
    site.run(&["distribution", "set", "test", "--exact", "now"]);
    site.run(&["hold", "prod", "dock@1.0.0"]);

    insta::assert_snapshot!(site.run(&["distribution", "set", "prod", "--like", "test"]), @r"
    exit 0
    Change set 8: prod serves production at /d/prod/ (3 versions, fingerprint 602f10719839)
      hold 2 on prod released: dock 1.0.0
      hold 3 on prod: buoy newer than 1.1.0, until 3027-01-31T00:00:00Z (dashboards break)
    ");
    let shown = |name| json(&site, &["distribution", "show", name]);
    let (test, prod) = (shown("test"), shown("prod"));
    for field in ["fingerprint", "exact", "branches", "offered"] {
        assert_eq!(prod[field], test[field], "{field}");
    }
    let [of_test, of_prod] = [&test, &prod].map(|it| it["holds"].as_array().unwrap().clone());
    assert_eq!((of_test.len(), of_prod.len()), (1, 1));
    for field in ["what", "reason", "ends", "versions"] {
        assert_eq!(of_prod[0][field], of_test[0][field], "{field}");
    }
    let again = site.run(&["distribution", "set", "prod", "--like", "test"]);
    assert!(again.contains("Nothing changed: prod"), "{again}");

    site.run(&["activate", "test"]);
    site.run(&[
        "distribution",
        "create",
        "third",
        "--like",
        "test",
        "--exact",
        "ever",
    ]);
    assert_eq!(shown("default")["fingerprint"], test["fingerprint"]);
    assert_eq!(shown("third")["fingerprint"], test["fingerprint"]);
    assert_eq!(
        (&shown("default")["exact"], &shown("third")["exact"]),
        (&"now".into(), &"ever".into())
    );
    let again = site.run(&["activate", "test"]);
    assert!(again.contains("Nothing changed"), "{again}");

    // Each has its own from then on, and the way back brings the old ones.
    site.run(&["release-hold", "1"]);
    assert_ne!(shown("prod")["fingerprint"], shown("test")["fingerprint"]);
    let before = json(&site, &["history"])["change_sets"]
        .as_array()
        .unwrap()
        .len();
    let set = json(&site, &["history"])["change_sets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["action"] == "distribution set" && it["holds"][0]["distribution"] == "prod")
        .unwrap()["number"]
        .as_i64()
        .unwrap();
    site.run(&["rollback", &(set - 1).to_string(), "--yes"]);
    assert_eq!(shown("prod")["holds"][0]["what"], "dock 1.0.0");
    assert!(
        json(&site, &["history"])["change_sets"]
            .as_array()
            .unwrap()
            .len()
            > before
    );
}

#[test]
fn a_distribution_has_so_many_holds_and_no_more() {
    use airlock::admin::holds::{HoldRequest, hold, list};
    use airlock::limits::Limits;

    let site = with_prod();
    let store = airlock::store::Store::open(&site.data()).unwrap();
    let limits = Limits {
        holds: 2,
        ..Limits::default()
    };
    let keep_back = |name: &str, package: &str, reason: &str| {
        let name = airlock::distribution::DistributionName::parse(name).unwrap();
        let request = HoldRequest {
            package: package.to_owned(),
            reason: Some(reason.to_owned()),
            ..HoldRequest::default()
        };
        let done = hold(
            &store,
            &airlock::people::Actor::here("somebody"),
            &name,
            &request,
            &limits,
        );
        done.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(keep_back("prod", "buoy@1.0.0", "a"), Ok(()));
    assert_eq!(keep_back("prod", "buoy@1.1.0", "a"), Ok(()));
    let refused = keep_back("prod", "buoy@1.2.0", "a").unwrap_err();
    assert!(refused.contains("there are 2 holds already"), "{refused}");
    assert_eq!(list(&store, None).unwrap().len(), 2);
    // One that gives way makes room for itself, and each distribution has its own.
    assert_eq!(keep_back("prod", "buoy@1.1.0", "b"), Ok(()));
    assert_eq!(keep_back("production", "buoy@1.2.0", "a"), Ok(()));
}

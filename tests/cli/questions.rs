//! What is asked of what is offered: how two places differ, why one answers as it does, what a Kibana would find.

use crate::Site;
use crate::server::Server;
use crate::trees::{Tree, manifest};

/// Adds a package with lines for its manifest and files of its own.
fn with(tree: Tree, package: &str, lines: &str, files: &[(&str, &str)]) -> Tree {
    let folder = format!("packages/{package}");
    let (name, version) = package.split_once('/').unwrap();
    let manifest = manifest(name, version).replace("^7.9.0 || ^8.0.0", ">=7.9.0");
    let tree = tree
        .file(
            &format!("{folder}/manifest.yml"),
            format!("{manifest}{lines}"),
        )
        .file(&format!("{folder}/docs/README.md"), format!("# {name}\n"));
    let files = files.iter();
    files.fold(tree, |tree, (path, content)| {
        tree.file(&format!("{folder}/{path}"), content)
    })
}

fn import(site: &Site, args: &[&str], tree: &Tree) {
    let source = site.source("source.tar", tree.tar().bytes());
    let said = site.run(&[&["import", source.as_str(), "--quiet"][..], args].concat());
    assert_eq!(said, "exit 0");
}

fn rule(id: &str, name: &str, severity: &str) -> String {
    format!(
        r#"{{"attributes": {{"rule_id": "{id}", "name": "{name}", "severity": "{severity}"}}}}"#
    )
}

const CHANGELOG: &str = r#"
- version: 1.1.0
  changes:
    - {description: "Lamps \e[31mblink.", type: enhancement, link: "https://example.org/2"}
    - {description: Chains are <b>measured</b> in metres., type: breaking-change}
- version: 1.0.0
  changes: [{description: First., type: enhancement}]
"#;

const FOR_9: &str = "conditions: {kibana.version: \"^9.0.0\"}\n";

/// Two releases: of the buoy a newer version that is for Kibana 9, a ferry that came, a dock that went, and a gate with other
/// files.
fn harbour() -> Site {
    let site = Site::new();
    let low = rule("r1", "Anchor drags", "low");
    let high = rule("r1", "Anchor drags", "high");
    let old = [
        ("kibana/security_rule/r1.json", low.as_str()),
        (
            "kibana/security_rule/r2.json",
            &rule("r2", "Bell rings", "medium"),
        ),
        ("kibana/dashboard/lamp.json", "{}"),
    ];
    let new = [
        ("changelog.yml", CHANGELOG),
        ("kibana/security_rule/r1_2.json", high.as_str()),
        (
            "kibana/security_rule/r3.json",
            &rule("r3", "Chain breaks", "critical"),
        ),
        ("kibana/dashboard/lamp.json", "{\"a\": 1}"),
        ("kibana/dashboard/chain.json", "{}"),
    ];
    let same = |tree| with(tree, "crane/1.0.0", "", &[]);
    let tree = same(with(Tree::default(), "buoy/1.0.0", "", &old));
    let tree = with(tree, "dock/1.0.0", "", &[]);
    import(
        &site,
        &["--release", "8.5.0"],
        &with(tree, "gate/1.0.0", "", &[("a", "1")]),
    );
    let tree = same(with(Tree::default(), "buoy/1.0.0", "", &old));
    let tree = with(tree, "buoy/1.1.0", FOR_9, &new);
    let tree = with(with(tree, "ferry/1.0.0", "", &[]), "ferry/0.9.0", "", &[]);
    let notice = "deprecated: {description: Use the bridge., since: 1.0.0}\n";
    let tree = with(tree, "gate/1.0.0", notice, &[("a", "2")]);
    import(&site, &["--release", "9.2.0"], &tree);
    site
}

#[test]
fn two_releases_differ_package_by_package() {
    let site = harbour();
    insta::assert_snapshot!(site.run(&["diff", "8.5.0", "9.2.0"]), @r#"
    exit 0
    From 8.5.0 (4 package versions of 4 packages) to 9.2.0 (6 package versions of 4 packages)
            1 added
            1 removed
            2 changed
    ~ buoy 1.0.0 -> 1.1.0, 1 version added
        1.1.0 breaking-change: "Chains are <b>measured</b> in metres."
        1 enhancement
        detection rules: 1 added, 1 removed, 1 changed
          + Chain breaks (critical)
          - Bell rings (medium)
          ~ Anchor drags (high), was low
        dashboard: 1 added, 1 changed
        files: 4 added, 2 removed, 2 changed
    - dock 1.0.0
    + ferry 1.0.0, with 1 other version
    ~ gate 1.0.0, other files in 1.0.0
        files: 2 changed
    "#);
    insta::assert_snapshot!(site.run(&["diff", "8.5.0", "9.2.0", "--package", "buoy", "--all"]), @r#"
    exit 0
    From 8.5.0 (1 package version of 1 package) to 9.2.0 (2 package versions of 1 package)
            1 changed
    ~ buoy 1.0.0 -> 1.1.0, 1 version added
        1.1.0 breaking-change: "Chains are <b>measured</b> in metres."
        1.1.0 enhancement: "Lamps �[31mblink."
        detection rules: 1 added, 1 removed, 1 changed
          + Chain breaks (critical)
          - Bell rings (medium)
          ~ Anchor drags (high), was low
        dashboard: 1 added, 1 changed
          + chain
          ~ lamp
        files: 4 added, 2 removed, 2 changed
          + changelog.yml
          + kibana/dashboard/chain.json
          + kibana/security_rule/r1_2.json
          + kibana/security_rule/r3.json
          - kibana/security_rule/r1.json
          - kibana/security_rule/r2.json
          ~ kibana/dashboard/lamp.json
          ~ manifest.yml
    "#);
    insta::assert_snapshot!(site.run(&["diff", "9.2.0", "8.5.0", "--markdown"]), @r"
    exit 0
    # 9.2.0 to 8.5.0

    From 9.2.0 (6 package versions of 4 packages) to 8.5.0 (4 package versions of 4 packages).

    Packages: 1 added, 1 removed, 2 changed.

    ## Added

    - dock 1.0.0

    ## Removed

    - ferry 1.0.0, with 1 other version

    ## Changed

    - buoy 1.1.0 -\> 1.0.0, 1 version removed
      > **Breaking** in 1.1.0: Chains are \<b\>measured\</b\> in metres.

      - 1 enhancement
      - detection rule added: Bell rings (medium)
      - detection rule removed: Chain breaks (critical)
      - detection rule changed: Anchor drags (low)
      - dashboard: 1 removed, 1 changed
      - files: 2 added, 4 removed, 2 changed
    - gate 1.0.0, other files in 1.0.0
      - files: 2 changed
    ");
    assert_eq!(
        site.run(&["diff", "9.2.0", "9.2.0"]),
        "exit 0\nFrom 9.2.0 (6 package versions of 4 packages) to 9.2.0 (6 package versions of 4 packages)\nNo package differs."
    );
}

#[test]
fn only_what_a_kibana_sees_is_compared_where_that_is_asked() {
    let site = harbour();
    insta::assert_snapshot!(site.run(&["diff", "8.5.0", "9.2.0", "--kibana", "8.5.0"]), @r"
    exit 0
    From 8.5.0 (4 package versions of 4 packages) to 9.2.0 (4 package versions of 4 packages), as /search?kibana.version=8.5.0 answers
            1 added
            1 removed
            1 changed
    - dock 1.0.0
    + ferry 1.0.0
    ~ gate 1.0.0, other files in 1.0.0
        files: 2 changed
    ");
    let said = site.run(&["diff", "8.5.0", "9.2.0", "--kibana", "9.1.0", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said["exit 0\n".len()..]).unwrap();
    let buoy = &json["packages"][0];
    assert_eq!(buoy["added"], serde_json::json!(["1.1.0"]));
    assert_eq!(buoy["removed"], serde_json::json!(["1.0.0"]));
    assert_eq!(json["query"], "kibana.version=9.1.0");
}

#[test]
fn change_sets_plans_and_versions_are_places_too() {
    let site = Site::new();
    let one = with(Tree::default(), "buoy/1.0.0", "", &[("a", "1")]);
    import(&site, &["--branch", "snapshot"], &one);
    let both = with(one, "buoy/1.1.0", "", &[("a", "2")]);
    import(&site, &["--branch", "snapshot"], &both);
    let next = with(Tree::default(), "buoy/1.1.0", "", &[("a", "3")]);
    let source = site.source("next.tar", with(next, "dock/1.0.0", "", &[]).tar().bytes());
    site.run(&["import", &source, "--branch", "snapshot", "--stage"]);
    for (places, said) in [
        (
            &["snapshot@1", "snapshot@2"][..],
            "From snapshot@1 (1 package version of 1 package) to snapshot@2 (2 package versions of 1 package)\n        1 changed\n\
             ~ buoy 1.0.0 -> 1.1.0, 1 version added\n    files: 2 changed",
        ),
        (
            &["plan:3"],
            "From snapshot (2 package versions of 1 package) to snapshot after plan 3 (3 package versions of 2 packages)\n        \
             1 added\n        1 changed\n~ buoy 1.1.0, other files in 1.1.0\n    files: 1 changed\n+ dock 1.0.0",
        ),
        (
            &["buoy@1.1.0", "buoy@1.0.0"],
            "From buoy@1.1.0 (1 package version of 1 package) to buoy@1.0.0 (1 package version of 1 package)\n        1 changed\n\
             ~ buoy 1.1.0 -> 1.0.0\n    files: 2 changed",
        ),
        (
            &["snapshot@1"],
            "From default (2 package versions of 1 package) to snapshot@1 (1 package version of 1 package)\n        1 changed\n\
             ~ buoy 1.1.0 -> 1.0.0, 1 version removed\n    files: 2 changed",
        ),
    ] {
        let args = [&["diff"][..], places].concat();
        assert_eq!(site.run(&args), format!("exit 0\n{said}"), "{places:?}");
    }
    for (place, said) in [
        (
            "snapshto",
            "Error: there is no distribution snapshto\nHint: Did you mean snapshot?\n",
        ),
        ("snapshot@9", "Error: there is no change set 9\n"),
        ("snapshot@0", "Error: there is no change set 0\n"),
        ("plan:9", "Error: there is no plan 9"),
        ("plan:x", "Error: invalid request: "),
        (
            "buoy@1.2.0",
            "Error: there is no buoy@1.2.0\nHint: Did you mean buoy@1.",
        ),
        (
            "bouy@1.0.0",
            "Error: there is no package bouy\nHint: Did you mean buoy?",
        ),
        ("A", "Error: invalid request: invalid name"),
    ] {
        let found = site.run(&["diff", place, "snapshot"]);
        assert!(
            found.starts_with(&format!("exit 1\n{said}")),
            "{place}: {found}"
        );
    }
}

#[test]
fn each_version_of_a_package_is_explained() {
    let site = Site::new();
    let tree = with(Tree::default(), "buoy/1.0.0", "", &[]);
    import(
        &site,
        &["--branch", "production"],
        &with(tree, "buoy/1.1.0", "", &[]),
    );
    let tree = with(Tree::default(), "buoy/1.1.0", "", &[("a", "other")]);
    let tree = with(
        with(tree, "buoy/1.2.0-rc.1", "", &[]),
        "buoy/2.0.0",
        FOR_9,
        &[],
    );
    import(&site, &["--branch", "staging"], &tree);
    import(
        &site,
        &["--branch", "local"],
        &with(Tree::default(), "buoy/3.0.0", "", &[]),
    );
    let explain = [
        "explain",
        "buoy",
        "--distribution",
        "staging",
        "--kibana",
        "8.5.0",
    ];
    insta::assert_snapshot!(site.run(&explain), @r"
    exit 0
    /search?kibana.version=8.5.0&experimental=true of staging answers with 1.1.0 of buoy:
      3.0.0       -           not offered here: in local
      2.0.0       staging     it is for Kibana ^9.0.0
      1.2.0-rc.1  staging     a final version fits too
      1.1.0       production  answered (also in staging)
      1.0.0       production  1.1.0 is newer and fits too
    ");
    insta::assert_snapshot!(site.run(&[&explain[..], &["--prerelease"]].concat()), @r"
    exit 0
    /search?kibana.version=8.5.0&prerelease=true of staging answers with 1.2.0-rc.1 of buoy:
      3.0.0       -           not offered here: in local
      2.0.0       staging     it is for Kibana ^9.0.0
      1.2.0-rc.1  staging     answered
      1.1.0       production  1.2.0-rc.1 is newer and fits too (also in staging)
      1.0.0       production  1.2.0-rc.1 is newer and fits too
    ");
    insta::assert_snapshot!(site.run(&["explain", "buoy", "--query", "/search?category=security&kibana.version=6.0"]), @r"
    exit 0
    /search?category=security&kibana.version=6.0 of default answers with nothing of buoy:
      3.0.0       -           not offered here: in local
      2.0.0       -           not offered here: in staging
      1.2.0-rc.1  -           not offered here: in staging
      1.1.0       production  it is for Kibana >=7.9.0 (also in staging)
      1.0.0       production  it is for Kibana >=7.9.0
    ");
    insta::assert_snapshot!(site.run(&["explain", "bouy"]), @r"
    exit 1
    Error: there is no package bouy
    Hint: Did you mean buoy?
    Hint: name a package that is here, as it is called in its manifest
    ");
    insta::assert_snapshot!(site.run(&["explain", "buoy", "--kibana", "eight"]), @r"
    exit 1
    Error: invalid request: invalid Kibana version 'eight': invalid semantic version
    ");
}

#[test]
fn what_a_hold_keeps_back_is_explained_and_not_found() {
    let site = Site::new();
    let tree = with(Tree::default(), "buoy/1.0.0", "", &[]);
    let tree = with(with(tree, "buoy/1.1.0", "", &[]), "dock/1.0.0", "", &[]);
    import(&site, &["--branch", "snapshot"], &tree);
    site.run(&["distribution", "create", "mine", "--from", "snapshot"]);
    for held in [
        &[
            "hold",
            "mine",
            "buoy",
            "--at",
            "1.0.0",
            "--reason",
            "lamp fails",
        ][..],
        &["withdraw", "dock@1.0.0", "--reason", "it leaks"],
    ] {
        let said = site.run(held);
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    insta::assert_snapshot!(site.run(&["explain", "buoy", "--distribution", "mine"]), @r"
    exit 0
    /search of mine answers with 1.0.0 of buoy:
      1.1.0  snapshot  hold 1 keeps back buoy newer than 1.0.0: lamp fails
      1.0.0  snapshot  answered
    ");
    insta::assert_snapshot!(site.run(&["diff", "snapshot", "mine"]), @r"
    exit 0
    From snapshot (2 package versions of 1 package) to mine (1 package version of 1 package)
            1 changed
    ~ buoy 1.1.0 -> 1.0.0, 1 version removed
        files: 1 changed
    ");
    let said = site.run(&["preflight", "--kibana", "9.1.0", "--distribution", "mine"]);
    let (packages, _) = said.split_once("Fleet asks").unwrap();
    insta::assert_snapshot!(packages, @r"
    exit 0
    Kibana 9.1.0 at mine, asking /search?kibana.version=9.1.0: 2 packages offered
            1 none for 9.1.0
            1 available
    None for 9.1.0:
      dock, 1.0.0: hold 2 keeps back dock 1.0.0 everywhere: it leaks
    Available:
      buoy 1.0.0
    ");
    // What is withdrawn is not served as it was either.
    let past = site.run(&["diff", "snapshot@2", "mine@2"]);
    assert!(past.ends_with("No package differs."), "{past}");
}

#[test]
fn what_kibanas_fetched_is_all_that_is_looked_at_where_that_is_asked() {
    let site = harbour();
    let server = Server::start(&site);
    assert_eq!(server.get("/epr/buoy/buoy-1.0.0.zip").status, 200);
    assert!(server.stop());
    let said = site.run(&["diff", "8.5.0", "9.2.0", "--used"]);
    assert!(said.contains("\n~ buoy 1.0.0 -> 1.1.0"), "{said}");
    assert!(!said.contains("dock") && !said.contains("gate"), "{said}");
    let said = site.run(&[
        "preflight",
        "--kibana",
        "9.1.0",
        "--distribution",
        "9.2.0",
        "--used",
    ]);
    let (packages, _) = said.split_once("Fleet asks").unwrap();
    insta::assert_snapshot!(packages, @r#"
    exit 0
    Kibana 9.1.0 at 9.2.0, asking /search?kibana.version=9.1.0: 1 package installed
            1 newer
    Newer:
      buoy 1.0.0 -> 1.1.0
        1.1.0 breaking: "Chains are <b>measured</b> in metres."
    "#);
}

#[test]
fn a_kibana_is_told_what_it_would_find() {
    let site = harbour();
    site.run(&["activate", "9.2.0"]);
    let installed = site.source(
        "installed.json",
        r#"{"items": [
            {"name": "buoy", "version": "1.0.0", "status": "installed"},
            {"name": "crane", "version": "1.0.0", "status": "installed"},
            {"name": "dock", "version": "1.0.0", "status": "installed"},
            {"name": "ferry", "version": "2.0.0", "status": "installed"},
            {"name": "gate", "version": "0.1.0", "status": "installed", "savedObject": {"attributes": {"keep_policies_up_to_date": true}}},
            {"name": "zeek", "version": "1.0.0", "status": "not_installed"}], "total": 9}"#,
    );
    insta::assert_snapshot!(site.run(&["preflight", "--kibana", "9.1.0", "--installed", &installed]), @r#"
    exit 2
    Kibana 9.1.0 at default, asking /search?kibana.version=9.1.0: 5 packages installed
            1 missing
            1 older
            2 newer
            1 stays
    Missing:
      dock 1.0.0, the installed version is not here
    Older:
      ferry 2.0.0 -> 1.0.0, the installed version is not here
    Newer:
      buoy 1.0.0 -> 1.1.0
        1.1.0 breaking: "Chains are <b>measured</b> in metres."
      gate 0.1.0 -> 1.0.0, the installed version is not here, its policies with it
        deprecated: "Use the bridge."
    Stays:
      crane 1.0.0
    Fleet asks for these by itself, and there is none for this Kibana:
      fleet_server, for Fleet Servers; newer Kibanas bring one along
      elastic_agent, for the monitoring of agents; newer Kibanas bring one along
      system, for agent policies
      endpoint, for Elastic Defend; newer Kibanas bring one along
      apm, for APM; newer Kibanas bring one along
      synthetics, for Synthetics; newer Kibanas bring one along
      cloud_security_posture, for Cloud Security Posture
      cloud_asset_inventory, for Cloud Asset Inventory
      security_detection_engine, for prebuilt detection rules; newer Kibanas bring one along
      osquery_manager, for Osquery
    Warning: 5 of 9 installed packages are named; ask Kibana with ?perPage=1000
    "#);
    insta::assert_snapshot!(site.run(&["preflight", "--kibana", "7.0.0"]), @r#"
    exit 0
    Kibana 7.0.0 at default, asking /search?kibana.version=7.0.0&experimental=true: 4 packages offered
            4 none for 7.0.0
    None for 7.0.0:
      buoy, 1.1.0: it is for Kibana ^9.0.0
      crane, 1.0.0: it is for Kibana >=7.9.0
      ferry, 1.0.0: it is for Kibana >=7.9.0
      gate, 1.0.0: it is for Kibana >=7.9.0
        deprecated: "Use the bridge."
    Fleet asks for these by itself, and there is none for this Kibana:
      fleet_server, for Fleet Servers; newer Kibanas bring one along
      elastic_agent, for the monitoring of agents; newer Kibanas bring one along
      system, for agent policies
      endpoint, for Elastic Defend; newer Kibanas bring one along
      apm, for APM; newer Kibanas bring one along
      synthetics, for Synthetics; newer Kibanas bring one along
      cloud_security_posture, for Cloud Security Posture
      cloud_asset_inventory, for Cloud Asset Inventory
      security_detection_engine, for prebuilt detection rules; newer Kibanas bring one along
      osquery_manager, for Osquery
    "#);
    insta::assert_snapshot!(site.run(&["preflight"]), @r"
    exit 1
    Error: it is not said which Kibana it is for
    Hint: name its version as in `airlock preflight --kibana 9.1.0`
    ");
    let empty = site.source("empty.json", "{}");
    insta::assert_snapshot!(site.run(&["preflight", "--kibana", "9.1.0", "--installed", &empty]), @r"
    exit 1
    Error: [SITE]/empty.json is no list of installed packages
    Caused by: it names no installed package
    Hint: `airlock preflight --installed` takes what Kibana answers at /api/fleet/epm/packages/installed
    ");
}

#[test]
fn what_kibana_upgrades_by_itself_is_said() {
    let site = Site::new();
    let tree = with(
        Tree::default(),
        "system/2.0.0",
        "",
        &[("changelog.yml", "[")],
    );
    import(&site, &["--branch", "local"], &tree);
    let installed = br#"[{"name": "system", "version": "1.0.0"}]"#;
    let args = ["preflight", "--kibana", "9.1.0", "--installed", "-"];
    let said = site.run_with_input(&args, installed);
    let (packages, needs) = said.split_once("Fleet asks for these").unwrap();
    insta::assert_snapshot!(packages, @r"
    exit 0
    Kibana 9.1.0 at default, asking /search?kibana.version=9.1.0: 1 package installed
            1 newer
    Newer:
      system 1.0.0 -> 2.0.0, the installed version is not here, upgraded by Kibana at its next start
        the changelog cannot be read: not YAML
    ");
    assert!(!needs.contains("system,"), "{needs}");
}

#[test]
fn a_server_answers_the_same() {
    let site = harbour();
    let installed = site.source(
        "installed.json",
        r#"[{"name": "buoy", "version": "1.0.0"}]"#,
    );
    let questions = [
        &["diff", "8.5.0", "9.2.0", "--all", "--kibana", "9.1.0"][..],
        &["diff", "9.2.0", "--json", "--package", "buoy"],
        &["diff", "8.5"],
        &["explain", "buoy", "--distribution", "9.2.0", "--json"],
        &["explain", "buoy", "--query", "all=perhaps"],
        &[
            "preflight",
            "--kibana",
            "9.1.0",
            "--installed",
            &installed,
            "--json",
        ],
        &["preflight", "--kibana", "9.1.0", "--distribution", "8.6.0"],
    ];
    let ask = || questions.map(|args| site.run(args));
    let alone = ask();
    let server = Server::start(&site);
    assert_eq!(ask(), alone);
    assert!(server.stop());
}

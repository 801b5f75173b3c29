//! Records: what proves a change set, and who signed it.

use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::Site;
use crate::server::Server;
use crate::trees::{Tree, release};

fn site() -> Site {
    let site = Site::new();
    let bytes = release("8.5.0").tar().bytes();
    let source = site.source("8.5.0.tar", bytes);
    site.run(&["import", &source]);
    site
}

fn printed(site: &Site, args: &[&str]) -> String {
    let said = site.run(args);
    let text = said.strip_prefix("exit 0\n");
    text.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn json(site: &Site, args: &[&str]) -> Value {
    serde_json::from_str(&printed(site, &[args, &["--json"]].concat())).unwrap()
}

#[test]
fn a_record_says_where_everything_came_from_and_is_verified_by_the_key_that_signed_it() {
    let site = site();
    let signed = printed(&site, &["record", "1"]);
    let source = std::fs::read(site.path("8.5.0.tar")).unwrap();
    let source = airlock::crypto::Digest::of(&source).to_string();
    let record = &json(&site, &["record", "1"])["record"];
    assert_eq!(record["source"]["sha256"], source.as_str());
    assert_eq!(record["staged_by"], record["change_set"]["who"]);
    let artifacts = record["artifacts"].as_array().unwrap();
    let changes = json(&site, &["history", "1"])["branches"][0]["packages"].clone();
    assert_eq!(artifacts.len(), 2);
    for (artifact, change) in artifacts.iter().zip(changes.as_array().unwrap()) {
        assert_eq!(artifact["sha256"], change["to"]);
        assert_eq!(artifact["package"], change["package"]);
        assert_eq!(artifact["signature"], "absent");
        assert!(signed.contains(artifact["sha256"].as_str().unwrap()));
    }
    assert!(
        signed.contains(&format!("* Source SHA-256: {source}\n")),
        "{signed}"
    );

    let file = site.source("record.md", &signed);
    let said = printed(&site, &["record", "verify", &file]);
    let signer = json(&site, &["signer"]);
    let fingerprint = signer["fingerprint"].as_str().unwrap();
    assert!(said.contains(fingerprint), "{said}");
    let changed = site.source("changed.md", signed.replace("nginx 1.5.0", "nginx 1.5.1"));
    insta::assert_snapshot!(site.run(&["record", "verify", &changed]), @r"
    exit 1
    Error: [SITE]/changed.md is not what this appliance signed
    Hint: `airlock signer` shows its key; a record of another appliance is checked there, or with `gpg --verify`
    ");
    insta::assert_snapshot!(site.run(&["record", "7"]), @r"
    exit 1
    Error: there is no change set 7
    Hint: `airlock history` lists the change sets
    ");
}

#[test]
fn the_key_is_made_once_and_only_the_owner_reads_it() {
    let site = site();
    let first = json(&site, &["signer"]);
    let key = site.data().join("signer.key");
    assert_eq!(std::fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    let server = Server::start(&site);
    assert_eq!(json(&site, &["signer"]), first);
    let there = json(&site, &["record", "1"]);
    assert!(server.stop());
    let here = json(&site, &["record", "1"]);
    assert_eq!(
        (&there["record"], &there["signer"]),
        (&here["record"], &here["signer"])
    );
    let secret = std::fs::read_to_string(&key).unwrap();
    let store = std::fs::read(site.data().join("airlock.db")).unwrap();
    let line = secret.lines().nth(2).unwrap().as_bytes();
    assert!(!store.windows(line.len()).any(|window| window == line));
}

#[test]
fn the_record_of_a_deleted_release_still_has_every_digest() {
    let site = site();
    let other = Tree::default().package("packages/dock/1.0.0").tar().bytes();
    let other = site.source("mine.tar", other);
    site.run(&["import", &other, "--branch", "mine"]);
    let before = json(&site, &["record", "1"])["record"].clone();
    site.run(&["activate", "mine"]);
    printed(&site, &["delete-release", "8.5.0", "--yes"]);
    printed(&site, &["gc"]);
    assert_eq!(json(&site, &["record", "1"])["record"], before);
}

/// Moves a change set in time, as if it had been made then.
fn made_at(site: &Site, change_set: i64, at: &str) {
    let conn = rusqlite::Connection::open(site.data().join("airlock.db")).unwrap();
    let update = "UPDATE change_set SET at = ?2 WHERE id = ?1";
    assert_eq!(conn.execute(update, (change_set, at)).unwrap(), 1);
}

#[test]
fn a_record_of_a_distribution_tells_what_it_offered_at_that_time() {
    let site = site();
    printed(
        &site,
        &["distribution", "create", "prod", "--from", "8.5.0"],
    );
    printed(&site, &["hold", "prod", "nginx@1.5.0", "--reason", "slow"]);
    printed(&site, &["release-hold", "1"]);
    printed(&site, &["withdraw", "nginx@1.5.0", "--reason", "leaks"]);
    for (change_set, at) in [
        (1, "2026-10-01T12:00:00Z"),
        (2, "2026-11-01T00:00:00Z"),
        (3, "2026-11-01T23:59:59.5Z"),
        (4, "2026-11-02T00:00:00Z"),
        (5, "2026-11-02T08:00:00Z"),
    ] {
        made_at(&site, change_set, at);
    }
    let offered = |at: &str| {
        let record =
            json(&site, &["record", "--distribution", "prod", "--at", at])["record"].clone();
        let artifacts = record["artifacts"].as_array().unwrap().iter();
        let packages: Vec<_> = artifacts.map(|it| it["package"].to_string()).collect();
        let holds = record["holds"].as_array().unwrap().iter();
        let holds: Vec<_> = holds.map(|it| it["what"].to_string()).collect();
        (record["change_set"].as_i64().unwrap(), packages, holds)
    };
    let of = |change_set, packages: &[&str], holds: &[&str]| {
        let quoted = |all: &[&str]| all.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>();
        (change_set, quoted(packages), quoted(holds))
    };
    let both = ["apache 1.0.0", "nginx 1.5.0"];
    // A day is told of as it ended; what changed at midnight belongs to the next.
    assert_eq!(offered("2026-11-01"), of(3, &both[..1], &["nginx 1.5.0"]));
    assert_eq!(offered("2026-11-01T12:00:00Z"), of(2, &both, &[]));
    assert_eq!(offered("2026-11-02T01:00:00+01:00"), of(4, &both, &[]));
    // It was withdrawn later: then it was offered.
    assert_eq!(offered("2026-11-02T07:59:59Z"), of(4, &both, &[]));
    assert_eq!(offered("2026-11-02").0, 5);
    assert_eq!(offered("2026-11-02").1, of(5, &both[..1], &[]).1);

    // The release goes; the record still has every digest.
    let args = [
        "record",
        "--distribution",
        "prod",
        "--at",
        "2026-11-01T12:00:00Z",
    ];
    let before = json(&site, &args)["record"].clone();
    let other = Tree::default().package("packages/dock/1.0.0").tar().bytes();
    let other = site.source("mine.tar", other);
    printed(&site, &["import", &other, "--branch", "mine"]);
    printed(&site, &["activate", "mine"]);
    printed(&site, &["distribution", "set", "prod", "--from", "mine"]);
    printed(&site, &["delete-release", "8.5.0", "--yes"]);
    printed(&site, &["gc"]);
    assert_eq!(json(&site, &args)["record"], before);

    let server = Server::start(&site);
    assert_eq!(json(&site, &args)["record"], before);
    let signed = site.source("offered.md", printed(&site, &args));
    printed(&site, &["record", "verify", &signed]);
    assert!(server.stop());
}

#[test]
fn a_record_of_a_time_of_which_nobody_knows_is_refused() {
    let site = site();
    made_at(&site, 1, "2026-10-01T12:00:00Z");
    let ask = |name, at| site.run(&["record", "--distribution", name, "--at", at]);
    insta::assert_snapshot!(ask("8.5.0", "2026-09-30"), @r"
    exit 1
    Error: 8.5.0 served nothing at 2026-09-30T23:59:59.999999999Z
    Hint: `airlock history` shows when each distribution was made and set
    ");
    insta::assert_snapshot!(ask("8.5", "2026-10-01"), @r"
    exit 1
    Error: there is no distribution 8.5
    Hint: Did you mean 8.5.0?
    Hint: `airlock distribution list` shows what there is
    ");
    insta::assert_snapshot!(ask("8.5.0", "3026-10-01"), @r#"
    exit 1
    Error: invalid request: "3026-10-01" is yet to come
    "#);
    insta::assert_snapshot!(ask("8.5.0", "yesterday"), @r#"
    exit 1
    Error: invalid request: "yesterday" is neither a day, as 2026-11-01, nor a time in RFC 3339
    "#);
}

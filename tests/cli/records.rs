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

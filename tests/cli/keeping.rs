//! Keeping house: releases that are deleted, what is freed then, and what everything takes.

use serde_json::Value;

use crate::Site;
use crate::server::Server;
use crate::trees::{Tree, release};

/// Bytes that nothing makes smaller, different for each seed.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// Imports 8.5.0 and 7.9.0, which share a file of 1 MB; 8.5.0 has one of 2 MB for itself. 7.9.0 is served at `/`.
fn two_releases() -> Site {
    let site = Site::new();
    for (version, own_bytes) in [("8.5.0", 2_000_000), ("7.9.0", 100_000)] {
        let folder = format!("package-storage-{version}/packages/nginx/1.5.0");
        let tree = release(version)
            .file(&format!("{folder}/img/both.png"), noise(1, 1_000_000))
            .file(
                &format!("{folder}/img/own.png"),
                noise(own_bytes as u64, own_bytes),
            );
        import(&site, &format!("{version}.tar"), &tree);
    }
    site.run(&["activate", "7.9.0"]);
    site
}

fn import(site: &Site, name: &str, tree: &Tree) {
    let source = site.source(name, tree.tar().bytes());
    let said = site.run(&["import", &source]);
    assert!(said.starts_with("exit 0\n"), "{said}");
}

fn json(site: &Site, args: &[&str]) -> Value {
    let said = site.run(&[args, &["--json"]].concat());
    let json = said
        .strip_prefix("exit 0\n")
        .unwrap_or_else(|| panic!("{said}"));
    serde_json::from_str(json).unwrap()
}

fn file_bytes(site: &Site) -> u64 {
    std::fs::metadata(site.data().join("airlock.db"))
        .unwrap()
        .len()
}

fn number(json: &Value) -> u64 {
    json.as_u64().unwrap_or_else(|| panic!("{json}"))
}

#[test]
fn a_file_shrinks_after_a_release_is_deleted_and_garbage_collected() {
    let site = two_releases();
    let before = file_bytes(&site);
    assert_eq!(number(&json(&site, &["gc"])["artifacts"]), 0);
    assert_eq!(file_bytes(&site), before);
    let deleted = json(&site, &["delete-release", "8.5.0", "--yes"]);
    assert_eq!(deleted["change_set"], 4);
    let would_free = json(&site, &["gc", "--dry-run"]);
    assert!(file_bytes(&site) >= before);
    let freed = json(&site, &["gc"]);
    assert_eq!(freed["bytes"], would_free["bytes"]);
    assert_eq!(freed["bytes"], deleted["own_bytes"]);
    let after = file_bytes(&site);
    assert_eq!(number(&freed["file_bytes"]), after);
    assert!(after + 1_900_000 < before, "{after} of {before}");

    let server = Server::start(&site);
    for (name, bytes) in [
        ("both", noise(1, 1_000_000)),
        ("own", noise(100_000, 100_000)),
    ] {
        let answer = server.get(&format!("/package/nginx/1.5.0/img/{name}.png"));
        assert!(answer.status == 200 && answer.body == bytes, "{name}");
    }
    for path in [
        "/d/8.5.0/search",
        "/d/8.5.0@2/search",
        "/d/default@1/search",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn what_releases_share_is_counted_once_and_belongs_to_none_of_them_alone() {
    let site = two_releases();
    let sizes = json(&site, &["sizes"]);
    let [old, new] = [&sizes["branches"][0], &sizes["branches"][1]];
    assert_eq!(
        (old["branch"].as_str(), new["branch"].as_str()),
        (Some("7.9.0"), Some("8.5.0"))
    );
    let near = |value: &Value, bytes: u64| {
        let value = number(value);
        assert!(
            (bytes..bytes + 20_000).contains(&value),
            "{value} is not {bytes}"
        );
    };
    near(&old["bytes"], 1_100_000);
    near(&new["bytes"], 3_000_000);
    near(&old["own_bytes"], 100_000);
    near(&new["own_bytes"], 2_000_000);
    assert_eq!(sizes["unused_bytes"], 0);
    assert_eq!(number(&sizes["file_bytes"]), file_bytes(&site));
    let said = site.run(&["sizes"]);
    assert!(said.contains("\n8.5.0   release         2  3."), "{said}");
}

#[test]
fn a_release_that_is_served_or_none_is_not_deleted() {
    let site = two_releases();
    site.run(&["distribution", "create", "prod", "--from", "7.9.0"]);
    let before = (json(&site, &["history"]), json(&site, &["sizes"]));
    insta::assert_snapshot!(site.run(&["delete-release", "7.9.0", "--yes"]), @r"
    exit 1
    Error: 7.9.0 is served by default and prod
    Hint: `airlock distribution set` makes it serve something else, `airlock activate` what answers at /
    ");
    insta::assert_snapshot!(site.run(&["delete-release", "7.9.1", "--yes"]), @r"
    exit 1
    Error: there is no branch 7.9.1
    Hint: Did you mean 7.9.0?
    Hint: `airlock distribution list` shows what there is
    ");
    insta::assert_snapshot!(site.run(&["delete-release", "8.5.0"]), @r"
    exit 1
    Error: nobody can be asked whether to delete 8.5.0
    Hint: say so with --yes; --dry-run shows what would be deleted
    ");
    site.run(&["delete-release", "8.5.0", "--dry-run"]);
    assert_eq!((json(&site, &["history"]), json(&site, &["sizes"])), before);

    let mine = site.source(
        "mine.tar",
        Tree::default().package("packages/dock/1.0.0").tar().bytes(),
    );
    site.run(&["import", &mine, "--branch", "mine"]);
    insta::assert_snapshot!(site.run(&["delete-release", "mine", "--yes"]), @r"
    exit 1
    Error: mine is no release
    Hint: `airlock sizes` shows the branches; `airlock remove` takes versions out of one
    ");
}

#[test]
fn what_was_fetched_is_of_the_release_that_served_it_and_not_of_another_with_the_same_version() {
    let site = two_releases();
    let server = Server::start(&site);
    let zip = "/epr/nginx/nginx-1.5.0.zip";
    // Both releases have this version, with other content.
    assert_eq!(server.get(&format!("/d/7.9.0{zip}")).status, 200);
    let dry = json(&site, &["delete-release", "8.5.0", "--dry-run"]);
    assert_eq!(dry["fetched"], serde_json::json!([]));
    assert_eq!(server.get(&format!("/d/8.5.0{zip}")).status, 200);
    let said = site.run(&["delete-release", "8.5.0", "--yes"]);
    let expected = "exit 1\nError: 1 package versions that only 8.5.0 holds were fetched";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(server.get("/d/8.5.0/search").status, 200);
    json(
        &site,
        &["delete-release", "8.5.0", "--yes", "--also-fetched"],
    );
    assert_eq!(server.get(zip).status, 200);
}

#[test]
fn the_history_of_a_deleted_release_stays_and_the_release_may_come_again() {
    let site = two_releases();
    site.run(&["delete-release", "8.5.0", "--yes", "--reason", "too old"]);
    site.run(&["gc"]);
    let first = json(&site, &["history", "1"]);
    assert_eq!(first["branches"][0]["branch"], "8.5.0");
    let [apache, nginx] = [0, 1].map(|index| &first["branches"][0]["packages"][index]);
    assert_eq!(
        (&apache["package"], &nginx["package"]),
        (&"apache 1.0.0".into(), &"nginx 1.5.0".into())
    );
    assert_eq!(nginx["to"].as_str().map(str::len), Some(64));
    let last = json(&site, &["history", "4"]);
    assert_eq!(
        (&last["action"], &last["why"]),
        (&"delete-release".into(), &"too old".into())
    );
    assert_eq!(last["branches"][0]["removed"], 2);
    insta::assert_snapshot!(site.run(&["rollback", "1"]), @r"
    exit 1
    Error: 8.5.0 was deleted since
    Hint: import it again with `airlock import`, or go back to another change set
    ");
    // Compared with nothing, all of what is here would seem new.
    let said = site.run(&["diff", "8.5.0@1", "7.9.0"]);
    assert!(
        said.starts_with("exit 1\nError: 8.5.0 was deleted since\n"),
        "{said}"
    );

    let source = site.path("8.5.0.tar");
    let said = site.run(&["import", source.to_str().unwrap()]);
    assert!(said.contains("2 added"), "{said}");
    let server = Server::start(&site);
    let found = server.get("/d/8.5.0/search?all=true").packages();
    assert_eq!(found, ["apache-1.0.0", "nginx-1.5.0"]);
    let own = server.get("/d/8.5.0/package/nginx/1.5.0/img/own.png");
    assert!(own.body == noise(2_000_000, 2_000_000));
}

#[test]
fn a_server_keeps_what_was_deleted_lately_for_those_who_read_it() {
    let site = two_releases();
    let server = Server::start(&site);
    let deleted = json(&site, &["delete-release", "8.5.0", "--yes"]);
    assert_eq!(server.get("/d/8.5.0/search").status, 404);
    let before = file_bytes(&site);
    let collected = json(&site, &["gc"]);
    assert_eq!(
        (number(&collected["artifacts"]), number(&collected["bytes"])),
        (0, 0)
    );
    assert_eq!(collected["later_bytes"], deleted["own_bytes"]);
    assert!(file_bytes(&site) >= before);
    assert_eq!(
        json(&site, &["sizes"])["branches"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(server.stop());

    // Nobody reads in a store that is not served.
    assert_eq!(json(&site, &["gc"])["bytes"], deleted["own_bytes"]);
    assert!(file_bytes(&site) + 1_900_000 < before);
}

#[test]
fn a_release_whose_zips_some_kibana_fetched_lately_is_deleted_only_when_that_is_said() {
    let site = two_releases();
    let server = Server::start(&site);
    for package in ["apache/apache-1.0.0", "nginx/nginx-1.5.0"] {
        let answer = server.get(&format!("/d/8.5.0/epr/{package}.zip"));
        assert_eq!(answer.status, 200, "{package}");
    }
    let before = json(&site, &["history"]);
    insta::assert_snapshot!(site.run(&["delete-release", "8.5.0", "--yes"]), @r"
    exit 1
    Error: 1 package versions that only 8.5.0 holds were fetched by some Kibana in the last 400 days; the first is nginx 1.5.0
    Hint: --dry-run names them; --also-fetched deletes them too, and those Kibanas cannot install them again
    ");
    assert_eq!(json(&site, &["history"]), before);
    let answer = server.get("/d/8.5.0/epr/nginx/nginx-1.5.0.zip");
    assert_eq!(answer.status, 200);
    // What 7.9.0 holds too is fetched from there, and not named.
    let dry = json(&site, &["delete-release", "8.5.0", "--dry-run"]);
    assert_eq!(dry["fetched"], serde_json::json!(["nginx 1.5.0"]));
    assert!(server.stop());
    let conn = rusqlite::Connection::open(site.data().join("airlock.db")).unwrap();
    let days_ago =
        "UPDATE fetch SET first_day = date('now', '-10 days'), last_day = date('now', '-10 days')";
    assert_eq!(conn.execute(days_ago, ()).unwrap(), 2);
    drop(conn);
    for (days, fetched) in [("5", 0), ("20", 1)] {
        let looked = json(
            &site,
            &[
                "delete-release",
                "8.5.0",
                "--dry-run",
                "--keep-fetched",
                days,
            ],
        );
        assert_eq!(
            looked["fetched"].as_array().unwrap().len(),
            fetched,
            "{days}"
        );
    }
    let deleted = json(
        &site,
        &["delete-release", "8.5.0", "--yes", "--also-fetched"],
    );
    assert_eq!(deleted["fetched"], dry["fetched"]);
}

//! What happens while a server runs: imports through its control socket, clients that go away, the stop.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Site;
use crate::server::{Server, get, until};
use crate::trees::{Tree, noise, release};

const ALL: &str = "search?all=true&prerelease=true";

#[test]
fn an_import_into_a_running_server_is_served_at_its_commit_and_no_answer_suffers() {
    let site = Site::new();
    let first = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    site.run(&["import", &first]);
    let server = Server::start(&site);
    let address = server.address;
    let more = (0..200).fold(release("8.6.0"), |tree, patch| {
        tree.package(&format!("package-storage-8.6.0/packages/zeek/1.0.{patch}"))
    });
    let second = site.source("8.6.0.tar", more.tar().zst());
    assert_eq!(server.get("/d/8.6.0/search").status, 404);

    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut answers = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(get(address, &format!("/{ALL}")).packages().len(), 2);
                assert_eq!(get(address, "/epr/nginx/nginx-1.5.0.zip").status, 200);
                answers += 2;
            }
            answers
        });
        let said = site.run(&["import", &second]);
        let served = get(address, &format!("/d/8.6.0/{ALL}")).packages().len();
        // Before anything is asserted: the reader goes on until then.
        is_over.store(true, Ordering::Relaxed);
        assert!(
            said.contains("202 added of 202 package versions, served at /d/8.6.0/"),
            "{said}"
        );
        assert_eq!(served, 202);
        assert!(reading.join().unwrap() > 0);
    });
    insta::assert_snapshot!(site.run(&["activate", "8.6.0"]), @r"
    exit 0
    Change set 3: 8.6.0 is served at /
    ");
    assert_eq!(server.get(&format!("/{ALL}")).packages().len(), 202);
    assert!(server.stop());
    assert!(!site.data().join("control.sock").exists());

    let database = rusqlite::Connection::open(site.data().join("airlock.db")).unwrap();
    let who: Vec<String> = database
        .prepare("SELECT DISTINCT who FROM change_set")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(who, [airlock::admin::PeerUser::own().name()]);
}

#[test]
fn failures_read_the_same_through_a_running_server() {
    let site = Site::new();
    let alone = Site::new();
    let server = Server::start(&site);
    let unnamed = Tree::default()
        .package("packages/nginx/1.5.0")
        .file("packages/nginx/1.5.0/large", noise(8 << 20));
    for (name, bytes, args) in [
        (
            "8.5.0.tar",
            release("8.5.0").tar().bytes(),
            &["--branch", "8.5.0"][..],
        ),
        ("page", b"<!DOCTYPE html>".to_vec(), &[]),
        ("unnamed.tar", unnamed.tar().bytes(), &[]),
        (
            "cut.tar",
            release("8.5.0").tar().open_ended()[..4000].to_vec(),
            &[],
        ),
    ] {
        let run = |site: &Site| {
            let source = site.source(name, &bytes);
            site.run(&[&["import", &source][..], args].concat())
        };
        assert_eq!(run(&site), run(&alone), "{name}");
    }
    assert_eq!(
        site.run(&["plans", "show", "77"]),
        alone.run(&["plans", "show", "77"])
    );
    assert!(server.stop());
}

#[test]
fn a_client_killed_while_it_uploads_leaves_nothing_and_the_server_serves_on() {
    let site = Site::new();
    let server = Server::start(&site);
    let mut command = site.command(&["import", "-", "--release", "8.5.0"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let tar = release("8.5.0").tar().open_ended();
    child.stdin.as_mut().unwrap().write_all(&tar).unwrap();
    let database = rusqlite::Connection::open(site.data().join("airlock.db")).unwrap();
    let count = |table: &str| -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        database.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    until(|| (count("artifact") > 0).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    until(|| (count("stage") == 0).then_some(()));
    assert_eq!(
        (count("change_set"), count("source"), count("staged")),
        (0, 0, 0)
    );
    assert_eq!(server.get("/search").body, b"[]");

    let source = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    site.run(&["import", &source]);
    assert_eq!(
        server.get(&format!("/{ALL}")).packages(),
        ["apache-1.0.0", "nginx-1.5.0"]
    );
    assert!(server.stop());
}

#[test]
fn a_server_that_was_killed_leaves_a_socket_that_is_in_nobodys_way() {
    let site = Site::new();
    drop(Server::start(&site));
    assert!(site.data().join("control.sock").exists());
    assert_eq!(site.run(&["plans", "list"]), "exit 0\nNo plan waits.");
    assert!(Server::start(&site).stop());
}

#[test]
fn zips_are_as_old_as_the_commit_of_their_source() {
    let site = Site::new();
    let source = site.source("8.5.0.zip", release("8.5.0").git_zip().bytes());
    site.run(&["import", &source]);
    let server = Server::start(&site);
    let head = server
        .get("/epr/nginx/nginx-1.5.0.zip")
        .head
        .to_ascii_lowercase();
    assert!(
        head.contains("last-modified: tue, 01 nov 2022 08:00:00 gmt"),
        "{head}"
    );
}

#[test]
fn the_demo_serves_the_sample_and_says_what_to_put_into_kibana_yml() {
    let site = Site::new();
    let mut command = site.command(&["demo", "--listen", "127.0.0.1:0"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = Server {
        child,
        address: ([127, 0, 0, 1], 1).into(),
    };
    let lines = BufReader::new(server.child.stdout.take().unwrap()).lines();
    let printed: Vec<String> = lines.take(3).collect::<Result<_, _>>().unwrap();
    let url = printed[1].strip_prefix("xpack.fleet.registryUrl: \"http://");
    let address = url.unwrap().trim_end_matches('"');
    server.address = address.parse().unwrap();
    let printed = printed.join("\n").replace(address, "[ADDRESS]");
    insta::assert_snapshot!(printed, @r#"
    # kibana.yml
    xpack.fleet.registryUrl: "http://[ADDRESS]"
    xpack.fleet.isAirGapped: true # Kibana 8.13 and later
    "#);
    insta::assert_snapshot!(server.get(&format!("/{ALL}")).packages().join("\n"), @r"
    fog_horn-0.9.0
    fog_horn-1.0.0
    harbour_dashboards-1.0.0
    lighthouse-1.0.0
    lighthouse-1.1.0
    lighthouse-2.0.0-beta.1
    signal_lamp-1.0.0
    tide_table-0.1.0
    ");
    assert!(server.stop());
    assert!(!site.data().exists(), "the demo keeps to its own folder");
}

//! Whose the files are, and who is let in: root, a member of the group, a stranger; with the service up and down.
//!
//! The users are numbers that no host has; to be them the tests need root, and `setpriv`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::host::{
    GROUP, Host, MEMBER, OWNER, STRANGER, get, is_root_or_left_out, open_to, run, start,
};
use crate::trees::Tree;

fn all_are_the_owners(host: &Host) {
    for (name, owner) in host.owners() {
        assert_eq!(owner, OWNER, "{name}");
    }
}

/// Returns who made each change set, the first one first.
fn who(host: &Host) -> Vec<String> {
    let (code, text) = run(host.airlock(&["history", "--json"]));
    assert_eq!(code, 0, "{text}");
    let history: serde_json::Value = serde_json::from_str(&text).unwrap();
    let change_sets = history["change_sets"].as_array().unwrap();
    let who = change_sets.iter().map(|it| it["who"].as_str().unwrap());
    who.rev().map(str::to_owned).collect()
}

fn imported((code, text): (i32, String)) {
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Change set"), "{text}");
}

const SETTINGS: &str = "group = \"users\"\n";

#[test]
fn root_the_owner_and_members_import_with_and_without_the_service_and_all_files_are_the_owners() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new(SETTINGS);
    let import = |source: &str| ["import", source, "--yes"].map(str::to_owned);
    let source = |name: &str, version: &str, owner| import(&host.release(name, version, owner));
    let args = |args: &[String]| {
        args.iter()
            .map(|it| it.clone().leak() as &str)
            .collect::<Vec<_>>()
    };

    // No service, and no store yet: the folder's owner counts. The source is root's alone, a file and then a folder.
    imported(run(host.airlock(&args(&source("one", "8.0.1", 0)))));
    all_are_the_owners(&host);
    let folder = host.path("roots/package-storage-8.0.2");
    Tree::default().package("packages/two/1.0.0").write(&folder);
    fs::set_permissions(
        host.path("roots"),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    imported(run(host.airlock(&[
        "import",
        folder.to_str().unwrap(),
        "--release",
        "8.0.2",
        "--yes",
    ])));
    all_are_the_owners(&host);
    imported(run(host.airlock_as(
        OWNER,
        &[],
        &args(&source("three", "8.0.3", OWNER)),
    )));

    // With the service, to which each source is streamed by who may read it.
    let (server, address) = host.start();
    let socket = fs::metadata(host.path("run/control.sock")).unwrap();
    assert_eq!((socket.mode() & 0o777, socket.uid()), (0o660, OWNER));
    imported(run(host.airlock(&args(&source("four", "8.0.4", 0)))));
    let (code, text) = run(host.airlock(&[
        "import",
        folder.to_str().unwrap(),
        "--release",
        "8.0.5",
        "--yes",
    ]));
    assert_eq!(code, 0, "{text}");
    imported(run(host.airlock_as(
        MEMBER,
        &[GROUP],
        &args(&source("six", "8.0.6", MEMBER)),
    )));
    imported(run(host.airlock_as(
        OWNER,
        &[],
        &args(&source("seven", "8.0.7", OWNER)),
    )));
    assert!(get(address, "/d/8.0.6/search").contains("\"six\""));
    // What a member may not read, the service does not read for them.
    let (code, text) =
        run(host.airlock_as(MEMBER, &[GROUP], &args(&source("eight", "8.0.8", STRANGER))));
    assert_eq!(code, 1);
    assert!(text.contains("Permission denied"), "{text}");
    all_are_the_owners(&host);
    let owner = format!("uid {OWNER}");
    let member = format!("uid {MEMBER}");
    assert_eq!(
        who(&host),
        ["root", "root", &owner, "root", "root", &member, &owner]
    );

    // Killed, it leaves its socket, which the next one replaces; and it still can write.
    let mut killed = server;
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    assert!(host.path("run/control.sock").exists());
    let (server, _) = host.start();
    imported(run(host.airlock_as(
        MEMBER,
        &[GROUP],
        &args(&source("nine", "8.0.9", MEMBER)),
    )));
    assert!(server.stop());
    assert!(!host.path("run/control.sock").exists());

    // Root again, alone; a server that root starts; and the owner after it.
    imported(run(host.airlock(&args(&source("ten", "8.1.0", 0)))));
    let (server, _) = start(host.airlock(&["serve"]));
    all_are_the_owners(&host);
    assert!(server.stop());
    for command in [
        host.airlock(&["gc"]),
        host.airlock(&["signer"]),
        host.airlock_as(OWNER, &[], &["gc"]),
    ] {
        let (code, text) = run(command);
        assert_eq!(code, 0, "{text}");
    }
    all_are_the_owners(&host);
    let (server, address) = host.start();
    assert!(get(address, "/d/8.1.0/search").contains("\"ten\""));
    assert!(server.stop());
}

#[test]
fn a_new_folder_of_roots_is_roots() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new("");
    let source = host.release("one", "8.0.1", 0);
    let folder = host.path("new");
    let folder = folder.to_str().unwrap();
    imported(run(host.airlock(&[
        "--data-dir",
        folder,
        "import",
        &source,
        "--yes",
    ])));
    for entry in fs::read_dir(folder).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().uid(), 0);
    }
    assert_eq!(fs::read_dir(host.path("data")).unwrap().count(), 0);
}

#[test]
fn who_may_write_to_a_folder_without_a_store_makes_one_of_their_own() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new("");
    let source = host.release("one", "8.0.1", MEMBER);
    let volume = host.path("volume");
    fs::create_dir(&volume).unwrap();
    open_to(&volume, 0o777);
    let import = [
        "--data-dir",
        volume.to_str().unwrap(),
        "import",
        &source,
        "--yes",
    ];
    imported(run(host.airlock_as(MEMBER, &[], &import)));
    let store = volume.join("airlock.db");
    assert_eq!(fs::metadata(&store).unwrap().uid(), MEMBER);
    // From then on it is theirs: of others root alone comes in, as they.
    let history = ["--data-dir", volume.to_str().unwrap(), "history"];
    assert_eq!(run(host.airlock_as(STRANGER, &[], &history)).0, 1);
    assert_eq!(run(host.airlock(&history)).0, 0);
    for entry in fs::read_dir(&volume).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().uid(), MEMBER);
    }
}

#[test]
fn who_is_kept_out_is_told_what_is_missing_and_nothing_changes() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new(SETTINGS);
    imported(run(host.airlock(&[
        "import",
        &host.release("one", "8.0.1", 0),
        "--yes",
    ])));
    let source = host.release("two", "8.0.2", STRANGER);
    let import: &[&str] = &["import", &source, "--yes"];
    let data = host.path("data");
    let data = data.to_str().unwrap();

    // No service: neither the store nor the socket can be opened.
    let (code, text) = run(host.airlock_as(STRANGER, &[], import));
    assert_eq!(code, 1);
    let expected = format!(
        "Error: the service is not running, and only uid {OWNER} may open the store in {data} without it\n"
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(
        text.contains("Hint: `sudo systemctl start airlock-private` starts it"),
        "{text}"
    );
    assert!(
        text.contains("`sudo usermod -aG users uid 61003`"),
        "{text}"
    );
    let (code, text) = run(host.airlock_as(STRANGER, &[GROUP], &["status"]));
    assert_eq!(code, 1);
    assert!(text.contains("the service is not running"), "{text}");
    assert!(!text.contains("usermod"), "{text}");

    let (server, _) = host.start();
    for args in [import, &["history"], &["status"]] {
        let (code, text) = run(host.airlock_as(STRANGER, &[], args));
        assert_eq!(code, 1);
        let expected = format!(
            "Error: uid {STRANGER} is not in the group users, whose members may use the store in {data}\n"
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(
            text.contains("Hint: `sudo usermod -aG users uid 61003`"),
            "{text}"
        );
    }
    assert_eq!(who(&host), ["root"]);
    assert!(server.stop());
}

#[test]
fn a_server_without_a_group_says_who_may_and_where_to_say_otherwise() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new("");
    let (server, _) = host.start();
    let (code, text) = run(host.airlock_as(MEMBER, &[GROUP], &["status"]));
    assert_eq!(code, 1);
    let expected = format!("Error: only uid {OWNER}, who owns it, and root may use the store in ");
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("`control.group`"), "{text}");
    assert!(server.stop());
}

#[test]
fn a_publisher_stages_an_approver_commits_and_a_viewer_looks() {
    if !is_root_or_left_out() {
        return;
    }
    let (publisher, approver) = (61_010, 61_011);
    let settings = format!(
        "group = \"users\"\nrole = \"viewer\"\nroles = {{ {publisher} = \"publisher\", {approver} = \"approver\" }}\n"
    );
    let host = Host::new(&settings);
    let (server, address) = host.start();

    let source = host.release("one", "8.0.1", MEMBER);
    let (code, text) = run(host.airlock_as(MEMBER, &[GROUP], &["import", &source, "--yes"]));
    assert_eq!(code, 1);
    let expected = format!(
        "Error: this needs the role publisher, and uid {MEMBER} has viewer; {publisher}, {approver}, uid {OWNER} and root may do it\nHint: `control.roles` in airlock.toml"
    );
    assert!(text.starts_with(&expected), "{text}");
    let (code, text) = run(host.airlock_as(MEMBER, &[GROUP], &["plans", "list"]));
    assert_eq!(code, 0, "{text}");

    let source = host.release("two", "8.0.2", publisher);
    let import: &[&str] = &["import", &source, "--yes"];
    let (code, text) = run(host.airlock_as(publisher, &[GROUP], import));
    assert_eq!(code, 1);
    assert!(text.contains("this needs the role approver"), "{text}");
    let hint = text.lines().last().unwrap();
    let plan = hint.rsplit(' ').next().unwrap().trim_end_matches('`');
    assert!(hint.contains("the plan waits"), "{text}");
    assert!(!get(address, "/search").contains("\"two\""));
    let commit: &[&str] = &["plans", "commit", plan];
    let (code, text) = run(host.airlock_as(publisher, &[GROUP], commit));
    assert_eq!(code, 1, "{text}");
    imported(run(host.airlock_as(approver, &[GROUP], commit)));
    assert!(get(address, "/search").contains("\"two\""));
    let (code, text) = run(host.airlock_as(approver, &[GROUP], &["gc"]));
    assert_eq!(code, 1);
    assert!(text.contains("this needs the role admin"), "{text}");

    // Roles are taken up by a reload.
    let file = host.path("airlock.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, settings.replace("\"approver\"", "\"admin\"")).unwrap();
    server.signal(rustix::process::Signal::HUP);
    let begun = std::time::Instant::now();
    while run(host.airlock_as(approver, &[GROUP], &["gc"])).0 != 0 {
        assert!(begun.elapsed().as_secs() < 20, "the roles are not taken up");
    }
    assert!(server.stop());
}

#[test]
fn a_member_reaches_the_service_of_a_store_that_lies_where_they_may_not_look() {
    if !is_root_or_left_out() {
        return;
    }
    let host = Host::new(SETTINGS);
    let (hidden, data) = (host.path("hidden"), host.path("hidden/data"));
    fs::create_dir(&hidden).unwrap();
    fs::rename(host.path("data"), &data).unwrap();
    std::os::unix::fs::chown(&hidden, Some(OWNER), None).unwrap();
    open_to(&hidden, 0o700);
    let file = host.path("airlock.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let old = format!("{:?}", host.path("data"));
    fs::write(&file, settings.replace(&old, &format!("{data:?}"))).unwrap();
    let (server, _) = host.start();
    let (code, text) = run(host.airlock_as(MEMBER, &[GROUP], &["status"]));
    assert_eq!(code, 0, "{text}");
    assert!(server.stop());
}

#[test]
fn the_socket_of_the_settings_is_not_that_of_another_store() {
    let host = Host::new("");
    let (server, address) = host.start();
    let other = host.path("other");
    let other = other.to_str().unwrap();
    let source = host.release("one", "8.0.1", 0);
    imported(run(host.airlock(&[
        "--data-dir",
        other,
        "import",
        &source,
        "--yes",
    ])));
    assert!(!get(address, "/search").contains("\"one\""));
    // A second server on the other store takes nothing from the first.
    let (second, _) = start(host.airlock(&["--data-dir", other, "serve"]));
    let (code, text) = run(host.airlock(&["status", "--json"]));
    assert_eq!(code, 0);
    assert!(text.contains(&address.to_string()), "{text}");
    assert!(second.stop());
    assert!(server.stop());
}

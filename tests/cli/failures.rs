//! How commands fail: the whole text, once each.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use crate::trees::{Tree, release};
use crate::{Site, text};

#[test]
fn a_source_that_cannot_be_taken_says_why() {
    let site = Site::new();
    let missing = site.path("missing.tar");
    insta::assert_snapshot!(site.run(&["import", text(&missing)]), @r"
    exit 1
    Error: cannot open [SITE]/missing.tar
    Caused by: No such file or directory (os error 2)
    Hint: `airlock import` takes a file or its pieces, zips, a folder or - for standard input
    ");
    let page = site.source("page.tar", "<!DOCTYPE html>");
    insta::assert_snapshot!(site.run(&["import", &page]), @r#"
    exit 1
    Error: cannot read the source
    Caused by: not an archive: the source begins with "<!DOCTYPE html>"
    Hint: `airlock import` takes archives and folders of packages, packages as zips, and images as `docker save`, `podman save` and skopeo write them; of a file that was split name all pieces in their order, as in `airlock import image.tar.*`
    "#);
    let stray = site.source(
        "stray.tar",
        crate::archives::tar().file("main.go", "").bytes(),
    );
    insta::assert_snapshot!(site.run(&["import", &stray, "--release", "8.5.0"]), @r"
    exit 1
    Error: no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip
    Hint: `airlock import` takes a package-storage archive or folder, or the folder that holds the packages
    ");
    let unnamed = Tree::default().package("packages/nginx/1.5.0");
    let unnamed = site.source("unnamed.tar", unnamed.tar().bytes());
    insta::assert_snapshot!(site.run(&["import", &unnamed]), @r"
    exit 1
    Error: the source does not say which release it is
    Hint: name the release with --release 8.5.0, or a branch with --branch production
    ");
    insta::assert_snapshot!(site.run(&["import", &unnamed, "--stage"]), @r"
    exit 1
    Error: the source does not say which release it is
    Hint: name the release with --release 8.5.0, or a branch with --branch production
    ");
    let bad = crate::archives::tar().file("packages/nginx/1.5.0/x", "");
    let bad = site.source("bad.tar", bad.bytes());
    insta::assert_snapshot!(site.run(&["import", &bad, "--release", "8.5.0"]), @r"
    exit 1
    Error: none of the packages can be taken (1 refused); the first is packages/nginx/1.5.0: it has no manifest.yml
    ");
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    There is no distribution yet; `airlock import` makes the first.
    ");
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    // Root may read everything: then there is nothing to see here.
    if rustix::process::getuid().is_root() {
        println!("left out: this user may read every file");
        return;
    }
    let site = Site::new();
    release("8.5.0").write(site.folder.path());
    let folder = site.path("package-storage-8.5.0");
    let file = folder.join("packages/nginx/1.5.0/manifest.yml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o0)).unwrap();
    let said = site.run(&["import", text(&folder)]);
    assert!(
        said.contains(
            &format!("cannot read {}", text(&file)).replace(text(site.folder.path()), "[SITE]")
        ),
        "{said}"
    );
}

#[test]
fn names_with_a_meaning_are_refused() {
    let site = Site::new();
    let tar = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    insta::assert_snapshot!(site.run(&["import", &tar, "--branch", "default"]), @r"
    exit 1
    Error: default is a name with a meaning of its own
    Hint: choose another name; production, staging, snapshot, experimental and default are taken
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--release", "production"]), @r"
    exit 1
    Error: production is a name with a meaning of its own
    Hint: choose another name; production, staging, snapshot, experimental and default are taken
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--branch", "8.5.0"]), @r"
    exit 1
    Error: 8.5.0 is what a release is called, and nothing else may be
    Hint: choose another name, or make a release of it with `airlock import --release`
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--branch", "Mine"]), @r#"
    exit 1
    Error: invalid request: invalid name "Mine": names are 1 to 64 of a-z, 0-9, '.', '_', '+' and '-', and begin with a letter or digit
    "#);
    assert_eq!(site.run(&["distribution", "list"]).lines().count(), 2);
}

#[test]
fn what_is_here_already_is_not_changed() {
    let site = Site::new();
    let tar = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    site.run(&["import", &tar]);
    let other = release("8.5.0").package("package-storage-8.5.0/packages/zeek/1.0.0");
    let other = site.source("other.tar", other.tar().bytes());
    insta::assert_snapshot!(site.run(&["distribution", "create", "mine", "--from", "8.5.0"]), @r"
    exit 0
    Change set 2: mine serves 8.5.0 at /d/mine/ (2 versions, fingerprint 3a31448dbfd6)
    ");
    insta::assert_snapshot!(site.run(&["distribution", "create", "mine", "--from", "8.5.0"]), @r"
    exit 1
    Error: there is a distribution mine already
    Hint: `airlock distribution list` shows what there is
    ");
    insta::assert_snapshot!(site.run(&["distribution", "create", "staging", "--from", "8.5.0"]), @r"
    exit 1
    Error: staging is a name with a meaning of its own
    Hint: choose another name; production, staging, snapshot, experimental and default are taken
    ");
    insta::assert_snapshot!(site.run(&["distribution", "create", "9.9.9", "--from", "8.5.0"]), @r"
    exit 1
    Error: 9.9.9 is what a release is called, and nothing else may be
    Hint: choose another name, or make a release of it with `airlock import --release`
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--branch", "mine"]), @r"
    exit 1
    Error: there is a distribution mine already, which serves other branches
    Hint: `airlock distribution list` shows what there is
    ");
    site.run(&["import", &tar, "--branch", "own"]);
    insta::assert_snapshot!(site.run(&["import", &other, "--release", "own"]), @r"
    exit 1
    Error: own is here as a local branch
    Hint: choose another name with --branch or --release
    ");
    insta::assert_snapshot!(site.run(&["activate", "9.9.9"]), @r"
    exit 1
    Error: there is no branch 9.9.9
    Hint: `airlock distribution list` shows what there is
    ");
    insta::assert_snapshot!(site.run(&["plans", "show", "77"]), @r"
    exit 1
    Error: there is no plan 77
    Hint: `airlock plans list` shows the plans that wait
    ");
    insta::assert_snapshot!(site.run(&["plans", "drop", "77"]), @r"
    exit 1
    Error: there is no plan 77
    Hint: `airlock plans list` shows the plans that wait
    ");
}

#[test]
fn a_store_that_cannot_be_opened_says_what_to_do() {
    let site = Site::new();
    let store = airlock::store::Store::open(&site.data()).unwrap();
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 1
    Error: the store in [SITE]/data is in use by another airlock
    Caused by:
      1: cannot reach the server at [SITE]/data/control.sock
      2: No such file or directory (os error 2)
    Hint: wait until the other command has ended; a running `airlock serve` must be of this version and user to be asked
    ");
    // As a server leaves it that was killed.
    drop(UnixListener::bind(site.data().join("control.sock")).unwrap());
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 1
    Error: the store in [SITE]/data is in use by another airlock
    Caused by:
      1: cannot reach the server at [SITE]/data/control.sock
      2: Connection refused (os error 111)
    Hint: wait until the other command has ended; a running `airlock serve` must be of this version and user to be asked
    ");
    insta::assert_snapshot!(site.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit 1
    Error: the store in [SITE]/data is in use by another airlock
    Hint: wait until the other command has ended; a running `airlock serve` must be of this version and user to be asked
    ");
    drop(store);
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");

    let database = rusqlite::Connection::open(site.data().join("airlock.db")).unwrap();
    database.pragma_update(None, "user_version", 999).unwrap();
    let known = format!("up to {}", airlock::store::SCHEMA_VERSION);
    insta::assert_snapshot!(site.run(&["plans", "list"]).replace(&known, "up to [KNOWN]"), @r"
    exit 1
    Error: the store has schema 999, this airlock knows up to [KNOWN]
    Hint: use the airlock that wrote this store, or name another folder with --data-dir
    ");
    drop(database);

    std::fs::write(
        site.data().join("airlock.db"),
        "something else entirely, and long enough",
    )
    .unwrap();
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 1
    Error: [SITE]/data/airlock.db is not an airlock store
    Hint: name another folder with --data-dir
    ");
    let other = Site::new();
    std::fs::write(other.data(), "a file").unwrap();
    insta::assert_snapshot!(other.run(&["plans", "list"]), @r"
    exit 1
    Error: cannot use the data folder [SITE]/data
    Caused by: File exists (os error 17)
    Hint: name a folder you may write to with --data-dir
    ");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let site = Site::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = site
        .run(&["serve", "--listen", &address])
        .replace(&address, "[ADDRESS]");
    insta::assert_snapshot!(said, @r"
    exit 1
    Error: cannot listen at [ADDRESS]
    Caused by: Address already in use (os error 98)
    Hint: choose another address with --listen 127.0.0.1:8081, or stop what listens there
    ");
}

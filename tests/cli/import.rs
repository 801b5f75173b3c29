//! Importing where there is no terminal: plain lines, no question.

use crate::trees::{Tree, release};
use crate::{Site, text};

#[test]
fn a_release_is_imported_then_known_and_another_beside_it() {
    let site = Site::new();
    let tar = site.source("8.5.0.tar", release("8.5.0").git_tar().bytes());
    insta::assert_snapshot!(site.run(&["import", &tar]), @r"
    exit 0
    Plan 1 makes release 8.5.0 from 8.5.0.tar (9.73 kB, commit c18366cb78, registry 1.15.0)
            2 added
            1 file that belongs to no package ignored
    Change set 1: 2 added of 2 package versions, served at / and /d/8.5.0/
    ");
    insta::assert_snapshot!(site.run(&["import", &tar]), @r"
    exit 0
    Nothing changed: 8.5.0 has all of 8.5.0.tar already.
    ");
    let same = site.source("8.5.0.other.tar", release("8.5.0").tar().bytes());
    insta::assert_snapshot!(site.run(&["import", &same]), @r"
    exit 0
    Plan 2 changes release 8.5.0 from 8.5.0.other.tar (8.19 kB, registry 1.15.0)
            0 added
            2 there already, the same
            1 file that belongs to no package ignored
    Nothing changed: 8.5.0 has it all.
    ");
    let zip = site.source("7.9.0.zip", release("7.9.0").git_zip().bytes());
    insta::assert_snapshot!(site.run(&["import", "--quiet", &zip]), @r"
    exit 0
    ");
    insta::assert_snapshot!(site.run(&["activate", "7.9.0"]), @r"
    exit 0
    Change set 3: 7.9.0 is served at /
    ");
    insta::assert_snapshot!(site.run(&["activate", "7.9.0"]), @r"
    exit 0
    Nothing changed: 7.9.0 is served at / already.
    ");
    insta::assert_snapshot!(site.run(&["distribution", "create", "mine", "--from", "8.5.0", "--with", "7.9.0"]), @r"
    exit 0
    Change set 4: mine serves 8.5.0, then 7.9.0 at /d/mine/ (2 versions, fingerprint 3a31448dbfd6)
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    7.9.0 serves 7.9.0 at /d/7.9.0/ (2 versions, fingerprint 3a31448dbfd6)
    8.5.0 serves 8.5.0 at /d/8.5.0/ (2 versions, fingerprint 3a31448dbfd6)
    default serves 7.9.0 at / (2 versions, fingerprint 3a31448dbfd6)
    mine serves 8.5.0, then 7.9.0 at /d/mine/ (2 versions, fingerprint 3a31448dbfd6)
    ");
}

#[test]
fn a_folder_counts_as_the_leading_one() {
    let site = Site::new();
    let around = site.path("unpacked");
    release("8.5.0").write(&around);
    let folder = around.join("package-storage-8.5.0");
    insta::assert_snapshot!(site.run(&["import", text(&folder)]), @r"
    exit 0
    Plan 1 makes release 8.5.0 from package-storage-8.5.0 (8.19 kB, registry 1.15.0)
            2 added
            1 file that belongs to no package ignored
    Change set 1: 2 added of 2 package versions, served at / and /d/8.5.0/
    ");
    let packages = folder.join("packages");
    insta::assert_snapshot!(site.run(&["import", text(&packages), "--release", "8.5.0"]), @r"
    exit 0
    Plan 2 changes release 8.5.0 from packages (5.12 kB)
            0 added
            2 there already, the same
    Nothing changed: 8.5.0 has it all.
    ");
    let one = packages.join("nginx");
    insta::assert_snapshot!(site.run(&["import", text(&one), "--branch", "mine"]), @r"
    exit 0
    Plan 3 makes local branch mine from nginx (3.07 kB)
            1 added
    Change set 2: 1 added of 1 package version, served at /d/mine/; `airlock activate mine` puts it at /
    ");
    insta::assert_snapshot!(site.run(&["import", text(&around)]), @r"
    exit 0
    Nothing changed: 8.5.0 has all of unpacked already.
    ");
    insta::assert_snapshot!(site.run_with_input(&["import", "-", "--release", "8.6.0"], &release("x").tar().gz()), @r"
    exit 0
    Plan 4 makes release 8.6.0 from - (528 B, registry 1.15.0)
            2 added
            1 file that belongs to no package ignored
    Change set 3: 2 added of 2 package versions, served at /d/8.6.0/; `airlock activate 8.6.0` puts it at /
    ");
}

#[test]
fn a_plan_can_wait_be_shown_committed_and_dropped() {
    let site = Site::new();
    let tree = release("8.5.0").file("package-storage-8.5.0/packages/bad/1.0.0/x", "");
    let tar = site.source("8.5.0.tar", tree.tar().bytes());
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--dry-run"]), @r"
    exit 2
    Plan 1 makes release 8.5.0 from 8.5.0.tar (8.70 kB, registry 1.15.0)
            2 added
            1 in quarantine
            1 file that belongs to no package ignored
    In quarantine:
      package-storage-8.5.0/packages/bad/1.0.0: it has no manifest.yml
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--stage"]), @r"
    exit 2
    Plan 2 makes release 8.5.0 from 8.5.0.tar (8.70 kB, registry 1.15.0)
            2 added
            1 in quarantine
            1 file that belongs to no package ignored
    In quarantine:
      package-storage-8.5.0/packages/bad/1.0.0: it has no manifest.yml
    Commit it with `airlock plans commit 2`.
    ");
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    2: 2 added, 0 replaced in 8.5.0 from 8.5.0.tar, staged [TIME] by [USER]
    ");
    insta::assert_snapshot!(site.run(&["plans", "show", "2"]), @r"
    exit 0
    Plan 2 makes release 8.5.0 from 8.5.0.tar (8.70 kB, registry 1.15.0)
            2 added
            1 in quarantine
            1 file that belongs to no package ignored
    + apache 1.0.0
    + nginx 1.5.0
    In quarantine:
      package-storage-8.5.0/packages/bad/1.0.0: it has no manifest.yml
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    There is no distribution yet; `airlock import` makes the first.
    ");
    insta::assert_snapshot!(site.run(&["plans", "commit", "2"]), @r"
    exit 2
    Change set 1: 2 added, 1 in quarantine of 3 package versions, served at / and /d/8.5.0/
    `airlock quarantine list` tells why packages were not taken.
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, "--stage", "--release", "8.5.1"]), @r"
    exit 2
    Plan 3 makes release 8.5.1 from 8.5.0.tar (8.70 kB, registry 1.15.0)
            2 added
            1 in quarantine
            1 file that belongs to no package ignored
    In quarantine:
      package-storage-8.5.0/packages/bad/1.0.0: it has no manifest.yml
    Commit it with `airlock plans commit 3`.
    ");
    insta::assert_snapshot!(site.run(&["plans", "drop", "3"]), @r"
    exit 0
    Plan 3 is dropped; nothing changed.
    ");
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");
}

#[test]
fn json_is_one_value_with_its_outcome() {
    let site = Site::new();
    let tar = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    let mut outcomes = Vec::new();
    for args in [&["--dry-run"][..], &["--stage"], &["--yes"], &[]] {
        let mut command = site.command(&["import", "--json", &tar]);
        let output = command.args(args).output().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.stderr, b"");
        outcomes.push(value["outcome"].as_str().unwrap().to_owned());
    }
    assert_eq!(outcomes, ["dropped", "planned", "committed", "known"]);
}

#[test]
fn a_branch_is_overwritten_only_when_asked() {
    let site = Site::new();
    let source = |name: &str, readme: &str| {
        let mut tree = Tree::default().package("packages/nginx/1.5.0");
        tree.0[0].1 = readme.as_bytes().to_vec();
        site.source(name, tree.tar().bytes())
    };
    let (first, second) = (source("first.tar", "1"), source("second.tar", "2"));
    site.run(&["import", &first, "--branch", "mine"]);
    insta::assert_snapshot!(site.run(&["import", &second, "--branch", "mine"]), @r"
    exit 1
    Plan 2 changes local branch mine from second.tar (3.07 kB)
            0 added
            1 refused by the rules of the branch
    Refused:
      nginx 1.5.0: it is in mine with other content; --overwrite replaces it
    Nothing changed: the rules of mine refuse 1 package version.
    ");
    insta::assert_snapshot!(site.run(&["import", &second, "--branch", "mine", "--overwrite"]), @r"
    exit 0
    Plan 3 changes local branch mine from second.tar (3.07 kB)
            0 added
            1 replaced
    Change set 2: 0 added, 1 replaced of 1 package version, served at / and /d/mine/
    ");
}

#[test]
fn an_import_that_is_interrupted_leaves_no_change() {
    let site = Site::new();
    let mut command = site.command(&["import", "-", "--release", "8.5.0"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let tar = release("8.5.0").tar().open_ended();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &tar).unwrap();
    crate::server::until(|| site.data().join("airlock.db-wal").exists().then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(200));
    crate::server::signal(&child, rustix::process::Signal::INT);
    assert!(!child.wait().unwrap().success());
    insta::assert_snapshot!(site.run(&["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    There is no distribution yet; `airlock import` makes the first.
    ");
}

//! Signed packages as an operator meets them: the plan, the quarantine, the key that comes later, the exit codes.

use crate::Site;
use crate::archives::{tar, zip};
use crate::server::Server;
use crate::signer::Signer;
use crate::trees::manifest;

fn nginx(version: &str, readme: &str) -> Vec<u8> {
    let root = format!("nginx-{version}");
    zip()
        .deflated(format!("{root}/manifest.yml"), manifest("nginx", version))
        .deflated(format!("{root}/docs/README.md"), readme)
        .bytes()
}

/// Runs a command and names the key of `signer` and what differs from run to run.
fn said(site: &Site, signer: &Signer, args: &[&str]) -> String {
    let fingerprint = signer.fingerprint();
    let groups: Vec<_> = fingerprint
        .as_bytes()
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect();
    let text = site
        .run(args)
        .replace(&groups.join(" "), "[KEY]")
        .replace(&fingerprint, "[KEY]")
        .replace(&fingerprint[24..], "[KEY ID]");
    // Days and times.
    let is_time =
        |word: &str| word.starts_with("[TODAY]") || word.starts_with("20") && word.contains('-');
    let words = |line: &str| {
        let words = line.split(' ');
        let words = words.map(|word| if is_time(word) { "[TIME]" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

fn source(signer: &Signer) -> Vec<u8> {
    tar()
        .file("nginx-1.0.0.zip", nginx("1.0.0", "# nginx\n"))
        .file(
            "nginx-1.0.0.zip.sig",
            signer.sign(nginx("1.0.0", "# nginx\n")),
        )
        .file("nginx-1.1.0.zip", nginx("1.1.0", "# changed\n"))
        .file(
            "nginx-1.1.0.zip.sig",
            signer.sign(nginx("1.1.0", "# nginx\n")),
        )
        .file("nginx-1.2.0.zip", nginx("1.2.0", "# nginx\n"))
        .file("bad-1.0.0.zip", "no zip")
        .bytes()
}

#[test]
fn packages_without_a_good_signature_wait_in_quarantine_for_the_key() {
    let signer = Signer::new();
    let site = Site::new();
    let path = site.source("packages.tar", source(&signer));
    let key = site.source("key.asc", signer.key());
    let said = |args: &[&str]| said(&site, &signer, args);
    insta::assert_snapshot!(said(&["quarantine", "list"]), @r"
    exit 0
    Quarantine is empty: everything that came in was good.
    ");
    insta::assert_snapshot!(said(&["import", &path, "--release", "9.2.0", "--signatures", "require"]), @r"
    exit 1
    Plan 1 makes release 9.2.0 from packages.tar (7.17 kB)
            0 added
            4 in quarantine
    Signatures (require): no package
    In quarantine:
      bad-1.0.0.zip: its zip cannot be taken: truncated before its first member
      nginx 1.0.0: its signature is by the key [KEY ID], which is not in the keyring
      nginx 1.1.0: its signature is by the key [KEY ID], which is not in the keyring
      nginx 1.2.0: it came without a signature
    Nothing changed: 4 packages are in quarantine; `airlock quarantine list` tells why.
    ");
    insta::assert_snapshot!(said(&["signatures", "list"]), @r"
    exit 0
    There is no branch yet; `airlock import` makes the first.
    ");
    insta::assert_snapshot!(said(&["quarantine", "show", "2"]), @r"
    exit 0
    2 nginx 1.0.0
      its signature is by the key [KEY ID], which is not in the keyring
      from packages.tar, [TIME]
      for 9.2.0; kept: 426 B, SHA-256 9971e56a636e6d198c46e0357133c1101558af94e6a5a25dc3b9a76477a9327c
      now: its signature is by the key [KEY ID], which is not in the keyring
      `airlock quarantine retry 2` tries it again
    ");
    insta::assert_snapshot!(said(&["keys", "add", "--yes", &key]), @r"
    exit 0
    Added
    [KEY]
      Test Signer <test@example.org>
      made [TIME] does not expire, added [TIME] by [USER]
    2 signatures are judged anew: `airlock signatures list`; `airlock quarantine retry --all` tries what was kept out.
    ");
    insta::assert_snapshot!(said(&["quarantine", "retry", "--all", "--dry-run"]), @r"
    exit 2
    Plan 2 makes release 9.2.0 from packages.tar
            1 added
            2 in quarantine
    Signatures (require): 1 good
    In quarantine:
      nginx 1.1.0: the signature is not over these bytes, though the zip opens: a scanner that disarms content on its way may have changed it
      nginx 1.2.0: it came without a signature
    1: nothing is kept of bad-1.0.0.zip; import packages.tar again
    ");
    insta::assert_snapshot!(said(&["quarantine", "retry", "--all"]), @r"
    exit 2
    Plan 3 makes release 9.2.0 from packages.tar
            1 added
            2 in quarantine
    Signatures (require): 1 good
    In quarantine:
      nginx 1.1.0: the signature is not over these bytes, though the zip opens: a scanner that disarms content on its way may have changed it
      nginx 1.2.0: it came without a signature
    Change set 1: 1 added, 2 in quarantine of 3 package versions, served at / and /d/9.2.0/
    `airlock quarantine list` tells why packages were not taken.
    1: nothing is kept of bad-1.0.0.zip; import packages.tar again
    ");
    insta::assert_snapshot!(said(&["signatures", "list", "--all"]), @r"
    exit 0
    9.2.0 (require): 1 good
      nginx 1.0.0: its signature by [KEY] is good
    ");
    insta::assert_snapshot!(said(&["quarantine", "list"]), @r"
    exit 0
    1: bad-1.0.0.zip: its zip cannot be taken: truncated before its first member
    3: nginx 1.1.0: the signature is not over these bytes, though the zip opens: a scanner that disarms content on its way may have changed it
    4: nginx 1.2.0: it came without a signature
    ");
    insta::assert_snapshot!(said(&["signatures", "set", "9.2.0", "verify"]), @r"
    exit 0
    9.2.0 has verify for signatures.
    ");
    insta::assert_snapshot!(said(&["quarantine", "retry", "--all"]), @r"
    exit 2
    Plan 4 changes release 9.2.0 from packages.tar
            2 added
            1 there already, the same
    Signatures (verify): 1 good, 1 wrong, 1 without one
    Taken, though the signature is wrong:
      nginx 1.1.0: the signature is not over these bytes, though the zip opens: a scanner that disarms content on its way may have changed it
    Change set 3: 2 added, 1 unchanged of 3 package versions, served at / and /d/9.2.0/
    1: nothing is kept of bad-1.0.0.zip; import packages.tar again
    ");
    insta::assert_snapshot!(said(&["signatures", "set", "9.2.0", "require"]), @r"
    exit 0
    9.2.0 has require for signatures.
    2 of the package versions that it holds would not come in today; they stay.
    ");
    insta::assert_snapshot!(said(&["signatures", "list"]), @r"
    exit 0
    9.2.0 (require): 1 good, 1 wrong, 1 without one
      nginx 1.1.0: the signature is not over these bytes, though the zip opens: a scanner that disarms content on its way may have changed it
      nginx 1.2.0: it came without a signature
    ");
    insta::assert_snapshot!(said(&["quarantine", "drop", "--all"]), @r"
    exit 0
    Dropped 1 package from quarantine.
    ");
    insta::assert_snapshot!(said(&["quarantine", "drop"]), @r"
    exit 1
    error: the following required arguments were not provided:
      <NUMBER|--all>

    Usage: airlock quarantine drop <NUMBER|--all>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(said(&["quarantine", "show", "1"]), @r"
    exit 1
    Error: there is no package 1 in quarantine
    Hint: `airlock quarantine list` shows them
    ");
    insta::assert_snapshot!(said(&["signatures", "list", "9.9.9"]), @r"
    exit 1
    Error: there is no branch 9.9.9
    Hint: `airlock distribution list` shows what there is
    ");
}

#[test]
fn a_policy_counts_even_where_the_source_is_known() {
    let site = Site::new();
    let source = tar().file("nginx-1.0.0.zip", nginx("1.0.0", "# nginx\n"));
    let path = site.source("packages.tar", source.bytes());
    let plain = ["import", &path, "--release", "9.2.0"];
    let required = [&plain[..], &["--signatures", "require"]].concat();
    let known = "Nothing changed: 9.2.0 has all of packages.tar already.";
    site.run(&plain);
    assert!(site.run(&plain).contains(known));
    let said = site.run(&required);
    assert!(
        said.starts_with("exit 0\n") && !said.contains(known),
        "{said}"
    );
    assert!(said.contains("1 there already, the same"), "{said}");
    let policy = site.run(&["signatures", "list", "9.2.0"]);
    assert!(
        policy.contains("9.2.0 (require): 1 without one"),
        "{policy}"
    );
    assert!(site.run(&required).contains(known));
}

#[test]
fn a_server_says_and_does_the_same() {
    let signer = Signer::new();
    let (here, there) = (Site::new(), Site::new());
    let server = Server::start(&there);
    let paths = [&here, &there].map(|site| {
        let path = site.source("packages.tar", source(&signer));
        (path, site.source("key.asc", signer.key()))
    });
    let commands = [
        "import PACKAGES --release 9.2.0 --signatures require",
        "quarantine list",
        "keys add --yes KEY",
        "quarantine retry 2 3",
        "quarantine retry 7",
        "signatures set 9.2.0 off",
        "signatures list 9.2.0 --all",
        "quarantine drop 1",
        "keys list",
    ];
    for command in commands {
        let run = |site, (packages, key): &(String, String)| {
            let file = |word| match word {
                "PACKAGES" => packages,
                "KEY" => key,
                word => word,
            };
            let args: Vec<_> = command.split(' ').map(file).collect();
            said(site, &signer, &args)
        };
        assert_eq!(run(&here, &paths[0]), run(&there, &paths[1]), "{command}");
    }
    assert!(server.stop());
}

#[test]
fn the_exit_code_tells_all_from_some_from_none() {
    let site = Site::new();
    let good = tar().file("nginx-1.0.0.zip", nginx("1.0.0", "# nginx\n"));
    let some = good.clone().file("bad-1.0.0.zip", "no zip");
    let none = tar().file("bad-1.0.0.zip", "no zip");
    let code = |name: &str, bytes: Vec<u8>, more: &[&str]| {
        let path = site.source(name, bytes);
        let args = [&["import", path.as_str(), "--quiet"], more].concat();
        site.command(&args).status().unwrap().code()
    };
    let unsigned = ["--branch", "strict", "--signatures", "require"];
    assert_eq!(code("strict.tar", good.clone().bytes(), &unsigned), Some(1));
    assert_eq!(
        code("good.tar", good.bytes(), &["--branch", "mine"]),
        Some(0)
    );
    assert_eq!(
        code("some.tar", some.clone().bytes(), &["--branch", "mine"]),
        Some(2)
    );
    assert_eq!(
        code(
            "staged.tar",
            some.bytes(),
            &["--branch", "other", "--stage"]
        ),
        Some(2)
    );
    assert_eq!(
        code("none.tar", none.bytes(), &["--branch", "mine"]),
        Some(1)
    );
    let committed = site.command(&["plans", "commit", "4"]).status().unwrap();
    assert_eq!(
        committed.code(),
        Some(2),
        "{}",
        site.run(&["plans", "list"])
    );
}

#[test]
fn a_branch_that_can_no_longer_be_keeps_nothing_from_the_others() {
    let signer = Signer::new();
    let site = Site::new();
    let zip = nginx("1.0.0", "# nginx\n");
    let signed = tar()
        .file("nginx-1.0.0.zip", &zip)
        .file("nginx-1.0.0.zip.sig", signer.sign(&zip));
    let path = site.source("signed.tar", signed.bytes());
    let key = site.source("key.asc", signer.key());
    for branch in ["mine", "other"] {
        let code = ["import", &path, "--branch", branch, "--signatures"];
        site.run(&[&code[..], &["require", "--quiet"]].concat());
    }
    let release = tar().file("nginx-1.1.0.zip", nginx("1.1.0", "# nginx\n"));
    let release = site.source("release.tar", release.bytes());
    site.run(&["import", &release, "--release", "mine"]);
    site.run(&["keys", "add", "--yes", &key]);
    insta::assert_snapshot!(said(&site, &signer, &["quarantine", "retry", "--all"]), @r"
    exit 1
    Plan 5 makes local branch other from signed.tar
            1 added
    Signatures (require): 1 good
    Change set 2: 1 added of 1 package version, served at /d/other/; `airlock activate other` puts it at /
    Error: mine is here as a release branch
    Hint: choose another name with --branch or --release
    ");
    insta::assert_snapshot!(said(&site, &signer, &["quarantine", "list"]), @r"
    exit 0
    1: nginx 1.0.0: its signature is by the key [KEY ID], which is not in the keyring
    ");
    insta::assert_snapshot!(said(&site, &signer, &["plans", "list"]), @r"
    exit 0
    No plan waits.
    ");
}

#[test]
fn a_program_reads_what_trying_again_came_to() {
    let site = Site::new();
    let source = tar()
        .file("bad-1.0.0.zip", "no zip")
        .file("nginx-1.0.0.zip", nginx("1.0.0", "# nginx\n"));
    let path = site.source("packages.tar", source.bytes());
    site.run(&[
        "import",
        &path,
        "--branch",
        "mine",
        "--signatures",
        "require",
    ]);
    let output = site
        .command(&["--json", "quarantine", "retry", "--all"])
        .output();
    let outcome: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(outcome["committed"][0]["quarantined"], 1);
    assert_eq!(outcome["not_kept"][0]["package"], "bad-1.0.0.zip");
    assert_eq!(outcome["passed_over"], serde_json::json!([]));
}

//! The keyring: what is asked, what is said, what is kept, here and through a running server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use airlock::crypto::openpgp::{KeyFile, Signature, Verdict, Verifying, WrongSignature};
use airlock::limits::Limits;

use crate::Site;
use crate::server::Server;

fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openpgp");
    Path::new(folder).join(name)
}

fn path(name: &str) -> String {
    fixture(name).to_str().unwrap().to_owned()
}

fn fingerprint(name: &str) -> String {
    let file = KeyFile::read(&std::fs::read(fixture(name)).unwrap(), &Limits::default());
    file.certificates[0].fingerprint().to_string()
}

/// What was said, without what differs from day to day and from one making of the fixtures to the next.
fn said(site: &Site, args: &[&str]) -> String {
    // Whether the fixtures were made today is all the same.
    let mut text = site.run(args).replace("[TODAY]", "2026-11-22");
    for name in ["rsa3072-key.asc", "nistp256-key.asc", "sha1-key.asc"] {
        let digits = fingerprint(name);
        let groups: Vec<_> = digits
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect();
        text = text
            .replace(&groups.join(" "), &format!("[{name}]"))
            .replace(&digits, &format!("[{name}]"));
    }
    let text = text.replace(fixture("").to_str().unwrap(), "[FIXTURES]/");
    let dates = |line: &str| match line.split_once("made 20") {
        Some((before, after)) => {
            let after = after[8..].replace(|c: char| c.is_ascii_digit(), "0");
            format!("{before}made [DAY]{after}")
        }
        None => line.to_owned(),
    };
    text.lines().map(dates).collect::<Vec<_>>().join("\n")
}

const EMPTY: &str = "exit 0\nThere is no key yet; `airlock keys add` takes one.";

#[test]
fn keys_are_added_listed_and_removed_here_and_through_a_server() {
    let site = Site::new();
    let served = Site::new();
    let server = Server::start(&served);
    let [one, other] = ["rsa3072-key.asc", "nistp256-key.asc"];
    let both = |args: &[&str]| {
        let here = said(&site, args);
        assert_eq!(said(&served, args), here, "{args:?}");
        here
    };
    assert_eq!(both(&["keys", "list"]), EMPTY);
    insta::assert_snapshot!(both(&["keys", "add", "--yes", &path(one)]), @r"
    exit 0
    Added
    [rsa3072-key.asc]
      rsa3072 <rsa3072@example.org>
      made [DAY], does not expire, added 0000-00-00 by [USER]
    ");
    insta::assert_snapshot!(both(&["keys", "add", "--yes", &path(one)]), @r"
    exit 0
    Nothing changed: there is already
    [rsa3072-key.asc]
      rsa3072 <rsa3072@example.org>
      made [DAY], does not expire, added 0000-00-00 by [USER]
    ");
    let named = fingerprint(other);
    let added = both(&["keys", "add", "--fingerprint", &named, &path(other)]);
    assert!(
        added.starts_with("exit 0\nAdded\n[nistp256-key.asc]"),
        "{added}"
    );
    insta::assert_snapshot!(both(&["keys", "list"]), @r"
    exit 0
    [rsa3072-key.asc]
      rsa3072 <rsa3072@example.org>
      made [DAY], does not expire, added 0000-00-00 by [USER]
    [nistp256-key.asc]
      nistp256 <nistp256@example.org>
      made [DAY], does not expire, added 0000-00-00 by [USER]
    ");
    let end = &named[named.len() - 8..];
    insta::assert_snapshot!(both(&["keys", "remove", end]), @r"
    exit 0
    Removed [nistp256-key.asc]
    ");
    let again = both(&["keys", "remove", end]).replace(end, "[END]");
    insta::assert_snapshot!(again, @r"
    exit 1
    Error: there is no key [END]
    Hint: `airlock keys list` shows the keys; name one by its fingerprint, or the last 8 digits
    ");
    let listed = site.run(&["keys", "list", "--json"]);
    let listed: serde_json::Value =
        serde_json::from_str(listed.strip_prefix("exit 0").unwrap()).unwrap();
    assert_eq!(listed[0]["fingerprint"], fingerprint(one));
    assert_eq!(listed[0]["user_ids"][0], "rsa3072 <rsa3072@example.org>");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(server.stop());
}

#[test]
fn nothing_is_added_that_nobody_confirmed() {
    let site = Site::new();
    let key = path("rsa3072-key.asc");
    insta::assert_snapshot!(said(&site, &["keys", "add", &key]), @r"
    exit 1
    Error: nobody can be asked to confirm what [FIXTURES]/rsa3072-key.asc holds
    Hint: compare the fingerprint with one from another source, and name it with --fingerprint; --yes believes all
    Hint: it holds --fingerprint [rsa3072-key.asc]
    ");
    let other = "0".repeat(40);
    insta::assert_snapshot!(said(&site, &["keys", "add", &key, "--fingerprint", &other]), @r"
    exit 1
    Error: [FIXTURES]/rsa3072-key.asc does not hold this key
    Hint: --fingerprint [rsa3072-key.asc] names one that it holds
    ");
    for bad in ["", "D88E42B4", "zz"] {
        let said = site.run(&["keys", "add", &key, "--fingerprint", bad]);
        assert!(said.starts_with("exit 1\nerror: invalid value"), "{said}");
    }
    for bad in ["1234567", "../../sources", "%2e%2e/x", ""] {
        let said = site.run(&["keys", "remove", bad]);
        assert!(
            said.contains("are not the last 8 digits of a fingerprint"),
            "{said}"
        );
    }
    assert_eq!(said(&site, &["keys", "list"]), EMPTY);
}

#[test]
fn what_holds_no_key_is_refused_with_the_reason() {
    let site = Site::new();
    let page = site.source("page", "<!DOCTYPE html>");
    let empty = site.source("empty", "");
    let cut = std::fs::read(fixture("rsa3072-key.asc")).unwrap();
    let cut = site.source("cut", &cut[..cut.len() / 2]);
    let large = site.source("large", "x".repeat((1 << 20) + 1));
    for (file, reason) in [
        (page, "it is no OpenPGP public key"),
        (empty, "it is no OpenPGP public key"),
        (cut, "it is cut off or damaged"),
        (large, "it is larger than 1048576 bytes"),
        (path("rsa3072.sig"), "it is no OpenPGP public key"),
    ] {
        let said = site.run(&["keys", "add", "--yes", &file]);
        assert!(said.starts_with("exit 1\nError: "), "{said}");
        assert!(
            said.contains(&format!("holds no key that can be believed: {reason}\n")),
            "{said}"
        );
    }
    let weak = site.run(&["keys", "add", "--yes", &path("rsa1024-key.asc")]);
    assert!(
        weak.contains("is too weak or of an unknown kind: RSA with 1024 bits"),
        "{weak}"
    );
    let missing = site.path("missing");
    let said_of_missing = site.run(&["keys", "add", "--yes", missing.to_str().unwrap()]);
    assert!(
        said_of_missing.starts_with("exit 1\nError: cannot read [SITE]/missing\n"),
        "{said_of_missing}"
    );
    assert_eq!(said(&site, &["keys", "list"]), EMPTY);
}

#[test]
fn a_bad_key_in_a_file_leaves_the_good_one_and_is_named() {
    let site = Site::new();
    let both = [
        std::fs::read(fixture("rsa1024-key.asc")).unwrap(),
        std::fs::read(fixture("rsa3072-key.asc")).unwrap(),
    ];
    let file = site.source("both", both.concat());
    let added = said(&site, &["keys", "add", "--yes", &file]);
    assert!(
        added.starts_with("exit 0\nNot taken from [SITE]/both: key "),
        "{added}"
    );
    assert!(
        added.contains("RSA with 1024 bits\nAdded\n[rsa3072-key.asc]\n"),
        "{added}"
    );
}

#[test]
fn a_key_that_knows_only_sha1_gets_a_hint() {
    let site = Site::new();
    let added = said(&site, &["keys", "add", "--yes", &path("sha1-key.asc")]);
    assert!(
        added.starts_with("exit 0\nAdded\n[sha1-key.asc]\n"),
        "{added}"
    );
    assert!(
        added.contains("\nHint: all that this key says of itself is signed over SHA-1"),
        "{added}"
    );
}

#[test]
fn without_a_file_it_says_where_it_looked() {
    let site = Site::new();
    let said = site.run(&["keys", "add", "--yes"]);
    if said.starts_with("exit 0") {
        println!("left out: this machine has Elastic's key");
        return;
    }
    for place in [
        "/usr/share/kibana/node_modules/@kbn/fleet-plugin/target/keys/GPG-KEY-elasticsearch",
        "/etc/pki/rpm-gpg/GPG-KEY-elasticsearch",
    ] {
        assert!(said.contains(&format!("looked at {place}")), "{said}");
    }
    assert!(
        said.ends_with("Hint: name the file: `airlock keys add FILE`"),
        "{said}"
    );
}

#[test]
fn on_a_terminal_only_the_last_eight_digits_confirm() {
    let digits = fingerprint("rsa3072-key.asc");
    let end = &digits[32..];
    for (answer, is_added) in [("y", false), ("", false), ("12345678", false), (end, true)] {
        let site = Site::new();
        let command = format!(
            "{} --data-dir {} keys add {}",
            env!("CARGO_BIN_EXE_airlock"),
            site.data().display(),
            path("rsa3072-key.asc")
        );
        // `script` of util-linux gives the command a terminal.
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("left out: there is no `script` here");
            return;
        };
        let _ = writeln!(child.stdin.take().unwrap(), "{answer}");
        let output = child.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("rsa3072 <rsa3072@example.org>"), "{shown}");
        assert_eq!(output.status.success(), is_added, "{answer:?}: {shown}");
        assert_eq!(
            said(&site, &["keys", "list"]) != EMPTY,
            is_added,
            "{answer:?}"
        );
    }
}

/// A keyring of gpg's own, in a folder that goes with it.
struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    /// Returns `None`, and says so, where there is no gpg.
    fn new() -> Option<Self> {
        let gpg = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let is_there = Command::new("gpg").arg("--version").output().is_ok();
        if !is_there {
            println!("left out: there is no gpg here");
        }
        is_there.then_some(gpg)
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        Command::new("gpg")
            .args([
                "--batch",
                "--yes",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ])
            .args(args)
            .env("GNUPGHOME", self.home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    fn is_good(&self, signature: &str, signed: &str) -> bool {
        self.run(&["--verify", signature, signed]).status.success()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .args(["--kill", "all"])
            .env("GNUPGHOME", self.home.path())
            .status();
    }
}

#[test]
fn what_gpg_calls_good_is_good_and_what_it_calls_bad_is_not() {
    let Some(gpg) = Gpg::new() else { return };
    for kind in ["ed25519", "rsa2048", "nistp256"] {
        let id = format!("{kind}@example.org");
        assert!(
            gpg.run(&["--quick-generate-key", &id, kind, "sign", "1y"])
                .status
                .success()
        );
    }
    let keyring = KeyFile::read(&gpg.run(&["--export"]).stdout, &Limits::default());
    assert_eq!((keyring.certificates.len(), keyring.refused), (3, vec![]));
    let signed = gpg.path("signed");
    let contents = b"PK\x03\x04 some\r\nbytes\n\x00\xff".repeat(1000);
    for kind in ["ed25519", "rsa2048", "nistp256"] {
        for (armor, digest) in [("--armor", "SHA512"), ("--no-armor", "SHA256")] {
            std::fs::write(&signed, &contents).unwrap();
            let file = gpg.path("signature");
            let id = format!("{kind}@example.org");
            let args = [
                "-u",
                &id,
                "--digest-algo",
                digest,
                armor,
                "--output",
                &file,
                "--detach-sign",
                &signed,
            ];
            assert!(gpg.run(&args).status.success());
            let signature = std::fs::read(&file).unwrap();
            let verdict = |bytes: &[u8]| {
                let signature = Signature::read(&signature, &Limits::default()).unwrap();
                let mut verifying = Verifying::new(&signature);
                bytes.chunks(1000).for_each(|piece| verifying.update(piece));
                signature.judge(
                    &verifying.finish(),
                    &keyring.certificates,
                    jiff::Timestamp::now(),
                )
            };
            assert!(gpg.is_good(&file, &signed));
            assert!(matches!(verdict(&contents), Verdict::Good { .. }), "{kind}");

            let mut other = contents.clone();
            other[5000] ^= 1;
            for other in [&other, &contents[1..], &contents[..contents.len() - 1]] {
                std::fs::write(&signed, other).unwrap();
                assert!(!gpg.is_good(&file, &signed));
                assert_eq!(
                    verdict(other),
                    Verdict::Wrong(WrongSignature::OtherBytes),
                    "{kind}"
                );
            }
        }
    }
}

//! People, tokens, the setup link and the audit log, here and through a running server.

use serde_json::Value;

use crate::server::Server;
use crate::{Site, text};

const LONG: &[u8] = b"a long password\n";

/// What was said, without times and secrets.
fn said(site: &Site, args: &[&str], input: &[u8]) -> String {
    let said = site.run_with_input(args, input);
    let user = airlock::admin::PeerUser::own().name();
    let said = said.replace(&format!("of {user} "), "of [USER] ");
    let mut shown = String::new();
    let mut rest = said.as_str();
    while let Some(place) = rest.find("20").filter(|_| !rest.is_empty()) {
        let time: String = rest[place..]
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != ',')
            .collect();
        let time = time.trim_end_matches('.');
        let is_time = time.parse::<jiff::Timestamp>().is_ok();
        shown.push_str(&rest[..place]);
        shown.push_str(if is_time { "[TIME]" } else { "20" });
        rest = &rest[place + if is_time { time.len() } else { 2 }..];
    }
    shown.push_str(rest);
    let secret = |word: &str| {
        let digits = word.rsplit(['_', '/']).next().unwrap_or(word);
        if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            word.replace(digits, "[SECRET]")
        } else {
            word.to_owned()
        }
    };
    let lines = shown
        .lines()
        .map(|line| line.split(' ').map(secret).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

fn json(site: &Site, args: &[&str]) -> Value {
    let said = site.run(args);
    serde_json::from_str(said.strip_prefix("exit 0").unwrap()).unwrap()
}

#[test]
fn people_are_added_changed_and_removed_here_and_through_a_server() {
    let (site, served) = (Site::new(), Site::new());
    let _server = Server::start(&served);
    let with = |args: &[&str], input: &[u8]| {
        let here = said(&site, args, input);
        assert_eq!(said(&served, args, input), here, "{args:?}");
        here
    };
    let both = |args: &[&str]| with(args, b"");
    insta::assert_snapshot!(both(&["users", "list"]), @r"
    exit 0
    There is nobody yet; `airlock users add NAME --role admin` lets somebody in.
    ");
    insta::assert_snapshot!(with(&["users", "add", "alice", "--role", "admin"], LONG), @r"
    exit 0
    Added alice as admin
    ");
    insta::assert_snapshot!(with(&["users", "add", "alice", "--role", "admin"], LONG), @r"
    exit 1
    Error: there is a user alice already
    Hint: `airlock users list` shows who there is
    ");
    insta::assert_snapshot!(with(
        &["users", "add", "bob", "--role", "viewer"],
        b"short\n"
    ), @r"
    exit 1
    Error: this is not to be the password: it has fewer than 12 characters
    Hint: choose a longer one; `admin.password_length` says how many characters one has at least
    ");
    insta::assert_snapshot!(both(&[
        "users",
        "add",
        "a/b%c?d",
        "--role",
        "viewer",
        "--no-password"
    ]), @r"
    exit 0
    Added a/b%c?d as viewer, without a password: a proxy that is trusted says who they are
    ");
    insta::assert_snapshot!(both(&["users", "role", "a/b%c?d", "publisher"]), @r"
    exit 0
    a/b%c?d is publisher now
    ");
    insta::assert_snapshot!(both(&["users", "role", "a/b%c?d", "publisher"]), @r"
    exit 0
    Nothing changed: a/b%c?d is publisher already
    ");
    insta::assert_snapshot!(both(&["users", "list"]), @r"
    exit 0
    a/b%c?d  publisher  never here, no password
    alice    admin      never here
    ");
    insta::assert_snapshot!(both(&["users", "unlock", "a/b%c?d"]), @r"
    exit 0
    Nothing changed: a/b%c?d is not locked
    ");
    insta::assert_snapshot!(both(&["users", "remove", "alice"]), @r"
    exit 1
    Error: alice is the last admin with a password
    Hint: make somebody else admin first: `airlock users add NAME --role admin`
    ");
    insta::assert_snapshot!(both(&["users", "role", "alice", "viewer"]), @r"
    exit 1
    Error: alice is the last admin with a password
    Hint: make somebody else admin first: `airlock users add NAME --role admin`
    ");
    insta::assert_snapshot!(with(
        &["users", "reset", "alice"],
        b"another long password\n"
    ), @r"
    exit 0
    alice has another password
    ");
    insta::assert_snapshot!(both(&["users", "remove", "a/b%c?d"]), @r"
    exit 0
    Removed a/b%c?d
    ");
    insta::assert_snapshot!(both(&["users", "remove", "alise"]), @r"
    exit 1
    Error: there is no user alise
    Hint: Did you mean alice?
    Hint: `airlock users list` shows who there is
    ");
    assert_eq!(
        json(&site, &["users", "list", "--json"])[0]["name"],
        "alice"
    );
}

#[test]
fn a_password_is_read_from_a_file_and_never_an_argument() {
    let site = Site::new();
    let file = site.source("password", LONG);
    let added = site.run(&[
        "users",
        "add",
        "alice",
        "--role",
        "admin",
        "--password-file",
        &file,
    ]);
    assert_eq!(added, "exit 0\nAdded alice as admin");
    let missing = text(&site.path("nothing")).to_owned();
    let failed = site.run(&[
        "users",
        "add",
        "bob",
        "--role",
        "viewer",
        "--password-file",
        &missing,
    ]);
    insta::assert_snapshot!(failed, @r"
    exit 1
    Error: cannot read [SITE]/nothing
    Caused by: No such file or directory (os error 2)
    Hint: --password-file names a file whose first line is the password
    ");
    assert_eq!(
        json(&site, &["users", "list", "--json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn tokens_are_made_listed_and_removed_here_and_through_a_server() {
    let (site, served) = (Site::new(), Site::new());
    let _server = Server::start(&served);
    let both = |args: &[&str]| {
        let here = said(&site, args, b"");
        assert_eq!(said(&served, args, b""), here, "{args:?}");
        here
    };
    insta::assert_snapshot!(both(&["tokens", "list"]), @r"
    exit 0
    There is no token; `airlock tokens add NAME --role viewer --days 90` makes one.
    ");
    insta::assert_snapshot!(both(&[
        "tokens",
        "add",
        "ci",
        "--role",
        "publisher",
        "--days",
        "30"
    ]), @r"
    exit 0
    airlock_[SECRET]

    This is token 1, ci, publisher until [TIME]. Nobody can show it again: keep it now.
    ");
    insta::assert_snapshot!(both(&[
        "tokens", "add", "long", "--role", "viewer", "--days", "400"
    ]), @r"
    exit 1
    Error: invalid request: a token is good for 1 to 365 days, and 400 were asked for
    ");
    insta::assert_snapshot!(both(&["tokens", "list"]), @r"
    exit 0
    1  ci  publisher  of [USER]  until [TIME], never used
    ");
    insta::assert_snapshot!(both(&["tokens", "remove", "7"]), @r"
    exit 1
    Error: there is no token 7
    Hint: `airlock tokens list` shows the tokens
    ");
    insta::assert_snapshot!(both(&["tokens", "remove", "1"]), @r"
    exit 0
    Removed token 1, ci of root
    ");
    let quiet = site.run(&[
        "tokens", "add", "q", "--role", "viewer", "--days", "1", "--quiet",
    ]);
    assert!(
        quiet.starts_with("exit 0\nairlock_") && quiet.lines().count() == 2,
        "{quiet}"
    );
}

#[test]
fn a_setup_link_is_made_until_there_is_an_admin() {
    let (site, served) = (Site::new(), Site::new());
    let _server = Server::start(&served);
    let both = |args: &[&str], input: &[u8]| {
        let here = said(&site, args, input);
        assert_eq!(said(&served, args, input), here, "{args:?}");
        here
    };
    insta::assert_snapshot!(both(&["setup-link"], b""), @r"
    exit 0
    http://127.0.0.1:8080/admin/setup/[SECRET]

    Open it in a browser to make the first admin. It is good once, until [TIME].
    ");
    both(&["users", "add", "alice", "--role", "admin"], LONG);
    insta::assert_snapshot!(both(&["setup-link"], b""), @r"
    exit 1
    Error: there is an admin already
    Hint: `airlock users add NAME --role admin` adds another admin, `airlock users reset NAME` gives one another password
    ");
}

#[test]
fn the_audit_log_is_listed_verified_and_exported_here_and_through_a_server() {
    let (site, served) = (Site::new(), Site::new());
    let _server = Server::start(&served);
    for site in [&site, &served] {
        assert_eq!(
            site.run(&["audit", "verify"]),
            "exit 0\nThere is no entry yet"
        );
        site.run_with_input(&["users", "add", "alice", "--role", "admin"], LONG);
        site.run(&["tokens", "add", "ci", "--role", "viewer", "--days", "1"]);
        let exported = site.run(&["audit", "export"]);
        let lines: Vec<Value> = exported
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["previous"], lines[0]["digest"]);
        let from = if std::ptr::eq(site, &served) {
            "control.sock"
        } else {
            "command line"
        };
        assert_eq!(
            (&lines[0]["from"], &lines[0]["action"]),
            (&Value::from(from), &Value::from("users add"))
        );
        assert!(!exported.contains("a long password") && !exported.contains("airlock_"));

        let head = format!("2:{}", lines[1]["digest"].as_str().unwrap());
        let whole = site.run(&["audit", "verify", "--head", &head]);
        assert!(whole.starts_with("exit 0\nWhole: 2 entries"), "{whole}");
        let other = format!("2:{}", lines[0]["digest"].as_str().unwrap());
        let changed = site.run(&["audit", "verify", "--head", &other]);
        assert!(
            changed.starts_with("exit 1\nNOT WHOLE: entry 2 is another"),
            "{changed}"
        );
        let lines: String = exported
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect();
        let file = site.source("export", &lines);
        let elsewhere = Site::new();
        let whole = elsewhere.run(&["audit", "verify", "--file", &file, "--head", &head]);
        assert!(whole.starts_with("exit 0\nWhole: 2 entries"), "{whole}");
        assert!(!elsewhere.data().exists(), "it takes no store");
        let file = site.source("changed", lines.replace("alice", "mallory"));
        let changed = elsewhere.run(&["audit", "verify", "--file", &file]);
        assert!(
            changed.starts_with("exit 1\nNOT WHOLE: entry 1 breaks the chain"),
            "{changed}"
        );
        let listed = json(site, &["audit", "list", "--limit", "1", "--json"]);
        assert_eq!(
            (listed.as_array().unwrap().len(), &listed[0]["number"]),
            (1, &Value::from(2))
        );
    }
}

#[test]
fn the_digest_of_an_entry_is_computed_by_anybody() {
    let site = Site::new();
    site.run(&["tokens", "add", "ci", "--role", "viewer", "--days", "1"]);
    let exported = site.run(&["audit", "export"]);
    let file = site.source("export", exported.lines().nth(1).unwrap());
    // As docs/people.md has it.
    let program = "import hashlib, json, sys\n\
        for line in open(sys.argv[1]):\n\
        \x20   entry = json.loads(line)\n\
        \x20   text = 'airlock audit 1\\n' + entry['previous'] + '\\n'\n\
        \x20   for key in 'number at who from action subject outcome detail'.split():\n\
        \x20       value = str(entry[key]).encode()\n\
        \x20       text += f'{len(value)}:{value.decode()}\\n'\n\
        \x20   assert hashlib.sha256(text.encode()).hexdigest() == entry['digest']\n";
    let Ok(python) = std::process::Command::new("python3")
        .args(["-c", program, &file])
        .output()
    else {
        println!("left out: there is no python3");
        return;
    };
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
}

//! The walk along the chain finds each change, and a flood of refusals is counted.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;
use crate::people::Actor;
use crate::store::audit::{Head, Outcome};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

struct Log {
    folder: tempfile::TempDir,
    store: Store,
}

impl Log {
    fn with(entries: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let log = Self { folder, store };
        for number in 0..entries {
            let who = Actor::here("anna");
            let subject = format!("user {number}");
            let note = |conn: &rusqlite::Transaction<'_>| {
                audit::note(conn, at(0), &who, "users add", &subject, json!({}))
            };
            log.store.write(note).unwrap();
        }
        log
    }

    fn verify(&self, head: Option<Head>) -> Verification {
        let head = head.map(|head| head.to_string());
        verify(&self.store, &VerificationRequest { head }).unwrap()
    }

    fn head(&self) -> Head {
        self.store.read(audit::head).unwrap()
    }

    /// Changes what lies in the file, as somebody would who has it: the triggers are no lock.
    fn tamper(&self, statement: &str) {
        let conn = Connection::open(self.folder.path().join("airlock.db")).unwrap();
        conn.execute_batch(&format!(
            "DROP TRIGGER audit_entry_is_not_changed; DROP TRIGGER audit_entry_is_not_removed;
             PRAGMA ignore_check_constraints = ON; {statement}"
        ))
        .unwrap();
    }

    fn export(&self) -> Vec<String> {
        let request = AuditRequest {
            after: Some(0),
            ..AuditRequest::default()
        };
        let lines = list(&self.store, request).unwrap();
        lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap())
            .collect()
    }
}

fn of_export(lines: Vec<String>, head: Option<String>) -> Verification {
    let lines = lines.into_iter().map(Ok::<_, ()>);
    verify_export(lines, &VerificationRequest { head })
        .unwrap()
        .unwrap()
}

#[test]
fn a_log_that_nobody_touched_is_whole_and_has_what_was_written_down() {
    let log = Log::with(0);
    let none = log.verify(None);
    assert_eq!((none.is_whole, none.entries, none.head), (true, 0, None));
    let log = Log::with(1_203);
    let found = log.verify(Some(log.head()));
    assert_eq!((found.is_whole, found.entries), (true, 1_203));
    assert_eq!(found.head, Some(log.head().to_string()));
    let early = list(
        &log.store,
        AuditRequest {
            after: Some(6),
            limit: Some(1),
            before: None,
        },
    );
    let early = early.unwrap().remove(0);
    let early = format!("{}:{}", early.number, early.digest)
        .parse()
        .unwrap();
    assert!(log.verify(Some(early)).is_whole);
}

#[test]
fn each_way_to_change_the_log_is_found_where_it_is() {
    for (statement, broken_at, words) in [
        ("UPDATE audit_entry SET who = 'bert' WHERE id = 3", 3, "says something else"),
        ("UPDATE audit_entry SET at = '2026' WHERE id = 1", 1, "says something else"),
        ("UPDATE audit_entry SET outcome = 'none' WHERE id = 3", 3, "cannot be read"),
        ("UPDATE audit_entry SET who = CAST(x'ff' AS TEXT) WHERE id = 6", 6, "cannot be read"),
        ("DELETE FROM audit_entry WHERE id = 4", 4, "missing"),
        ("DELETE FROM audit_entry WHERE id = 1", 1, "missing"),
        ("UPDATE audit_entry SET previous = zeroblob(32) WHERE id = 5", 5, "does not name"),
        (
            "INSERT INTO audit_entry SELECT -1, at, who, origin, action, subject, outcome, detail, previous, sha256
               FROM audit_entry WHERE id = 1",
            1,
            "missing",
        ),
    ] {
        let log = Log::with(6);
        if statement.contains("-1") {
            let conn = Connection::open(log.folder.path().join("airlock.db")).unwrap();
            assert!(conn.execute_batch(statement).is_err(), "a number is above zero");
            continue;
        }
        log.tamper(statement);
        let found = log.verify(None);
        assert!(!found.is_whole, "{statement}");
        assert_eq!(found.broken_at, Some(broken_at), "{statement}");
        assert!(found.problem.unwrap().contains(words), "{statement}");
        assert_eq!(found.entries, broken_at - 1);
    }
}

#[test]
fn what_was_cut_off_or_written_anew_is_found_by_what_was_written_down_elsewhere() {
    let log = Log::with(6);
    let head = log.head();
    log.tamper("DELETE FROM audit_entry WHERE id > 4");
    assert!(log.verify(None).is_whole, "the rest follows one another");
    let found = log.verify(Some(head));
    assert!(!found.is_whole);
    let problem = found.problem.unwrap();
    assert_eq!(problem, "entry 6 was written down, and the log ends at 4");

    let other = Log::with(0);
    for _ in 0..6 {
        let who = Actor::here("mallory");
        let note = |conn: &rusqlite::Transaction<'_>| {
            audit::note(conn, at(0), &who, "users add", "x", json!({}))
        };
        other.store.write(note).unwrap();
    }
    let found = other.verify(Some(head));
    assert!(!found.is_whole);
    assert!(found.problem.unwrap().starts_with("entry 6 is another"));
}

#[test]
fn an_export_is_verified_without_the_store() {
    let log = Log::with(5);
    let head = log.head().to_string();
    let lines = log.export();
    let found = of_export(lines.clone(), Some(head.clone()));
    assert_eq!((found.is_whole, found.entries), (true, 5));
    let mut changed = lines.clone();
    changed[2] = changed[2].replace("anna", "bert");
    assert_eq!(of_export(changed, None).broken_at, Some(3));
    let mut broken = lines.clone();
    broken[1] = "{}".to_owned();
    assert_eq!(of_export(broken, None).broken_at, Some(2));
    let cut = lines[..4].to_vec();
    assert!(of_export(cut.clone(), None).is_whole);
    assert!(!of_export(cut, Some(head)).is_whole);
}

fn refusal(second: i64, action: &'static str) -> NewEntry<'static> {
    NewEntry {
        at: at(second),
        who: "",
        from: "10.0.0.1",
        action,
        subject: "",
        outcome: Outcome::Refused,
        detail: &Value::Null,
    }
}

#[test]
fn of_a_flood_of_refusals_so_many_are_kept_and_the_rest_is_counted() {
    let log = Log::with(0);
    let refusals = Refusals::default();
    for number in 0..1_000 {
        let action = if number % 2 == 0 { "login" } else { "csrf" };
        refusals
            .append(&log.store, &refusal(number / 100, action))
            .unwrap();
    }
    assert_eq!(log.head().number, 120);
    refusals.settle(&log.store, at(59)).unwrap();
    assert_eq!(log.head().number, 120, "the minute is not over");
    refusals.append(&log.store, &refusal(60, "login")).unwrap();
    let last = list(
        &log.store,
        AuditRequest {
            limit: Some(2),
            ..AuditRequest::default()
        },
    )
    .unwrap();
    assert_eq!((last[0].number, &*last[0].action), (122, "login"));
    assert_eq!(last[1].action, "refusals left out");
    assert_eq!(last[1].detail, r#"{"left_out":{"csrf":440,"login":440}}"#);
    refusals.settle(&log.store, at(200)).unwrap();
    assert_eq!(log.head().number, 122, "nothing was left out of it");
    assert!(log.verify(None).is_whole);
}

#[test]
fn a_clock_that_is_set_back_begins_another_minute() {
    let log = Log::with(0);
    let refusals = Refusals::default();
    for _ in 0..61 {
        refusals
            .append(&log.store, &refusal(1_000, "login"))
            .unwrap();
    }
    refusals.append(&log.store, &refusal(5, "login")).unwrap();
    assert_eq!(log.head().number, 62);
}

#[test]
fn who_is_refused_often_keeps_no_failed_login_out_of_the_log() {
    let log = Log::with(0);
    let refusals = Refusals::default();
    for _ in 0..1_000 {
        refusals.append(&log.store, &refusal(1, "request")).unwrap();
    }
    refusals.append(&log.store, &refusal(2, "login")).unwrap();
    let last = list(&log.store, AuditRequest::default()).unwrap();
    assert_eq!((last[0].number, &*last[0].action), (61, "login"));
}

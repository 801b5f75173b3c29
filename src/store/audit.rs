//! The audit log: who did what and what was refused, as a chain of digests.
//!
//! Entries are appended, never changed or taken out; a trigger says so as well. The digest of an entry is the SHA-256 of its
//! [`Entry::text`], which holds the digest of the entry before it: who changes one entry has to change all after it, and
//! then the last digest is another than the one that was written down elsewhere. What is worth an entry is decided elsewhere.

use std::fmt::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StoreError;
use crate::crypto::Digest;
use crate::people::Actor;

/// Bytes of who, from where and what: beyond any name, and of what a client says of itself no more is kept.
const MOST_WORD_BYTES: usize = 256;
/// Bytes of what it was done to.
const MOST_SUBJECT_BYTES: usize = 1024;
/// Bytes of what else there is to tell.
const MOST_DETAIL_BYTES: usize = 16 * 1024;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Who asked may not.
    Refused,
    /// It was tried and did not come about.
    Failed,
}

/// An entry to be.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// When.
    pub at: Timestamp,
    /// Who: a user's name, `alice by token ci`, or empty where nobody is known.
    pub who: &'a str,
    /// From where: an address, `control.sock` or `command line`.
    pub from: &'a str,
    /// What: `login`, `users add`, `import`.
    pub action: &'a str,
    /// To what: `change set 7`, a user's name.
    pub subject: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// What else there is to tell; never a secret. `Null` where nothing is.
    pub detail: &'a serde_json::Value,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number; they count up from 1 without a gap.
    pub number: i64,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// From where.
    pub from: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What else there is to tell, a JSON object.
    pub detail: String,
    /// The digest of the entry before it; 32 zero bytes for the first.
    pub previous: Digest,
    /// Its own.
    pub digest: Digest,
}

/// An entry's number and digest; of the last one it vouches for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number.
    pub number: i64,
    /// The digest.
    pub digest: Digest,
}

impl Head {
    /// What comes before the first entry.
    pub const NONE: Self = Self {
        number: 0,
        digest: Digest::from_bytes([0; 32]),
    };
}

/// Text that is no `NUMBER:DIGEST`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no NUMBER:DIGEST of an audit entry")]
pub struct InvalidHead(String);

impl Entry {
    /// Returns the text whose SHA-256 is the entry's digest.
    ///
    /// The line `airlock audit 1`, the line of the digest before it in hexadecimal, and for number, time, who, from, action,
    /// subject, outcome and detail, in this order, how many bytes it has in UTF-8, a colon, the value, and a line feed.
    pub fn text(&self) -> String {
        let mut text = format!("airlock audit 1\n{}\n", self.previous);
        for value in [
            self.number.to_string().as_str(),
            &self.at,
            &self.who,
            &self.from,
            &self.action,
            &self.subject,
            self.outcome.name(),
            &self.detail,
        ] {
            // Text takes whatever is written to it.
            let _ = writeln!(text, "{}:{value}", value.len());
        }
        text
    }

    /// Returns its number and digest.
    pub fn head(&self) -> Head {
        Head {
            number: self.number,
            digest: self.digest,
        }
    }

    /// Tells whether it says what it said when it was appended after the entry `before`.
    pub fn follows(&self, before: Head) -> bool {
        before.number.checked_add(1) == Some(self.number)
            && self.previous == before.digest
            && self.digest == Digest::of(self.text().as_bytes())
    }
}

/// Appends an entry, and returns the new head. What is too long is cut, which it says.
pub fn append(conn: &Transaction<'_>, new: &NewEntry<'_>) -> Result<Head, StoreError> {
    let before = head(conn)?;
    let detail = match new.detail {
        serde_json::Value::Null => "{}".to_owned(),
        detail => detail.to_string(),
    };
    let mut entry = Entry {
        // Nobody writes 2^63 entries.
        number: before.number.saturating_add(1),
        at: new.at.to_string(),
        who: cut(new.who, MOST_WORD_BYTES),
        from: cut(new.from, MOST_WORD_BYTES),
        action: cut(new.action, MOST_WORD_BYTES),
        subject: cut(new.subject, MOST_SUBJECT_BYTES),
        outcome: new.outcome,
        detail: if detail.len() > MOST_DETAIL_BYTES {
            serde_json::json!({ "left_out_bytes": detail.len() }).to_string()
        } else {
            detail
        },
        previous: before.digest,
        digest: before.digest,
    };
    entry.digest = Digest::of(entry.text().as_bytes());
    conn.prepare_cached(
        "INSERT INTO audit_entry (id, at, who, origin, action, subject, outcome, detail, previous, sha256)
         VALUES (:id, :at, :who, :from, :action, :subject, :outcome, :detail, :previous, :sha256)",
    )?
    .execute(named_params! {
        ":id": entry.number,
        ":at": entry.at,
        ":who": entry.who,
        ":from": entry.from,
        ":action": entry.action,
        ":subject": entry.subject,
        ":outcome": entry.outcome,
        ":detail": entry.detail,
        ":previous": entry.previous.as_bytes(),
        ":sha256": entry.digest.as_bytes(),
    })?;
    Ok(entry.head())
}

/// Appends that something was done, and returns the new head.
pub fn note(
    conn: &Transaction<'_>,
    at: Timestamp,
    who: &Actor,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<Head, StoreError> {
    let new = NewEntry {
        at,
        who: &who.name,
        from: &who.from,
        action,
        subject,
        outcome: Outcome::Done,
        detail: &detail,
    };
    append(conn, &new)
}

/// Returns `text`, or so much of it as has no more than `most` bytes, with three dots.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most - "…".len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// Returns the last entry's number and digest; [`Head::NONE`] where there is none.
pub fn head(conn: &Connection) -> Result<Head, StoreError> {
    let mut query =
        conn.prepare_cached("SELECT id, sha256 FROM audit_entry ORDER BY id DESC LIMIT 1")?;
    let row = query.query_row([], |row| {
        Ok(Head {
            number: row.get(0)?,
            digest: digest(row, 1)?,
        })
    });
    Ok(row.optional()?.unwrap_or(Head::NONE))
}

/// Returns at most `limit` entries after the one with this number, the oldest first.
pub fn after(conn: &Connection, number: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let mut query = conn.prepare_cached(&format!(
        "{SELECT} WHERE id > :number ORDER BY id LIMIT :limit"
    ))?;
    let rows = query.query_map(named_params! { ":number": number, ":limit": limit }, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the same as [`after`]; of an entry that is none, since somebody wrote into the file, its number as `Err`.
pub fn after_as_is(
    conn: &Connection,
    number: i64,
    limit: u32,
) -> Result<Vec<Result<Entry, i64>>, StoreError> {
    let mut query = conn.prepare_cached(&format!(
        "{SELECT} WHERE id > :number ORDER BY id LIMIT :limit"
    ))?;
    let rows = query.query_map(
        named_params! { ":number": number, ":limit": limit },
        |row| {
            let number = row.get(0)?;
            Ok(read(row).map_err(|_unreadable| number))
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns at most `limit` entries before the one with this number, or the last ones; the newest first.
pub fn before(
    conn: &Connection,
    number: Option<i64>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut query = conn.prepare_cached(&format!(
        "{SELECT} WHERE id < :number ORDER BY id DESC LIMIT :limit"
    ))?;
    let number = number.unwrap_or(i64::MAX);
    let rows = query.query_map(named_params! { ":number": number, ":limit": limit }, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const SELECT: &str =
    "SELECT id, at, who, origin, action, subject, outcome, detail, previous, sha256
                        FROM audit_entry";

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        from: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        outcome: row.get(6)?,
        detail: row.get(7)?,
        previous: digest(row, 8)?,
        digest: digest(row, 9)?,
    })
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    Ok(Digest::from_bytes(row.get(column)?))
}

impl Outcome {
    /// Returns what it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Outcome {
    type Err = String;

    /// Fails with the text.
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Done, Self::Refused, Self::Failed];
        let named = all.into_iter().find(|outcome| outcome.name() == text);
        named.ok_or_else(|| format!("{text:?} is no outcome"))
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let parsed = value.as_str()?.parse();
        parsed.map_err(|error: String| FromSqlError::Other(error.into()))
    }
}

/// Writes `NUMBER:DIGEST`.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.digest)
    }
}

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let invalid = || InvalidHead(text.chars().take(128).collect());
        let (number, digest) = text.split_once(':').ok_or_else(invalid)?;
        let number = number.parse().ok().filter(|number| *number >= 0);
        Ok(Self {
            number: number.ok_or_else(invalid)?,
            digest: digest.parse().map_err(|_| invalid())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::schema;

    fn new(subject: &str) -> NewEntry<'_> {
        NewEntry {
            at: "2026-11-22T10:00:00.5Z".parse().unwrap(),
            who: "alice",
            from: "10.0.0.1",
            action: "users add",
            subject,
            outcome: Outcome::Done,
            detail: &serde_json::Value::Null,
        }
    }

    #[test]
    fn each_entry_follows_the_one_before_it() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        assert_eq!(head(&conn).unwrap(), Head::NONE);
        let detail = json!({ "role": "viewer" });
        let detailed = NewEntry {
            detail: &detail,
            ..new("bob")
        };
        let first = append(&conn, &detailed).unwrap();
        let second = append(&conn, &new("carl")).unwrap();
        assert_eq!(head(&conn).unwrap(), second);

        let entries = after(&conn, 0, 10).unwrap();
        let mut newest = before(&conn, None, 10).unwrap();
        newest.reverse();
        assert_eq!(entries, newest);
        assert!(entries[0].follows(Head::NONE));
        assert!(entries[1].follows(first));
        assert!(!entries[1].follows(Head::NONE));
        assert_eq!(entries[0].detail, r#"{"role":"viewer"}"#);
        assert_eq!(after(&conn, 1, 10).unwrap(), entries[1..]);
        assert_eq!(before(&conn, Some(2), 10).unwrap(), entries[..1]);
        assert_eq!(after(&conn, 0, 1).unwrap().len(), 1);
    }

    #[test]
    fn the_text_of_an_entry_is_what_anybody_can_make_again() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        append(
            &conn,
            &NewEntry {
                who: "köl",
                ..new("bob\n3:x")
            },
        )
        .unwrap();
        let entry = after(&conn, 0, 1).unwrap().remove(0);
        let expected = format!(
            "airlock audit 1\n{}\n1:1\n22:2026-11-22T10:00:00.5Z\n4:köl\n8:10.0.0.1\n9:users add\n7:bob\n3:x\n4:done\n2:{{}}\n",
            "0".repeat(64)
        );
        assert_eq!(entry.text(), expected);
        assert_eq!(entry.digest, Digest::of(expected.as_bytes()));
    }

    #[test]
    fn an_entry_that_says_anything_else_follows_no_more() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        append(&conn, &new("bob")).unwrap();
        let entry = after(&conn, 0, 1).unwrap().remove(0);
        let other = || "other".to_owned();
        for changed in [
            Entry {
                number: 2,
                ..entry.clone()
            },
            Entry {
                at: other(),
                ..entry.clone()
            },
            Entry {
                who: other(),
                ..entry.clone()
            },
            Entry {
                from: other(),
                ..entry.clone()
            },
            Entry {
                action: other(),
                ..entry.clone()
            },
            Entry {
                subject: other(),
                ..entry.clone()
            },
            Entry {
                outcome: Outcome::Refused,
                ..entry.clone()
            },
            Entry {
                detail: other(),
                ..entry.clone()
            },
            Entry {
                previous: Digest::of(b""),
                ..entry.clone()
            },
            Entry {
                digest: Digest::of(b""),
                ..entry.clone()
            },
        ] {
            assert!(!changed.follows(Head::NONE), "{changed:?}");
        }
        assert!(entry.follows(Head::NONE));
    }

    #[test]
    fn entries_are_not_changed_and_not_removed() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        append(&conn, &new("bob")).unwrap();
        for statement in [
            "UPDATE audit_entry SET who = 'mallory'",
            "DELETE FROM audit_entry",
            "INSERT OR REPLACE INTO audit_entry
             SELECT id, at, 'mallory', origin, action, subject, outcome, detail, previous, sha256
               FROM audit_entry",
        ] {
            let error = conn.execute(statement, []).unwrap_err().to_string();
            assert!(error.contains("never"), "{error}");
        }
        assert_eq!(after(&conn, 0, 10).unwrap()[0].who, "alice");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (long, detail) = ("ö".repeat(4000), json!(["x".repeat(20_000)]));
        let entry = NewEntry {
            who: &long,
            from: &long,
            action: &long,
            detail: &detail,
            ..new(&long)
        };
        append(&conn, &entry).unwrap();
        let entry = after(&conn, 0, 1).unwrap().remove(0);
        for (value, most) in [
            (&entry.who, 256),
            (&entry.from, 256),
            (&entry.action, 256),
            (&entry.subject, 1024),
        ] {
            assert!(value.len() <= most && value.len() > most - 4 && value.ends_with('…'));
        }
        assert_eq!(entry.detail, r#"{"left_out_bytes":20004}"#);
        assert!(entry.follows(Head::NONE));
    }

    #[test]
    fn a_head_survives_its_text() {
        let head = Head {
            number: 7,
            digest: Digest::of(b"x"),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        for text in [
            "",
            "7",
            "7:",
            "x:00",
            "-1:00",
            &format!("-1:{}", Digest::of(b"x")),
            &format!("7:{}0", Digest::of(b"x")),
        ] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }
}

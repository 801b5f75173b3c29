//! The audit log as people and programs read it, and what keeps a flood of refusals from filling it.
//!
//! Entries are made where the change is made, in its transaction (`store::audit`). Here it is listed, walked and exported:
//! what an export holds is enough to compute every digest again elsewhere ([`crate::store::audit::Entry::text`]).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::OperationError;
use crate::crypto::Digest;
use crate::store::audit::{self, Entry, Head, NewEntry, Outcome};
use crate::store::{Store, StoreError};

/// Entries that are read at once.
const PAGE: u32 = 500;

/// Refusals that are noted a minute; of more than these it is noted how many there were.
const REFUSALS_A_MINUTE: u32 = 60;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// An entry as people and programs read it, and a line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryReport {
    /// Its number.
    pub number: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who; empty where nobody is known.
    pub who: String,
    /// From where.
    pub from: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What became of it: `done`, `refused` or `failed`.
    pub outcome: String,
    /// What else there is to tell: the text of a JSON object, as the digest has it.
    pub detail: String,
    /// The digest of the entry before it, hexadecimal.
    pub previous: String,
    /// Its own.
    pub digest: String,
}

/// A part of the audit log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRequest {
    /// Entries before this one, the newest first; the last ones where neither is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// Entries after this one, the oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// How many, at most 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// An entry that was written down elsewhere, as `NUMBER:DIGEST`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationRequest {
    /// What was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// What a walk along the chain has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Whether every entry is what it was, and the one that was written down is among them.
    pub is_whole: bool,
    /// How many entries follow one another from the first on.
    pub entries: i64,
    /// The last of these, `NUMBER:DIGEST`; `None` where there is none.
    pub head: Option<String>,
    /// The first entry that does not follow the one before it.
    pub broken_at: Option<i64>,
    /// What is wrong, in words.
    pub problem: Option<String>,
}

impl From<Entry> for EntryReport {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            who: entry.who,
            from: entry.from,
            action: entry.action,
            subject: entry.subject,
            outcome: entry.outcome.name().to_owned(),
            detail: entry.detail,
            previous: entry.previous.to_string(),
            digest: entry.digest.to_string(),
        }
    }
}

impl EntryReport {
    /// Returns the entry; `None` where no entry is like this.
    fn entry(&self) -> Option<Entry> {
        Some(Entry {
            number: self.number,
            at: self.at.clone(),
            who: self.who.clone(),
            from: self.from.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
            outcome: self.outcome.parse().ok()?,
            detail: self.detail.clone(),
            previous: self.previous.parse().ok()?,
            digest: self.digest.parse().ok()?,
        })
    }
}

/// Returns a part of the audit log.
pub fn list(store: &Store, request: AuditRequest) -> Result<Vec<EntryReport>, OperationError> {
    let limit = request.limit.unwrap_or(PAGE).min(PAGE);
    let entries = store.read(|conn| match (request.after, request.before) {
        (Some(_), Some(_)) => Err(OperationError::InvalidRequest(
            "entries before one and after one were asked for, it can be only one".to_owned(),
        )),
        (Some(after), None) => Ok(audit::after(conn, after, limit)?),
        (None, before) => Ok(audit::before(conn, before, limit)?),
    })?;
    Ok(entries.into_iter().map(EntryReport::from).collect())
}

/// Walks along the chain, and looks for the entry that was written down elsewhere, where one was.
pub fn verify(
    store: &Store,
    request: &VerificationRequest,
) -> Result<Verification, OperationError> {
    let mut walk = Walk::new(request)?;
    loop {
        let entries = store.read(|conn| audit::after(conn, walk.read_up_to, PAGE))?;
        if entries.is_empty() || !entries.iter().all(|entry| walk.takes(entry)) {
            return Ok(walk.found());
        }
    }
}

/// Walks along the lines of an export in the same way; a line that is no entry breaks the chain.
pub fn verify_export<E>(
    lines: impl Iterator<Item = Result<String, E>>,
    request: &VerificationRequest,
) -> Result<Result<Verification, E>, OperationError> {
    let mut walk = Walk::new(request)?;
    for line in lines {
        let line = match line {
            Ok(line) => line,
            Err(error) => return Ok(Err(error)),
        };
        let report: Option<EntryReport> = serde_json::from_str(&line).ok();
        let entry = report.and_then(|report| report.entry());
        let is_next = match &entry {
            Some(entry) => walk.takes(entry),
            None => walk.breaks(walk.last.number.saturating_add(1), "it is no entry"),
        };
        if !is_next {
            break;
        }
    }
    Ok(Ok(walk.found()))
}

/// A walk along the chain.
struct Walk {
    /// The entry that was written down elsewhere.
    sought: Option<Head>,
    /// The digest of the entry with its number.
    found: Option<Digest>,
    last: Head,
    read_up_to: i64,
    broken: Option<(i64, &'static str)>,
}

impl Walk {
    fn new(request: &VerificationRequest) -> Result<Self, OperationError> {
        let sought = request.head.as_deref().map(str::parse::<Head>);
        let sought = sought.transpose();
        Ok(Self {
            sought: sought.map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
            found: None,
            last: Head::NONE,
            read_up_to: i64::MIN,
            broken: None,
        })
    }

    /// Goes on to the next entry; `false` where it does not follow the one before it.
    fn takes(&mut self, entry: &Entry) -> bool {
        self.read_up_to = entry.number;
        if entry.follows(self.last) {
            self.last = entry.head();
            if self.sought.is_some_and(|head| head.number == entry.number) {
                self.found = Some(entry.digest);
            }
            return true;
        }
        let next = self.last.number.saturating_add(1);
        if entry.number != next {
            self.breaks(next, "it is missing")
        } else if entry.previous != self.last.digest {
            self.breaks(next, "it does not name the digest of the entry before it")
        } else {
            self.breaks(next, "it says something else than its digest")
        }
    }

    fn breaks(&mut self, number: i64, why: &'static str) -> bool {
        self.broken = Some((number, why));
        false
    }

    fn found(self) -> Verification {
        let problem = match (self.broken, self.sought) {
            (Some((number, why)), _) => Some(format!("entry {number} breaks the chain: {why}")),
            (None, None) => None,
            (None, Some(head)) if head == Head::NONE => None,
            (None, Some(head)) => match self.found {
                Some(digest) if digest == head.digest => None,
                Some(digest) => Some(format!(
                    "entry {} is another than the one that was written down: its digest is {digest}",
                    head.number
                )),
                None => Some(format!(
                    "entry {} was written down, and the log ends at {}",
                    head.number, self.last.number
                )),
            },
        };
        Verification {
            is_whole: problem.is_none(),
            entries: self.last.number,
            head: (self.last != Head::NONE).then(|| self.last.to_string()),
            broken_at: self.broken.map(|(number, _)| number),
            problem,
        }
    }
}

/// Appends what was done or failed: a login, a log-out.
pub fn append(store: &Store, entry: &NewEntry<'_>) -> Result<(), StoreError> {
    store.write(|conn| audit::append(conn, entry)).map(drop)
}

/// Appends what was refused, and keeps a flood of it from filling the store.
///
/// Of each minute the first 60 refusals are entries; of those beyond it is counted how many there were of which action, and
/// one entry says so when the minute is over. Actions are ours, so that what is counted is bounded, too.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    begun: Option<Timestamp>,
    noted: u32,
    left_out: BTreeMap<String, u64>,
}

impl Refusals {
    /// Appends a refusal or a failed login at its time, or counts it.
    pub fn append(&self, store: &Store, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let over = {
            let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let over = minute.end(entry.at);
            minute.begun.get_or_insert(entry.at);
            if minute.noted >= REFUSALS_A_MINUTE {
                *minute.left_out.entry(entry.action.to_owned()).or_default() += 1;
                return Ok(());
            }
            minute.noted += 1;
            over
        };
        store.write(|conn| {
            if let Some(left_out) = over {
                note_left_out(conn, entry.at, &left_out)?;
            }
            audit::append(conn, entry).map(drop)
        })
    }

    /// Notes how many were left out, where the minute is over at `now`: called now and then, and at the end.
    pub fn settle(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let over = {
            let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            minute.end(now)
        };
        match over {
            Some(left_out) => store.write(|conn| note_left_out(conn, now, &left_out)),
            None => Ok(()),
        }
    }
}

impl Minute {
    /// Begins anew where the minute is over; returns what was left out of it, where something was.
    fn end(&mut self, now: Timestamp) -> Option<BTreeMap<String, u64>> {
        let begun = self.begun?;
        // A clock that was set back begins a minute as well.
        if begun <= now && now.duration_since(begun) < MINUTE {
            return None;
        }
        let left_out = std::mem::take(self).left_out;
        (!left_out.is_empty()).then_some(left_out)
    }
}

fn note_left_out(
    conn: &rusqlite::Transaction<'_>,
    at: Timestamp,
    left_out: &BTreeMap<String, u64>,
) -> Result<(), StoreError> {
    let detail: Value = json!({ "left_out": left_out });
    let entry = NewEntry {
        at,
        who: "",
        from: "",
        action: "refusals left out",
        subject: "",
        outcome: Outcome::Refused,
        detail: &detail,
    };
    audit::append(conn, &entry).map(drop)
}

#[cfg(test)]
mod tests;

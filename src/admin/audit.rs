//! The audit log as people and programs read it.
//!
//! Entries are made where the change is made, in its transaction (`store::audit`). Here it is listed, walked and exported:
//! what an export holds is enough to compute every digest again elsewhere ([`crate::store::audit::Entry::text`]).

mod refusals;
mod walk;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use crate::store::audit::{self, Entry, NewEntry};
use crate::store::{Store, StoreError};

pub use refusals::Refusals;
use walk::Walk;

/// Entries that are read at once.
const PAGE: u32 = 500;

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
        let entries = store.read(|conn| audit::after_as_is(conn, walk.read_up_to, PAGE))?;
        let takes = |entry: &Result<Entry, i64>| match entry {
            Ok(entry) => walk.takes(entry),
            Err(number) => walk.stumbles(*number),
        };
        if entries.is_empty() || !entries.iter().all(takes) {
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

/// Appends what was done or failed: a login, a log-out.
pub fn append(store: &Store, entry: &NewEntry<'_>) -> Result<(), StoreError> {
    store.write(|conn| audit::append(conn, entry)).map(drop)
}

#[cfg(test)]
mod tests;

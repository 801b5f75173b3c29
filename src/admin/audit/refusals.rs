//! What keeps a flood of refusals from filling the audit log: a budget a minute, and a count of what is beyond it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::store::audit::{self, NewEntry, Outcome};
use crate::store::{Store, StoreError};

/// Failed logins that are noted a minute, and other refusals; of more than these it is noted how many there were.
const REFUSALS_A_MINUTE: u32 = 60;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Appends what was refused, and keeps a flood of it from filling the store.
///
/// Of each minute the first 60 failed logins and the first 60 other refusals are entries, so that who is known hides nobody's
/// guesses by being refused often; of those beyond it is counted how many there were of which action, and
/// one entry says so when the minute is over. Actions are ours, so that what is counted is bounded, too.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    begun: Option<Timestamp>,
    noted_logins: u32,
    noted_others: u32,
    left_out: BTreeMap<String, u64>,
}

impl Refusals {
    /// Appends a refusal or a failed login at its time, or counts it.
    pub fn append(&self, store: &Store, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let over = {
            let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let over = minute.end(entry.at);
            minute.begun.get_or_insert(entry.at);
            let noted = match entry.action {
                "login" => &mut minute.noted_logins,
                _ => &mut minute.noted_others,
            };
            if *noted >= REFUSALS_A_MINUTE {
                *minute.left_out.entry(entry.action.to_owned()).or_default() += 1;
                return Ok(());
            }
            *noted += 1;
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

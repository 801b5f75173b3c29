//! Collecting garbage: what nothing needs any more is taken out, and the file gives its space back.
//!
//! Every step is a short transaction of its own; between two of them others read and write.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::OperationError;
use crate::people::Actor;
use crate::store::garbage::{self, Step, Sweep};
use crate::store::in_use::{NEVER, Owner};
use crate::store::{Store, audit, sizes, sources, stages};

/// For how long somebody may be reading what was deleted.
const GRACE: SignedDuration = SignedDuration::from_mins(15);
/// For how long a plan waits for its commit.
const PLANS_WAIT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Who may be reading while garbage is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nobody: this process has the store for itself.
    None,
    /// The clients of a server: what they may have begun to read stays for a while.
    Some,
}

/// How garbage is to be collected.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionRequest {
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What collecting garbage came to, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Collected {
    /// Zips that nothing needed.
    pub artifacts: u64,
    /// Bytes of what nothing needed.
    pub bytes: u64,
    /// Bytes of the file before.
    pub file_bytes_before: u64,
    /// The same afterwards; `None` where it was only looked at.
    pub file_bytes: Option<u64>,
    /// Bytes that were deleted so lately that somebody may be reading them: a later collection takes them out.
    pub later_bytes: u64,
    /// Plans that waited for more than 30 days, and are dropped.
    pub dropped_plans: Vec<i64>,
    /// Whether an import came in between: another collection takes out the rest.
    pub was_interrupted: bool,
}

/// Takes out what nothing needs: no branch, no history, no plan that waits, nothing in quarantine, and no client that may be
/// reading it.
///
/// Fails while an import is under way, which counts on what is here.
pub fn collect(
    store: &Store,
    who: &Actor,
    readers: Readers,
    request: CollectionRequest,
) -> Result<Collected, OperationError> {
    if !request.is_dry && store.read(garbage::is_importing)? {
        return Err(OperationError::Importing);
    }
    let now = Timestamp::now();
    let released_after = match readers {
        Readers::None => NEVER.to_owned(),
        Readers::Some => before(now, GRACE),
    };
    let dropped_plans = drop_old_plans(store, &before(now, PLANS_WAIT), request.is_dry)?;
    let sizes = store.snapshot(|conn| sizes::measure(conn, &released_after))?;
    let lately = sizes.of.get(&Owner::Readers).copied().unwrap_or_default();
    let mut collected = Collected {
        artifacts: sizes.unused.artifacts,
        bytes: sizes.unused.bytes,
        file_bytes_before: sizes.file_bytes,
        file_bytes: None,
        later_bytes: lately.own_bytes,
        dropped_plans,
        was_interrupted: false,
    };
    if request.is_dry {
        return Ok(collected);
    }
    let mut sweep =
        store.read(|conn| Sweep::all(conn, &released_after, readers == Readers::Some))?;
    collected.was_interrupted = !run(store, &mut sweep)? || {
        let found = store.read(|conn| garbage::second_streams(conn, Sweep::start()))?;
        store.write(|conn| sweep.take_streams(conn, found))?;
        !run(store, &mut sweep)?
    };
    store.write(sources::remove_unused)?;
    store.give_space_back();
    collected.artifacts = sweep.removed().artifacts;
    // The last zip stays while there are readers, so that its number is not used twice.
    let left = store.snapshot(|conn| sizes::measure(conn, &released_after))?;
    collected.bytes = collected.bytes.saturating_sub(left.unused.bytes);
    collected.file_bytes = Some(left.file_bytes);
    note(store, who, now, &collected);
    Ok(collected)
}

/// Tells the audit log. What was freed is freed even where the disk is too full to be told of it.
fn note(store: &Store, who: &Actor, at: Timestamp, collected: &Collected) {
    let detail = json!({
        "artifacts": collected.artifacts,
        "bytes": collected.bytes,
        "dropped_plans": collected.dropped_plans,
    });
    if let Err(error) = store.write(|conn| audit::note(conn, at, who, "gc", "", detail)) {
        tracing::warn!(%error, "cannot note in the audit log that space was freed");
    }
}

/// Sweeps to the end; `false` where an import came in between.
fn run(store: &Store, sweep: &mut Sweep) -> Result<bool, OperationError> {
    loop {
        match store.write(|conn| sweep.step(conn))? {
            Step::More => {}
            Step::Done => return Ok(true),
            Step::Importing => return Ok(false),
        }
    }
}

fn drop_old_plans(
    store: &Store,
    started_before: &str,
    is_dry: bool,
) -> Result<Vec<i64>, OperationError> {
    let waiting = store.read(stages::waiting)?;
    let mut old: Vec<_> = waiting
        .into_iter()
        .map(|stage| (stage.id, stage.started_at))
        .collect();
    old.retain(|(_, started_at)| started_at.as_str() < started_before);
    if !is_dry {
        for (id, _) in &old {
            store.write(|conn| stages::end(conn, *id))?;
        }
    }
    Ok(old.into_iter().map(|(id, _)| id.0).collect())
}

fn before(now: Timestamp, duration: SignedDuration) -> String {
    // Only a clock near the beginning of time cannot go back by days; then nothing is old.
    let then = now.checked_sub(duration).unwrap_or(Timestamp::MIN);
    then.to_string()
}

//! Pruning the history: what branches held once is let go, and answered for no longer.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::branches::begin;
use super::error::OperationError;
use crate::package::PackageId;
use crate::people::Actor;
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::prune::{self, Ended, Own};
use crate::store::{Store, fetches};

/// How far the history is to be pruned.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PruneRequest {
    /// The change set right after which everything stays known; what ended with it or before goes.
    pub up_to: i64,
    /// Whether what some Kibana fetched lately goes too.
    #[serde(default)]
    pub also_fetched: bool,
    /// Days for which what was fetched counts as in use; [`fetches::KEEP_FETCHED_DAYS`] where it is not said.
    #[serde(default)]
    pub keep_fetched_days: Option<u16>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What pruning came to, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pruned {
    /// The change set it is itself; `None` where there was nothing to prune, or it was only looked at.
    pub change_set: Option<i64>,
    /// The change set that was asked for.
    pub up_to: i64,
    /// How many package versions were replaced or removed that are no longer known.
    pub versions: usize,
    /// How many zips nothing else keeps.
    pub artifacts: u64,
    /// Bytes that `airlock gc` may free by it.
    pub bytes: u64,
    /// Days for which what was fetched counts as in use.
    pub keep_fetched_days: u16,
    /// What some Kibana fetched in that time: it is kept, but where it was asked for.
    pub fetched: Vec<String>,
}

/// Lets go of what branches gave up with a change set up to the one that is named. What is there, and what was there since,
/// stays; what nothing else keeps is `gc`'s to free.
pub fn prune(store: &Store, who: &Actor, request: &PruneRequest) -> Result<Pruned, OperationError> {
    let up_to = ChangeSetId(request.up_to);
    let days = request
        .keep_fetched_days
        .unwrap_or(fetches::KEEP_FETCHED_DAYS);
    let (going, fetched, own) = store.snapshot(|conn| {
        if change_sets::get(conn, up_to)?.is_none() {
            return Err(OperationError::NoSuchChangeSet(request.up_to));
        }
        let (going, fetched) = going(conn, up_to, request.also_fetched, days)?;
        let own = prune::own(conn, &going)?;
        Ok::<_, OperationError>((going, fetched, own))
    })?;
    let Own { artifacts, bytes } = own;
    let mut pruned = Pruned {
        change_set: None,
        up_to: request.up_to,
        versions: going.len(),
        artifacts,
        bytes,
        keep_fetched_days: days,
        fetched,
    };
    if request.is_dry || going.is_empty() {
        return Ok(pruned);
    }
    store.write_synced(|conn| {
        let change_set = begin(conn, who, "history prune", None)?;
        prune::prune(conn, &going, up_to)?;
        pruned.change_set = Some(change_set.0);
        Ok(pruned)
    })
}

/// Returns what goes, and what of it some Kibana fetched lately.
fn going(
    conn: &Connection,
    up_to: ChangeSetId,
    also_fetched: bool,
    days: u16,
) -> Result<(Vec<Ended>, Vec<String>), OperationError> {
    let in_use = fetches::within(conn, Timestamp::now(), days)?.into_iter();
    let in_use: HashSet<PackageId> = in_use.map(|it| it.fetch.package).collect();
    let (fetched, mut going): (Vec<_>, Vec<_>) = prune::ended(conn, up_to)?
        .into_iter()
        .partition(|it| in_use.contains(&it.package));
    let mut named: Vec<_> = fetched.iter().map(|it| it.package.to_string()).collect();
    named.dedup();
    if also_fetched {
        going.extend(fetched);
    }
    Ok((going, named))
}

/// Fails where the history was pruned beyond a change set.
pub(super) fn check_is_known(conn: &Connection, at: ChangeSetId) -> Result<(), OperationError> {
    match prune::pruned(conn)? {
        Some(pruned) if at < pruned => Err(OperationError::Pruned(pruned.0)),
        _ => Ok(()),
    }
}

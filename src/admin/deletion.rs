//! Deleting a release: it goes whole, and what was done with it stays in the history.

use jiff::Timestamp;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::branches::{begin, find, reason};
use super::error::OperationError;
use crate::distribution::{BranchKind, DistributionName};
use crate::people::Actor;
use crate::store::branches::Branch;
use crate::store::in_use::{NEVER, Owner};
use crate::store::{Store, distributions, fetches, former, sizes};

/// How a release is to be deleted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionRequest {
    /// Why, to be kept in the history.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether versions that some Kibana fetched lately go too.
    #[serde(default)]
    pub also_fetched: bool,
    /// Days for which what was fetched counts as in use; [`fetches::KEEP_FETCHED_DAYS`] where it is not said.
    #[serde(default)]
    pub keep_fetched_days: Option<u16>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What deleting a release came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Deleted {
    /// The change set; `None` where it was only looked at.
    pub change_set: Option<i64>,
    /// The release.
    pub release: String,
    /// How many package versions it held.
    pub versions: usize,
    /// Bytes that nothing else needs: what a collection frees then.
    pub own_bytes: u64,
    /// Days for which what was fetched counts as in use.
    pub keep_fetched_days: u16,
    /// Versions that some Kibana fetched in that time and that no other branch ever held.
    pub fetched: Vec<String>,
}

/// Deletes a release: its address, and what it holds. Its package versions can no longer be fetched, nor served as they were
/// at an earlier change set; the history goes on telling which they were.
///
/// Refused while a distribution other than the one of its name serves from it, and where some Kibana fetched versions lately
/// that only it holds, unless that is asked for.
pub fn delete_release(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
    request: &DeletionRequest,
) -> Result<Deleted, OperationError> {
    let reason = reason(request.reason.as_deref())?;
    // Counting takes longer than a write may.
    let sizes = store.snapshot(|conn| sizes::measure(conn, NEVER))?;
    let delete = |conn: &Transaction<'_>| {
        let release = find(conn, name)?;
        if release.kind != BranchKind::Release {
            return Err(OperationError::NoRelease(name.to_string()));
        }
        check_out_of_service(conn, &release)?;
        let days = request
            .keep_fetched_days
            .unwrap_or(fetches::KEEP_FETCHED_DAYS);
        let fetched = fetched_of(conn, &release, days)?;
        if !fetched.is_empty() && !request.also_fetched && !request.is_dry {
            return Err(OperationError::FetchedLately {
                release: name.to_string(),
                days,
                count: fetched.len(),
                first: fetched.first().cloned().unwrap_or_default(),
            });
        }
        let change_set = begin(conn, who, "delete-release", reason.as_ref())?;
        if let Some(own) = distributions::find(conn, name)? {
            distributions::set_branches(conn, own, &[], change_set)?;
        }
        let versions = former::delete_branch(conn, release.id, change_set)?;
        let size = sizes.of.get(&Owner::Branch(release.id));
        Ok(Deleted {
            change_set: (!request.is_dry).then_some(change_set.0),
            release: name.to_string(),
            versions,
            own_bytes: size.copied().unwrap_or_default().own_bytes,
            keep_fetched_days: days,
            fetched,
        })
    };
    if request.is_dry {
        store.rehearse(delete)
    } else {
        store.write_synced(delete)
    }
}

/// Returns the versions of a release that count as in use: fetched lately, and held by no other branch, now or before. What was
/// fetched where the release was never served is another branch's, though it is called the same.
fn fetched_of(
    conn: &Transaction<'_>,
    release: &Branch,
    days: u16,
) -> Result<Vec<String>, OperationError> {
    let served_by = distributions::ever_with(conn, release.id)?;
    let mut fetched: Vec<_> = fetches::within(conn, Timestamp::now(), days)?
        .into_iter()
        .filter(|it| served_by.contains(&it.fetch.distribution))
        .map(|it| it.fetch.package)
        .collect();
    fetched.dedup();
    let only_here = former::only_of(conn, release.id)?;
    fetched.retain(|package| only_here.contains(package));
    Ok(fetched.iter().map(ToString::to_string).collect())
}

fn check_out_of_service(conn: &Transaction<'_>, release: &Branch) -> Result<(), OperationError> {
    let mut serving = Vec::new();
    for distribution in distributions::all(conn)? {
        if distribution.name != release.name
            && distributions::branches(conn, distribution.id)?.contains(&release.id)
        {
            serving.push(distribution.name.to_string());
        }
    }
    if serving.is_empty() {
        return Ok(());
    }
    Err(OperationError::InService {
        release: release.name.to_string(),
        distributions: serving.join(" and "),
    })
}

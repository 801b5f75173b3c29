//! What the operator can do, each as one function on the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Failure, OperationError};
use crate::crypto::Digest;
use crate::distribution::{BranchKind, Consent, DistributionName};
use crate::import::{self, PlanReport, Waiting};
use crate::store::branches::{self, BranchId};
use crate::store::change_sets::{self, NewChangeSet};
use crate::store::{Store, StoreError, distributions, sources};

/// A distribution as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionReport {
    /// Its name: it answers at `/d/{name}/`, and `default` at `/` too.
    pub name: String,
    /// Its branches, the winning one first.
    pub branches: Vec<String>,
}

/// What a changed distribution came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The change set; `None` when it was so already.
    pub change_set: Option<i64>,
    /// The distribution as it is now.
    pub distribution: DistributionReport,
}

/// Returns the branches that took a source of this size and digest whole before, newest first. Without a digest it only
/// tells whether computing one is worth it: with an empty list where no source has this size.
pub fn known_source(
    store: &Store,
    bytes: u64,
    sha256: Option<&Digest>,
) -> Result<KnownSource, OperationError> {
    store.read(|conn| {
        let branches = match sha256 {
            Some(sha256) => sources::committed_into(conn, sha256)?,
            None => Vec::new(),
        };
        Ok(KnownSource {
            has_size: sources::has_size(conn, bytes)?,
            branches,
        })
    })
}

/// What is known of a source before it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSource {
    /// Whether a source of this many bytes was read before.
    pub has_size: bool,
    /// The branches that took all of it.
    pub branches: Vec<String>,
}

/// A plan that waits, or why it can no longer be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingPlan {
    /// The plan's number.
    pub plan: i64,
    /// What it would do.
    pub report: Option<PlanReport>,
    /// Why it cannot be committed.
    pub failure: Option<Failure>,
}

/// Returns the plans that wait for a commit, oldest first.
pub fn list_plans(store: &Store) -> Result<Vec<WaitingPlan>, OperationError> {
    let plans = import::waiting(store, Consent::default())?;
    let waiting = |plan: Waiting| match plan {
        Ok(report) => WaitingPlan {
            plan: report.plan,
            report: Some(report),
            failure: None,
        },
        Err((id, error)) => WaitingPlan {
            plan: id.0,
            report: None,
            failure: Some(Failure::from(error)),
        },
    };
    Ok(plans.into_iter().map(waiting).collect())
}

/// Returns the branch that `release` or `branch` means and its kind; `None` where neither is given.
///
/// Both at once is an error, and so is a branch that is named like a release: releases are made by `release`.
pub fn target(
    release: Option<&str>,
    branch: Option<&str>,
) -> Result<Option<(DistributionName, BranchKind)>, OperationError> {
    let (text, kind) = match (release, branch) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(OperationError::InvalidRequest(
                "a release and a branch were named, it can be only one".into(),
            ));
        }
        (Some(release), None) => (release, BranchKind::Release),
        (None, Some(branch)) => (branch, BranchKind::of_name(branch)),
    };
    let name = DistributionName::parse(text)
        .map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
    let is_reserved = name == DistributionName::default_distribution()
        || (kind == BranchKind::Release && BranchKind::of_name(text) != BranchKind::Local);
    if is_reserved {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    if kind == BranchKind::Local && name.is_of_a_release() {
        return Err(OperationError::NamedLikeRelease(name.to_string()));
    }
    Ok(Some((name, kind)))
}

/// Returns all distributions, by name.
pub fn list_distributions(store: &Store) -> Result<Vec<DistributionReport>, OperationError> {
    store.snapshot(|conn| {
        distributions::all(conn)?
            .into_iter()
            .map(|distribution| Ok(report(conn, &distribution.name)?))
            .collect()
    })
}

/// Makes a distribution of `branches`, the winning one first.
pub fn create_distribution(
    store: &Store,
    who: &str,
    name: &DistributionName,
    branches: &[DistributionName],
) -> Result<Changed, OperationError> {
    if *name == DistributionName::default_distribution()
        || BranchKind::of_name(name.as_str()) != BranchKind::Local
    {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    if name.is_of_a_release() {
        return Err(OperationError::NamedLikeRelease(name.to_string()));
    }
    store.write_synced(|conn| {
        let branches = branch_ids(conn, branches)?;
        if distributions::find(conn, name)?.is_some() {
            return Err(OperationError::NameTaken(name.to_string()));
        }
        let at = Timestamp::now().to_string();
        let change_set = change_sets::insert(
            conn,
            &NewChangeSet {
                at: &at,
                who,
                action: "distribution create",
                source: None,
            },
        )?;
        let distribution = distributions::insert(conn, name, change_set)?;
        distributions::set_branches(conn, distribution, &branches, change_set)?;
        Ok(Changed {
            change_set: Some(change_set.0),
            distribution: report(conn, name)?,
        })
    })
}

/// Makes `branch` what answers at `/`.
pub fn activate(
    store: &Store,
    who: &str,
    branch: &DistributionName,
) -> Result<Changed, OperationError> {
    let default = DistributionName::default_distribution();
    store.write_synced(|conn| {
        let branches = branch_ids(conn, std::slice::from_ref(branch))?;
        let existing = distributions::find(conn, &default)?;
        if let Some(id) = existing
            && distributions::branches(conn, id)? == branches
        {
            return Ok(Changed {
                change_set: None,
                distribution: report(conn, &default)?,
            });
        }
        let at = Timestamp::now().to_string();
        let change_set = change_sets::insert(
            conn,
            &NewChangeSet {
                at: &at,
                who,
                action: "activate",
                source: None,
            },
        )?;
        let id = match existing {
            Some(id) => id,
            None => distributions::insert(conn, &default, change_set)?,
        };
        distributions::set_branches(conn, id, &branches, change_set)?;
        Ok(Changed {
            change_set: Some(change_set.0),
            distribution: report(conn, &default)?,
        })
    })
}

fn branch_ids(
    conn: &rusqlite::Connection,
    names: &[DistributionName],
) -> Result<Vec<BranchId>, OperationError> {
    let id = |name| match branches::find(conn, name)? {
        Some(branch) => Ok(branch.id),
        None => Err(OperationError::NoSuchBranch(name.to_string())),
    };
    names.iter().map(id).collect()
}

fn report(
    conn: &rusqlite::Connection,
    name: &DistributionName,
) -> Result<DistributionReport, StoreError> {
    let id = distributions::find(conn, name)?.ok_or_else(|| StoreError::Invalid {
        what: "distribution",
        value: name.to_string(),
    })?;
    let all = branches::all(conn)?;
    let names = distributions::branches(conn, id)?
        .into_iter()
        .filter_map(|id| all.iter().find(|branch| branch.id == id))
        .map(|branch| branch.name.to_string())
        .collect();
    Ok(DistributionReport {
        name: name.to_string(),
        branches: names,
    })
}

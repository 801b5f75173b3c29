//! What the operator asks of the past: change sets, and what each did.

use std::collections::HashMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::holds::HoldReport;
use crate::distribution::{DistributionName, Exact};
use crate::store::branches::{self, BranchId};
use crate::store::change_sets::{self, ChangeSet, ChangeSetId};
use crate::store::distributions::{self, DistributionId};
use crate::store::history::{self, MemberChange};
use crate::store::{Store, StoreError, approvals, holds, prune};

/// The change sets of a store, or the last of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct History {
    /// The newest first.
    pub change_sets: Vec<ChangeSetReport>,
    /// How many there are before these.
    pub older: u64,
}

/// A change set as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangeSetReport {
    /// Its number.
    pub number: i64,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// What, as one would call the command.
    pub action: String,
    /// Why, where a reason was given.
    pub why: Option<String>,
    /// What the source is called that it came from.
    pub source: Option<String>,
    /// Whether it was pruned: what it replaced and removed is no longer told, nor what was added and is gone since.
    #[serde(default)]
    pub is_pruned: bool,
    /// What it changed.
    #[serde(flatten)]
    pub changes: Changes,
}

/// What a change set changed, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Changes {
    /// What it did to branches, by name.
    pub branches: Vec<BranchChanges>,
    /// What it did to distributions, by name.
    pub distributions: Vec<DistributionMove>,
    /// Which holds began and which were released.
    #[serde(default)]
    pub holds: Vec<HoldChange>,
    /// Which distributions answer for other versions since.
    #[serde(default)]
    pub exact: Vec<ExactChange>,
    /// Which distributions ask for a second person since, and which no longer do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalsChange>,
}

/// A hold that began or was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HoldChange {
    /// The hold.
    #[serde(flatten)]
    pub hold: HoldReport,
    /// Whether it was released.
    pub is_released: bool,
}

/// A distribution that answers for other versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExactChange {
    /// The distribution.
    pub distribution: String,
    /// For which versions it answers since.
    pub exact: Exact,
}

/// A distribution whose plans need a second person, or no longer do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApprovalsChange {
    /// The distribution.
    pub distribution: String,
    /// How many have to approve a plan since: 0 or 1.
    pub approvals: u8,
}

/// What a change set did to one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BranchChanges {
    /// The branch.
    pub branch: String,
    /// How many package versions were added.
    pub added: usize,
    /// How many have other content.
    pub replaced: usize,
    /// How many were removed.
    pub removed: usize,
    /// Each of them by name and version, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageChange>,
}

/// What a change set did to one package version: without `from` it was added, without `to` it was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageChange {
    /// The package version.
    pub package: String,
    /// The digest of the zip before.
    pub from: Option<String>,
    /// The digest of the zip afterwards.
    pub to: Option<String>,
}

/// What a change set did to one distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DistributionMove {
    /// The distribution.
    pub distribution: String,
    /// Its branches before, the winning one first; none where it was made.
    pub from: Vec<String>,
    /// The same afterwards; none where it was deleted.
    pub to: Vec<String>,
}

/// Returns the last `limit` change sets, with each package version they changed where `with_packages`.
pub fn list(store: &Store, limit: u32, with_packages: bool) -> Result<History, OperationError> {
    store.snapshot(|conn| {
        let names = Names::load(conn)?;
        let newest = change_sets::newest(conn, limit)?;
        let older = change_sets::count(conn)?.saturating_sub(newest.len() as u64);
        let mut change_sets = Vec::with_capacity(newest.len());
        for change_set in newest {
            let mut report = report(conn, &names, change_set)?;
            if !with_packages {
                report.changes.leave_packages_out();
            }
            change_sets.push(report);
        }
        Ok(History { change_sets, older })
    })
}

/// Returns one change set whole.
pub fn show(store: &Store, number: i64) -> Result<ChangeSetReport, OperationError> {
    store.snapshot(|conn| {
        let change_set = change_sets::get(conn, ChangeSetId(number))?;
        let change_set = change_set.ok_or(OperationError::NoSuchChangeSet(number))?;
        Ok(report(conn, &Names::load(conn)?, change_set)?)
    })
}

/// Returns the number of the change set before one; `None` before the first.
pub fn before(store: &Store, number: i64) -> Result<Option<i64>, OperationError> {
    Ok(store
        .read(|conn| change_sets::before(conn, ChangeSetId(number)))?
        .map(|id| id.0))
}

/// Returns what a change set changed, every package version named.
pub(super) fn changes(conn: &Connection, id: ChangeSetId) -> Result<Changes, StoreError> {
    changes_by_name(conn, &Names::load(conn)?, id)
}

fn report(
    conn: &Connection,
    names: &Names,
    change_set: ChangeSet,
) -> Result<ChangeSetReport, StoreError> {
    Ok(ChangeSetReport {
        number: change_set.id.0,
        at: change_set.at,
        who: change_set.who,
        action: change_set.action,
        why: change_set.why,
        source: change_set.source,
        is_pruned: prune::pruned(conn)?.is_some_and(|pruned| change_set.id <= pruned),
        changes: changes_by_name(conn, names, change_set.id)?,
    })
}

fn changes_by_name(
    conn: &Connection,
    names: &Names,
    id: ChangeSetId,
) -> Result<Changes, StoreError> {
    let mut branches: Vec<BranchChanges> = Vec::new();
    for change in history::member_changes(conn, id)? {
        let branch = names.branch(change.branch);
        if branches.last().is_none_or(|last| last.branch != branch) {
            branches.push(BranchChanges::none(branch));
        }
        if let Some(last) = branches.last_mut() {
            last.add(&change);
        }
    }
    branches.sort_by(|a, b| a.branch.cmp(&b.branch));
    let mut distributions: Vec<_> = history::moves(conn, id)?
        .into_iter()
        .map(|it| DistributionMove {
            distribution: names.distribution(it.distribution),
            from: names.branches(&it.from),
            to: names.branches(&it.to),
        })
        .collect();
    distributions.sort_by(|a, b| a.distribution.cmp(&b.distribution));
    let exact = holds::exact_changed(conn, id)?.into_iter();
    let exact = exact.map(|(distribution, is_now)| ExactChange {
        distribution: names.distribution(distribution),
        exact: if is_now { Exact::Now } else { Exact::Ever },
    });
    let approvals = approvals::changed(conn, id)?.into_iter();
    let approvals = approvals.map(|(distribution, is_needed)| ApprovalsChange {
        distribution: names.distribution(distribution),
        approvals: u8::from(is_needed),
    });
    Ok(Changes {
        approvals: approvals.collect(),
        holds: hold_changes_by_name(conn, names, id)?,
        exact: exact.collect(),
        branches,
        distributions,
    })
}

/// Returns the holds that a change set began or released.
pub(super) fn hold_changes(
    conn: &Connection,
    id: ChangeSetId,
) -> Result<Vec<HoldChange>, StoreError> {
    hold_changes_by_name(conn, &Names::load(conn)?, id)
}

fn hold_changes_by_name(
    conn: &Connection,
    names: &Names,
    id: ChangeSetId,
) -> Result<Vec<HoldChange>, StoreError> {
    let change = |held: holds::Held| {
        let distribution = held.distribution.map(|it| names.distribution(it));
        HoldChange {
            is_released: held.until == Some(id),
            hold: HoldReport::of(&held.hold, distribution),
        }
    };
    Ok(holds::changed(conn, id)?.into_iter().map(change).collect())
}

impl Changes {
    /// Tells whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.branches.is_empty()
            && self.distributions.is_empty()
            && self.holds.is_empty()
            && self.exact.is_empty()
            && self.approvals.is_empty()
    }

    fn leave_packages_out(&mut self) {
        for branch in &mut self.branches {
            branch.packages.clear();
        }
    }
}

impl BranchChanges {
    /// Returns no changes of a branch, to be added to.
    pub(super) fn none(branch: String) -> Self {
        Self {
            branch,
            added: 0,
            replaced: 0,
            removed: 0,
            packages: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, change: &MemberChange) {
        match (&change.from, &change.to) {
            (Some(_), Some(_)) => self.replaced += 1,
            (None, _) => self.added += 1,
            (Some(_), None) => self.removed += 1,
        }
        self.packages.push(PackageChange {
            package: change.package.to_string(),
            from: change.from.map(|digest| digest.to_string()),
            to: change.to.map(|digest| digest.to_string()),
        });
    }
}

/// What branches and distributions are called.
pub(super) struct Names {
    branches: HashMap<i64, String>,
    distributions: HashMap<i64, String>,
}

impl Names {
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let branches = branches::ever(conn)?.into_iter();
        let distributions = distributions::ever(conn)?.into_iter();
        Ok(Self {
            branches: branches.map(|it| (it.id.0, it.name.to_string())).collect(),
            distributions: distributions
                .map(|it| (it.id.0, it.name.to_string()))
                .collect(),
        })
    }

    fn branch(&self, id: BranchId) -> String {
        self.branches.get(&id.0).cloned().unwrap_or_default()
    }

    pub(super) fn branches(&self, ids: &[BranchId]) -> Vec<String> {
        ids.iter().map(|id| self.branch(*id)).collect()
    }

    /// Returns the name of a branch that there is or was.
    pub(super) fn branch_name(&self, id: BranchId) -> Result<DistributionName, StoreError> {
        let name = self.branch(id);
        DistributionName::parse(&name).map_err(|_| StoreError::Invalid {
            what: "branch name",
            value: name,
        })
    }

    pub(super) fn distribution(&self, id: DistributionId) -> String {
        self.distributions.get(&id.0).cloned().unwrap_or_default()
    }
}

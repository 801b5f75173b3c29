//! What the operator asks of signatures, and says to do about them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::branches::find;
use super::error::OperationError;
use crate::distribution::{DistributionName, SignatureCounts, SignaturePolicy, SignatureStatus};
use crate::people::Actor;
use crate::store::branches::{self, Branch};
use crate::store::change_sets::{self, NewChangeSet};
use crate::store::{Store, StoreError, signatures};

/// What is known of the signatures in a branch, as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BranchSignatures {
    /// The branch.
    pub branch: String,
    /// What becomes of packages without a good signature.
    pub policy: SignaturePolicy,
    /// How many package versions have which status.
    pub counts: SignatureCounts,
    /// Each package version and its status.
    pub packages: Vec<PackageSignature>,
}

/// A package version and what is known of its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageSignature {
    /// The package version.
    pub package: String,
    /// What is known.
    #[serde(flatten)]
    pub status: SignatureStatus,
}

/// A policy for a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// The policy.
    pub policy: SignaturePolicy,
}

/// Returns what is known of the signatures in one branch, or in each, by name.
pub fn list(
    store: &Store,
    branch: Option<&DistributionName>,
) -> Result<Vec<BranchSignatures>, OperationError> {
    store.snapshot(|conn| {
        let mut branches = branches::all(conn)?;
        if let Some(name) = branch {
            branches = vec![find(conn, name)?];
        }
        let reports = branches.iter().map(|branch| report(conn, branch));
        Ok(reports.collect::<Result<_, _>>()?)
    })
}

/// Says what becomes of packages without a good signature in a branch from now on. What it holds already stays.
pub fn set_policy(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
    policy: SignaturePolicy,
) -> Result<BranchSignatures, OperationError> {
    store.write_synced(|conn| {
        let branch = find(conn, name)?;
        if branch.signatures != policy {
            let at = Timestamp::now().to_string();
            change_sets::insert(
                conn,
                &NewChangeSet {
                    at: &at,
                    who,
                    action: "signatures",
                    why: None,
                    source: None,
                    plan: None,
                },
            )?;
            branches::set_signatures(conn, branch.id, policy)?;
        }
        let branch = find(conn, name)?;
        Ok(report(conn, &branch)?)
    })
}

fn report(conn: &rusqlite::Connection, branch: &Branch) -> Result<BranchSignatures, StoreError> {
    let mut statuses = signatures::of_branch(conn, branch.id, Timestamp::now())?;
    let mut counts = SignatureCounts::default();
    let mut packages = Vec::new();
    for member in branches::members(conn, branch.id)? {
        let status = statuses.remove(&member.artifact);
        let status = status.unwrap_or(SignatureStatus::Absent);
        counts.add(&status);
        packages.push(PackageSignature {
            package: member.package.to_string(),
            status,
        });
    }
    Ok(BranchSignatures {
        branch: branch.name.to_string(),
        policy: branch.signatures,
        counts,
        packages,
    })
}

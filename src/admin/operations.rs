//! What the operator asks of imports: what is known of a source, which plans wait, and where a release or branch is meant.

use serde::{Deserialize, Serialize};

use super::error::{Failure, OperationError};
use crate::crypto::Digest;
use crate::distribution::{BranchKind, Consent, DistributionName};
use crate::import::{self, PlanReport, Staged, Waiting};
use crate::store::{Store, sources};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KnownSource {
    /// Whether a source of this many bytes was read before.
    pub has_size: bool,
    /// The branches that took all of it.
    pub branches: Vec<String>,
}

/// What an import that was staged came to.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StagedReport {
    /// The plan's number.
    pub plan: i64,
    /// Whether it is known where the content belongs.
    pub has_target: bool,
    /// Where it may be to go, where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Package versions that can be taken.
    pub packages: usize,
    /// Of these, how many the store did not hold.
    pub new: usize,
    /// Bytes that were copied to the data folder before they could be read.
    #[serde(default)]
    pub copied_bytes: u64,
}

impl From<&Staged> for StagedReport {
    fn from(staged: &Staged) -> Self {
        Self {
            plan: staged.stage.0,
            has_target: staged.target.is_some(),
            proposal: staged.proposal.as_ref().map(ToString::to_string),
            packages: staged.packages,
            new: staged.new,
            copied_bytes: staged.copied_bytes,
        }
    }
}

/// A plan that waits, or why it can no longer be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
        (Some(release), None) => (without_v(release), BranchKind::Release),
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

/// Returns what a release is called whose tag is `tag`: `8.5.0` for `v8.5.0`.
fn without_v(tag: &str) -> &str {
    let is_release =
        |name: &&str| DistributionName::parse(name).is_ok_and(|name| name.is_of_a_release());
    tag.strip_prefix('v').filter(is_release).unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_called_as_its_tag_without_the_v() {
        let named = |release| target(Some(release), None).unwrap().unwrap().0.to_string();
        assert_eq!(named("v8.5.0"), "8.5.0");
        assert_eq!(named("8.5.0"), "8.5.0");
        assert_eq!(named("vintage"), "vintage");
    }
}

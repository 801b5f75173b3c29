//! Promotion: versions that move on from snapshot to staging to production.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::branches::{Done, begin, choices, chosen, done, find, perform, reason};
use super::error::OperationError;
use crate::distribution::{
    BranchKind, Consent, DistributionName, SignaturePolicy, SignatureStatus, plan_import,
};
use crate::import::Problem;
use crate::package::PackageId;
use crate::people::Actor;
use crate::store::branches::{self, Member};
use crate::store::{Store, addresses, signatures};

/// Versions to be promoted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    /// The packages, each with its version or with all of them; none where all are meant.
    pub packages: Vec<String>,
    /// Whether everything in the branch is meant.
    #[serde(default)]
    pub all: bool,
    /// The branch they come from; the one before `to` where it is not said.
    #[serde(default)]
    pub from: Option<String>,
    /// The branch they go to; production where it is not said.
    #[serde(default)]
    pub to: Option<String>,
    /// Whether versions may be overwritten where the branch allows it.
    #[serde(default)]
    pub overwrite: bool,
    /// Why, to be kept in the history.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// Adds versions to the next branch and takes them out of the one they come from, as one change set. What the rules or the
/// policy for signatures of the next branch do not admit stays where it is.
pub fn promote(
    store: &Store,
    who: &Actor,
    request: &PromoteRequest,
) -> Result<Done, OperationError> {
    let invalid = |why: &str| OperationError::InvalidRequest(why.to_owned());
    let choices = match (request.all, request.packages.is_empty()) {
        (true, true) => None,
        (true, false) => return Err(invalid("all packages and some are named")),
        (false, _) => Some(choices(&request.packages)?),
    };
    let reason = reason(request.reason.as_deref())?;
    let (from, to) = ends(request)?;
    tracing::debug!(phase = "promote", "comparing");
    let done = perform(store, request.is_dry, |conn| {
        let from = find(conn, &from)?;
        let members = match &choices {
            Some(choices) => chosen(conn, &from, choices)?,
            None => branches::members(conn, from.id)?,
        };
        let target = branches::find(conn, &to)?;
        let kind = target
            .as_ref()
            .map_or(BranchKind::of_name(to.as_str()), |it| it.kind);
        let policy = target.as_ref().map_or(from.signatures, |it| it.signatures);
        let statuses = signatures::of_branch(conn, from.id, Timestamp::now())?;
        let status = |member: &Member| {
            let status = statuses.get(&member.artifact);
            status.cloned().unwrap_or(SignatureStatus::Absent)
        };
        let (coming, mut refused) = admitted(members, policy, status);
        let now = match &target {
            Some(target) => Some(held(&branches::members(conn, target.id)?)),
            None => None,
        };
        let consent = Consent {
            is_asked: request.overwrite,
            ..Consent::default()
        };
        let plan = plan_import(to.as_str(), kind, now.as_deref(), &held(&coming), consent);
        let kept_back: HashSet<_> = plan.refused.iter().map(|it| &it.package).collect();
        let moving: Vec<_> = (coming.iter())
            .filter(|member| !kept_back.contains(&member.package))
            .collect();
        refused.extend(plan.refused.iter().map(|it| Problem {
            package: it.package.to_string(),
            why: it.why.clone(),
        }));
        if moving.is_empty() {
            return Ok(Done {
                refused,
                ..Done::default()
            });
        }
        let change_set = begin(conn, who, "promote", reason.as_ref())?;
        let target = match &target {
            Some(target) => target.id,
            None => {
                let made = addresses::make_branch(conn, &to, kind, &from.settings, change_set)?;
                branches::set_signatures(conn, made, policy)?;
                made
            }
        };
        let new: HashSet<_> = plan.changes.iter().map(|it| &it.package).collect();
        tracing::debug!(phase = "promote", "adding");
        // Added first and removed after: at no moment is a version in neither branch.
        for member in moving.iter().filter(|it| new.contains(&it.package)) {
            branches::put(conn, target, member.artifact, change_set)?;
        }
        tracing::debug!(phase = "promote", "added, removing");
        for member in &moving {
            branches::remove(conn, from.id, member.artifact, change_set)?;
        }
        let done = done(conn, change_set, refused)?;
        tracing::debug!(phase = "promote", "removed, committing");
        Ok(done)
    })?;
    tracing::debug!(phase = "promote", "on disk");
    Ok(done)
}

/// Returns the branches that a promotion goes from and to.
fn ends(request: &PromoteRequest) -> Result<(DistributionName, DistributionName), OperationError> {
    let parse = |text: &str| {
        DistributionName::parse(text)
            .map_err(|error| OperationError::InvalidRequest(error.to_string()))
    };
    let to = parse(request.to.as_deref().unwrap_or("production"))?;
    let kind = BranchKind::of_name(to.as_str());
    let before = match kind {
        BranchKind::Production => "staging",
        _ => "snapshot",
    };
    let from = parse(request.from.as_deref().unwrap_or(before))?;
    if !BranchKind::of_name(from.as_str()).promotes_to(kind) {
        return Err(OperationError::InvalidRequest(format!(
            "versions are promoted from snapshot to staging and from either to production, not from {from} to {to}"
        )));
    }
    Ok((from, to))
}

/// Parts what a policy for signatures takes from what it does not.
fn admitted(
    members: Vec<Member>,
    policy: SignaturePolicy,
    status: impl Fn(&Member) -> SignatureStatus,
) -> (Vec<Member>, Vec<Problem>) {
    let mut refused = Vec::new();
    let mut coming = Vec::new();
    for member in members {
        match policy.refusal(&status(&member)) {
            None => coming.push(member),
            Some(why) => refused.push(Problem {
                package: member.package.to_string(),
                why,
            }),
        }
    }
    (coming, refused)
}

/// Returns package versions with what is held of each.
fn held(members: &[Member]) -> Vec<(PackageId, crate::distribution::Held)> {
    let held = |member: &Member| (member.package.clone(), member.held);
    members.iter().map(held).collect()
}

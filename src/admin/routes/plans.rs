//! Plans: what is staged and waits for a commit.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use serde::{Deserialize, Serialize};

use super::{Answer, Operator, change, perform, who};
use crate::admin::error::OperationError;
use crate::admin::operations;
use crate::crypto::Digest;
use crate::distribution::{BranchKind, Consent, DistributionName};
use crate::import;
use crate::store::stages::StageId;

/// Where an import's content belongs, as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetRequest {
    /// A release.
    pub release: Option<String>,
    /// A branch.
    pub branch: Option<String>,
}

/// The operator's word on what the rules ask for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// Whether versions may be overwritten where the branch allows it.
    #[serde(default)]
    pub overwrite: bool,
}

/// What a plan is committed by.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    /// Whether versions may be overwritten where the branch allows it.
    #[serde(default)]
    pub overwrite: bool,
    /// The digest of the plan that was looked at: one that would change anything else is not committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

pub(super) async fn list_plans(operator: Data<Operator>) -> Answer<Vec<operations::WaitingPlan>> {
    perform(&operator, operations::list_plans).await
}

pub(super) async fn show_plan(
    operator: Data<Operator>,
    id: Path<i64>,
    consent: Query<ConsentRequest>,
) -> Answer<import::PlanReport> {
    perform(&operator, move |store| {
        import::plan(store, StageId(*id), consent.consent())
    })
    .await
}

pub(super) async fn drop_plan(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<i64>,
) -> Answer<()> {
    let who = who(&request);
    perform(&operator, move |store| {
        import::drop_stage(store, &who, StageId(*id))
    })
    .await
}

pub(super) async fn set_target(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<i64>,
    target: Json<TargetRequest>,
) -> Answer<()> {
    let who = who(&request);
    let (branch, kind) = target.target()?.ok_or(OperationError::InvalidRequest(
        "no release and no branch".into(),
    ))?;
    perform(&operator, move |store| {
        import::set_target(store, &who, StageId(*id), branch, kind)
    })
    .await
}

pub(super) async fn commit_plan(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<i64>,
    commit: Json<CommitRequest>,
) -> Answer<import::Committed> {
    let (who, consent) = (who(&request), commit.consent()?);
    change(&operator, move |store| {
        import::commit(store, StageId(*id), &who, consent)
    })
    .await
}

impl TargetRequest {
    /// Returns the branch that is asked for and its kind; `None` where neither is named.
    pub fn target(&self) -> Result<Option<(DistributionName, BranchKind)>, OperationError> {
        operations::target(self.release.as_deref(), self.branch.as_deref())
    }
}

impl CommitRequest {
    /// Returns the consent that is given.
    pub fn consent(&self) -> Result<Consent, OperationError> {
        let digest = self.digest.as_deref().map(str::parse::<Digest>);
        let digest = digest.transpose();
        Ok(Consent {
            is_asked: self.overwrite,
            plan: digest.map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
            ..Consent::default()
        })
    }
}

impl ConsentRequest {
    /// Returns the consent that is given.
    pub fn consent(self) -> Consent {
        Consent {
            is_asked: self.overwrite,
            ..Consent::default()
        }
    }
}

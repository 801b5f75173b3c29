//! The history.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::work::{Worked, work};
use super::{Answer, Operator, perform, who};
use crate::admin::history::{self, ChangeSetReport, History};
use crate::admin::jobs::JobKind;
use crate::admin::prune::{self, PruneRequest, Pruned};

/// How much of the history is asked for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryRequest {
    /// How many change sets, the newest first.
    pub limit: u32,
    /// Whether with every package version that they changed.
    #[serde(default)]
    pub packages: bool,
}

pub(super) async fn list(
    operator: Data<Operator>,
    request: Query<HistoryRequest>,
) -> Answer<History> {
    perform(&operator, move |store| {
        history::list(store, request.limit, request.packages)
    })
    .await
}

pub(super) async fn show(operator: Data<Operator>, number: Path<i64>) -> Answer<ChangeSetReport> {
    perform(&operator, move |store| history::show(store, *number)).await
}

pub(super) async fn prune(
    operator: Data<Operator>,
    request: HttpRequest,
    how_far: Json<PruneRequest>,
) -> Result<Worked<Pruned>, Refusal> {
    let who = who(&request);
    let subject = format!("up to change set {}", how_far.up_to);
    work(&operator, &request, JobKind::Prune, subject, move |store| {
        prune::prune(store, &who, &how_far)
    })
    .await
}

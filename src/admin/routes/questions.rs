//! Questions about what is offered: how two places differ, and why one answers as it does.

use actix_web::web::{Data, Json, Query};

use super::{Answer, Operator, perform};
use crate::admin::diff::{self, DiffReport, DiffRequest};
use crate::admin::explain::{self, ExplainReport, ExplainRequest};
use crate::admin::preflight::{self, PreflightReport, PreflightRequest};

pub(super) async fn diff(
    operator: Data<Operator>,
    request: Query<DiffRequest>,
) -> Answer<DiffReport> {
    let limits = operator.limits.clone();
    perform(&operator, move |store| diff::diff(store, &request, &limits)).await
}

pub(super) async fn explain(
    operator: Data<Operator>,
    request: Query<ExplainRequest>,
) -> Answer<ExplainReport> {
    let limits = operator.limits.clone();
    perform(&operator, move |store| {
        explain::explain(store, &request, &limits)
    })
    .await
}

pub(super) async fn preflight(
    operator: Data<Operator>,
    request: Json<PreflightRequest>,
) -> Answer<PreflightReport> {
    let limits = operator.limits.clone();
    perform(&operator, move |store| {
        preflight::preflight(store, &request, &limits)
    })
    .await
}

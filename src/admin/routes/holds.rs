//! Holds, and what is withdrawn.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Query};
use serde::{Deserialize, Serialize};

use super::{Answer, Operator, change, parse_name, perform, who};
use crate::admin::branches::Done;
use crate::admin::holds::{self, HoldDetails, HoldRequest, ReleaseRequest};

/// Whose holds are asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldsOf {
    /// The distribution; all where it is not said.
    pub distribution: Option<String>,
}

pub(super) async fn list(operator: Data<Operator>, of: Query<HoldsOf>) -> Answer<Vec<HoldDetails>> {
    let of = of.distribution.as_deref().map(parse_name).transpose()?;
    perform(&operator, move |store| holds::list(store, of.as_ref())).await
}

pub(super) async fn hold(
    operator: Data<Operator>,
    request: HttpRequest,
    distribution: Path<String>,
    new: Json<HoldRequest>,
) -> Answer<Done> {
    let who = who(&request);
    let name = parse_name(&distribution)?;
    let limits = operator.limits.clone();
    change(&operator, move |store| {
        holds::hold(store, &who, &name, &new, &limits)
    })
    .await
}

pub(super) async fn withdraw(
    operator: Data<Operator>,
    request: HttpRequest,
    new: Json<HoldRequest>,
) -> Answer<Done> {
    let who = who(&request);
    let limits = operator.limits.clone();
    change(&operator, move |store| {
        holds::withdraw(store, &who, &new, &limits)
    })
    .await
}

pub(super) async fn release(
    operator: Data<Operator>,
    request: HttpRequest,
    number: Path<i64>,
    with: Json<ReleaseRequest>,
) -> Answer<Done> {
    let who = who(&request);
    change(&operator, move |store| {
        holds::release(store, &who, *number, &with)
    })
    .await
}

//! Distributions, and which answers at `/`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};

use super::{Answer, Operator, caller, change, parse_name, perform, who};
use crate::admin::distributions::{
    self, Changed, DistributionDetails, DistributionReport, LayersRequest,
};
use crate::admin::error::OperationError;

/// A distribution to be made.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DistributionRequest {
    /// Its name.
    pub name: String,
    /// What it is to serve.
    pub layers: LayersRequest,
}

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<DistributionReport>> {
    perform(&operator, distributions::list).await
}

pub(super) async fn show(
    operator: Data<Operator>,
    name: Path<String>,
) -> Answer<DistributionDetails> {
    let name = parse_name(&name)?;
    perform(&operator, move |store| distributions::show(store, &name)).await
}

pub(super) async fn create(
    operator: Data<Operator>,
    request: HttpRequest,
    new: Json<DistributionRequest>,
) -> Answer<Changed> {
    operator.check(&request, distributions::needed_role(&new.layers))?;
    let who = who(&request);
    let name = parse_name(&new.name)?;
    change(&operator, move |store| {
        distributions::create(store, &who, &name, &new.layers)
    })
    .await
}

pub(super) async fn set(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
    layers: Json<LayersRequest>,
) -> Answer<Changed> {
    operator.check(&request, distributions::needed_role(&layers))?;
    let who = who(&request);
    let name = parse_name(&name)?;
    change(&operator, move |store| {
        distributions::set(store, &who, &name, &layers)
    })
    .await
}

pub(super) async fn delete(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
) -> Answer<Changed> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    let (who, roles) = (caller.actor(), operator.roles.load_full());
    let name = parse_name(&name)?;
    change(&operator, move |store| {
        roles.check(&caller, distributions::needed_role_to_delete(store, &name)?)?;
        distributions::delete(store, &who, &name)
    })
    .await
}

pub(super) async fn activate(
    operator: Data<Operator>,
    request: HttpRequest,
    like: Path<String>,
) -> Answer<Changed> {
    let who = who(&request);
    let like = parse_name(&like)?;
    change(&operator, move |store| {
        distributions::activate(store, &who, &like)
    })
    .await
}

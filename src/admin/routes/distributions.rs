//! Distributions, and which answers at `/`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};

use super::{Answer, Operator, change, parse_name, perform, who};
use crate::admin::operations;

/// A distribution to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistributionRequest {
    /// Its name.
    pub name: String,
    /// Its branches, the winning one first.
    pub branches: Vec<String>,
}

pub(super) async fn list_distributions(
    operator: Data<Operator>,
) -> Answer<Vec<operations::DistributionReport>> {
    perform(&operator, operations::list_distributions).await
}

pub(super) async fn create_distribution(
    operator: Data<Operator>,
    request: HttpRequest,
    new: Json<DistributionRequest>,
) -> Answer<operations::Changed> {
    let who = who(&request);
    let name = parse_name(&new.name)?;
    let branches = new
        .branches
        .iter()
        .map(|branch| parse_name(branch))
        .collect::<Result<Vec<_>, _>>()?;
    change(&operator, move |store| {
        operations::create_distribution(store, &who, &name, &branches)
    })
    .await
}

pub(super) async fn activate(
    operator: Data<Operator>,
    request: HttpRequest,
    branch: Path<String>,
) -> Answer<operations::Changed> {
    let who = who(&request);
    let branch = parse_name(&branch)?;
    change(&operator, move |store| {
        operations::activate(store, &who, &branch)
    })
    .await
}

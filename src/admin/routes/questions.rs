//! Questions about what is offered: how two places differ, and why one answers as it does.

use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;

use super::{Answer, Operator, parse_name, perform};
use crate::admin::diff::{self, DiffReport, DiffRequest};
use crate::admin::error::OperationError;
use crate::admin::explain::{self, ExplainReport, ExplainRequest};
use crate::admin::package::{self, PackageReport};
use crate::admin::preflight::{self, PreflightReport, PreflightRequest};
use crate::distribution::DistributionName;
use crate::package::{InvalidPackageId, PackageId};

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

/// Where a package version is looked at.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageRequest {
    /// The distribution that is looked at; the one at `/` where it is not said.
    #[serde(default)]
    distribution: Option<String>,
}

pub(super) async fn package(
    operator: Data<Operator>,
    package: Path<(String, String)>,
    asked: Query<PackageRequest>,
) -> Answer<PackageReport> {
    let limits = operator.limits.clone();
    let (name, version) = package.into_inner();
    let invalid = |error: InvalidPackageId| OperationError::InvalidRequest(error.to_string());
    let id = PackageId::parse(&name, &version).map_err(invalid)?;
    let distribution = match &asked.distribution {
        Some(name) => parse_name(name)?,
        None => DistributionName::default_distribution(),
    };
    perform(&operator, move |store| {
        package::look(store, &distribution, &id, &limits)
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

//! One package version: what it is, who signed it, what it says of itself.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Frame, Section};
use super::stamp::Stamp;
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::package::{self, PackageReport};
use crate::admin::routes::Operator;
use crate::admin::wording::{moment, size};
use crate::package::PackageId;

#[derive(Template)]
#[template(path = "package_version.html")]
struct Version {
    frame: Frame,
    report: PackageReport,
    stamp: Stamp,
    bytes: String,
    modified: String,
    /// The branch from which it could be promoted, and where to.
    promotion: Option<(String, &'static str)>,
    /// The branches from which it could be taken out.
    removable: Vec<String>,
    files: Vec<(String, String)>,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    package: Path<(String, String)>,
) -> HttpResponse {
    let (name, version) = package.into_inner();
    view(&request, &operator, Section::Packages, move |asked| {
        page(asked, &name, &version)
    })
    .await
}

fn page(asked: Asked, name: &str, version: &str) -> Result<Version, OperationError> {
    let invalid = |error: &dyn std::fmt::Display| OperationError::InvalidRequest(error.to_string());
    let id = PackageId::parse(name, version).map_err(|error| invalid(&error))?;
    let distribution = asked.frame.lens.distribution.clone();
    let report = package::look(asked.store(), &distribution, &id, &asked.operator.limits)?;
    let promotion = report
        .held_by
        .iter()
        .find_map(|it| match it.branch.as_str() {
            "snapshot" => Some((it.branch.clone(), "staging")),
            "staging" => Some((it.branch.clone(), "production")),
            _ => None,
        });
    let loses = |kind: &str| !matches!(kind, "production" | "release");
    let removable = report.held_by.iter().filter(|it| loses(&it.kind));
    let now = asked.frame.now;
    let modified = report.modified.as_deref().and_then(|it| it.parse().ok());
    Ok(Version {
        stamp: Stamp::of(&report.signature),
        bytes: size(report.bytes),
        modified: modified.map(|it| moment(it, now)).unwrap_or_default(),
        promotion,
        removable: removable.map(|it| it.branch.clone()).collect(),
        files: report
            .files
            .iter()
            .map(|it| (it.path.clone(), size(it.bytes)))
            .collect(),
        frame: asked.frame.titled(format!("{name} {version}")),
        report,
    })
}

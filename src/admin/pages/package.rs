//! One package: each version and why this Kibana is offered it or not, and what can be done about it.

use std::sync::Arc;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::listing::{catalog, listed};
use super::matrix::{self, Matrix};
use super::{Asked, view};
use crate::admin::branches::{self, PromoteRequest, RemoveRequest};
use crate::admin::error::OperationError;
use crate::admin::explain::{self, ExplainRequest, ExplainedVersion, StandingReport};
use crate::admin::holds::{self, HoldDetails, HoldRequest};
use crate::admin::routes::{Operator, parse_name};
use crate::admin::wording::counted;
use crate::package::PackageId;

#[derive(Template)]
#[template(path = "package.html")]
struct Package {
    frame: Frame,
    name: String,
    title: String,
    description: String,
    icon: Option<String>,
    answer: Option<String>,
    asked_as: String,
    versions: Vec<Version>,
    holds: Vec<HoldDetails>,
    matrix: Option<Matrix>,
    /// How many versions are not drawn, in words.
    older: Option<String>,
}

/// A version, and how it stands.
struct Version {
    version: String,
    branch: String,
    also_in: String,
    sign: &'static str,
    class: &'static str,
    why: String,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
) -> HttpResponse {
    let name = name.into_inner();
    view(&request, &operator, Section::Packages, |asked| {
        package(asked, name)
    })
    .await
}

fn package(asked: Asked, name: String) -> Result<Package, OperationError> {
    let (store, limits) = (asked.store(), &asked.operator.limits);
    let lens = &asked.frame.lens;
    let report = explain::explain(
        store,
        &ExplainRequest {
            package: name.clone(),
            distribution: Some(lens.distribution.to_string()),
            query: lens.query(),
        },
        limits,
    )?;
    let catalog = catalog(&asked.operator, lens)?;
    let offered = catalog.elements().iter().rev();
    let offered = offered.filter(|it| it.facts.id.name.as_str() == name);
    let facts: Vec<_> = offered.map(|it| Arc::clone(&it.facts)).collect();
    let any = listed(&catalog, &format!("package={name}&prerelease=true"), limits)?;
    let shown = any.into_iter().next();
    let now = holds::list(store, None)?.into_iter();
    Ok(Package {
        matrix: matrix::of(&facts, &asked.frame.kibanas, limits).filter(|_| !facts.is_empty()),
        older: (facts.len().checked_sub(matrix::DRAWN))
            .filter(|count| *count > 0)
            .map(|count| counted(count as u64, "version is", "versions are")),
        icon: shown
            .as_ref()
            .filter(|it| it.has_icon())
            .map(|it| format!("/admin/packages/{name}/{}/icon", it.version)),
        title: shown
            .as_ref()
            .map_or_else(|| name.clone(), |it| it.title().to_owned()),
        description: shown.and_then(|it| it.description).unwrap_or_default(),
        // What is explained is now; what was offered then the catalog of then knows.
        answer: match lens.at {
            Some(_) => {
                let query = format!("package={name}&{}", lens.query());
                let then = listed(&catalog, &query, limits)?;
                then.first().map(|it| it.version.clone())
            }
            None => report.answer.first().cloned(),
        },
        asked_as: match &lens.kibana {
            Some(kibana) => format!("Kibana {kibana}"),
            None => "Any Kibana".to_owned(),
        },
        versions: report.versions.into_iter().map(Version::from).collect(),
        holds: now.filter(|it| it.hold.package == name).collect(),
        frame: asked.frame.titled(name.clone()),
        name,
    })
}

impl From<ExplainedVersion> for Version {
    fn from(it: ExplainedVersion) -> Self {
        let (sign, class) = match it.standing {
            StandingReport::Answered => ("●", "good"),
            StandingReport::Older | StandingReport::LessFinal => ("○", "quiet"),
            StandingReport::Held => ("∥", "held"),
            StandingReport::Unmet | StandingReport::OtherCategory => ("▲", "care"),
            StandingReport::NotOffered => ("—", "quiet"),
        };
        let why = match it.standing {
            StandingReport::Answered => "offered".to_owned(),
            StandingReport::OtherCategory => "not of this category".to_owned(),
            StandingReport::Unmet => {
                let why: Vec<_> = it.unmet.iter().map(|it| it.why.as_str()).collect();
                why.join("; ")
            }
            StandingReport::Older => {
                format!("{} is newer and fits too", it.newer.unwrap_or_default())
            }
            StandingReport::LessFinal => "a final version fits too".to_owned(),
            StandingReport::Held => it.hold.unwrap_or_default(),
            StandingReport::NotOffered => "not offered in this distribution".to_owned(),
        };
        Self {
            version: it.version,
            branch: it.branch.unwrap_or_default(),
            also_in: it.also_in.join(", "),
            sign,
            class,
            why,
        }
    }
}

/// Keeps versions of a package back.
pub(super) async fn hold(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    let name = name.into_inner();
    submit(&request, &operator, body, move |doing| {
        let form = doing.form;
        let distribution = parse_name(form.text("distribution"))?;
        let hold = HoldRequest {
            package: match form.text("version") {
                "" => name,
                version => format!("{name}@{version}"),
            },
            at: form.filled("at"),
            only: None,
            reason: form.filled("reason"),
            until: form.filled("until"),
            is_dry: false,
        };
        let limits = &doing.operator.limits;
        let done = holds::hold(doing.store, doing.who, &distribution, &hold, limits)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Lets go what a hold keeps back.
pub(super) async fn release(
    request: HttpRequest,
    operator: Data<Operator>,
    number: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let number = number.into_inner();
    submit(&request, &operator, body, move |doing| {
        let release = holds::ReleaseRequest {
            reason: doing.form.filled("reason"),
            is_dry: false,
        };
        let done = holds::release(doing.store, doing.who, number, &release)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Promotes a version from the branch that holds it to the next.
pub(super) async fn promote(
    request: HttpRequest,
    operator: Data<Operator>,
    package: Path<(String, String)>,
    body: Payload,
) -> HttpResponse {
    let (name, version) = package.into_inner();
    submit(&request, &operator, body, move |doing| {
        let from = doing.form.text("branch");
        let next = match from {
            "snapshot" => "staging",
            _ => "production",
        };
        let promotion = PromoteRequest {
            packages: vec![format!("{name}@{version}")],
            from: Some(from.to_owned()),
            to: Some(next.to_owned()),
            reason: doing.form.filled("reason"),
            ..PromoteRequest::default()
        };
        let done = branches::promote(doing.store, doing.who, &promotion)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Takes a version out of a branch.
pub(super) async fn remove(
    request: HttpRequest,
    operator: Data<Operator>,
    package: Path<(String, String)>,
    body: Payload,
) -> HttpResponse {
    let (name, version) = package.into_inner();
    submit(&request, &operator, body, move |doing| {
        let package = format!("{name}@{version}");
        doing.form.check_typed(&package)?;
        let branch = parse_name(doing.form.text("branch"))?;
        let removal = RemoveRequest {
            packages: vec![package],
            reason: doing.form.filled("reason"),
            is_dry: false,
        };
        let done = branches::remove(doing.store, doing.who, &branch, &removal)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Withdraws a version from every distribution.
pub(super) async fn withdraw(
    request: HttpRequest,
    operator: Data<Operator>,
    package: Path<(String, String)>,
    body: Payload,
) -> HttpResponse {
    let (name, version) = package.into_inner();
    submit(&request, &operator, body, move |doing| {
        let package = format!("{name}@{version}");
        doing.form.check_typed(&package)?;
        let withdrawal = HoldRequest {
            package,
            reason: doing.form.filled("reason"),
            ..HoldRequest::default()
        };
        let limits = &doing.operator.limits;
        let done = holds::withdraw(doing.store, doing.who, &withdrawal, limits)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Returns the page of a change set that was just made, the history where nothing changed.
pub(super) fn done_at(change_set: Option<i64>) -> Next {
    match change_set {
        Some(number) => Next::page(format!("/changes/{number}"), "now"),
        None => Next::page("/changes", "nothing"),
    }
}

/// Answers with the drawing of a package.
pub(super) async fn icon(
    operator: Data<Operator>,
    package: Path<(String, String)>,
) -> HttpResponse {
    let (name, version) = package.into_inner();
    super::icon::of(operator, PackageId::parse(&name, &version).ok()).await
}

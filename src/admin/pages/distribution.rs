//! One distribution: what each of its branches brings, what is held back of it, and what can be done with it.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::distribution_change::Choice;
use super::distributions::address;
use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::{Asked, view};
use crate::admin::distributions::{self, DistributionDetails, LayersRequest};
use crate::admin::error::OperationError;
use crate::admin::holds::{self, HoldDetails};
use crate::admin::routes::{Operator, caller, parse_name};
use crate::admin::wording::{counted, grouped, told};
use crate::distribution::Exact;
use crate::store::branches;

/// Versions that are named where another branch wins; the rest is counted.
const MOST_SHADOWED: usize = 200;

#[derive(Template)]
#[template(path = "distribution.html")]
struct Distribution {
    frame: Frame,
    details: DistributionDetails,
    address: String,
    versions: String,
    packages: String,
    is_now: bool,
    holds: Vec<Hold>,
    layers: Vec<(String, String, String, String)>,
    more_shadowed: usize,
    choice: Choice,
    done: Option<&'static str>,
    can_be_deleted: bool,
    delete: String,
    approvals: String,
}

/// A hold, and letting it go.
struct Hold {
    number: i64,
    what: String,
    reason: String,
    since: String,
    ends: String,
    is_everywhere: bool,
    action: String,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
) -> HttpResponse {
    view(&request, &operator, Section::Overview, move |asked| {
        one(asked, &name)
    })
    .await
}

fn one(asked: Asked, name: &str) -> Result<Distribution, OperationError> {
    let store = asked.store();
    let name = parse_name(name)?;
    let mut details = distributions::show(store, &name)?;
    let branches = store.read(branches::all)?;
    let all = distributions::list(store)?;
    let holds = holds::list(store, Some(&name))?.into_iter();
    let hold = |it: HoldDetails| Hold {
        action: asked.frame.to(format!("/holds/{}/release", it.hold.number)),
        number: it.hold.number,
        what: it.hold.what,
        reason: it.hold.reason.unwrap_or_default(),
        since: format!("{} by {}", told(&it.at, asked.frame.now), it.who),
        ends: it
            .hold
            .ends
            .map(|at| told(&at, asked.frame.now))
            .unwrap_or_default(),
        is_everywhere: it.hold.distribution.is_none(),
    };
    let holds = holds.map(hold).collect();
    let layers = details.layers.iter().map(|it| {
        let [offered, shadowed] = [it.offered, it.shadowed].map(|count| grouped(count as u64));
        (it.branch.clone(), it.kind.clone(), offered, shadowed)
    });
    let layers = layers.collect();
    let more_shadowed = details.shadowed.len().saturating_sub(MOST_SHADOWED);
    details.shadowed.truncate(MOST_SHADOWED);
    Ok(Distribution {
        address: address(name.as_str()),
        versions: counted(
            details.report.offered as u64,
            "package version",
            "package versions",
        ),
        packages: counted(details.packages as u64, "package", "packages"),
        is_now: details.exact == Exact::Now,
        holds,
        layers,
        more_shadowed,
        choice: Choice::of(&branches, &all, Some(&details)),
        done: match asked.frame.own("done") {
            Some("set") => Some("It is served from now on."),
            Some("approvals") => Some("It holds for the next commit."),
            _ => None,
        },
        can_be_deleted: details.is_own
            && name.as_str() != "default"
            && (details.approvals == 0 || asked.frame.may("admin")),
        approvals: asked.frame.to(format!("/distributions/{name}/approvals")),
        delete: asked.frame.to(format!("/distributions/{name}/delete")),
        details,
        frame: asked.frame.titled(name.to_string()),
    })
}

/// Says whether plans for its branches are committed by a second person.
pub(super) async fn set_approvals(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    let by = caller(&request);
    submit(&request, &operator, body, move |doing| {
        let name = parse_name(&name)?;
        let wanted = u8::try_from(doing.form.number("approvals")?);
        let layers = LayersRequest {
            approvals: Some(wanted.unwrap_or(u8::MAX)),
            ..LayersRequest::default()
        };
        let by = by.ok_or(OperationError::Nobody)?;
        let roles = doing.operator.roles.load();
        roles.check(&by, distributions::needed_role(&layers))?;
        distributions::set(doing.store, doing.who, &name, &layers)?;
        Ok(Next::page(format!("/distributions/{name}"), "approvals"))
    })
    .await
}

pub(super) async fn delete(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    let by = caller(&request);
    submit(&request, &operator, body, move |doing| {
        let name = parse_name(&name)?;
        doing.form.check_typed(name.as_str())?;
        let by = by.ok_or(OperationError::Nobody)?;
        let needed = distributions::needed_role_to_delete(doing.store, &name)?;
        doing.operator.roles.load().check(&by, needed)?;
        distributions::delete(doing.store, doing.who, &name)?;
        Ok(Next::page("/distributions", "deleted"))
    })
    .await
}

//! A plan that waits: what it would change, for whom, and the buttons that decide.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::ledger::{self, Ledger};
use super::package::done_at;
use super::{Asked, view};
use crate::admin::diff::{self, DiffRequest};
use crate::admin::distributions;
use crate::admin::error::OperationError;
use crate::admin::operations;
use crate::admin::picks;
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, listed, size, told};
use crate::crypto::InvalidDigest;
use crate::distribution::Consent;
use crate::import::{self, ImportError, PlanReport};
use crate::people::are_one;
use crate::store::Store;
use crate::store::stages::StageId;

#[derive(Template)]
#[template(path = "plan.html")]
struct Plan {
    frame: Frame,
    report: PlanReport,
    head: String,
    care: String,
    source: String,
    when: String,
    free: String,
    ledger: Ledger,
    /// Which distributions serve it then, a sentence.
    reach: String,
    /// The distributions that ask for a second person, as one says them; empty where none does.
    approving: String,
    /// Whether who is there may commit it.
    may_commit: bool,
}

/// A plan whose branch is not known yet.
#[derive(Template)]
#[template(path = "plan_place.html")]
struct Place {
    frame: Frame,
    plan: i64,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
) -> HttpResponse {
    let id = id.into_inner();
    view(&request, &operator, Section::Changes, move |asked| {
        page(asked, id)
    })
    .await
}

/// Either page of a plan.
enum Page {
    Known(Box<Plan>),
    Placeless(Box<Place>),
}

fn page(asked: Asked, id: i64) -> Result<PlanPage, OperationError> {
    let store = asked.store();
    let report = match import::plan(store, StageId(id), Consent::default()) {
        Err(ImportError::NoTarget) => {
            return Ok(PlanPage(Page::Placeless(Box::new(Place {
                frame: asked.frame.titled(format!("Plan {id}")),
                plan: id,
            }))));
        }
        report => report?,
    };
    let limits = &asked.operator.limits;
    let request = DiffRequest {
        before: format!("plan:{id}"),
        ..DiffRequest::default()
    };
    let kibanas = ledger::kibanas(&asked.frame.lens, &asked.frame.kibanas);
    let ledger = match report.is_new_branch && report.edition.is_none() {
        // It takes nothing's place: no distribution changes by it.
        true => Ledger::of_added(&report.added),
        false => {
            let picked = picks::picks(store, &request, &ledger::queries(&kibanas), limits)?;
            Ledger::of_diff(diff::diff(store, &request, limits)?, &picked, kibanas)
        }
    };
    let ledger = ledger
        .with_problems(
            "refused",
            "Refused by the rules of the branch",
            &report.refused,
        )
        .with_problems("quarantined", "In quarantine", &report.quarantined)
        .with_problems("kept-back", "Held back", &report.kept_back)
        .with_problems(
            "doubtful",
            "Taken, though the signature is wrong",
            &report.signatures.doubtful,
        );
    Ok(PlanPage(Page::Known(Box::new(Plan {
        head: head(&report),
        care: match ledger.count("care") {
            0 => String::new(),
            count => counted(
                count as u64,
                "package breaks something or needs care.",
                "packages break something or need care.",
            ),
        },
        source: source(&report),
        when: told(&report.staged_at, asked.frame.now),
        free: size(store.disk().free_bytes()?),
        ledger,
        reach: reach(store, &report)?,
        may_commit: asked.frame.may("approver")
            && (report.approving.is_empty()
                || !std::iter::once(&report.staged_by)
                    .chain(&report.branch_said_by)
                    .any(|by| are_one(by, &asked.frame.user))),
        approving: listed(&report.approving),
        frame: asked.frame.titled(format!("Plan {id}")),
        report,
    }))))
}

/// The page of a plan, whichever it is.
struct PlanPage(Page);

impl std::fmt::Display for PlanPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Page::Known(plan) => plan.fmt(f),
            Page::Placeless(place) => place.fmt(f),
        }
    }
}

fn head(report: &PlanReport) -> String {
    let verb = if report.is_new_branch {
        "Makes"
    } else {
        "Changes"
    };
    let added = counted(
        report.added.len() as u64,
        "version is added",
        "versions are added",
    );
    let replaced = match report.replaced.len() {
        0 => String::new(),
        count => format!(", {count} replaced"),
    };
    format!("{verb} {}: {added}{replaced}.", report.branch)
}

/// Returns what distributions have of a plan once it is committed.
fn reach(store: &Store, report: &PlanReport) -> Result<String, OperationError> {
    let all = distributions::list(store)?;
    let default = all
        .iter()
        .find(|it| it.name == "default")
        .filter(|it| it.offered > 0);
    if report.is_new_branch {
        return Ok(match default {
            None => format!(
                "It is the first: it is served at / and at /d/{}/.",
                report.branch
            ),
            Some(default) => format!(
                "It is served at /d/{}/; / goes on serving {}.",
                report.branch,
                default.branches.join(" + ")
            ),
        });
    }
    let serving = all.iter().filter(|it| it.branches.contains(&report.branch));
    let serving: Vec<_> = serving.map(|it| it.name.clone()).collect();
    Ok(match serving.as_slice() {
        [] => "No distribution serves it.".to_owned(),
        names => format!("It is served by {} from then on.", listed(names)),
    })
}

fn source(report: &PlanReport) -> String {
    let source = &report.source;
    let parts = [
        Some(source.name.clone()),
        source.bytes.map(size),
        source.sha256.as_ref().map(|it| format!("SHA-256 {it}")),
        source
            .registry_version
            .as_ref()
            .map(|it| format!("registry {it}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Does what a plan says.
pub(super) async fn commit(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let id = id.into_inner();
    submit(&request, &operator, body, move |doing| {
        let looked_at = doing.form.text("digest").parse();
        let invalid = |error: InvalidDigest| OperationError::InvalidRequest(error.to_string());
        let consent = Consent {
            is_asked: doing.form.filled("overwrite").is_some(),
            plan: Some(looked_at.map_err(invalid)?),
            ..Consent::default()
        };
        let done = import::commit(doing.store, StageId(id), doing.who, consent)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Forgets a plan.
pub(super) async fn forget(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let id = id.into_inner();
    submit(&request, &operator, body, move |doing| {
        import::drop_stage(doing.store, doing.who, StageId(id))?;
        Ok(Next::page("/changes", ""))
    })
    .await
}

/// Says where a plan belongs.
pub(super) async fn place(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let id = id.into_inner();
    submit(&request, &operator, body, move |doing| {
        let (release, branch) = (doing.form.filled("release"), doing.form.filled("branch"));
        let target = operations::target(release.as_deref(), branch.as_deref())?;
        let nowhere =
            || OperationError::InvalidRequest("neither a release nor a branch was named".into());
        let (branch, kind) = target.ok_or_else(nowhere)?;
        import::set_target(doing.store, doing.who, StageId(id), branch, kind)?;
        Ok(Next::page(format!("/plans/{id}"), ""))
    })
    .await
}

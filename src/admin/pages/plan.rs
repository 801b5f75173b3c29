//! A plan that waits: what it would change, for whom, and the buttons that decide.

use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::frame::{Frame, Section};
use super::ledger::{self, Ledger};
use super::package::done_at;
use super::{Asked, act, view};
use crate::admin::diff::{self, DiffRequest};
use crate::admin::error::OperationError;
use crate::admin::operations;
use crate::admin::picks;
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, moment, size};
use crate::distribution::Consent;
use crate::import::{self, ImportError, PlanReport};
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
    let picked = picks::picks(store, &request, &ledger::queries(&kibanas), limits)?;
    let ledger = Ledger::of_diff(diff::diff(store, &request, limits)?, &picked, kibanas)
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
    let staged = report.staged_at.parse();
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
        when: staged.map_or_else(
            |_| report.staged_at.clone(),
            |at| moment(at, asked.frame.now),
        ),
        free: size(store.disk().free_bytes()?),
        ledger,
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

#[derive(Deserialize)]
pub(super) struct CommitForm {
    #[serde(default)]
    overwrite: Option<String>,
}

/// Does what a plan says.
pub(super) async fn commit(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
    form: Form<CommitForm>,
) -> HttpResponse {
    let (id, form) = (id.into_inner(), form.into_inner());
    act(&request, &operator, move |store, who| {
        let consent = Consent {
            is_asked: form.overwrite.is_some(),
            ..Consent::default()
        };
        let done = import::commit(store, StageId(id), who, consent)?;
        Ok(done_at(done.change_set))
    })
    .await
}

/// Forgets a plan.
pub(super) async fn forget(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
) -> HttpResponse {
    let id = id.into_inner();
    act(&request, &operator, move |store, who| {
        import::drop_stage(store, who, StageId(id))?;
        Ok("/changes".to_owned())
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct PlaceForm {
    #[serde(default)]
    release: String,
    #[serde(default)]
    branch: String,
}

/// Says where a plan belongs.
pub(super) async fn place(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<i64>,
    form: Form<PlaceForm>,
) -> HttpResponse {
    let (id, form) = (id.into_inner(), form.into_inner());
    act(&request, &operator, move |store, who| {
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let target = operations::target(
            said(&form.release).as_deref(),
            said(&form.branch).as_deref(),
        )?;
        let nowhere =
            || OperationError::InvalidRequest("neither a release nor a branch was named".into());
        let (branch, kind) = target.ok_or_else(nowhere)?;
        import::set_target(store, who, StageId(id), branch, kind)?;
        Ok(format!("/plans/{id}"))
    })
    .await
}

//! Long work under way: how far it is, its end, and the way on.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::transfer::how;
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::jobs::{JobKind, JobReport, JobState, Stop};
use crate::admin::roles::Role;
use crate::admin::routes::{Operator, caller};
use crate::admin::wording::{ago, grouped, size};
use crate::people::are_one;
use crate::store::stages::{self, StageId};

#[derive(Template)]
#[template(path = "job.html")]
struct Job {
    frame: Frame,
    job: JobReport,
    what: String,
    how: String,
    class: &'static str,
    begun: String,
    read: String,
    found: String,
    new: String,
    refused: String,
    /// The plan that it came to.
    plan: Option<i64>,
    /// Whether that plan still waits: a job is told of for longer.
    is_waiting: bool,
    is_running: bool,
    /// Whether its upload may be fed by who is there.
    is_own_upload: bool,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<String>,
) -> HttpResponse {
    let id = id.into_inner();
    view(&request, &operator, Section::Transfer, move |asked| {
        page(asked, &id)
    })
    .await
}

fn page(asked: Asked, id: &str) -> Result<Job, OperationError> {
    let job = asked.operator.jobs.find(id)?.report();
    let (how, class) = how(&job);
    let progress = &job.progress;
    let plan = job.result.as_ref().and_then(|it| it.get("plan")?.as_i64());
    let stage = match plan {
        Some(plan) => asked
            .store()
            .read(|conn| stages::get(conn, StageId(plan)))?,
        None => None,
    };
    Ok(Job {
        is_waiting: stage.is_some(),
        what: match job.kind {
            JobKind::Import => format!("Importing {}", job.subject),
            kind => format!("{kind}: {}", job.subject),
        },
        how,
        class,
        begun: ago(job.begun, asked.frame.now),
        read: match progress.total_bytes {
            Some(total) => format!("{} of {}", size(progress.read_bytes), size(total)),
            None => size(progress.read_bytes),
        },
        found: grouped(progress.found),
        new: grouped(progress.new),
        refused: grouped(progress.refused),
        plan,
        is_running: job.state == JobState::Running,
        is_own_upload: job.upload.is_some() && job.who == asked.frame.who,
        frame: asked.frame.titled("Import"),
        job,
    })
}

/// Ends a job before its end.
pub(super) async fn cancel(
    request: HttpRequest,
    operator: Data<Operator>,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    let id = id.into_inner();
    let caller = caller(&request);
    submit(&request, &operator, body, move |doing| {
        let job = doing.operator.jobs.find(&id)?;
        let caller = caller.ok_or(OperationError::Nobody)?;
        if !are_one(caller.user(), job.who()) {
            doing.operator.roles.load().check(&caller, Role::Approver)?;
        }
        job.stop(Stop::Cancelled)?;
        Ok(Next::page("/transfer", ""))
    })
    .await
}

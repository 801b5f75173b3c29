//! Jobs: what is under way, how far it is, and ending it.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::events::{self, Events};
use super::refusal::Refusal;
use super::{Answer, Operator, who};
use crate::admin::error::OperationError;
use crate::admin::jobs::{Job, JobReport, Stop};
use crate::admin::roles::Role;
use crate::people;

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<JobReport>> {
    Ok(Json(operator.jobs.list()))
}

pub(super) async fn show(operator: Data<Operator>, id: Path<String>) -> Answer<JobReport> {
    Ok(Json(operator.jobs.find(&id)?.report()))
}

pub(super) async fn events(operator: Data<Operator>, id: Path<String>) -> Result<Events, Refusal> {
    let job = operator.jobs.find(&id)?;
    Ok(events::of(job, operator.jobs.stopping()))
}

pub(super) async fn cancel(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<String>,
) -> Answer<JobReport> {
    let job = operator.jobs.find(&id)?;
    Ok(Json(end(&operator, &request, &job)?))
}

/// Ends a job: one's own, or as an approver anybody's.
pub(super) fn end(
    operator: &Operator,
    request: &HttpRequest,
    job: &Job,
) -> Result<JobReport, OperationError> {
    let is_own = people::are_one(&who(request).name, job.who());
    if !is_own {
        operator.check(request, Role::Approver)?;
    }
    job.stop(Stop::Cancelled)?;
    tracing::info!(job = %job.id(), who = who(request).name, "cancelled");
    Ok(job.report())
}

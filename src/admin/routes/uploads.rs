//! Uploads: a source in chunks by their offset.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Data, Json, Path, Payload, Query};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::{Answer, Operator, jobs, who};
use crate::admin::error::OperationError;
use crate::admin::jobs::{Job, JobReport};
use crate::admin::roles::Role;
use crate::admin::uploads::{self, Turn, TurnError, UploadReport, UploadRequest};

/// Where a chunk begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChunkRequest {
    /// How many bytes of the source are before it.
    pub offset: u64,
}

pub(super) async fn begin(
    operator: Data<Operator>,
    request: HttpRequest,
    upload: Json<UploadRequest>,
) -> Answer<UploadReport> {
    if upload.signatures.is_some() {
        // What is believed in a branch from now on, whoever commits it.
        operator.check(&request, Role::Admin)?;
    }
    let who = who(&request);
    let upload = upload.into_inner();
    let Operator {
        jobs,
        store,
        limits,
        ..
    } = &**operator;
    Ok(Json(uploads::begin(jobs, store, limits, &who, upload)?))
}

pub(super) async fn show(operator: Data<Operator>, id: Path<String>) -> Answer<UploadReport> {
    let job = find(&operator, &id)?;
    let report = job.upload().map(|upload| upload.report(job.id()));
    Ok(Json(report.ok_or(OperationError::NoSuchUpload(
        job.id().to_string(),
    ))?))
}

pub(super) async fn feed(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<String>,
    chunk: Query<ChunkRequest>,
    mut body: Payload,
) -> Answer<UploadReport> {
    let job = find(&operator, &id)?;
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let bytes = length.ok_or(OperationError::LengthRequired)?;
    let mut turn = Turn::take(job, &who(&request).name, chunk.offset, bytes)?;
    while let Some(bytes) = body.next().await {
        // What broke off is asked for again, from where it did.
        let bytes = bytes.map_err(|error| OperationError::ChunkBrokeOff(error.to_string()))?;
        turn.feed(bytes).await?;
    }
    let report = turn.report();
    Ok(Json(
        report.ok_or(OperationError::NoSuchUpload(id.into_inner()))?,
    ))
}

pub(super) async fn cancel(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<String>,
) -> Answer<JobReport> {
    let job = find(&operator, &id)?;
    Ok(Json(jobs::end(&operator, &request, &job)?))
}

fn find(operator: &Operator, id: &str) -> Result<std::sync::Arc<Job>, OperationError> {
    let none = |_| OperationError::NoSuchUpload(id.chars().take(64).collect());
    operator
        .jobs
        .find(id)
        .map_err(none)
        .and_then(|job| match job.upload() {
            Some(_) => Ok(job),
            None => Err(OperationError::NoSuchUpload(job.id().to_string())),
        })
}

impl From<TurnError> for Refusal {
    fn from(error: TurnError) -> Self {
        Self::from_failure(*error.0)
    }
}

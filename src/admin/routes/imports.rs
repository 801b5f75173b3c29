//! Imports: the source as a request's body.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload, Query};
use serde::{Deserialize, Serialize};

use super::body::BodyReader;
use super::plans::TargetRequest;
use super::work::wait_fed;
use super::{Answer, Operator, perform, who};
use crate::admin::error::OperationError;
use crate::admin::jobs::{JobId, JobKind, NewJob};
use crate::admin::operations::{self, StagedReport};
use crate::admin::roles::Role;
use crate::crypto::Digest;
use crate::distribution::SignaturePolicy;
use crate::import::{self, StageRequest};

/// How an import is asked for; the source is the body.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// What the operator calls the source.
    pub source_name: String,
    /// A release.
    pub release: Option<String>,
    /// A branch.
    pub branch: Option<String>,
    /// Whether a target may still be named once the source is read.
    pub may_ask: bool,
    /// What becomes of packages without a good signature, in the branch from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<SignaturePolicy>,
    /// Which image of a file that holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Bytes of the source, where they are known before it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_bytes: Option<u64>,
    /// The id of the job that it is, for who wants to follow it before it is answered: 32 lower-case hexadecimal digits that
    /// the client has drawn at random.
    pub job: String,
}

/// A source that may have been read before.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownSourceRequest {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Option<String>,
}

pub(super) async fn known_source(
    operator: Data<Operator>,
    query: Query<KnownSourceRequest>,
) -> Answer<operations::KnownSource> {
    let sha256 = query
        .sha256
        .as_deref()
        .map(str::parse::<Digest>)
        .transpose();
    let sha256 = sha256.map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
    perform(&operator, move |store| {
        operations::known_source(store, query.bytes, sha256.as_ref())
    })
    .await
}

pub(super) async fn post_import(
    operator: Data<Operator>,
    request: HttpRequest,
    query: Query<ImportRequest>,
    body: Payload,
) -> Answer<StagedReport> {
    let ImportRequest {
        source_name,
        release,
        branch,
        may_ask,
        signatures,
        image,
        source_bytes,
        job,
    } = query.into_inner();
    if signatures.is_some() {
        // What is believed in a branch from now on, whoever commits it.
        operator.check(&request, Role::Admin)?;
    }
    let target = TargetRequest { release, branch }.target()?;
    let stage = StageRequest {
        source_name,
        who: who(&request),
        target,
        may_ask,
        signatures,
        image,
    };
    let new = NewJob {
        id: JobId::parse(&job).ok_or_else(|| {
            OperationError::InvalidRequest("job is not 32 lower-case hexadecimal digits".into())
        })?,
        kind: JobKind::Import,
        subject: stage.source_name.clone(),
        who: stage.who.name.clone(),
        upload: None,
    };
    let (chunks, source) = BodyReader::channel();
    let (store, limits) = (Arc::clone(&operator.store), operator.limits.clone());
    let begun = operator.jobs.begin(new, move |job| {
        job.progress().expect(source_bytes.unwrap_or_default());
        let staged = import::stage(&store, Box::new(source), &stage, job.progress(), &limits)?;
        Ok(StagedReport::from(&staged))
    });
    wait_fed(begun?, body, chunks).await
}

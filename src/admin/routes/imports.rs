//! Imports: the source as a request's body, and how far it is.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Payload, Query};
use serde::{Deserialize, Serialize};

use super::body::{BodyReader, feed};
use super::plans::TargetRequest;
use super::{Answer, Operator, perform, who};
use crate::admin::error::OperationError;
use crate::admin::operations;
use crate::admin::roles::Role;
use crate::crypto::Digest;
use crate::distribution::SignaturePolicy;
use crate::import::{self, Progress, StageRequest, Staged};

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
    /// The name under which the client asks for progress; of its choosing, not guessable by accident.
    pub job: String,
}

/// What an import that was staged came to.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StagedReport {
    /// The plan's number.
    pub plan: i64,
    /// Whether it is known where the content belongs.
    pub has_target: bool,
    /// Where it may be to go, where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Package versions that can be taken.
    pub packages: usize,
    /// Of these, how many the store did not hold.
    pub new: usize,
    /// Bytes that were copied to the data folder before they could be read.
    #[serde(default)]
    pub copied_bytes: u64,
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
    let job = Job::begin(&operator, job);
    let progress = Arc::clone(&job.progress);
    progress.expect(source_bytes.unwrap_or_default());
    let (chunks, source) = BodyReader::channel();
    // The body is fed while the import reads; whichever of the two ends first ends the other.
    let feed = actix_web::rt::spawn(feed(body, chunks));
    let watched = Arc::clone(&operator);
    let answer = perform(&operator, move |store| {
        let staged = import::stage(store, Box::new(source), &stage, &progress, &watched.limits)?;
        Ok::<_, OperationError>(StagedReport::from(&staged))
    })
    .await;
    feed.abort();
    drop(job);
    answer
}

pub(super) async fn get_import(
    operator: Data<Operator>,
    job: Path<String>,
) -> Answer<import::ProgressReport> {
    let report = operator
        .jobs()
        .get(job.as_str())
        .map(|progress| progress.report());
    report
        .map(Json)
        .ok_or_else(|| OperationError::NoSuchJob(job.into_inner()).into())
}

/// An import under way. When its client goes away before the answer it is stopped, and forgotten either way.
struct Job {
    operator: Data<Operator>,
    name: String,
    progress: Arc<Progress>,
}

impl Job {
    fn begin(operator: &Data<Operator>, name: String) -> Self {
        let progress = Arc::<Progress>::default();
        operator.jobs().insert(name.clone(), Arc::clone(&progress));
        Self {
            operator: operator.clone(),
            name,
            progress,
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.progress.stop();
        self.operator.jobs().remove(&self.name);
    }
}

impl From<&Staged> for StagedReport {
    fn from(staged: &Staged) -> Self {
        Self {
            plan: staged.stage.0,
            has_target: staged.target.is_some(),
            proposal: staged.proposal.as_ref().map(ToString::to_string),
            packages: staged.packages,
            new: staged.new,
            copied_bytes: staged.copied_bytes,
        }
    }
}

//! The JSON API of the operations, `/admin/api/v1/…`, as `control.sock` speaks it.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::error::{Failure, OperationError};
use super::operations;
use super::peer::PeerUser;
use crate::catalog::Catalogs;
use crate::crypto::Digest;
use crate::distribution::{BranchKind, Consent, DistributionName};
use crate::import::{self, Progress, StageRequest, Staged};
use crate::limits::Limits;
use crate::store::Store;
use crate::store::stages::StageId;

/// What the operations work on in a server.
#[derive(Debug)]
pub struct Operator {
    /// The store.
    pub store: Arc<Store>,
    /// What is served of it; taken up anew after each change.
    pub catalogs: Arc<Catalogs>,
    /// The bounds on imports.
    pub limits: Limits,
    /// The imports under way, by the name their client gave them.
    pub jobs: Mutex<HashMap<String, Arc<Progress>>>,
}

/// Where an import's content belongs, as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRequest {
    /// A release.
    pub release: Option<String>,
    /// A branch.
    pub branch: Option<String>,
}

/// How an import is asked for; the source is the body.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Bytes of the source, where they are known before it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_bytes: Option<u64>,
    /// The name under which the client asks for progress; of its choosing, not guessable by accident.
    pub job: String,
}

/// What an import that was staged came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StagedReport {
    /// The plan's number.
    pub plan: i64,
    /// Whether it is known where the content belongs.
    pub has_target: bool,
    /// Package versions that can be taken.
    pub packages: usize,
    /// Of these, how many the store did not hold.
    pub new: usize,
}

/// The operator's word on what the rules ask for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// Whether versions may be overwritten where the branch allows it.
    #[serde(default)]
    pub overwrite: bool,
}

/// A distribution to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistributionRequest {
    /// Its name.
    pub name: String,
    /// Its branches, the winning one first.
    pub branches: Vec<String>,
}

/// A source that may have been read before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownSourceRequest {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Option<String>,
}

/// Adds the routes to an application whose data holds an [`Operator`].
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/admin/api/v1")
            .route("/sources/known", web::get().to(known_source))
            .route("/imports", web::post().to(post_import))
            .route("/imports/{job}", web::get().to(get_import))
            .route("/plans", web::get().to(list_plans))
            .route("/plans/{id}", web::get().to(show_plan))
            .route("/plans/{id}", web::delete().to(drop_plan))
            .route("/plans/{id}/target", web::put().to(set_target))
            .route("/plans/{id}/commit", web::post().to(commit_plan))
            .route("/distributions", web::get().to(list_distributions))
            .route("/distributions", web::post().to(create_distribution))
            .route("/distributions/default/{branch}", web::put().to(activate)),
    );
}

async fn known_source(
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

async fn post_import(
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
        source_bytes,
        job,
    } = query.into_inner();
    let target = TargetRequest { release, branch }.target()?;
    let stage = StageRequest {
        source_name,
        who: who(&request),
        target,
        may_ask,
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

async fn get_import(operator: Data<Operator>, job: Path<String>) -> Answer<import::ProgressReport> {
    let report = operator
        .jobs()
        .get(job.as_str())
        .map(|progress| progress.report());
    report
        .map(Json)
        .ok_or_else(|| OperationError::NoSuchJob(job.into_inner()).into())
}

async fn list_plans(operator: Data<Operator>) -> Answer<Vec<operations::WaitingPlan>> {
    perform(&operator, operations::list_plans).await
}

async fn show_plan(
    operator: Data<Operator>,
    id: Path<i64>,
    consent: Query<ConsentRequest>,
) -> Answer<import::PlanReport> {
    perform(&operator, move |store| {
        import::plan(store, StageId(*id), consent.consent())
    })
    .await
}

async fn drop_plan(operator: Data<Operator>, id: Path<i64>) -> Answer<()> {
    perform(&operator, move |store| {
        import::drop_stage(store, StageId(*id))
    })
    .await
}

async fn set_target(
    operator: Data<Operator>,
    id: Path<i64>,
    target: Json<TargetRequest>,
) -> Answer<()> {
    let (branch, kind) = target.target()?.ok_or(OperationError::InvalidRequest(
        "no release and no branch".into(),
    ))?;
    perform(&operator, move |store| {
        import::set_target(store, StageId(*id), branch, kind)
    })
    .await
}

async fn commit_plan(
    operator: Data<Operator>,
    request: HttpRequest,
    id: Path<i64>,
    consent: Json<ConsentRequest>,
) -> Answer<import::Committed> {
    let who = who(&request);
    change(&operator, move |store| {
        import::commit(store, StageId(*id), &who, consent.consent())
    })
    .await
}

async fn list_distributions(
    operator: Data<Operator>,
) -> Answer<Vec<operations::DistributionReport>> {
    perform(&operator, operations::list_distributions).await
}

async fn create_distribution(
    operator: Data<Operator>,
    request: HttpRequest,
    new: Json<DistributionRequest>,
) -> Answer<operations::Changed> {
    let who = who(&request);
    let name = parse_name(&new.name)?;
    let branches = new
        .branches
        .iter()
        .map(|branch| parse_name(branch))
        .collect::<Result<Vec<_>, _>>()?;
    change(&operator, move |store| {
        operations::create_distribution(store, &who, &name, &branches)
    })
    .await
}

async fn activate(
    operator: Data<Operator>,
    request: HttpRequest,
    branch: Path<String>,
) -> Answer<operations::Changed> {
    let who = who(&request);
    let branch = parse_name(&branch)?;
    change(&operator, move |store| {
        operations::activate(store, &who, &branch)
    })
    .await
}

type Answer<T> = Result<Json<T>, Refusal>;

impl Operator {
    fn jobs(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Progress>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// Runs an operation on a thread that may block.
async fn perform<T, E>(
    operator: &Data<Operator>,
    operation: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
) -> Answer<T>
where
    T: Send + 'static,
    E: Into<OperationError> + Send + 'static,
{
    let store = Arc::clone(&operator.store);
    match web::block(move || operation(&store)).await {
        Ok(Ok(answer)) => Ok(Json(answer)),
        Ok(Err(error)) => Err(error.into().into()),
        Err(_stopped) => Err(OperationError::from(import::ImportError::Stopped).into()),
    }
}

/// Runs an operation that changes what is offered, and serves the change before it answers.
async fn change<T, E>(
    operator: &Data<Operator>,
    operation: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
) -> Answer<T>
where
    T: Send + 'static,
    E: Into<OperationError> + Send + 'static,
{
    let catalogs = Arc::clone(&operator.catalogs);
    perform(operator, move |store| {
        let answer = operation(store).map_err(Into::into)?;
        catalogs.reload(store)?;
        Ok::<_, OperationError>(answer)
    })
    .await
}

impl TargetRequest {
    /// Returns the branch that is asked for and its kind; `None` where neither is named.
    pub fn target(&self) -> Result<Option<(DistributionName, BranchKind)>, OperationError> {
        operations::target(self.release.as_deref(), self.branch.as_deref())
    }
}

impl ConsentRequest {
    /// Returns the consent that is given.
    pub fn consent(self) -> Consent {
        Consent {
            is_asked: self.overwrite,
            ..Consent::default()
        }
    }
}

impl From<&Staged> for StagedReport {
    fn from(staged: &Staged) -> Self {
        Self {
            plan: staged.stage.0,
            has_target: staged.target.is_some(),
            packages: staged.packages,
            new: staged.new,
        }
    }
}

fn who(request: &HttpRequest) -> String {
    request
        .conn_data::<PeerUser>()
        .map_or_else(|| "unknown".to_owned(), |peer| peer.name())
}

fn parse_name(text: &str) -> Result<DistributionName, OperationError> {
    DistributionName::parse(text).map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// Carries the chunks of a request's body to the thread that imports, an empty one at its proper end; a client that goes
/// away is an error there.
async fn feed(mut body: Payload, chunks: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(chunk) = body.next().await {
        if chunk.as_ref().is_ok_and(Bytes::is_empty) {
            continue;
        }
        let chunk = chunk
            .map_err(|error| io::Error::new(io::ErrorKind::ConnectionAborted, error.to_string()));
        if chunks.send(chunk).await.is_err() {
            return;
        }
    }
    let _ = chunks.send(Ok(Bytes::new())).await;
}

/// Reads the chunks that [`feed`] carries.
struct BodyReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
    is_at_end: bool,
}

impl BodyReader {
    fn channel() -> (mpsc::Sender<io::Result<Bytes>>, Self) {
        let (sender, chunks) = mpsc::channel(4);
        (
            sender,
            Self {
                chunks,
                current: Bytes::new(),
                is_at_end: false,
            },
        )
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() && !self.is_at_end {
            // A channel that ends without the mark of the end was dropped with its connection.
            let broken_off =
                || io::Error::new(io::ErrorKind::ConnectionAborted, "the upload broke off");
            self.current = self.chunks.blocking_recv().ok_or_else(broken_off)??;
            self.is_at_end = self.current.is_empty();
        }
        let bytes = self.current.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.current.split_to(bytes));
        Ok(bytes)
    }
}

/// A [`Failure`] as an HTTP answer.
#[derive(Debug)]
struct Refusal(Failure);

impl<E: Into<OperationError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(Failure::from(error))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.error)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self.0.kind.as_str() {
            "invalid-request" | "reserved-name" | "named-like-release" => StatusCode::BAD_REQUEST,
            "no-such-plan" | "no-such-branch" | "no-such-job" => StatusCode::NOT_FOUND,
            "store" | "damaged" | "data-folder" => StatusCode::INTERNAL_SERVER_ERROR,
            "disk-full" => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::CONFLICT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(&self.0)
    }
}

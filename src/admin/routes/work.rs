//! Long work that a request begins: it goes on without its client, who waits for it or asks not to.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::web::{Bytes, Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use super::body::feed;
use super::describe::{Content, Description, Given, Schemas};
use super::refusal::Refusal;
use super::{Answer, Operator, who};
use crate::admin::error::OperationError;
use crate::admin::jobs::{Ended, Job, JobId, JobKind, JobReport, NewJob, Stop};
use crate::import::ImportError;
use crate::store::Store;

/// What long work came to, or the job that it is.
pub(super) enum Worked<T> {
    /// Its client waited for it.
    Done(T),
    /// Its client did not want to wait (RFC 7240, 4.1).
    Begun(Box<JobReport>),
}

impl Operator {
    /// Begins work on the store as a job, whose changes are served before it ends.
    pub fn begin<T: Serialize + Send + 'static>(
        &self,
        kind: JobKind,
        subject: String,
        who: String,
        work: impl FnOnce(&Store) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<(Arc<Job>, Ended<T>), OperationError> {
        let new = NewJob {
            id: JobId::random(),
            kind,
            subject,
            who,
            upload: None,
        };
        let (store, catalogs) = (Arc::clone(&self.store), Arc::clone(&self.catalogs));
        self.jobs.begin(new, move |_| {
            catalogs.fetches().write_or_keep(&store);
            let done = work(&store)?;
            catalogs.reload(&store)?;
            Ok(done)
        })
    }
}

/// Does long work as a job, and waits for it unless the request asks not to.
pub(super) async fn work<T: Serialize + Send + 'static>(
    operator: &Operator,
    request: &HttpRequest,
    kind: JobKind,
    subject: String,
    work: impl FnOnce(&Store) -> Result<T, OperationError> + Send + 'static,
) -> Result<Worked<T>, Refusal> {
    let (job, ended) = operator.begin(kind, subject, who(request).name, work)?;
    let prefers = request.headers().get_all("prefer");
    let is_async = prefers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"));
    if is_async {
        return Ok(Worked::Begun(Box::new(job.report())));
    }
    Ok(Worked::Done(outcome(ended).await?))
}

/// Waits for a job whose source is the body of this request; stops it where the client goes away.
pub(super) async fn wait_fed<T>(
    (job, ended): (Arc<Job>, Ended<T>),
    body: Payload,
    chunks: mpsc::Sender<std::io::Result<Bytes>>,
) -> Answer<T> {
    /// Dropped with the request.
    struct Client(Arc<Job>);
    impl Drop for Client {
        fn drop(&mut self) {
            // Once it has ended that is nothing.
            let _ = self.0.stop(Stop::Left);
        }
    }
    let _client = Client(Arc::clone(&job));
    // The body is fed while the import reads; whichever of the two ends first ends the other.
    let feed = actix_web::rt::spawn(async move {
        tokio::select! {
            () = feed(body, chunks) => {}
            () = job.until_stopped() => {}
        }
    });
    let answer = outcome(ended).await;
    feed.abort();
    Ok(Json(answer?))
}

async fn outcome<T>(ended: Ended<T>) -> Result<T, Refusal> {
    match ended.await {
        Ok(outcome) => outcome.map_err(Refusal::from_failure),
        Err(_lost) => Err(OperationError::from(ImportError::Stopped).into()),
    }
}

impl<T: Serialize> Responder for Worked<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Self::Done(done) => HttpResponse::Ok().json(done),
            Self::Begun(job) => HttpResponse::Accepted().json(job),
        }
    }
}

impl<T: JsonSchema> Given for Worked<T> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        Json::<T>::tell(description, schemas);
        let job = Content::json(schemas.given.subschema_for::<JobReport>());
        description.answers.insert(202, job);
    }
}

//! The JSON API of the operations, `/admin/api/v1/…`, as `control.sock` speaks it: one file a subject.

mod additions;
mod body;
mod branches;
mod distributions;
mod history;
mod holds;
mod house;
mod imports;
mod keys;
mod plans;
mod quarantine;
mod questions;
mod records;
mod refusal;
mod signatures;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Json};

use super::error::OperationError;
use super::peer::PeerUser;
use crate::catalog::Catalogs;
use crate::distribution::DistributionName;
use crate::import::{self, Progress};
use crate::limits::Limits;
use crate::store::Store;

pub use distributions::DistributionRequest;
pub use history::HistoryRequest;
pub use holds::HoldsOf;
pub use imports::{ImportRequest, KnownSourceRequest, StagedReport};
pub use plans::{ConsentRequest, TargetRequest};
use refusal::Refusal;

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

/// Adds the routes to an application whose data holds an [`Operator`].
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/admin/api/v1")
            .route("/sources/known", web::get().to(imports::known_source))
            .route("/imports", web::post().to(imports::post_import))
            .route("/imports/{job}", web::get().to(imports::get_import))
            .route("/plans", web::get().to(plans::list_plans))
            .route("/plans/{id}", web::get().to(plans::show_plan))
            .route("/plans/{id}", web::delete().to(plans::drop_plan))
            .route("/plans/{id}/target", web::put().to(plans::set_target))
            .route("/plans/{id}/commit", web::post().to(plans::commit_plan))
            .route(
                "/branches/{branch}/remove",
                web::post().to(branches::remove),
            )
            .route("/promotions", web::post().to(branches::promote))
            .route("/releases", web::post().to(branches::tag))
            .route(
                "/releases/{release}/delete",
                web::post().to(house::delete_release),
            )
            .route("/additions", web::post().to(additions::add))
            .route(
                "/distributions/{name}/record",
                web::get().to(records::offer_record),
            )
            .route("/records/{number}", web::get().to(records::record))
            .route("/signer", web::get().to(records::signer))
            .route("/gc", web::post().to(house::collect))
            .route("/sizes", web::get().to(house::sizes))
            .route("/rollbacks", web::post().to(branches::rollback))
            .route("/distributions", web::get().to(distributions::list))
            .route("/distributions", web::post().to(distributions::create))
            .route("/distributions/{name}", web::get().to(distributions::show))
            .route("/distributions/{name}", web::put().to(distributions::set))
            .route(
                "/distributions/{name}",
                web::delete().to(distributions::delete),
            )
            .route(
                "/distributions/default/{branch}",
                web::put().to(distributions::activate),
            )
            .route("/distributions/{name}/holds", web::post().to(holds::hold))
            .route("/withdrawals", web::post().to(holds::withdraw))
            .route("/holds", web::get().to(holds::list))
            .route("/holds/{number}/release", web::post().to(holds::release))
            .route("/history", web::get().to(history::list))
            .route("/history/prune", web::post().to(history::prune))
            .route("/history/{number}", web::get().to(history::show))
            .route("/diff", web::get().to(questions::diff))
            .route("/explain", web::get().to(questions::explain))
            .route("/preflight", web::post().to(questions::preflight))
            .route("/keys", web::get().to(keys::list))
            .route("/keys", web::post().to(keys::add))
            .route("/keys/{fingerprint}", web::delete().to(keys::remove))
            .route("/quarantine", web::get().to(quarantine::list))
            .route("/quarantine/retry", web::post().to(quarantine::retry))
            .route("/quarantine/drop", web::post().to(quarantine::drop_cases))
            .route("/signatures", web::get().to(signatures::list))
            .route("/signatures/{branch}", web::get().to(signatures::show))
            .route(
                "/signatures/{branch}",
                web::put().to(signatures::set_policy),
            ),
    );
}

type Answer<T> = Result<Json<T>, Refusal>;

impl Operator {
    fn jobs(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Progress>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
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
    let catalogs = Arc::clone(&operator.catalogs);
    let operation = move || {
        // What was fetched up to now counts; where it cannot be written down it counts later.
        if let Err(error) = catalogs.fetches().write(&store) {
            tracing::debug!(%error, "what was fetched is not written down yet");
        }
        operation(&store)
    };
    match web::block(operation).await {
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

fn parse_name(text: &str) -> Result<DistributionName, OperationError> {
    DistributionName::parse(text).map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

fn who(request: &HttpRequest) -> String {
    request
        .conn_data::<PeerUser>()
        .map_or_else(|| "unknown".to_owned(), |peer| peer.name())
}

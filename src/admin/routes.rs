//! The JSON API of the operations, `/admin/api/v1/…`, as `control.sock` speaks it: one file a subject.

mod additions;
mod audit;
mod body;
mod branches;
mod describe;
mod distributions;
mod events;
mod history;
mod holds;
mod house;
mod imports;
mod jobs;
mod keys;
mod openapi;
mod plans;
mod quarantine;
mod questions;
mod records;
mod refusal;
mod session;
mod signatures;
mod status;
mod table;
mod tls;
mod tokens;
mod uploads;
mod users;
mod work;

use std::sync::Arc;

use actix_web::web::{self, Data, Json, JsonConfig, PathConfig, QueryConfig};
use actix_web::{HttpMessage, HttpRequest, Scope};
use arc_swap::ArcSwap;

use super::entrance::Door;
use super::error::OperationError;
use super::jobs::Jobs;
use super::roles::{Caller, Role, Roles};
use super::status::Service;
use crate::catalog::Catalogs;
use crate::distribution::DistributionName;
use crate::import;
use crate::limits::Limits;
use crate::people::Actor;
use crate::store::Store;

pub use distributions::DistributionRequest;
pub use history::HistoryRequest;
pub use holds::HoldsOf;
pub use imports::{ImportRequest, KnownSourceRequest};
pub use openapi::document;
pub use plans::{CommitRequest, ConsentRequest, TargetRequest};
pub(super) use refusal::Refusal;
pub(super) use session::web_of;
pub use table::{Served, served};

/// What the operations work on in a server.
#[derive(Debug)]
pub struct Operator {
    /// The store.
    pub store: Arc<Store>,
    /// What is served of it; taken up anew after each change.
    pub catalogs: Arc<Catalogs>,
    /// The bounds on imports.
    pub limits: Limits,
    /// Long work, under way and ended.
    pub jobs: Jobs,
    /// Who may do what.
    pub roles: ArcSwap<Roles>,
    /// What the server knows of itself.
    pub service: Service,
}

/// Adds the routes to an application whose data holds an [`Operator`], as `control.sock` has them.
pub fn configure(config: &mut web::ServiceConfig) {
    let scope = web::scope("/admin/api/v1").app_data(Door::ControlSocket);
    config.service(add_to(scope));
}

/// Adds the routes to a scope that says which door it is behind.
pub(super) fn add_to(scope: Scope) -> Scope {
    let scope = scope
        .app_data(PathConfig::default().error_handler(|error, _| unreadable(&error)))
        .app_data(QueryConfig::default().error_handler(|error, _| unreadable(&error)))
        .app_data(JsonConfig::default().error_handler(|error, _| unreadable(&error)));
    let routes = table::entries().into_iter();
    routes.fold(scope, |scope, entry| {
        let (path, route) = entry.guarded();
        scope.route(path, route)
    })
}

/// Returns the answer to what is not what the route takes.
fn unreadable(error: &dyn std::fmt::Display) -> actix_web::Error {
    Refusal::from(OperationError::InvalidRequest(error.to_string())).into()
}

type Answer<T> = Result<Json<T>, Refusal>;

impl Operator {
    /// Fails where who asks may not do what needs a role.
    fn check(&self, request: &HttpRequest, needed: Role) -> Result<(), OperationError> {
        let caller = caller(request).ok_or(OperationError::Nobody)?;
        self.roles.load().check(&caller, needed)
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
        catalogs.fetches().write_or_keep(&store);
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

pub(super) fn parse_name(text: &str) -> Result<DistributionName, OperationError> {
    DistributionName::parse(text).map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// Returns who asks, as the table has found them.
pub(super) fn caller(request: &HttpRequest) -> Option<Caller> {
    request.extensions().get::<Caller>().cloned()
}

pub(super) fn who(request: &HttpRequest) -> Actor {
    caller(request).map_or_else(
        || Actor::over_the_socket("unknown"),
        |caller| caller.actor(),
    )
}

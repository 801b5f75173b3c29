//! The pages at `/admin/`: what the operations say, as HTML that needs no script to be read or used.
//!
//! One file a page, with a template of the same name in `web/templates`. A page reads by the operations and decides nothing;
//! a form does one operation and leads to a page with an address. Who may see what stands in `table`.

mod assets;
mod audit;
mod change_line;
mod change_set;
mod changes;
mod connect;
mod difference;
mod distribution;
mod distribution_change;
mod distributions;
mod entry;
mod form;
mod frame;
mod icon;
mod installed;
mod job;
mod keys;
mod kibanas;
mod ledger;
pub mod lens;
mod listing;
mod matrix;
mod overview;
mod package;
mod package_version;
mod packages;
mod people;
mod plan;
mod preflight;
pub(super) mod problem;
mod quarantine;
mod release;
mod settings;
mod sparkline;
mod stamp;
mod storage;
mod strata;
mod support;
mod table;
mod tabs;
mod timeline;
mod tls;
mod tokens;
mod transfer;

use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, Scope};

use super::error::OperationError;
use super::routes::Operator;
use crate::import::ImportError;
use crate::people::Actor;
use crate::store::Store;
use frame::{Frame, FrameRequest};

pub use frame::Section;
pub use table::served;

/// Adds the pages to a scope that says which door it is behind, of an application whose data holds an [`Operator`].
pub(super) fn add_to(scope: Scope) -> Scope {
    let scope = scope
        .route("", web::get().to(async || see("/")))
        .route("/static/{file}", web::get().to(assets::show))
        .default_service(web::to(problem::no_such_page));
    table::entries().into_iter().fold(scope, |scope, entry| {
        let (path, route) = entry.guarded();
        scope.route(path, route)
    })
}

/// What a page is made of: the store, and what stands around it.
pub(super) struct Asked {
    pub(super) operator: Data<Operator>,
    pub(super) frame: Frame,
}

impl Asked {
    pub(super) fn store(&self) -> &Store {
        &self.operator.store
    }
}

/// Answers with the page that `make` makes; of what fails, a page that says so.
pub(super) async fn view<T: std::fmt::Display>(
    request: &HttpRequest,
    operator: &Data<Operator>,
    section: Section,
    make: impl FnOnce(Asked) -> Result<T, OperationError> + Send + 'static,
) -> HttpResponse {
    let asked = FrameRequest::of(request, section);
    let operator = operator.clone();
    let made = web::block(move || {
        operator.catalogs.fetches().write_or_keep(&operator.store);
        let frame = Frame::load(&operator.store, asked, &operator.service)?;
        Ok::<_, OperationError>(make(Asked { operator, frame })?.to_string())
    });
    match made.await {
        Ok(Ok(html)) => page(html),
        Ok(Err(error)) => problem::page(request, error).await,
        Err(_stopped) => problem::page(request, ImportError::Stopped.into()).await,
    }
}

/// Does an operation that a form asks for, serves what it changed, and leads to the page whose path, below `/admin`, the
/// operation returns.
pub(super) async fn act(
    request: &HttpRequest,
    operator: &Data<Operator>,
    operation: impl FnOnce(&Store, &Actor) -> Result<String, OperationError> + Send + 'static,
) -> HttpResponse {
    let who = super::routes::who(request);
    let (store, catalogs) = (Arc::clone(&operator.store), Arc::clone(&operator.catalogs));
    let done = web::block(move || {
        catalogs.fetches().write_or_keep(&store);
        let path = operation(&store, &who)?;
        catalogs.reload(&store)?;
        Ok::<_, OperationError>(path)
    });
    match done.await {
        Ok(Ok(path)) => see(&path),
        Ok(Err(error)) => problem::page(request, error).await,
        Err(_stopped) => problem::page(request, ImportError::Stopped.into()).await,
    }
}

/// Leads to another page, below `/admin`, after a form was taken (RFC 9110, 15.4.4).
pub(super) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/admin{path}")))
        .finish()
}

fn page(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(html)
}

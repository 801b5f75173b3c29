//! HTTP as Kibana speaks it: reads only.
//!
//! A request's raw path becomes a [`route::Route`]; what it names is looked up; [`selection::select`] decides which form
//! of it goes out (coding, condition, range) and [`reply`] writes the headers. Whoever asks can change nothing: there is
//! no writing hand behind this door.

pub mod access;
mod artifact;
mod blocks;
pub mod body;
pub mod condition;
pub mod content_type;
mod document;
pub mod encoding;
pub mod error;
mod file;
pub mod gzip;
mod listing;
pub mod pieces;
pub mod range;
pub mod reply;
pub mod route;
pub mod selection;
mod send;
mod state;
mod stored;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::catalog::{Catalog, Fetched};
use crate::distribution::{CacheTimes, DistributionName};
use crate::package::PackageId;
use crate::store::change_sets::ChangeSetId;
use access::{Access, Verdict};
use error::ApiError;
use reply::{Caching, Refused};
use route::{Resource, Route};
pub use state::State;

/// What every handler needs of a request.
struct Asking {
    request: HttpRequest,
    state: Data<State>,
    catalog: Arc<Catalog>,
}

/// Answers every path of an application whose data holds a [`State`].
pub fn configure(config: &mut ServiceConfig) {
    config.default_service(web::to(answer));
}

async fn answer(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let access = state.access.load();
    let asked = request.clone();
    let answer = match admit(&access, &request).await {
        Ok(()) => dispatch(request, state.clone()).await,
        Err(error) => Err(error.into()),
    };
    let mut answer = answer.unwrap_or_else(|Refused { error, caching }| {
        error.log(asked.path(), || access.request_id(&asked));
        reply::error(&error, caching)
    });
    if access.is_restricted() {
        reply::keep_from_others(&mut answer);
    }
    answer
}

/// Fails where whoever asks may not. Whoever watches over the server need not be somebody it knows.
async fn admit(access: &Access, request: &HttpRequest) -> Result<(), ApiError> {
    if request.uri().path() == "/health" {
        return Ok(());
    }
    if is_part_of_a_page(request) {
        return Err(ApiError::PartOfAPage);
    }
    match access.judge(request)? {
        Verdict::Passed => Ok(()),
        Verdict::Asking(attempt) => attempt.decide().await,
    }
}

/// Tells whether a browser asks for what a page of this very host is to run or show within itself: the pages of the admin side
/// are at the same origin as the scripts and frames that packages bring (W3C Fetch Metadata, 2).
fn is_part_of_a_page(request: &HttpRequest) -> bool {
    let sent = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    let is_passive = |it: &[u8]| matches!(it, b"empty" | b"document" | b"image");
    sent("sec-fetch-site") == Some(b"same-origin")
        && sent("sec-fetch-dest").is_some_and(|it| !is_passive(it))
}

async fn dispatch(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Refused> {
    let route = Route::parse(request.uri().path(), &state.limits).ok_or(ApiError::UnknownPath)?;
    let catalog = match &route.distribution {
        None => state.catalogs.default_catalog(),
        Some(name) => match route.change_set {
            None => state.catalogs.get(name),
            Some(at) => past(&state, name, at).await?,
        }
        .ok_or(ApiError::UnknownPath)?,
    };
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(reply::options()),
        _ => return Err(ApiError::MethodNotAllowed.into()),
    }
    let asking = Asking {
        request,
        state,
        catalog,
    };
    match route.resource {
        Resource::Index => Ok(listing::index(&asking)),
        Resource::Health => Ok(listing::health(&asking)),
        Resource::Favicon => Ok(listing::favicon(&asking)),
        Resource::Search => listing::search(&asking),
        Resource::Categories => listing::categories(&asking),
        Resource::Document(asked) => document::show(&asking, &asked).await,
        Resource::File(asked, path) => file::show(&asking, &asked, &path).await,
        Resource::Artifact(asked) => artifact::show(&asking, &asked).await,
        Resource::Signature(asked) => artifact::signature(&asking, &asked).await,
        // Only the oldest dialect has tarballs.
        Resource::Tarball(_) => Err(ApiError::UnknownPath.into()),
    }
}

/// Returns what a distribution offered right after a change set, `None` where it was not there. One is built at a time, so
/// that those who ask for many keep nobody else from the threads that read.
async fn past(
    state: &Data<State>,
    name: &DistributionName,
    at: ChangeSetId,
) -> Result<Option<Arc<Catalog>>, ApiError> {
    let kept = state.catalogs.kept_past(name, at);
    if kept.is_some() {
        return Ok(kept);
    }
    let _only_one = state.building.lock().await;
    let (state, name) = (state.clone(), name.clone());
    let build = move || state.catalogs.past(&state.store, &name, at);
    let built = web::block(build).await.map_err(ApiError::internal)?;
    built.map_err(ApiError::internal)
}

impl Asking {
    /// Returns what the distribution answers for as this package version; `absent` where it never offered it, or it is
    /// withdrawn. What is offered needs no read of the store.
    async fn find(&self, package: &PackageId, absent: ApiError) -> Result<Fetched, ApiError> {
        let fetched = match self.catalog.known(package) {
            Some(known) => known,
            None => {
                let (catalog, state) = (Arc::clone(&self.catalog), self.state.clone());
                let package = package.clone();
                let fetch = move || catalog.fetch(&state.store, &package);
                let fetched = web::block(fetch).await.map_err(ApiError::internal)?;
                fetched.map_err(ApiError::internal)?
            }
        };
        fetched.ok_or(absent)
    }

    /// Returns how long answers may be kept: as the settings say, else the distribution.
    fn cache_times(&self) -> CacheTimes {
        self.state.cache.over(self.catalog.cache_times)
    }

    /// Returns how long files, zips and the favicon may be kept.
    fn catch_all(&self) -> Caching {
        Caching::Public {
            max_age_seconds: self.cache_times().catch_all_seconds,
        }
    }

    /// Returns how long `/` and package documents may be kept.
    fn index_caching(&self) -> Caching {
        Caching::Public {
            max_age_seconds: self.cache_times().index_seconds,
        }
    }
}

//! What is answered from the catalog alone: `/`, `/search`, `/categories` and the favicon.

use actix_web::HttpResponse;
use bytes::Bytes;

use super::Asking;
use super::condition::Validators;
use super::error::ApiError;
use super::reply::{self, Caching, Kind, Refused};
use super::send::{self, Sent, kept};
use crate::catalog::{Answer, Question};
use crate::crypto::Digest;
use crate::package::{CategoriesQuery, SearchQuery};

/// What the reference registry of the newest dialect says at `/` (registry-api.md, "Dialects").
const INDEX: &str =
    "{\n  \"service.name\": \"package-registry\",\n  \"service.version\": \"1.40.1\"\n}\n";

static FAVICON: &[u8] = include_bytes!("../../web/favicon.ico");

/// Answers `/`: which registry this is.
pub(super) fn index(asking: &Asking) -> HttpResponse {
    kept(asking, &Answer::new(INDEX.into()), asking.index_caching())
}

/// Answers `/health`, with nothing: what asks looks at the status. Asked whether it is `ready` it says where packages are in
/// quarantine: the others are served, so the status stays 200.
pub(super) fn health(asking: &Asking) -> HttpResponse {
    let is_asked = raw_query(asking)
        .split('&')
        .any(|pair| pair == "ready=true");
    let line = match asking.state.catalogs.quarantined() {
        0 => None,
        1 => Some("1 package is in quarantine".to_owned()),
        count => Some(format!("{count} packages are in quarantine")),
    };
    reply::health(line.filter(|_| is_asked).as_deref())
}

/// Answers `/favicon.ico`.
pub(super) fn favicon(asking: &Asking) -> HttpResponse {
    let validators = Validators {
        tag: send::tag(&Digest::of(FAVICON)),
        modified: None,
    };
    let sent = Sent {
        kind: Kind::Icon,
        caching: asking.catch_all(),
        validators,
    };
    send::from_memory(asking, &sent, &Bytes::from_static(FAVICON), None)
}

/// Answers `/search`.
pub(super) fn search(asking: &Asking) -> Result<HttpResponse, Refused> {
    let query =
        SearchQuery::parse(raw_query(asking), &asking.state.limits).map_err(ApiError::from)?;
    let catalog = &asking.catalog;
    let answer = catalog
        .answers()
        .get(Question::Search(query.clone()), |_| catalog.search(&query))
        .map_err(ApiError::internal)?;
    let max_age_seconds = asking.cache_times().search_seconds;
    Ok(kept(asking, &answer, Caching::Public { max_age_seconds }))
}

/// Answers `/categories`.
pub(super) fn categories(asking: &Asking) -> Result<HttpResponse, Refused> {
    let query =
        CategoriesQuery::parse(raw_query(asking), &asking.state.limits).map_err(ApiError::from)?;
    let catalog = &asking.catalog;
    let find = |_: &Question| Ok::<_, std::convert::Infallible>(catalog.categories(&query));
    let answer = catalog
        .answers()
        .get(Question::Categories(query.clone()), find)
        .map_err(ApiError::internal)?;
    let max_age_seconds = asking.cache_times().categories_seconds;
    Ok(kept(asking, &answer, Caching::Public { max_age_seconds }))
}

fn raw_query(asking: &Asking) -> &str {
    asking.request.uri().query().unwrap_or_default()
}

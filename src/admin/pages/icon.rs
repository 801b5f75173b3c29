//! The drawings of packages: served here too, since the registry may ask for a password or be at another address.
//!
//! They come out of packages, so they are nobody's friend: an SVG that is opened by itself may run and fetch nothing.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::listing::Listed;
use crate::admin::package;
use crate::admin::routes::Operator;
use crate::catalog::Catalog;
use crate::package::PackageId;
use crate::store::distributions;

/// Bytes of a drawing that is shown.
const MOST_BYTES: u64 = 1 << 20;
/// What a drawing may do when it is opened by itself.
const HARMLESS: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Answers with the drawing of a package version that the distribution at `/` or one of the branches has.
pub(super) async fn of(operator: Data<Operator>, id: Option<PackageId>) -> HttpResponse {
    let Some(id) = id else {
        return HttpResponse::NotFound().finish();
    };
    let found = web::block(move || find(&operator, &id)).await;
    match found.ok().flatten() {
        Some((media_type, bytes)) => harmless(HttpResponse::Ok())
            .insert_header((CONTENT_TYPE, media_type))
            .insert_header((CACHE_CONTROL, "private, max-age=86400"))
            .body(bytes),
        None => harmless(HttpResponse::NotFound()).finish(),
    }
}

fn harmless(mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
    answer.insert_header((CONTENT_SECURITY_POLICY, HARMLESS));
    answer
}

fn find(operator: &Operator, id: &PackageId) -> Option<(&'static str, Vec<u8>)> {
    let element_of = |catalog: Arc<Catalog>| {
        let element = catalog.find(id)?;
        let listing: Listed = serde_json::from_slice(&catalog.listing(element).ok()?).ok()?;
        Some((Arc::clone(element), listing))
    };
    // What answers at `/` is what is looked at most; the others are asked where it is not there.
    let elsewhere = || {
        let all = operator.store.read(distributions::all).ok()?;
        let catalogs = all.iter().filter_map(|it| operator.catalogs.get(&it.name));
        catalogs.into_iter().find_map(element_of)
    };
    let (element, listing) = element_of(operator.catalogs.default_catalog()).or_else(elsewhere)?;
    let path = listing.icon_path()?;
    let media_type = match path.rsplit('.').next()? {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        _ => return None,
    };
    let bytes = package::file(&operator.store, element.artifact.id, path, MOST_BYTES);
    Some((media_type, bytes.ok()??))
}

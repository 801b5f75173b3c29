//! Style, script and drawings of the pages: files of `web/static`, embedded, each at an address that changes with its bytes.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use rust_embed::RustEmbed;

use crate::crypto::Digest;

#[derive(RustEmbed)]
#[folder = "web/static/"]
struct Files;

/// Returns the address of a file: it names the digest of its bytes, so that it can be kept for ever.
pub(super) fn address(name: &str) -> String {
    let digest = Files::get(name).map(|file| Digest::from_bytes(file.metadata.sha256_hash()));
    match digest {
        Some(digest) => format!("/admin/static/{name}?{}", &digest.to_string()[..12]),
        None => format!("/admin/static/{name}"),
    }
}

/// Answers with a file. Needs nobody to be signed in: the page to sign in at is made of them too.
pub(super) async fn show(name: Path<String>) -> impl Responder {
    let Some(file) = Files::get(&name) else {
        return HttpResponse::NotFound().finish();
    };
    let media_type = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(file.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_what_it_is_made_of_stay_small() {
        let bytes = |name: &str| Files::get(name).unwrap().data.len();
        assert!(bytes("airlock.css") <= 14_336);
        assert!(bytes("airlock.js") <= 20_480);
        assert!(bytes("icons.svg") <= 8_192);
    }

    #[test]
    fn no_file_reaches_for_another_host() {
        for name in Files::iter() {
            let file = Files::get(&name).unwrap();
            let text = String::from_utf8(file.data.into_owned()).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("//www.") && !text.contains("http"), "{name}");
        }
    }
}

//! Every header of each kind of answer.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "support/responses.rs"]
mod responses;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use airlock::api::body::Announced;
use airlock::api::condition::Validators;
use airlock::api::error::ApiError;
use airlock::api::reply::{self, Caching, Kind};
use airlock::api::selection::{Forms, Selection, select};
use insta::assert_snapshot;

const SIZE: u64 = 100;

fn answer(kind: Kind<'_>, forms: Forms, headers: &[(HeaderName, &str)]) -> HttpResponse {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.clone(), HeaderValue::from_str(value).unwrap());
    }
    let validators = Validators {
        tag: 0x2cf2_4dba_5fb0_a30e_26e8_3b2a_c5b9_e29e,
        modified: kind.has_ranges().then_some(1_795_341_600),
    };
    let caching = Caching::Public {
        max_age_seconds: 600,
    };
    let max_ranges = if kind.has_ranges() { 16 } else { 0 };
    let selection = select(&map, &validators, forms, SIZE, max_ranges);
    let mut answer = reply::begin(kind, caching, &validators, forms, selection, SIZE);
    match selection {
        Selection::Unsatisfiable(error) => reply::unsatisfiable(answer, error),
        Selection::NotModified(_) => answer.finish(),
        _ => answer.body("…"),
    }
}

const FILE: Kind<'_> = Kind::File {
    content_type: "image/svg+xml",
};

#[actix_web::test]
async fn a_document() {
    let answer = answer(Kind::Json, Forms::PlainOrGzip, &[]);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-type: application/json
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    server: airlock/0.1.0
    vary: Accept-Encoding

    …
    "#);
}

#[actix_web::test]
async fn a_document_as_gzip() {
    let headers = [(header::ACCEPT_ENCODING, "gzip,deflate")];
    let answer = answer(Kind::Json, Forms::PlainOrGzip, &headers);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-encoding: gzip
    content-length: 3
    content-type: application/json
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e-gz"
    server: airlock/0.1.0
    vary: Accept-Encoding

    …
    "#);
}

#[actix_web::test]
async fn a_file() {
    let answer = answer(FILE, Forms::PlainOrGzip, &[]);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:
    content-type: image/svg+xml
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    last-modified: Sun, 22 Nov 2026 10:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    x-content-type-options: nosniff

    …
    "#);
}

#[actix_web::test]
async fn a_part_of_a_file() {
    let headers = [
        (header::RANGE, "bytes=5-"),
        (header::IF_RANGE, "\"2cf24dba5fb0a30e26e83b2ac5b9e29e\""),
        (header::ACCEPT_ENCODING, "gzip"),
    ];
    let answer = answer(FILE, Forms::PlainOrGzip, &headers);
    assert_snapshot!(responses::text(answer).await, @r#"
    206 Partial Content
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-range: bytes 5-99/100
    content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:
    content-type: image/svg+xml
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    last-modified: Sun, 22 Nov 2026 10:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    x-content-type-options: nosniff

    …
    "#);
}

#[actix_web::test]
async fn a_file_that_the_client_holds() {
    let headers = [
        (
            header::IF_NONE_MATCH,
            "\"2cf24dba5fb0a30e26e83b2ac5b9e29e-gz\"",
        ),
        (header::ACCEPT_ENCODING, "gzip"),
    ];
    let answer = answer(FILE, Forms::PlainOrGzip, &headers);
    assert_snapshot!(responses::text(answer).await, @r#"
    304 Not Modified
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e-gz"
    last-modified: Sun, 22 Nov 2026 10:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    "#);
}

#[actix_web::test]
async fn a_range_past_the_end() {
    let answer = answer(FILE, Forms::PlainOrGzip, &[(header::RANGE, "bytes=100-")]);
    assert_snapshot!(responses::text(answer).await, @r"
    416 Range Not Satisfiable
    access-control-allow-origin: *
    content-length: 33
    content-range: bytes */100
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid range: failed to overlap
    ");
}

#[actix_web::test]
async fn a_range_that_is_none() {
    let answer = answer(FILE, Forms::PlainOrGzip, &[(header::RANGE, "bytes=a-b")]);
    assert_snapshot!(responses::text(answer).await, @r"
    416 Range Not Satisfiable
    access-control-allow-origin: *
    content-length: 14
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid range
    ");
}

#[actix_web::test]
async fn a_zip_is_never_encoded() {
    let answer = answer(
        Kind::Zip,
        Forms::PlainOnly,
        &[(header::ACCEPT_ENCODING, "gzip")],
    );
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-type: application/zip
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    last-modified: Sun, 22 Nov 2026 10:00:00 GMT
    server: airlock/0.1.0

    …
    "#);
}

#[actix_web::test]
async fn a_signature() {
    let answer = answer(Kind::Signature, Forms::PlainOnly, &[]);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-type: application/pgp-signature
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    server: airlock/0.1.0

    …
    "#);
}

#[actix_web::test]
async fn the_favicon() {
    let answer = answer(Kind::Icon, Forms::PlainOnly, &[]);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-type: image/x-icon
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    server: airlock/0.1.0

    …
    "#);
}

#[actix_web::test]
async fn health() {
    assert_snapshot!(responses::text(reply::health(None)).await, @r"
    200 OK
    access-control-allow-origin: *
    content-length: 0
    server: airlock/0.1.0
    ");
}

#[actix_web::test]
async fn options() {
    assert_snapshot!(responses::text(reply::options()).await, @r"
    204 No Content
    access-control-allow-headers: *
    access-control-allow-methods: GET, HEAD, OPTIONS
    access-control-allow-origin: *
    allow: GET, HEAD, OPTIONS
    server: airlock/0.1.0
    ");
}

#[actix_web::test]
async fn an_unknown_path() {
    let answer = reply::error(&ApiError::UnknownPath, Caching::Never);
    assert_snapshot!(responses::text(answer).await, @r"
    404 Not Found
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 19
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    404 page not found
    ");
}

#[actix_web::test]
async fn an_unknown_package_version() {
    let answer = reply::error(&ApiError::PackageNotFound, Caching::Never);
    assert_snapshot!(responses::text(answer).await, @r"
    404 Not Found
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 27
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    package revision not found
    ");
}

#[actix_web::test]
async fn a_bad_version() {
    let answer = reply::error(&ApiError::InvalidVersion, Caching::Never);
    assert_snapshot!(responses::text(answer).await, @r"
    400 Bad Request
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 24
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid package version
    ");
}

#[actix_web::test]
async fn a_file_missing_in_a_known_version() {
    let caching = Caching::Public {
        max_age_seconds: 600,
    };
    let answer = reply::error(&ApiError::FileNotFound, caching);
    assert_snapshot!(responses::text(answer).await, @r"
    404 Not Found
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 19
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    resource not found
    ");
}

#[actix_web::test]
async fn a_method_that_could_change_something() {
    let answer = reply::error(&ApiError::MethodNotAllowed, Caching::Never);
    assert_snapshot!(responses::text(answer).await, @r"
    405 Method Not Allowed
    access-control-allow-origin: *
    allow: GET, HEAD, OPTIONS
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 19
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    method not allowed
    ");
}

#[actix_web::test]
async fn a_failure_of_ours() {
    let error = ApiError::Internal("disk I/O error".into());
    let answer = reply::error(&error, Caching::Never);
    assert_snapshot!(responses::text(answer).await, @r"
    500 Internal Server Error
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 22
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    internal server error
    ");
}

#[actix_web::test]
async fn head_gives_the_length_and_no_bytes() {
    let announced = BoxBody::new(Announced(SIZE));
    let answer = answer(Kind::Json, Forms::PlainOrGzip, &[]).set_body(announced);
    assert_snapshot!(responses::text(answer).await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 100
    content-type: application/json
    etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e"
    server: airlock/0.1.0
    vary: Accept-Encoding
    "#);
}

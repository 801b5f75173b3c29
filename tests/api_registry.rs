//! What a registry says of itself, and every kind of refusal: whole answers.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use actix_web::http::Method;
use airlock::crypto::Digest;
use insta::assert_snapshot;
use support::{TestRegistry, header, package};

async fn registry() -> TestRegistry {
    TestRegistry::holding([package("nginx", "1.20.0")]).await
}

#[actix_web::test]
async fn the_index_says_which_registry_this_is() {
    let registry = TestRegistry::empty();
    let index = registry.get("/").await;
    assert_snapshot!(index, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=10
    cache-control: public
    content-length: 72
    content-type: application/json
    etag: "3d0e06a64798e64ef6f356062b48e253"
    server: airlock/0.1.0
    vary: Accept-Encoding

    {
      "service.name": "package-registry",
      "service.version": "1.40.1"
    }
    "#);
    for same in ["/index.json", "//", "/d/default/", "/d/default"] {
        assert_eq!(registry.get(same).await, index, "{same}");
    }
}

#[actix_web::test]
async fn health_is_an_empty_answer() {
    let registry = TestRegistry::empty();
    assert_snapshot!(registry.get("/health").await, @r"
    200 OK
    access-control-allow-origin: *
    content-length: 0
    server: airlock/0.1.0
    ");
    assert_eq!(
        registry.get("/health?ready=true").await,
        registry.get("/health").await
    );
}

#[actix_web::test]
async fn the_favicon_is_our_own() {
    let registry = TestRegistry::empty();
    let icon = include_bytes!("../web/favicon.ico");
    let (_, body) = registry.body("/favicon.ico", &[]).await;
    assert_eq!(body, icon.as_slice());

    let held = format!("\"{}\"", &Digest::of(icon).to_string()[..32]);
    let headers = [("if-none-match", held.as_str())];
    assert_snapshot!(registry.get_with("/favicon.ico", &headers).await, @r#"
    304 Not Modified
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    etag: "1fd0c81abd8175e567c902cfb320a575"
    server: airlock/0.1.0
    "#);
    let gzip = [("accept-encoding", "gzip")];
    let answer = registry.answer(Method::HEAD, "/favicon.ico", &gzip).await;
    assert_eq!(header(&answer, "content-type"), "image/x-icon");
    assert_eq!(header(&answer, "content-encoding"), "");
}

#[actix_web::test]
async fn an_empty_store_offers_nothing() {
    let registry = TestRegistry::empty();
    assert_snapshot!(registry.get("/search").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 2
    content-type: application/json
    etag: "39347ff402b6c53d831154110e30ac6a"
    server: airlock/0.1.0
    vary: Accept-Encoding

    []
    "#);
    assert_snapshot!(registry.get("/categories").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 3
    content-type: application/json
    etag: "50a099a76306177b467ca98f305dd0b6"
    server: airlock/0.1.0
    vary: Accept-Encoding

    []
    "#);
    assert_snapshot!(registry.get("/d/9.2.0/search").await, @r"
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
async fn a_version_we_do_not_hold_is_not_found() {
    let registry = registry().await;
    let unknown = registry.get("/package/nginx/9.9.9/").await;
    assert_snapshot!(unknown, @r"
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
    for same in [
        "/package/nginx/9.9.9",
        "/package/nginx/1.20.0-rc.1/",
        "/package/nginx/1.20.0+build/",
        "/package/apache/1.20.0/",
        "/package/nginx/9.9.9/manifest.yml",
        "/package/Nginx/1.20.0/",
        "/package/nginx*/1.20.0/manifest.yml",
    ] {
        assert_eq!(registry.get(same).await, unknown, "{same}");
    }
}

#[actix_web::test]
async fn a_version_that_is_none_is_refused() {
    let registry = registry().await;
    let refused = registry.get("/package/nginx/1.20/").await;
    assert_snapshot!(refused, @r"
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
    for same in [
        "/package/nginx/v1.20.0/",
        "/package/nginx/latest",
        "/package/nginx/1.20.0%20/",
        "/package/nginx/01.20.0/manifest.yml",
        "/package/apache/1/",
        "/epr/nginx/nginx-1.20.zip",
        "/epr/nginx/nginx-1.20.zip.sig",
        "/package/nginx/18446744073709551616.0.0/",
    ] {
        assert_eq!(registry.get(same).await, refused, "{same}");
    }
}

#[actix_web::test]
async fn a_zip_and_a_signature_we_do_not_hold_are_not_found() {
    let registry = registry().await;
    let unknown = registry.get("/epr/nginx/nginx-9.9.9.zip").await;
    assert_snapshot!(unknown, @r"
    404 Not Found
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 19
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    artifact not found
    ");
    for same in [
        "/epr/apache/nginx-1.20.0.zip",
        "/epr/nginx/apache-1.20.0.zip",
        "/epr/Nginx/nginx-1.20.0.zip",
    ] {
        assert_eq!(registry.get(same).await, unknown, "{same}");
    }
    let unsigned = registry.get("/epr/nginx/nginx-1.20.0.zip.sig").await;
    assert_snapshot!(unsigned, @r"
    404 Not Found
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 25
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    signature file not found
    ");
    for same in [
        "/epr/nginx/nginx-9.9.9.zip.sig",
        "/epr/apache/nginx-1.20.0.zip.sig",
    ] {
        assert_eq!(registry.get(same).await, unsigned, "{same}");
    }
}

#[actix_web::test]
async fn a_file_missing_in_a_known_version_may_be_remembered_as_missing() {
    let registry = registry().await;
    let missing = registry.get("/package/nginx/1.20.0/docs/GONE.md").await;
    assert_snapshot!(missing, @r"
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
    for same in [
        "/package/nginx/1.20.0/docs",
        "/package/nginx/1.20.0/docs/",
        "/package/nginx/1.20.0/manifest.yml/x",
        "/package/nginx/1.20.0/Manifest.yml",
        "/package/nginx/1.20.0/docs%5cREADME.md",
    ] {
        assert_eq!(registry.get(same).await, missing, "{same}");
    }
}

#[actix_web::test]
async fn what_no_route_is_like_is_not_found_and_tells_nothing() {
    let registry = registry().await;
    let unknown = registry.get("/nothing").await;
    assert_snapshot!(unknown, @r"
    404 Not Found
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 19
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    404 page not found
    ");
    for same in [
        "/package/nginx",
        "/search/x",
        "/d/9.9.9/",
        "/d/9.9.9/package/nginx/1.20.0/",
        "/d/../search",
        "/d/UPPER/search",
        "/d/d/9.2.0/search",
        "/d/9.2.0/d/9.2.0/search",
        "/epr/nginx/nginx-1.20.0.tar.gz",
        "/epr/nginx/nginx-1.20.0.zip/x",
        "/package/nginx/1.20.0/%2e%2e/1.20.0/manifest.yml",
        "/package/nginx/1.20.0/%2e%2e%2f%2e%2e%2f%2e%2e%2fairlock.db",
        "/package/nginx/1.20.0/..%2f..%2fairlock.db",
        "/package/nginx/%2e%2e/1.20.0/manifest.yml",
        "/package/%2e%2e/%2e%2e/airlock.db",
        "/epr/%2e%2e/nginx-1.20.0.zip",
        "/package/nginx/1.20.0/manifest.yml%00",
        "/package/nginx/1.20.0/%00",
        "/package/nginx/1.20.0/%ff",
        "/package/nginx/1.20.0/%c0%ae%c0%ae/manifest.yml",
        "/package/nginx/1.20.0/%ef%bf",
        "/package/nginx/1.20.0/%",
        "/package/nginx/1.20.0/%zz",
        "/package/%ff/1.20.0/",
        "/airlock.db",
        "/%2e%2e/airlock.db",
    ] {
        assert_eq!(registry.get(same).await, unknown, "{same}");
    }
}

#[actix_web::test]
async fn doubled_encodings_are_decoded_once() {
    let odd = package("nginx", "1.20.0").with_file("docs/100%25.md", "odd");
    let registry = TestRegistry::holding([odd]).await;
    let missing = registry.get("/package/nginx/1.20.0/gone").await;
    for path in [
        "/package/nginx/1.20.0/%252e%252e/%252e%252e/airlock.db",
        "/package/nginx/1.20.0/%252e%252e%252fairlock.db",
        "/package/nginx/1.20.0/manifest%252eyml",
        "/package/nginx/1.20.0/manifest.yml%2500",
        "/package/nginx/1.20.0/docs/100%25.md",
    ] {
        assert_eq!(registry.get(path).await, missing, "{path}");
    }
    let (status, body) = registry
        .body("/package/nginx/1.20.0/docs/100%2525.md", &[])
        .await;
    assert_eq!((status, body.as_ref()), (200, b"odd".as_slice()));
}

#[actix_web::test]
async fn methods_that_could_change_something_are_refused() {
    let registry = registry().await;
    let refused = registry.request(Method::POST, "/search", &[]).await;
    assert_snapshot!(refused, @r"
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
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::TRACE,
        Method::CONNECT,
        Method::from_bytes(b"PURGE").unwrap(),
    ] {
        for path in [
            "/",
            "/search",
            "/health",
            "/favicon.ico",
            "/categories?prerelease=x",
            "/package/nginx/1.20.0/",
            "/package/nginx/9.9.9/manifest.yml",
            "/epr/nginx/nginx-1.20.0.zip",
            "/d/9.2.0/search",
        ] {
            let answer = registry.request(method.clone(), path, &[]).await;
            assert_eq!(answer, refused, "{method} {path}");
        }
    }
    let nowhere = registry.request(Method::POST, "/nothing", &[]).await;
    assert_eq!(nowhere, registry.get("/nothing").await);
}

#[actix_web::test]
async fn options_says_what_may_be_asked() {
    let registry = registry().await;
    let options = registry.request(Method::OPTIONS, "/search", &[]).await;
    assert_snapshot!(options, @r"
    204 No Content
    access-control-allow-headers: *
    access-control-allow-methods: GET, HEAD, OPTIONS
    access-control-allow-origin: *
    allow: GET, HEAD, OPTIONS
    server: airlock/0.1.0
    ");
    let preflight = [
        ("origin", "https://kibana.example"),
        ("access-control-request-method", "GET"),
    ];
    for path in ["/", "/package/nginx/1.20.0/", "/epr/nginx/nginx-1.20.0.zip"] {
        let answer = registry.request(Method::OPTIONS, path, &preflight).await;
        assert_eq!(answer, options, "{path}");
    }
    let nowhere = registry.request(Method::OPTIONS, "/nothing", &[]).await;
    assert!(nowhere.starts_with("404 "), "{nowhere}");
}

#[actix_web::test]
async fn head_is_get_without_its_body() {
    let big = package("nginx", "1.20.0").with_file("docs/big.txt", "big ".repeat(100_000));
    let registry = TestRegistry::holding([big]).await;
    for path in [
        "/",
        "/health",
        "/favicon.ico",
        "/search",
        "/categories",
        "/package/nginx/1.20.0/",
        "/package/nginx/1.20.0/manifest.yml",
        "/package/nginx/1.20.0/docs/big.txt",
        "/epr/nginx/nginx-1.20.0.zip",
    ] {
        for headers in [
            &[][..],
            &[("accept-encoding", "gzip")],
            &[("range", "bytes=1-3")],
        ] {
            let get = registry.answer(Method::GET, path, headers).await;
            let head = registry.answer(Method::HEAD, path, headers).await;
            assert_eq!(head.status(), get.status());
            let names = |answer: &actix_web::HttpResponse| {
                let mut names: Vec<_> = answer
                    .headers()
                    .iter()
                    .map(|(name, value)| format!("{name}: {value:?}"))
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names(&head), names(&get), "{path}");
            use actix_web::body::MessageBody;
            assert_eq!(head.body().size(), get.body().size(), "{path} {headers:?}");
            let body = actix_web::body::to_bytes(head.into_body()).await.unwrap();
            assert_eq!(body, b"".as_slice(), "{path}");
        }
    }
}

#[actix_web::test]
async fn every_answer_is_also_at_the_address_of_its_distribution() {
    let registry = registry().await;
    for path in [
        "/",
        "/index.json",
        "/health",
        "/favicon.ico",
        "/search",
        "/categories",
        "/package/nginx/1.20.0/",
        "/package/nginx/1.20.0/manifest.yml",
        "/epr/nginx/nginx-1.20.0.zip",
        "/epr/nginx/nginx-1.20.0.zip.sig",
        "/package/nginx/1.20.0/gone",
    ] {
        let at_root = registry.get(path).await;
        for prefix in ["/d/9.2.0", "/d/default", "//d//9.2.0/", "/d/9%2e2%2E0"] {
            assert_eq!(
                registry.get(&format!("{prefix}{path}")).await,
                at_root,
                "{prefix}{path}"
            );
        }
        assert_eq!(registry.get(&format!("/{path}")).await, at_root, "/{path}");
    }
}

//! Who may ask the registry: hosts, networks, passwords, and what whoever may not is told.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use airlock::api::access::{Access, Hosts, Users};
use airlock::crypto::password::PasswordHash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use insta::assert_snapshot;
use support::{TestRegistry, header, package};

/// A path of each route, a distribution's own, and some that are none.
const PATHS: [&str; 14] = [
    "/",
    "/index.json",
    "/search",
    "/categories",
    "/favicon.ico",
    "/package/nginx/1.5.0/",
    "/package/nginx/1.5.0/docs/README.md",
    "/epr/nginx/nginx-1.5.0.zip",
    "/epr/nginx/nginx-1.5.0.zip.sig",
    "/d/9.2.0/search",
    "/d/9.2.0/health",
    "//health",
    "/health/",
    "/nowhere",
];

async fn registry() -> TestRegistry {
    TestRegistry::holding([package("nginx", "1.5.0")]).await
}

fn hosts(names: &[&str]) -> Hosts {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Hosts::new(names, &["10.1.2.3:8080".parse().unwrap()])
}

fn users() -> Arc<Users> {
    let hash = PasswordHash::make("gö:od".as_bytes());
    Arc::new(Users::parse(&format!("kibana:{hash}\n")).unwrap())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

async fn status(registry: &TestRegistry, path: &str, headers: &[(&str, &str)]) -> u16 {
    let answer = registry.answer(Method::GET, path, headers).await;
    answer.status().as_u16()
}

fn cache_control(answer: &HttpResponse) -> String {
    let values = answer.headers().get_all(CACHE_CONTROL);
    let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
    values.join(", ")
}

#[actix_web::test]
async fn a_host_that_is_not_listed_is_told_so_on_every_path_but_health() {
    let registry = registry().await;
    registry.admit(Access {
        hosts: hosts(&["epr.site"]),
        ..Access::default()
    });
    for path in PATHS {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST] {
            let rebound = [("host", "evil.site"), ("x-forwarded-host", "epr.site")];
            let answer = registry.answer(method.clone(), path, &rebound).await;
            assert_eq!(answer.status(), 421, "{method} {path}");
        }
    }
    assert_eq!(
        status(&registry, "/health", &[("host", "evil.site")]).await,
        200
    );
    for host in [
        "epr.site",
        "EPR.SITE:8080",
        "localhost",
        "127.0.0.1:8080",
        "10.1.2.3",
    ] {
        assert_eq!(
            status(&registry, "/search", &[("host", host)]).await,
            200,
            "{host}"
        );
    }
    assert_snapshot!(registry.get_with("/search", &[("host", "evil.site")]).await, @r"
    421 Misdirected Request
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 44
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    this registry does not answer for that host
    ");
}

#[actix_web::test]
async fn only_listed_networks_may_ask() {
    let registry = registry().await;
    registry.admit(Access {
        networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
        trusted_proxies: vec!["192.0.2.1/32".parse().unwrap()],
        ..Access::default()
    });
    let ask = async |peer: &str, path: &str, headers: &[(&str, &str)]| {
        let answer = registry.answer_to(peer, Method::GET, path, headers).await;
        answer.status().as_u16()
    };
    for inside in ["10.9.9.9:1", "[::ffff:10.9.9.9]:1", "[fd00::1]:1"] {
        assert_eq!(ask(inside, "/search", &[]).await, 200, "{inside}");
    }
    for outside in [
        "11.0.0.1:1",
        "127.0.0.1:1",
        "[::1]:1",
        "[::ffff:11.0.0.1]:1",
        "[fe80::1]:1",
    ] {
        for path in PATHS {
            assert_eq!(ask(outside, path, &[]).await, 403, "{outside} {path}");
        }
        assert_eq!(ask(outside, "/health", &[]).await, 200, "{outside}");
    }
    let told = [("x-forwarded-for", "10.9.9.9")];
    assert_eq!(ask("192.0.2.1:1", "/search", &told).await, 200);
    assert_eq!(ask("11.0.0.1:1", "/search", &told).await, 403);
    let through_both = [
        ("x-forwarded-for", "11.0.0.1"),
        ("forwarded", "for=10.9.9.9"),
    ];
    assert_eq!(ask("192.0.2.1:1", "/search", &through_both).await, 403);
    let forged = [("x-forwarded-for", "10.9.9.9, 11.0.0.1")];
    assert_eq!(ask("192.0.2.1:1", "/search", &forged).await, 403);
    let answer = registry
        .answer_to("11.0.0.1:1", Method::GET, "/search", &[])
        .await;
    assert_snapshot!(support::responses::text(answer).await, @r"
    403 Forbidden
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 30
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    not allowed from this address
    ");
}

#[actix_web::test]
async fn nobody_without_the_password_sees_what_is_there() {
    let registry = registry().await;
    registry.admit(Access {
        users: Some(users()),
        ..Access::default()
    });
    let wrong = [
        basic("kibana", "good"),
        basic("kibana", ""),
        basic("", "gö:od"),
        basic("Kibana", "gö:od"),
        "Basic".to_owned(),
        "Basic gö".to_owned(),
        format!("Bearer {}", STANDARD.encode("kibana:gö:od")),
        format!("Basic {}", "A".repeat(100_000)),
    ];
    for path in PATHS {
        assert_eq!(status(&registry, path, &[]).await, 401, "{path}");
        for wrong in &wrong {
            let sent = [("authorization", wrong.as_str())];
            assert_eq!(
                status(&registry, path, &sent).await,
                401,
                "{path} {wrong:.40}"
            );
        }
    }
    assert_eq!(status(&registry, "/health", &[]).await, 200);
    let right = basic("kibana", "gö:od");
    // Once it is verified, once it is known.
    for _ in 0..2 {
        assert_eq!(
            status(&registry, "/search", &[("authorization", &right)]).await,
            200
        );
        assert_eq!(
            status(&registry, "/nowhere", &[("authorization", &right)]).await,
            404
        );
    }
    let twice = [
        ("authorization", right.as_str()),
        ("authorization", right.as_str()),
    ];
    assert_eq!(status(&registry, "/search", &twice).await, 401);
    let refused = registry.answer(Method::GET, "/search", &[]).await;
    assert_eq!(
        header(&refused, WWW_AUTHENTICATE.as_str()),
        "Basic realm=\"airlock\", charset=\"UTF-8\""
    );
    assert_snapshot!(support::responses::text(refused).await, @r#"
    401 Unauthorized
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 24
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    www-authenticate: Basic realm="airlock", charset="UTF-8"
    x-content-type-options: nosniff

    authentication required
    "#);
}

#[actix_web::test]
async fn the_host_is_looked_at_first_then_the_network_then_the_password() {
    let registry = registry().await;
    registry.admit(Access {
        hosts: hosts(&["epr.site"]),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        users: Some(users()),
        ..Access::default()
    });
    let right = basic("kibana", "gö:od");
    let ask = async |peer: &str, host: &str, password: &str| {
        let headers = [("host", host), ("authorization", password)];
        let answer = registry
            .answer_to(peer, Method::GET, "/nowhere", &headers)
            .await;
        answer.status().as_u16()
    };
    assert_eq!(ask("11.0.0.1:1", "evil.site", "").await, 421);
    assert_eq!(ask("11.0.0.1:1", "epr.site", &right).await, 403);
    assert_eq!(ask("10.0.0.1:1", "epr.site", "").await, 401);
    assert_eq!(ask("10.0.0.1:1", "epr.site", &right).await, 404);
}

#[actix_web::test]
async fn what_not_everybody_may_have_no_cache_may_keep_for_others() {
    let registry = registry().await;
    let open = registry.answer(Method::GET, "/search", &[]).await;
    assert_eq!(cache_control(&open), "max-age=600, public");
    registry.admit(Access {
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Access::default()
    });
    for path in ["/search", "/", "/epr/nginx/nginx-1.5.0.zip"] {
        let answer = registry.answer(Method::GET, path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        let said = cache_control(&answer);
        assert!(
            said.starts_with("max-age=") && said.ends_with(", private"),
            "{said}"
        );
    }
}

#[actix_web::test]
async fn what_proxies_say_of_hosts_and_schemes_is_in_no_answer() {
    let registry = registry().await;
    let told = [
        ("host", "evil.site"),
        ("x-forwarded-host", "evil.site"),
        ("x-forwarded-proto", "evil"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/evil"),
        ("x-rewrite-url", "/evil"),
        ("forwarded", "host=evil.site;proto=evil"),
        ("x-request-id", "evil"),
    ];
    for path in PATHS {
        let plain = registry.get(path).await;
        assert_eq!(registry.get_with(path, &told).await, plain, "{path}");
    }
}

#[actix_web::test]
async fn a_flood_of_passwords_is_turned_away_and_the_known_pass() {
    let registry = registry().await;
    registry.admit(Access {
        users: Some(users()),
        ..Access::default()
    });
    let right = basic("kibana", "gö:od");
    let known = [("authorization", right.as_str())];
    assert_eq!(status(&registry, "/search", &known).await, 200);

    let wrong: Vec<_> = (0..100).map(|n| basic("kibana", &n.to_string())).collect();
    let mut flood: FuturesUnordered<_> = wrong
        .iter()
        .map(|wrong| {
            let registry = &registry;
            async move {
                let sent = [("authorization", wrong.as_str())];
                registry.answer(Method::GET, "/search", &sent).await
            }
        })
        .collect();
    let first = flood.next().await.unwrap();
    assert_eq!(first.status(), 503);
    assert_eq!(header(&first, RETRY_AFTER.as_str()), "1");
    assert_eq!(status(&registry, "/search", &known).await, 200);
}

#[actix_web::test]
async fn how_long_answers_may_be_kept_is_what_the_settings_say() {
    use airlock::distribution::{CacheSettings, CacheTimes};
    let settings = CacheSettings {
        search: Some(0),
        index: Some(7),
        ..CacheSettings::default()
    };
    let times = settings.over(CacheTimes::default());
    assert_eq!((times.search_seconds, times.index_seconds), (0, 7));
    assert_eq!(
        (times.categories_seconds, times.catch_all_seconds),
        (600, 600)
    );
}

#[actix_web::test]
async fn no_page_of_this_host_runs_or_frames_what_packages_hold() {
    let registry = registry().await;
    let path = "/package/nginx/1.5.0/docs/README.md";
    for dest in [
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "worker",
        "serviceworker",
        "x",
    ] {
        let sent = [("sec-fetch-site", "same-origin"), ("sec-fetch-dest", dest)];
        assert_eq!(status(&registry, path, &sent).await, 403, "{dest}");
        assert_eq!(status(&registry, path, &sent[1..]).await, 200, "{dest}");
    }
    for dest in ["image", "document", "empty"] {
        let sent = [("sec-fetch-site", "same-origin"), ("sec-fetch-dest", dest)];
        assert_eq!(status(&registry, path, &sent).await, 200, "{dest}");
    }
}

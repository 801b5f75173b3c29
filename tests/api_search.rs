//! `/search` and `/categories`: what a registry offers, and how it is chosen from.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use actix_web::http::Method;
use insta::assert_snapshot;
use support::{TestRegistry, header, package};

/// A small harbour: something of everything that queries look at.
async fn harbour() -> TestRegistry {
    let template = |categories: &str| {
        format!(
            "policy_templates: [{{name: a, title: A, description: a}}, {{name: b, title: B, description: b, categories: [{categories}]}}]"
        )
    };
    TestRegistry::holding([
        package("buoy", "1.0.0")
            .manifest_line("conditions.kibana.version: ^7.17.0")
            .manifest_line("categories: [web]"),
        package("buoy", "2.0.0")
            .manifest_line("conditions.kibana.version: ^8.5.0")
            .manifest_line("categories: [web]"),
        package("buoy", "2.1.0-rc.1")
            .manifest_line("conditions.kibana.version: ^8.5.0")
            .manifest_line("categories: [web]"),
        package("crane", "0.5.0").manifest_line("release: experimental"),
        package("dock", "1.0.0")
            .manifest_line("format_version: 2.9.0")
            .manifest_line("type: input")
            .manifest_line("categories: [security]")
            .manifest_line(&template("custom_logs")),
        package("ferry", "1.0.0")
            .manifest_line("format_version: 3.4.0")
            .manifest_line("type: content")
            .manifest_line("conditions.elastic.capabilities: [observability, security]")
            .manifest_line("discovery.fields: [{name: ship.name}, {name: ship.flag}]")
            .manifest_line("discovery.datasets: [{name: ferry.log}]"),
        package("gate", "1.0.0")
            .manifest_line("conditions.agent.version: ^9.0.0")
            .manifest_line("categories: [edr_xdr]"),
        package("horn", "1.0.0-beta.1"),
    ])
    .await
}

const ALL_NEWEST: &str = "buoy 2.0.0, dock 1.0.0, ferry 1.0.0, gate 1.0.0";

#[actix_web::test]
async fn each_parameter_chooses() {
    let registry = harbour().await;
    for (query, expected) in [
        ("", ALL_NEWEST),
        ("kibana.version=8.5.0", ALL_NEWEST),
        ("kibana.version=8.5", ALL_NEWEST),
        ("kibana.version=v8.19.3", ALL_NEWEST),
        (
            "kibana.version=7.17.1",
            "buoy 1.0.0, dock 1.0.0, ferry 1.0.0, gate 1.0.0",
        ),
        (
            "kibana.version=9.0.0",
            "dock 1.0.0, ferry 1.0.0, gate 1.0.0",
        ),
        ("package=buoy", "buoy 2.0.0"),
        ("package=buoy&all=true", "buoy 1.0.0, buoy 2.0.0"),
        (
            "package=buoy&all=true&prerelease=1",
            "buoy 1.0.0, buoy 2.0.0, buoy 2.1.0-rc.1",
        ),
        ("package=none", ""),
        (
            "all=true",
            "buoy 1.0.0, buoy 2.0.0, dock 1.0.0, ferry 1.0.0, gate 1.0.0",
        ),
        (
            "prerelease=true",
            "buoy 2.1.0-rc.1, crane 0.5.0, dock 1.0.0, ferry 1.0.0, gate 1.0.0, horn 1.0.0-beta.1",
        ),
        (
            "experimental=true",
            "buoy 2.0.0, crane 0.5.0, dock 1.0.0, ferry 1.0.0, gate 1.0.0, horn 1.0.0-beta.1",
        ),
        ("type=input", "dock 1.0.0"),
        ("type=integration", "buoy 2.0.0, gate 1.0.0"),
        ("category=web", "buoy 2.0.0"),
        ("category=web&kibana.version=7.17.0", "buoy 1.0.0"),
        ("category=security", "dock 1.0.0, gate 1.0.0"),
        ("category=edr_xdr", "gate 1.0.0"),
        ("category=custom_logs", "dock 1.0.0"),
        ("category=custom", "dock 1.0.0"),
        ("category=none", ""),
        (
            "capabilities=observability",
            "buoy 2.0.0, dock 1.0.0, gate 1.0.0",
        ),
        ("capabilities=security,observability", ALL_NEWEST),
        ("capabilities=", ALL_NEWEST),
        ("spec.min=3.0", "buoy 2.0.0, ferry 1.0.0, gate 1.0.0"),
        ("spec.min=3.1", "ferry 1.0.0"),
        ("spec.max=2.9", "dock 1.0.0"),
        (
            "spec.min=2.9&spec.max=3.0",
            "buoy 2.0.0, dock 1.0.0, gate 1.0.0",
        ),
        ("discovery=fields:ship.name,ship.flag,more", "ferry 1.0.0"),
        ("discovery=fields:ship.name", ""),
        ("discovery=datasets:ferry.log,other", "ferry 1.0.0"),
        (
            "discovery=fields:ship.name,ship.flag&discovery=datasets:other",
            "",
        ),
        (
            "agent.version=8.19.0",
            "buoy 2.0.0, dock 1.0.0, ferry 1.0.0",
        ),
        ("agent.version=9.1.0", ALL_NEWEST),
        ("internal=true", ALL_NEWEST),
        ("unknown=1&Package=dock&%zz=1&type=input;x", ALL_NEWEST),
        ("package=dock&package=buoy", "dock 1.0.0"),
        ("type=&type=input", ALL_NEWEST),
        (
            "kibana.version=9.0.0&kibana.version=nonsense",
            "dock 1.0.0, ferry 1.0.0, gate 1.0.0",
        ),
        (
            "prerelease=maybe",
            "400 invalid 'prerelease' query param: 'maybe'",
        ),
        (
            "all=yes&prerelease=maybe",
            "400 invalid 'all' query param: 'yes'",
        ),
        (
            "prerelease=maybe&all=yes",
            "400 invalid 'prerelease' query param: 'maybe'",
        ),
        (
            "experimental=2",
            "400 invalid 'experimental' query param: '2'",
        ),
        (
            "kibana.version=nonsense",
            "400 invalid Kibana version 'nonsense': invalid semantic version",
        ),
        (
            "agent.version=nonsense",
            "400 invalid agent version 'nonsense': invalid semantic version",
        ),
        (
            "spec.min=3.0.0",
            "400 invalid 'spec.min' version: invalid version '3.0.0': it should be <major.version>",
        ),
        (
            "discovery=ships",
            "400 invalid 'discovery' query param: 'ships': could not parse filter \"ships\"",
        ),
        (
            "discovery=ships:a",
            "400 invalid 'discovery' query param: 'ships:a': unknown discovery filter \"ships\"",
        ),
    ] {
        for path in ["/search", "/search/", "//search", "/d/9.2.0/search"] {
            let found = registry.found(&format!("{path}?{query}")).await;
            assert_eq!(found, expected, "{path}?{query}");
        }
    }
}

#[actix_web::test]
async fn an_element_found_by_its_policy_templates_shows_only_those() {
    let registry = harbour().await;
    assert_snapshot!(registry.get("/search?category=custom_logs").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 524
    content-type: application/json
    etag: "859a6b7bafa178976f4b9397a21d9fff"
    server: airlock/0.1.0
    vary: Accept-Encoding

    [
      {
        "name": "dock",
        "title": "dock",
        "version": "1.0.0",
        "release": "ga",
        "description": "Collects what dock writes.",
        "type": "input",
        "download": "/epr/dock/dock-1.0.0.zip",
        "path": "/package/dock/1.0.0",
        "policy_templates": [
          {
            "name": "b",
            "title": "B",
            "description": "b",
            "categories": [
              "custom_logs"
            ]
          }
        ],
        "owner": {
          "github": "harbour/keepers"
        },
        "categories": [
          "security"
        ]
      }
    ]
    "#);
    // The parent finds it too, but no template carries its id.
    let (_, body) = registry.body("/search?category=custom", &[]).await;
    let elements: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!(elements[0].get("policy_templates"), None);
}

#[actix_web::test]
async fn a_parameter_that_cannot_be_read_is_refused() {
    let registry = harbour().await;
    assert_snapshot!(registry.get("/search?all=yes").await, @r"
    400 Bad Request
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 33
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid 'all' query param: 'yes'
    ");
    let too_long = format!("/search?package={}", "a".repeat(8 << 10));
    assert_snapshot!(registry.get(&too_long).await, @r"
    414 URI Too Long
    access-control-allow-origin: *
    cache-control: max-age=0
    cache-control: private, no-store
    content-length: 41
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    query string of 8200 bytes, 8192 allowed
    ");
}

#[actix_web::test]
async fn categories_are_counted() {
    let registry = harbour().await;
    assert_snapshot!(registry.get("/categories").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 343
    content-type: application/json
    etag: "0bfaa2283b68d588c8929700bd275f2b"
    server: airlock/0.1.0
    vary: Accept-Encoding

    [
      {
        "id": "edr_xdr",
        "title": "EDR/XDR",
        "count": 1,
        "parent_id": "security",
        "parent_title": "Security"
      },
      {
        "id": "security",
        "title": "Security",
        "count": 1
      },
      {
        "id": "web",
        "title": "Web Server",
        "count": 1,
        "parent_id": "observability",
        "parent_title": "Observability"
      }
    ]
    "#);
    assert_snapshot!(registry.get("/categories?include_policy_templates=true").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 477
    content-type: application/json
    etag: "31cc5a0684215703fdbd286d8f81d3c6"
    server: airlock/0.1.0
    vary: Accept-Encoding

    [
      {
        "id": "custom_logs",
        "title": "Custom Logs",
        "count": 2,
        "parent_id": "custom",
        "parent_title": "Custom"
      },
      {
        "id": "edr_xdr",
        "title": "EDR/XDR",
        "count": 1,
        "parent_id": "security",
        "parent_title": "Security"
      },
      {
        "id": "security",
        "title": "Security",
        "count": 3
      },
      {
        "id": "web",
        "title": "Web Server",
        "count": 1,
        "parent_id": "observability",
        "parent_title": "Observability"
      }
    ]
    "#);
    let (_, counted) = registry.body("/categories", &[]).await;
    for same in [
        "/categories/",
        "//categories?package=dock&type=input&all=true&category=web",
        "/d/9.2.0/categories?include_policy_templates=false",
    ] {
        assert_eq!(registry.body(same, &[]).await.1, counted, "{same}");
    }
    let (status, text) = registry
        .body("/categories?include_policy_templates=x", &[])
        .await;
    assert_eq!(
        (status, text.as_ref()),
        (
            400,
            b"invalid 'include_policy_templates' query param: 'x'\n".as_slice()
        )
    );
}

#[actix_web::test]
async fn head_of_a_search_has_the_length_of_its_get() {
    let registry = harbour().await;
    let get = registry.get("/search?package=gate").await;
    let (headers, _) = get.split_once("\n\n").unwrap();
    let head = registry
        .request(Method::HEAD, "/search?package=gate", &[])
        .await;
    assert_eq!(head, format!("{headers}\n\n"));
}

#[actix_web::test]
async fn a_new_release_answers_at_its_address_and_changes_no_other() {
    let registry = TestRegistry::empty();
    registry.release("9.1.0", [package("buoy", "1.0.0")]);
    let before = registry.get("/search").await;
    assert_eq!(
        registry.found("/d/9.2.0/search").await,
        "404 404 page not found"
    );

    registry.release(
        "9.2.0",
        [package("buoy", "1.0.0"), package("buoy", "1.1.0")],
    );
    assert_eq!(registry.found("/d/9.2.0/search").await, "buoy 1.1.0");
    assert_eq!(registry.get("/search").await, before);
    assert_eq!(registry.get("/d/9.1.0/search").await, before);
    assert_eq!(registry.body("/package/buoy/1.1.0/", &[]).await.0, 404);

    registry.activate("9.2.0");
    assert_eq!(registry.found("/search").await, "buoy 1.1.0");
    assert_eq!(registry.get("/d/9.1.0/search").await, before);
    assert_eq!(registry.body("/package/buoy/1.1.0/", &[]).await.0, 200);
}

#[actix_web::test]
async fn answers_kept_of_an_old_catalog_are_not_used() {
    let registry = TestRegistry::empty();
    let noticed = package("buoy", "1.0.0")
        .manifest_line("deprecated: {since: \"1.0.0\", description: Sunk.}");
    registry.branch(
        "snapshot",
        [
            package("buoy", "1.0.0")
                .title("Before")
                .with_file("docs/a.md", "before"),
            package("crane", "1.0.0"),
        ],
    );
    let paths = [
        "/search",
        "/search?package=buoy",
        "/categories",
        "/package/buoy/1.0.0/",
        "/package/buoy/1.0.0/docs/a.md",
        "/epr/buoy/buoy-1.0.0.zip",
    ];
    let mut before = Vec::new();
    for path in paths {
        let answer = registry
            .answer(Method::GET, path, &[("accept-encoding", "gzip")])
            .await;
        before.push(header(&answer, "etag"));
    }
    registry.branch(
        "snapshot",
        [noticed
            .title("After")
            .manifest_line("categories: [web]")
            .with_file("docs/a.md", "after")],
    );
    for (path, before) in paths.into_iter().zip(before) {
        let answer = registry
            .answer(
                Method::GET,
                path,
                &[("accept-encoding", "gzip"), ("if-none-match", &before)],
            )
            .await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_ne!(header(&answer, "etag"), before, "{path}");
    }
    assert_eq!(
        registry.body("/package/buoy/1.0.0/docs/a.md", &[]).await.1,
        "after"
    );
    let (_, document) = registry.body("/package/buoy/1.0.0/", &[]).await;
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(
        (&document["title"], &document["deprecated"]["description"]),
        (&"After".into(), &"Sunk.".into())
    );
}

#[actix_web::test]
async fn a_change_in_the_middle_of_an_answer_does_not_change_it() {
    let registry = TestRegistry::empty();
    let large = support::packages::large_text();
    registry.branch(
        "snapshot",
        [package("buoy", "1.0.0").with_file("docs/large.txt", &large)],
    );
    let (_, zip) = registry.body("/epr/buoy/buoy-1.0.0.zip", &[]).await;
    let catalog = registry.catalogs.default_catalog();

    let begun_zip = registry
        .answer(Method::GET, "/epr/buoy/buoy-1.0.0.zip", &[])
        .await;
    let begun_file = registry
        .answer(Method::GET, "/package/buoy/1.0.0/docs/large.txt", &[])
        .await;
    registry.branch(
        "snapshot",
        [package("buoy", "1.0.0").with_file("docs/large.txt", "short")],
    );
    assert_eq!(
        registry
            .body("/package/buoy/1.0.0/docs/large.txt", &[])
            .await
            .1,
        "short"
    );

    let read = async |answer: actix_web::HttpResponse| {
        actix_web::body::to_bytes(answer.into_body()).await.unwrap()
    };
    assert!(read(begun_zip).await == zip);
    assert!(read(begun_file).await == large);
    // Who took the catalog before still sees all of what was before.
    let id = airlock::package::PackageId::parse("buoy", "1.0.0").unwrap();
    assert_eq!(catalog.find(&id).unwrap().artifact.bytes, zip.len() as u64);
}

/// Returns the query strings of all searches that were recorded; none where the recordings are not there.
fn recorded_searches() -> std::collections::BTreeSet<String> {
    use std::io::Read;
    let shared = std::env::var_os("AIRLOCK_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    let mut queries = std::collections::BTreeSet::new();
    let Ok(recordings) = std::fs::read_dir(shared.join("conformance")) else {
        println!("left out: no recordings, set AIRLOCK_SHARED");
        return queries;
    };
    for recording in recordings.map(|it| it.unwrap().path()) {
        if !recording.to_str().unwrap().ends_with(".tar.zst") {
            continue;
        }
        let plain = zstd::Decoder::new(std::fs::File::open(&recording).unwrap()).unwrap();
        for entry in tar::Archive::new(plain).entries().unwrap() {
            let mut entry = entry.unwrap();
            if !entry.path().unwrap().ends_with("requests.jsonl") {
                continue;
            }
            let mut lines = String::new();
            entry.read_to_string(&mut lines).unwrap();
            for line in lines.lines() {
                let request: serde_json::Value = serde_json::from_str(line).unwrap();
                let path = request["path"].as_str().unwrap();
                let query = path.strip_prefix("/search?").map(str::to_owned);
                queries.extend(query.filter(|_| request["status"] == 200));
            }
            break;
        }
    }
    queries
}

#[actix_web::test]
async fn what_is_explained_is_what_a_search_answers() {
    use airlock::admin::explain::{ExplainRequest, explain};
    let registry = harbour().await;
    let more = [
        "",
        "experimental=true",
        "experimental=true&all=true",
        "experimental=true&kibana.version=7.17.0",
        "prerelease=true&category=web",
        "type=input&spec.max=3.0",
        "spec.min=2.3&spec.max=3.3",
        "capabilities=observability&agent.version=9.1.0",
        "discovery=fields:ship.name",
        "category=security&kibana.version=9.0.0",
    ];
    let mut queries = recorded_searches();
    queries.extend(more.map(str::to_owned));
    let mut answered = 0;
    for query in queries {
        let found = registry.found(&format!("/search?{query}")).await;
        for package in ["buoy", "crane", "dock", "ferry", "gate", "horn"] {
            let asked = url_package(&query);
            if asked.is_some_and(|asked| asked != package) {
                continue;
            }
            let request = ExplainRequest {
                package: package.into(),
                query: query.clone(),
                ..ExplainRequest::default()
            };
            let Ok(explained) = explain(&registry.store, &request, &Default::default()) else {
                assert!(found.starts_with("400 "), "{package} {query}: {found}");
                continue;
            };
            let ours = explained.answer.iter().map(|it| format!("{package} {it}"));
            let theirs = found
                .split(", ")
                .filter(|it| it.starts_with(&format!("{package} ")));
            let ours: Vec<_> = ours.collect();
            assert_eq!(ours, theirs.collect::<Vec<_>>(), "{package} {query}");
            answered += ours.len();
        }
    }
    assert!(answered > 20, "{answered}");
}

/// Returns the package that a query names.
fn url_package(query: &str) -> Option<&str> {
    query.split('&').find_map(|it| it.strip_prefix("package="))
}

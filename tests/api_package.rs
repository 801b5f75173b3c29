//! `/package/{name}/{version}/`: the documents of package versions.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::io::Read;

use actix_web::http::Method;
use insta::assert_snapshot;
use support::{TestRegistry, header, package};

const DEPRECATED: &str =
    "deprecated:\n  since: \"1.1.0\"\n  description: Use harbour.\n  replaced_by.package: harbour";

#[actix_web::test]
async fn a_document_says_what_the_package_is_and_holds() {
    let nginx = package("nginx", "1.20.0")
        .title("Nginx logs")
        .manifest_line("categories: [web, observability]")
        .manifest_line("conditions.kibana.version: ^8.5.0")
        .manifest_line("policy_templates: [{name: nginx, title: Nginx, description: Logs, inputs: [{type: logfile, title: L, description: l}]}]")
        .with_file("data_stream/access/manifest.yml", "title: Access\ntype: logs\nstreams: [{input: logfile, title: A, description: a}]\n")
        .with_file("data_stream/access/fields/fields.yml", "- name: a\n  type: keyword\n")
        .with_file("img/logo.svg", "<svg/>")
        .with_file("kibana/dashboard/a.json", "{}");
    let registry = TestRegistry::holding([nginx]).await;

    let document = registry.get("/package/nginx/1.20.0/").await;
    assert_snapshot!(document, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=10
    cache-control: public
    content-length: 1545
    content-type: application/json
    etag: "0807a2ba5f9d8752ba2dcb86ba1b5597"
    server: airlock/0.1.0
    vary: Accept-Encoding

    {
      "name": "nginx",
      "title": "Nginx logs",
      "version": "1.20.0",
      "release": "ga",
      "description": "Collects what nginx writes.",
      "type": "integration",
      "download": "/epr/nginx/nginx-1.20.0.zip",
      "path": "/package/nginx/1.20.0",
      "conditions": {
        "kibana": {
          "version": "^8.5.0"
        }
      },
      "owner": {
        "github": "harbour/keepers"
      },
      "categories": [
        "web",
        "observability"
      ],
      "format_version": "3.0.0",
      "readme": "/package/nginx/1.20.0/docs/README.md",
      "license": "basic",
      "assets": [
        "/package/nginx/1.20.0/manifest.yml",
        "/package/nginx/1.20.0/docs/README.md",
        "/package/nginx/1.20.0/img/logo.svg",
        "/package/nginx/1.20.0/data_stream/access/manifest.yml",
        "/package/nginx/1.20.0/kibana/dashboard/a.json",
        "/package/nginx/1.20.0/data_stream/access/fields/fields.yml"
      ],
      "policy_templates": [
        {
          "name": "nginx",
          "title": "Nginx",
          "description": "Logs",
          "inputs": [
            {
              "type": "logfile",
              "title": "L",
              "description": "l"
            }
          ],
          "multiple": true
        }
      ],
      "data_streams": [
        {
          "type": "logs",
          "dataset": "nginx.access",
          "title": "Access",
          "release": "ga",
          "streams": [
            {
              "input": "logfile",
              "template_path": "stream.yml.hbs",
              "title": "A",
              "description": "a",
              "enabled": true,
              "ingestion_method": "File"
            }
          ],
          "package": "nginx",
          "path": "access"
        }
      ]
    }
    "#);
    assert_eq!(registry.get("/package/nginx/1.20.0").await, document);
    // The second answer comes from memory.
    assert_eq!(registry.get("/package/nginx/1.20.0/").await, document);
}

#[actix_web::test]
async fn text_that_is_not_ascii_goes_out_escaped() {
    let nginx = package("nginx", "1.20.0").title("Schöne 😀 <Läufe> & \u{2028}");
    let registry = TestRegistry::holding([nginx]).await;
    for path in ["/package/nginx/1.20.0/", "/search"] {
        let (_, body) = registry.body(path, &[]).await;
        assert!(body.is_ascii(), "{path}");
        let title = br#""title": "Sch\u00f6ne \ud83d\ude00 "#;
        let has_title = body.windows(title.len()).any(|window| window == title);
        assert!(has_title, "{path}: {}", String::from_utf8_lossy(&body));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let element = json.get(0).unwrap_or(&json);
        assert_eq!(element["title"], "Schöne 😀 <Läufe> & \u{2028}");
    }
}

#[actix_web::test]
async fn a_client_that_accepts_gzip_gets_the_same_document_compressed() {
    let registry = TestRegistry::holding([
        package("nginx", "1.0.0").with_file("docs/long.md", "all the same ".repeat(500)),
        package("apache", "1.1.0").manifest_line(DEPRECATED),
    ])
    .await;
    for path in [
        "/package/nginx/1.0.0/",
        "/package/apache/1.1.0/",
        "/package/nginx/1.0.0/docs/long.md",
        "/search",
        "/categories",
        "/",
    ] {
        let plain = registry.answer(Method::GET, path, &[]).await;
        let packed = [("accept-encoding", "gzip, deflate")];
        let gzip = registry.answer(Method::GET, path, &packed).await;
        assert_eq!(header(&plain, "content-encoding"), "", "{path}");
        assert_eq!(header(&gzip, "content-encoding"), "gzip", "{path}");
        for answer in [&plain, &gzip] {
            assert_eq!(header(answer, "vary"), "Accept-Encoding", "{path}");
        }
        let tag = header(&plain, "etag");
        let of_gzip = format!("{}-gz\"", tag.strip_suffix('"').unwrap());
        assert_eq!(header(&gzip, "etag"), of_gzip, "{path}");

        let (_, plain) = registry.body(path, &[]).await;
        let (_, gzip) = registry.body(path, &packed).await;
        let mut decoded = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(gzip.as_ref());
        decoder.read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, plain, "{path}");
    }
}

#[actix_web::test]
async fn a_client_is_told_when_its_copy_still_holds_coding_by_coding() {
    let registry = TestRegistry::holding([
        package("nginx", "1.0.0"),
        package("apache", "1.1.0").manifest_line(DEPRECATED),
    ])
    .await;
    let gzip = ("accept-encoding", "gzip");
    for path in ["/package/nginx/1.0.0/", "/package/apache/1.1.0/", "/search"] {
        let plain = header(&registry.answer(Method::GET, path, &[]).await, "etag");
        let packed = header(&registry.answer(Method::GET, path, &[gzip]).await, "etag");
        for (headers, status) in [
            (vec![("if-none-match", plain.as_str())], 304),
            (vec![("if-none-match", "*")], 304),
            (vec![("if-none-match", packed.as_str()), gzip], 304),
            (vec![("if-none-match", packed.as_str())], 200),
            (vec![("if-none-match", plain.as_str()), gzip], 200),
            (vec![("if-match", "\"other\"")], 412),
            (
                vec![("if-modified-since", "Sun, 22 Nov 2099 10:00:00 GMT")],
                200,
            ),
            (vec![("range", "bytes=0-1")], 200),
        ] {
            let (found, body) = registry.body(path, &headers).await;
            assert_eq!(found, status, "{path} {headers:?}");
            assert_eq!(body.is_empty(), status != 200, "{path} {headers:?}");
        }
    }
}

#[actix_web::test]
async fn all_versions_carry_the_notice_of_the_newest_deprecated_one() {
    let registry = TestRegistry::holding([
        package("nginx", "1.0.0")
            .manifest_line("deprecated: {since: \"1.0.0\", description: Older notice.}"),
        package("nginx", "1.1.0").manifest_line(DEPRECATED),
        package("nginx", "1.2.0"),
        package("harbour", "1.0.0"),
    ])
    .await;
    assert_snapshot!(registry.get("/package/nginx/1.2.0/").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=10
    cache-control: public
    content-length: 622
    content-type: application/json
    etag: "8118529fb44cec957176327f3f7e82e1"
    server: airlock/0.1.0
    vary: Accept-Encoding

    {
      "name": "nginx",
      "title": "nginx",
      "version": "1.2.0",
      "release": "ga",
      "description": "Collects what nginx writes.",
      "type": "integration",
      "download": "/epr/nginx/nginx-1.2.0.zip",
      "path": "/package/nginx/1.2.0",
      "owner": {
        "github": "harbour/keepers"
      },
      "deprecated": {
        "since": "1.1.0",
        "description": "Use harbour.",
        "replaced_by": {
          "package": "harbour"
        }
      },
      "format_version": "3.0.0",
      "readme": "/package/nginx/1.2.0/docs/README.md",
      "license": "basic",
      "assets": [
        "/package/nginx/1.2.0/manifest.yml",
        "/package/nginx/1.2.0/docs/README.md"
      ]
    }
    "#);
    assert_snapshot!(registry.get("/search?package=nginx").await, @r#"
    200 OK
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 462
    content-type: application/json
    etag: "8e3fe0d3fd6863c1abfca610c41191c0"
    server: airlock/0.1.0
    vary: Accept-Encoding

    [
      {
        "name": "nginx",
        "title": "nginx",
        "version": "1.2.0",
        "release": "ga",
        "description": "Collects what nginx writes.",
        "type": "integration",
        "download": "/epr/nginx/nginx-1.2.0.zip",
        "path": "/package/nginx/1.2.0",
        "owner": {
          "github": "harbour/keepers"
        },
        "deprecated": {
          "since": "1.1.0",
          "description": "Use harbour.",
          "replaced_by": {
            "package": "harbour"
          }
        }
      }
    ]
    "#);
    let notice = serde_json::json!({
        "since": "1.1.0",
        "description": "Use harbour.",
        "replaced_by": {"package": "harbour"},
    });
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        let (_, body) = registry
            .body(&format!("/package/nginx/{version}/"), &[])
            .await;
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["deprecated"], notice, "{version}");
        assert_eq!(document["version"], version);
    }
    let (_, body) = registry.body("/search?all=true", &[]).await;
    let elements: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    let noticed = elements
        .iter()
        .filter(|e| e["deprecated"] == notice)
        .count();
    assert_eq!((elements.len(), noticed), (4, 3));
}

#[actix_web::test]
async fn a_branch_is_served_with_the_cache_times_of_its_source() {
    let registry = TestRegistry::empty();
    let configuration =
        "cache_time.search: 1m\ncache_time.categories: 2m\ncache_time.catch_all: 3m\n";
    let tar = support::packages::tar_of([package("nginx", "1.0.0")])
        .file("deployment/package-registry.yml", configuration);
    let kind = airlock::distribution::BranchKind::Production;
    registry.commit("production", kind, &tar.bytes());
    registry.reload();
    for (path, max_age) in [
        ("/search", "max-age=60"),
        ("/categories", "max-age=120"),
        ("/favicon.ico", "max-age=180"),
        ("/package/nginx/1.0.0/manifest.yml", "max-age=180"),
        ("/epr/nginx/nginx-1.0.0.zip", "max-age=180"),
        ("/package/nginx/1.0.0/gone", "max-age=180"),
        ("/package/nginx/1.0.0/", "max-age=10"),
        ("/", "max-age=10"),
    ] {
        let answer = registry.answer(Method::GET, path, &[]).await;
        assert_eq!(header(&answer, "cache-control"), max_age, "{path}");
    }
}

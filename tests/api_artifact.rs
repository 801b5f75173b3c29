//! `/epr/{name}/{name}-{version}.zip`: package versions as zips.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::future::poll_fn;
use std::io::{Cursor, Read};
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::Method;
use airlock::crypto::Digest;
use airlock::package::PackageId;
use insta::assert_snapshot;
use support::packages::large_text;
use support::{Package, TestRegistry, header, package};

const PATH: &str = "/epr/nginx/nginx-1.20.0.zip";

fn nginx() -> Package {
    package("nginx", "1.20.0")
        .with_file("docs/long.md", "all the same ".repeat(80_000))
        .with_file("a.b/x", "after")
        .with_file("a/x", "before")
        .with_file("empty", "")
        .with_file("img/schön.png", b"\x89PNG\r\n\x1a\n")
}

#[actix_web::test]
async fn the_headers_of_a_zip_never_speak_of_codings() {
    let registry = TestRegistry::holding([package("nginx", "1.20.0")]).await;
    let plain = registry.request(Method::HEAD, PATH, &[]).await;
    assert_snapshot!(plain, @r#"
    200 OK
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 438
    content-type: application/zip
    etag: "e06a11d0614bbc1076c014b5cd733461"
    last-modified: Tue, 01 Nov 2022 08:00:00 GMT
    server: airlock/0.1.0
    "#);
    let gzip = [("accept-encoding", "gzip")];
    assert_eq!(registry.request(Method::HEAD, PATH, &gzip).await, plain);
    let (_, zip) = registry.body(PATH, &[]).await;
    assert_eq!(registry.body(PATH, &gzip).await.1, zip);
}

#[actix_web::test]
async fn a_zip_holds_the_tree_stored_under_one_root_folder() {
    let registry = TestRegistry::holding([nginx()]).await;
    let (status, bytes) = registry.body(PATH, &[]).await;
    assert_eq!(status, 200);
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
    let mut found = Vec::new();
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number).unwrap();
        let path = entry.name().unwrap().to_string();
        assert_eq!(
            entry.compression(),
            zip::CompressionMethod::Stored,
            "{path}"
        );
        assert_eq!(
            entry.unix_mode().map(|mode| mode & 0o777),
            Some(0o644),
            "{path}"
        );
        let path = path.strip_prefix("nginx-1.20.0/").unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        found.push((path, content));
    }
    assert!(
        found == nginx().files(),
        "{:?}",
        found.iter().map(|(path, _)| path).collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn a_zip_is_the_one_whose_digest_the_store_knows() {
    let registry = TestRegistry::holding([nginx()]).await;
    let (_, zip) = registry.body(PATH, &[]).await;
    let id = PackageId::parse("nginx", "1.20.0").unwrap();
    let catalog = registry.catalogs.default_catalog();
    let artifact = &catalog.find(&id).unwrap().artifact;
    assert_eq!(
        (artifact.bytes, artifact.sha256),
        (zip.len() as u64, Digest::of(&zip))
    );
    let answer = registry.answer(Method::GET, PATH, &[]).await;
    let tag = format!("\"{}\"", &artifact.sha256.to_string()[..32]);
    assert_eq!(header(&answer, "etag"), tag);
}

#[actix_web::test]
async fn the_same_tree_is_the_same_zip_in_every_store() {
    let one = TestRegistry::holding([nginx(), package("apache", "1.0.0")]).await;
    let other = TestRegistry::empty();
    other.branch("staging", [package("zoo", "1.0.0")]);
    other.branch("mine", [nginx()]);
    let (_, zip) = one.body(PATH, &[]).await;
    assert!(other.body(&format!("/d/mine{PATH}"), &[]).await.1 == zip);
}

#[actix_web::test]
async fn the_parts_of_a_zip_stitched_together_are_the_whole() {
    let registry = TestRegistry::holding([nginx()]).await;
    let (_, whole) = registry.body(PATH, &[]).await;
    let etag = header(&registry.answer(Method::GET, PATH, &[]).await, "etag");
    for step in [100_003, 262_144, whole.len() - 1] {
        let mut stitched = Vec::new();
        while stitched.len() < whole.len() {
            let range = format!("bytes={}-{}", stitched.len(), stitched.len() + step - 1);
            let headers = [("range", range.as_str()), ("if-range", etag.as_str())];
            let (status, part) = registry.body(PATH, &headers).await;
            assert_eq!(status, 206, "{range}");
            stitched.extend_from_slice(&part);
        }
        assert!(stitched == whole, "in steps of {step}");
    }
    // Each boundary between a header and its file.
    for start in (0..400).chain(whole.len() - 600..whole.len()) {
        let range = format!("bytes={start}-{}", start + 40);
        let (_, part) = registry.body(PATH, &[("range", &range)]).await;
        assert!(part == whole[start..whole.len().min(start + 41)], "{range}");
    }
    let past = format!("bytes={}-", whole.len());
    let (status, body) = registry.body(PATH, &[("range", &past)]).await;
    assert_eq!(
        (status, body.as_ref()),
        (416, b"invalid range: failed to overlap\n".as_slice())
    );
}

#[actix_web::test]
async fn a_zip_that_the_client_holds_is_not_sent_again() {
    let registry = TestRegistry::holding([package("nginx", "1.20.0")]).await;
    let etag = header(&registry.answer(Method::GET, PATH, &[]).await, "etag");
    assert_snapshot!(registry.get_with(PATH, &[("if-none-match", &etag)]).await, @r#"
    304 Not Modified
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    etag: "e06a11d0614bbc1076c014b5cd733461"
    last-modified: Tue, 01 Nov 2022 08:00:00 GMT
    server: airlock/0.1.0
    "#);
    let since = [("if-modified-since", "Tue, 01 Nov 2022 08:00:00 GMT")];
    assert_eq!(registry.body(PATH, &since).await.0, 304);
    let before = [("if-modified-since", "Tue, 01 Nov 2022 07:59:59 GMT")];
    assert_eq!(registry.body(PATH, &before).await.0, 200);
}

/// Flips a bit in the last chunk of a file.
fn damage(registry: &TestRegistry, path: &str) {
    let conn = rusqlite::Connection::open(registry.database()).unwrap();
    let (chunk, mut bytes): (i64, Vec<u8>) = conn
        .query_row(
            "SELECT c.rowid, c.bytes
               FROM chunk c
               JOIN stream s ON s.id = c.stream
               JOIN file f ON f.content = s.content
               JOIN path p ON p.id = f.path
              WHERE p.text = ?1
              ORDER BY c.number DESC
              LIMIT 1",
            [path],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let update = "UPDATE chunk SET bytes = ?1 WHERE rowid = ?2";
    assert_eq!(conn.execute(update, (&bytes, chunk)).unwrap(), 1);
}

/// Reads a body to its end: how many bytes came, and the error it ended in.
async fn read(answer: HttpResponse) -> (usize, Option<String>) {
    let mut body = answer.into_body();
    let mut bytes = 0;
    loop {
        match poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            None => return (bytes, None),
            Some(Ok(block)) => bytes += block.len(),
            Some(Err(error)) => return (bytes, Some(error.to_string())),
        }
    }
}

#[actix_web::test]
async fn a_damaged_chunk_cuts_the_answer_and_never_completes_it() {
    let text = large_text();
    let package = || nginx().with_file("docs/large.txt", &text);
    let sound = TestRegistry::holding([package()]).await;
    let (_, whole) = sound.body(PATH, &[]).await;
    let registry = TestRegistry::holding([package()]).await;
    let file = "/package/nginx/1.20.0/docs/large.txt";
    let cut = Some("cannot read the store".to_owned());
    damage(&registry, "docs/large.txt");

    let gzip = ("accept-encoding", "gzip");
    for path in [PATH, file] {
        for headers in [&[][..], &[gzip], &[("range", "bytes=5-")]] {
            let answer = registry.answer(Method::GET, path, headers).await;
            let BodySize::Sized(announced) = answer.body().size() else {
                panic!("{path} has no length");
            };
            let (bytes, error) = read(answer).await;
            assert_eq!(error, cut, "{path} {headers:?}");
            assert!(
                0 < bytes && (bytes as u64) < announced,
                "{path} {headers:?}"
            );
        }
    }
    // What does not need the damaged chunk is still there.
    for (path, whole) in [(PATH, whole.as_ref()), (file, text.as_bytes())] {
        let (status, part) = registry.body(path, &[("range", "bytes=100-9999")]).await;
        assert_eq!(status, 206, "{path}");
        assert!(part == whole[100..10_000], "{path}");
    }
    let other = registry.body("/package/nginx/1.20.0/a/x", &[]).await;
    assert_eq!(other.1, "before");
}

#[actix_web::test]
async fn what_was_sent_lately_is_sent_again_without_a_read_of_the_store() {
    let text = large_text();
    let file = "/package/nginx/1.20.0/docs/large.txt";
    let gzip = [("accept-encoding", "gzip")];
    let registry = TestRegistry::holding([nginx().with_file("docs/large.txt", &text)]).await;
    let (_, zip) = registry.body(PATH, &[]).await;
    let (_, compressed) = registry.body(file, &gzip).await;
    damage(&registry, "docs/large.txt");

    assert!(registry.body(PATH, &[]).await.1 == zip);
    assert!(registry.body(file, &gzip).await.1 == compressed);
    for (range, part) in [
        ("bytes=0-299999", &zip[..300_000]),
        ("bytes=0-9", &zip[..10]),
    ] {
        let (_, sent) = registry.body(PATH, &[("range", range)]).await;
        assert!(sent == part, "{range}");
    }
}

#[actix_web::test]
async fn clients_that_want_the_same_at_once_each_get_all_of_it() {
    let text = large_text();
    let registry = TestRegistry::holding([nginx().with_file("docs/large.txt", &text)]).await;
    let file = "/package/nginx/1.20.0/docs/large.txt";
    let ranges = [0, 5, 300_000].map(|start| (start, format!("bytes={start}-")));
    let mut bodies = Vec::new();
    for (start, range) in ranges.iter().chain(&ranges) {
        let answer = registry
            .answer(Method::GET, file, &[("range", range)])
            .await;
        bodies.push((*start, answer.into_body(), Vec::new()));
    }
    // In turns, so that each reads some blocks and is given others.
    let mut is_more = true;
    while is_more {
        is_more = false;
        for (_, body, read) in &mut bodies {
            if let Some(block) = poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await {
                read.extend_from_slice(&block.unwrap());
                is_more = true;
            }
        }
    }
    for (start, _, read) in bodies {
        assert!(read == text.as_bytes()[start..], "from {start}");
    }
}

#[actix_web::test]
async fn a_damaged_small_file_is_a_failure_of_ours() {
    let registry = TestRegistry::holding([package("nginx", "1.20.0")]).await;
    let conn = rusqlite::Connection::open(registry.database()).unwrap();
    conn.execute("UPDATE chunk SET checksum = checksum + 1", [])
        .unwrap();
    let failed = registry.get("/package/nginx/1.20.0/manifest.yml").await;
    assert_snapshot!(failed, @r"
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
    assert_eq!(registry.get("/package/nginx/1.20.0/").await, failed);
}

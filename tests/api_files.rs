//! `/package/{name}/{version}/{file}`: files out of packages.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use actix_web::http::Method;
use insta::assert_snapshot;
use support::packages::large_text;
use support::{TestRegistry, header, package};

#[actix_web::test]
async fn a_file_goes_out_as_it_lies_in_the_package() {
    let nginx = package("nginx", "1.20.0").with_file("docs/README.md", "# Nginx\n\nSchön.\n");
    let registry = TestRegistry::holding([nginx]).await;
    let readme = registry.get("/package/nginx/1.20.0/docs/README.md").await;
    assert_snapshot!(readme, @r#"
    200 OK
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 17
    content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:
    content-type: text/markdown; charset=utf-8
    etag: "fac92847312559f80f67ad9b874ad8c5"
    last-modified: Tue, 01 Nov 2022 08:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    x-content-type-options: nosniff

    # Nginx

    Schön.
    "#);
    for same in [
        "/package/nginx/1.20.0/docs/README.md/",
        "/package/nginx/1.20.0//docs//README.md",
        "/package/nginx/1.20.0/docs%2FREADME.md",
        "/package/nginx/1.20.0/%64ocs/README.md",
        "/package/nginx/1.20.0/docs/README.md?version=1",
        "/package%2Fnginx/1.20.0/docs/README.md",
    ] {
        assert_eq!(registry.get(same).await, readme, "{same}");
    }
}

#[actix_web::test]
async fn each_kind_of_file_has_its_content_type() {
    let late_binary = [b"a".repeat(512), vec![0]].concat();
    let kinds: [(&str, &[u8], &str); 20] = [
        ("manifest.yml", b"a: b\n", "text/yaml; charset=UTF-8"),
        ("docs/a.md", b"# a\n", "text/markdown; charset=utf-8"),
        ("kibana/dashboard/a.json", b"{}", "application/json"),
        ("img/a.svg", b"<svg/>", "image/svg+xml"),
        ("img/a.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("img/a.jpg", b"\xff\xd8", "image/jpeg"),
        ("img/a.gif", b"GIF89a", "image/gif"),
        ("img/a.webp", b"RIFF", "image/webp"),
        ("img/a.ico", b"\0\0\x01\0", "image/x-icon"),
        ("a.js", b"alert(1)", "text/javascript; charset=utf-8"),
        ("a.css", b"a {}", "text/css; charset=utf-8"),
        ("a.html", b"<p>", "text/html; charset=utf-8"),
        ("a.xml", b"<a/>", "text/xml; charset=utf-8"),
        ("a.pdf", b"%PDF-1.4", "application/pdf"),
        ("a.zip", b"PK", "application/zip"),
        (
            "agent/stream/stream.yml.hbs",
            b"{{a}}",
            "text/plain; charset=utf-8",
        ),
        ("a.log", b"<html>", "text/plain; charset=utf-8"),
        ("NOTICE", b"", "text/plain; charset=utf-8"),
        ("late", &late_binary, "text/plain; charset=utf-8"),
        ("program", b"\x7fELF\x02", "application/octet-stream"),
    ];
    let nginx = kinds
        .iter()
        .filter(|(path, ..)| *path != "manifest.yml")
        .fold(package("nginx", "1.0.0"), |package, (path, content, _)| {
            package.with_file(path, content)
        });
    let registry = TestRegistry::holding([nginx]).await;
    for (path, content, content_type) in kinds {
        let path = format!("/package/nginx/1.0.0/{path}");
        let answer = registry.answer(Method::GET, &path, &[]).await;
        assert_eq!(header(&answer, "content-type"), content_type, "{path}");
        if !path.ends_with("manifest.yml") {
            assert_eq!(registry.body(&path, &[]).await.1, content, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_hostile_svg_can_do_nothing_in_a_browser() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let nginx = package("nginx", "1.20.0").with_file("img/logo.svg", svg);
    let registry = TestRegistry::holding([nginx]).await;
    assert_snapshot!(registry.get("/package/nginx/1.20.0/img/logo.svg").await, @r#"
    200 OK
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 71
    content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:
    content-type: image/svg+xml
    etag: "3f67c8be987aa1db0ef99ce330286efe"
    last-modified: Tue, 01 Nov 2022 08:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    x-content-type-options: nosniff

    <svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>
    "#);
    let part = [("range", "bytes=0-3")];
    assert_snapshot!(registry.get_with("/package/nginx/1.20.0/img/logo.svg", &part).await, @r#"
    206 Partial Content
    accept-ranges: bytes
    access-control-allow-origin: *
    cache-control: max-age=600
    cache-control: public
    content-length: 4
    content-range: bytes 0-3/71
    content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:
    content-type: image/svg+xml
    etag: "3f67c8be987aa1db0ef99ce330286efe"
    last-modified: Tue, 01 Nov 2022 08:00:00 GMT
    server: airlock/0.1.0
    vary: Accept-Encoding
    x-content-type-options: nosniff

    <svg
    "#);
}

#[actix_web::test]
async fn the_parts_of_a_file_can_be_had() {
    let nginx = package("nginx", "1.20.0").with_file("docs/abc.txt", "abcdefghij");
    let registry = TestRegistry::holding([nginx]).await;
    let path = "/package/nginx/1.20.0/docs/abc.txt";
    assert_snapshot!(registry.get_with(path, &[("range", "bytes=10-")]).await, @r"
    416 Range Not Satisfiable
    access-control-allow-origin: *
    content-length: 33
    content-range: bytes */10
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid range: failed to overlap
    ");
    assert_snapshot!(registry.get_with(path, &[("range", "bytes=9-5")]).await, @r"
    416 Range Not Satisfiable
    access-control-allow-origin: *
    content-length: 14
    content-type: text/plain; charset=utf-8
    server: airlock/0.1.0
    x-content-type-options: nosniff

    invalid range
    ");
    let etag = header(&registry.answer(Method::GET, path, &[]).await, "etag");
    let other = etag.replacen('"', "\"x", 1);
    let gzip = ("accept-encoding", "gzip");
    for (headers, status, body) in [
        (vec![("range", "bytes=2-4")], 206, "cde"),
        (vec![("range", "bytes=-3")], 206, "hij"),
        (vec![("range", "bytes=7-99")], 206, "hij"),
        (vec![("range", "bytes=2-4"), gzip], 206, "cde"),
        (vec![("range", "bytes=0-1,4-5")], 200, "abcdefghij"),
        (vec![("range", "lines=1-2")], 200, "abcdefghij"),
        (
            vec![("range", "bytes=2-4"), ("if-range", &etag)],
            206,
            "cde",
        ),
        (
            vec![("range", "bytes=2-4"), ("if-range", &other)],
            200,
            "abcdefghij",
        ),
        (
            vec![
                ("range", "bytes=2-4"),
                ("if-range", "Tue, 01 Nov 2022 08:00:00 GMT"),
            ],
            206,
            "cde",
        ),
        (
            vec![
                ("range", "bytes=2-4"),
                ("if-range", "Tue, 01 Nov 2022 08:00:01 GMT"),
            ],
            200,
            "abcdefghij",
        ),
        (
            vec![("range", "bytes=2-4"), ("if-none-match", &etag)],
            304,
            "",
        ),
        (
            vec![("if-modified-since", "Tue, 01 Nov 2022 08:00:00 GMT")],
            304,
            "",
        ),
        (
            vec![("if-modified-since", "Tue, 01 Nov 2022 07:59:59 GMT")],
            200,
            "abcdefghij",
        ),
        (
            vec![
                ("if-none-match", &other),
                ("if-modified-since", "Tue, 01 Nov 2022 08:00:00 GMT"),
            ],
            200,
            "abcdefghij",
        ),
    ] {
        let (found, bytes) = registry.body(path, &headers).await;
        assert_eq!(
            (found, bytes.as_ref()),
            (status, body.as_bytes()),
            "{headers:?}"
        );
    }
    // Nothing can be had of a part of nothing.
    let empty = TestRegistry::holding([package("nginx", "1.0.0").with_file("empty", "")]).await;
    let (status, body) = empty
        .body("/package/nginx/1.0.0/empty", &[("range", "bytes=0-")])
        .await;
    assert_eq!((status, body.len()), (200, 0));
}

#[actix_web::test]
async fn a_large_file_comes_whole_packed_and_in_parts() {
    let text = large_text();
    let noise: Vec<u8> = text
        .bytes()
        .zip(text.bytes().rev())
        .map(|(a, b)| a.wrapping_mul(b) ^ a)
        .collect();
    let nginx = package("nginx", "1.0.0")
        .with_file("docs/large.txt", &text)
        .with_file("img/large.png", &noise);
    let registry = TestRegistry::holding([nginx]).await;
    for (path, content) in [
        ("/package/nginx/1.0.0/docs/large.txt", text.as_bytes()),
        ("/package/nginx/1.0.0/img/large.png", noise.as_slice()),
    ] {
        let (_, whole) = registry.body(path, &[]).await;
        assert!(whole == content, "{path}");
        let total = content.len();
        for (start, end) in [
            (0, 0),
            (1, 262_143),
            (262_144, 262_144),
            (262_143, 524_289),
            (600_000, total - 1),
            (total - 1, total - 1),
        ] {
            let range = format!("bytes={start}-{end}");
            let (status, part) = registry.body(path, &[("range", &range)]).await;
            assert_eq!(status, 206, "{path} {range}");
            assert!(part == content[start..=end], "{path} {range}");
        }
    }
    let packed = [("accept-encoding", "gzip")];
    let (_, gzip) = registry
        .body("/package/nginx/1.0.0/docs/large.txt", &packed)
        .await;
    let mut decoded = String::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(gzip.as_ref());
    std::io::Read::read_to_string(&mut decoder, &mut decoded).unwrap();
    assert!(decoded == text);
    assert!(gzip.len() < text.len());
}

#[actix_web::test]
async fn what_deflate_does_not_shrink_is_never_packed() {
    let nginx = package("nginx", "1.0.0").with_file("img/a.png", b"\x89PNG\r\n\x1a\n");
    let registry = TestRegistry::holding([nginx]).await;
    let headers = [("accept-encoding", "gzip")];
    let path = "/package/nginx/1.0.0/img/a.png";
    let answer = registry.answer(Method::GET, path, &headers).await;
    assert_eq!(header(&answer, "content-encoding"), "");
    assert_eq!(header(&answer, "vary"), "Accept-Encoding");
    assert_eq!(
        registry.body(path, &headers).await.1,
        b"\x89PNG\r\n\x1a\n".as_slice()
    );
}

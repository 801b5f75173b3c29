//! Requests that are none, and requests that a proxy in front might read otherwise.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use actix_web::web::Data;
use airlock::api::{self, State};
use airlock::server::Settings;

use crate::shared::{Server, ask, long};
use crate::support::{Package, TestRegistry, package};

/// What follows each of the requests below: it has an answer of its own only where both sides agree that it is a request.
const NEXT: &str = "GET /categories HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Sends `bytes`, and the end of all sending if told so, and returns the statuses that come back until the server closes.
fn statuses(server: &Server, bytes: &[u8], is_all: bool) -> String {
    let mut stream = server.connect();
    // What is refused early is not read to its end, which the client may notice while it sends.
    let _ = stream.write_all(bytes);
    if is_all {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answers = Vec::new();
    let mut some = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut some) {
        answers.extend_from_slice(&some[..read]);
    }
    let answers = String::from_utf8_lossy(&answers);
    let heads = answers.split("HTTP/1.").skip(1);
    let statuses: Vec<_> = heads.filter_map(|head| head.split(' ').nth(1)).collect();
    statuses.join(" ")
}

fn is_answered(stream: &TcpStream) -> bool {
    ask(stream, "/categories");
    let mut status = [0; 12];
    (&*stream).read_exact(&mut status).is_ok() && &status == b"HTTP/1.1 200"
}

fn server(packages: impl IntoIterator<Item = Package>) -> (Server, TestRegistry) {
    let registry = TestRegistry::empty();
    registry.release("9.2.0", packages);
    let state = State::new(Arc::clone(&registry.store), Arc::clone(&registry.catalogs));
    let state = Data::new(state);
    let settings = Settings {
        time_outs: long(),
        ..Settings::default()
    };
    let api = move |config: &mut actix_web::web::ServiceConfig| {
        config.app_data(state.clone());
        api::configure(config);
    };
    (Server::serving(&settings, None, api), registry)
}

/// Asserts what each request is answered with when [`NEXT`] follows it, and that a new connection is served as ever.
fn assert_answers<'a>(cases: impl IntoIterator<Item = (&'a str, String, &'a str)>) {
    let (server, _registry) = server([package("nginx", "1.5.0")]);
    let mut wrong = Vec::new();
    for (name, request, expected) in cases {
        let bytes = [request.as_bytes(), NEXT.as_bytes()].concat();
        // Where what follows is taken for a body, no close is asked for.
        let is_all = matches!(expected, "200" | "404");
        let found = statuses(&server, &bytes, is_all);
        if found != expected {
            wrong.push(format!("{name}: {found}, not {expected}"));
        }
        assert!(is_answered(&server.connect()), "after {name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.stop();
}

#[test]
fn two_requests_never_become_three_and_what_is_in_doubt_is_refused() {
    let framings = [
        (
            "a body that is not wanted",
            "content-length: 5\r\n\r\nhello",
            "200 200",
        ),
        (
            "both framings",
            "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG",
            "400",
        ),
        (
            "both framings, turned",
            "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n5c\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "a length twice",
            "content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
            "400",
        ),
        (
            "two lengths",
            "content-length: 5\r\ncontent-length: 0\r\n\r\nhello",
            "400",
        ),
        (
            "a list of lengths",
            "content-length: 5, 5\r\n\r\nhello",
            "400",
        ),
        ("a signed length", "content-length: +5\r\n\r\nhello", "400"),
        (
            "a negative length",
            "content-length: -1\r\n\r\nhello",
            "400",
        ),
        (
            "a hexadecimal length",
            "content-length: 0x5\r\n\r\nhello",
            "400",
        ),
        ("an empty length", "content-length: \r\n\r\nhello", "400"),
        (
            "a length of 2^64",
            "content-length: 18446744073709551616\r\n\r\nhello",
            "400",
        ),
        (
            "a space before the colon",
            "content-length : 5\r\n\r\nhello",
            "400",
        ),
        (
            "chunks",
            "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "200 200",
        ),
        (
            "chunks, in capitals",
            "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n",
            "200 200",
        ),
        (
            "chunks not last",
            "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "chunks after another",
            "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "almost chunks",
            "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "chunks with a parameter",
            "transfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "chunks after a vertical tab",
            "transfer-encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "no chunks",
            "transfer-encoding: identity\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "chunks twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "chunks before a colon",
            "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "folded chunks",
            "transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "a folded header",
            "x-a: b\r\n content-length: 5\r\n\r\n",
            "400",
        ),
        (
            "a carriage return in a header",
            "x-a: b\rcontent-length: 5\r\n\r\n",
            "400",
        ),
        // RFC 9112, 2.2: a line may end so; both sides of it agree on the body.
        (
            "a bare line feed",
            "x-a: b\ncontent-length: 5\r\n\r\nhello",
            "200 200",
        ),
        (
            "a chunk's extension",
            "transfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
            "200 200",
        ),
        (
            "a line feed in it",
            "transfer-encoding: chunked\r\n\r\n5;\nxx\r\nhello\r\n0\r\n\r\n",
            "200",
        ),
        (
            "a chunk of 2^64",
            "transfer-encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
            "200",
        ),
        (
            "a negative chunk",
            "transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            "200",
        ),
        (
            "a chunk of 0x5",
            "transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
            "200",
        ),
        (
            "chunks of bare line feeds",
            "transfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
            "200",
        ),
        (
            "a chunk longer than it says",
            "transfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
            "200",
        ),
        (
            "a length behind the chunks",
            "transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\n",
            "200 200",
        ),
        (
            "a body that never comes",
            "content-length: 1099511627776\r\n\r\n",
            "200",
        ),
        (
            "another protocol",
            "connection: upgrade\r\nupgrade: h2c\r\n\r\n",
            "200 200",
        ),
    ];
    assert_answers(framings.map(|(name, rest, expected)| {
        let request = format!("GET /categories HTTP/1.1\r\nhost: x\r\n{rest}");
        (name, request, expected)
    }));
}

#[test]
fn what_is_no_request_is_refused_and_its_connection_closed() {
    let headers = |count| {
        (0..count)
            .map(|n| format!("x-{n}: a\r\n"))
            .collect::<String>()
    };
    let get = |rest: &str| format!("GET /categories HTTP/1.1\r\nhost: x\r\n{rest}\r\n");
    assert_answers([
        ("HTTP/0.9", "GET /categories\r\n\r\n".into(), "400"),
        (
            "HTTP/2.0",
            "GET /categories HTTP/2.0\r\nhost: x\r\n\r\n".into(),
            "400",
        ),
        (
            "HTTP/2's preface",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            "400",
        ),
        (
            "HTTP/1.0 in chunks",
            "GET /categories HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".into(),
            "400",
        ),
        (
            "HTTP/1.0",
            "GET /categories HTTP/1.0\r\n\r\n".into(),
            "200 200",
        ),
        (
            "a TLS hello",
            "\u{16}\u{3}\u{1}\0\u{c8}\u{1}\0\0\u{c4}".into(),
            "400",
        ),
        ("no host", "GET /categories HTTP/1.1\r\n\r\n".into(), "400"),
        ("two hosts", get("host: y\r\n"), "400"),
        ("a header without a name", get(": x\r\n"), "400"),
        ("a header without a colon", get("abc\r\n"), "400"),
        ("a NUL in a header", get("x-a: b\0c\r\n"), "400"),
        (
            "a space before the first header",
            "GET /categories HTTP/1.1\r\n host: x\r\n\r\n".into(),
            "400",
        ),
        ("95 headers and a host", get(&headers(95)), "200 200"),
        ("96 headers and a host", get(&headers(96)), "431"),
        ("a thousand headers", get(&headers(1_000)), "431"),
        (
            "a control in the method",
            "G\u{1}T /categories HTTP/1.1\r\nhost: x\r\n\r\n".into(),
            "400",
        ),
        (
            "no target",
            "GET  HTTP/1.1\r\nhost: x\r\n\r\n".into(),
            "400",
        ),
        (
            "a target of 70,000 bytes",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000)),
            "400",
        ),
    ]);
}

#[test]
fn odd_targets_hosts_and_ranges_are_answered_like_any_other() {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
    let with = |header: &str| format!("GET /categories HTTP/1.1\r\n{header}\r\n\r\n");
    let ranges: Vec<_> = (0..1_000).map(|n| format!("{n}-{n}")).collect();
    let ranges = format!(
        "GET /epr/nginx/nginx-1.5.0.zip HTTP/1.1\r\nhost: x\r\nrange: bytes={}\r\n\r\n",
        ranges.join(",")
    );
    assert_answers([
        ("dots", get("/../../etc/passwd"), "404 200"),
        (
            "encoded dots",
            get("/%2e%2e%2f%2e%2e%2fetc/passwd"),
            "404 200",
        ),
        (
            "dots in a package",
            get("/package/nginx/1.5.0/%2e%2e/%2e%2e/x"),
            "404 200",
        ),
        (
            "encoded slashes in a package",
            get("/package/nginx/1.5.0/..%2f..%2fx"),
            "404 200",
        ),
        (
            "overlong dots",
            get("/package/%c0%ae%c0%ae/1.5.0/"),
            "404 200",
        ),
        ("dots encoded twice", get("/%252e%252e/"), "404 200"),
        ("an encoded line", get("/categories%0d%0ax-a:b"), "404 200"),
        ("an encoded NUL", get("/package/nginx%00/1.5.0/"), "404 200"),
        ("half an encoding", get("/%"), "404 200"),
        ("no encoding", get("/%zz"), "404 200"),
        (
            "a query that is not UTF-8",
            get("/search?package=%ff%fe"),
            "200 200",
        ),
        ("two slashes", get("//categories"), "200 200"),
        (
            "another host's target",
            get("http://evil.example/categories"),
            "200 200",
        ),
        (
            "all of the server",
            get("*").replace("GET", "OPTIONS"),
            "404 200",
        ),
        // What follows it belongs to the tunnel that is not made.
        (
            "a tunnel",
            "CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n".into(),
            "404",
        ),
        (
            "a method of none",
            get("/categories").replace("GET", "get"),
            "405 200",
        ),
        ("another host", with("host: evil.example"), "200 200"),
        ("a host that is none", with("host: x y/../@"), "200 200"),
        (
            "a host that was forwarded",
            with("host: x\r\nx-forwarded-host: evil.example"),
            "200 200",
        ),
        ("a thousand ranges", ranges, "200 200"),
    ]);
}

#[test]
fn a_head_without_end_is_refused() {
    let (server, _registry) = server([package("nginx", "1.5.0")]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ")
        .unwrap();
    let mut sent = 0;
    while stream.write_all(&[b'a'; 1 << 10]).is_ok() {
        sent += 1 << 10;
        assert!(sent < 64 << 20, "goes on reading");
    }
    assert!(is_answered(&server.connect()));
    server.stop();
}

//! Who asks: the address at the other end, or the one that a trusted proxy there says; and what a request is called.
//!
//! Read from the right, since whoever asks writes what is on the left (RFC 7239, 8.1): each trusted proxy has added the
//! address that it was asked from. Two headers that say different things mean that a proxy has passed one of them on
//! unread: then the client is unknown, and no network.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::OnceLock;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use actix_web::{HttpMessage, HttpRequest};

use super::Access;

/// Proxies in a row that are looked at.
const MOST_PROXIES: usize = 32;
/// Bytes of a request's name that a proxy gives.
const MOST_ID_BYTES: usize = 128;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address at the other end of the connection; `None` at a Unix socket.
    pub peer: Option<IpAddr>,
    /// The address that asks; `None` where proxies do not agree on it.
    pub address: Option<IpAddr>,
}

/// The name of the user whose password was right, as a request carries it.
#[derive(Debug, Clone)]
pub struct User(pub Arc<str>);

/// What a request is called in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns one that no other request of this process has, nor, as good as certainly, of another.
    fn next() -> Self {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        thread_local! {
            // Of each thread its own: no request waits for another's.
            static THREAD: u32 = u32::from_le_bytes(crate::crypto::random_bytes());
            static COUNT: Cell<u32> = const { Cell::new(0) };
        }
        let process = PROCESS.get_or_init(|| u64::from_le_bytes(crate::crypto::random_bytes()));
        let thread = THREAD.with(|thread| *thread);
        let count = COUNT.replace(COUNT.get().wrapping_add(1));
        Self(format!("{process:016x}{thread:08x}{count:08x}").into())
    }
}

impl Access {
    /// Returns who asks.
    pub fn client(&self, request: &HttpRequest) -> Client {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let is_trusted = self.is_by_trusted_proxy(request);
        let near = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let address = if is_trusted {
            self.told(request.headers(), near)
        } else {
            Some(near)
        };
        Client { peer, address }
    }

    /// Returns what a request is called: as a trusted proxy calls it where that is plain, else by a name of ours that it
    /// keeps.
    pub fn request_id(&self, request: &HttpRequest) -> RequestId {
        if let Some(id) = request.extensions().get::<RequestId>() {
            return id.clone();
        }
        let is_trusted = self.is_by_trusted_proxy(request);
        let given = request.headers().get("x-request-id").filter(|_| is_trusted);
        let given = given
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_plain(id));
        let id = given.map_or_else(RequestId::next, |id| RequestId(id.into()));
        request.extensions_mut().insert(id.clone());
        id
    }

    /// Returns the client that the proxy at `near` tells of; `near` itself where it tells of none.
    fn told(&self, headers: &HeaderMap, near: IpAddr) -> Option<IpAddr> {
        let by = |name: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(name).then(|| {
                let lines: Vec<_> = headers.get_all(name).collect();
                // Not text: nothing that can be believed.
                let lines: Option<Vec<_>> = lines.iter().map(|line| line.to_str().ok()).collect();
                let lines = lines.filter(|lines| lines.iter().all(|line| is_plainly_quoted(line)));
                self.nearest_untrusted(&lines?, near, read)
            })
        };
        match (
            by(&X_FORWARDED_FOR, plain_address),
            by(&FORWARDED, forwarded_for),
        ) {
            (None, None) => Some(near),
            (Some(told), None) | (None, Some(told)) => told,
            (Some(one), Some(other)) => one.filter(|_| one == other),
        }
    }

    /// Returns the first address from the right of `lines` that is no trusted proxy's, else the last one read.
    fn nearest_untrusted(
        &self,
        lines: &[&str],
        near: IpAddr,
        read: fn(&str) -> Option<IpAddr>,
    ) -> Option<IpAddr> {
        let elements = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let elements = elements
            .map(str::trim)
            .filter(|element| !element.is_empty());
        let mut last = near;
        for element in elements.take(MOST_PROXIES) {
            last = read(element)?;
            if !self.trusts(last) {
                break;
            }
        }
        Some(last)
    }
}

/// Returns the address in `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn plain_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Returns the address after `for=` in one element of `Forwarded` (RFC 7239, 4); names like `unknown` are none.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut told = element.split(';').filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        let value = value.trim();
        let quoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let is_told = name.trim().eq_ignore_ascii_case("for");
        is_told.then(|| plain_address(quoted.unwrap_or(value)))
    });
    // Twice is forbidden, and nobody knows which of both a proxy wrote.
    match (told.next(), told.next()) {
        (Some(address), None) => address,
        _ => None,
    }
}

/// Tells whether a line may be cut at its commas and semicolons: none of them stands in quotes, where a proxy puts what its
/// client said.
fn is_plainly_quoted(line: &str) -> bool {
    let mut parts = line.split('"');
    let is_balanced = parts.clone().count() % 2 == 1;
    let has_none = |part: &str| !part.contains([',', ';', '\\']);
    is_balanced && parts.by_ref().skip(1).step_by(2).all(has_none)
}

fn is_plain(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= MOST_ID_BYTES && id.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn access() -> Access {
        Access {
            trusted_proxies: vec![
                "127.0.0.1/32".parse().unwrap(),
                "10.0.0.0/8".parse().unwrap(),
            ],
            ..Access::default()
        }
    }

    /// Returns the client of a request from `peer` with these headers.
    fn client(peer: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let client = access().client(&request.to_http_request());
        client.address.map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let told = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ];
        for header in told {
            assert_eq!(
                client("127.0.0.1:9", &[header]).as_deref(),
                Some("192.0.2.1")
            );
            assert_eq!(
                client("[::ffff:127.0.0.1]:9", &[header]).as_deref(),
                Some("192.0.2.1")
            );
            assert_eq!(
                client("198.51.100.1:9", &[header]).as_deref(),
                Some("198.51.100.1")
            );
            assert_eq!(client("[::1]:9", &[header]).as_deref(), Some("::1"));
        }
        assert_eq!(client("10.1.1.1:9", &[]).as_deref(), Some("10.1.1.1"));
    }

    #[test]
    fn it_is_read_from_the_right_up_to_the_first_whom_nobody_trusts() {
        for (header, expected) in [
            ("127.0.0.1, 192.0.2.1", Some("192.0.2.1")),
            ("203.0.113.9, 192.0.2.1, 10.2.2.2", Some("192.0.2.1")),
            ("10.3.3.3, 10.2.2.2", Some("10.3.3.3")),
            ("203.0.113.9,unknown", None),
            ("unknown, 192.0.2.1:4711", Some("192.0.2.1")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            (" , ", Some("127.0.0.1")),
            ("192.0.2.1 192.0.2.2", None),
            ("999.0.0.1", None),
        ] {
            let read = client("127.0.0.1:9", &[("x-forwarded-for", header)]);
            assert_eq!(read.as_deref(), expected, "{header}");
        }
        let lines = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2"),
        ];
        assert_eq!(client("127.0.0.1:9", &lines).as_deref(), Some("192.0.2.2"));
    }

    #[test]
    fn forwarded_is_read_by_its_rules() {
        for (header, expected) in [
            (
                "for=192.0.2.1;proto=http;by=203.0.113.43",
                Some("192.0.2.1"),
            ),
            (
                "proto=http; For=\"[2001:db8::1]:4711\"",
                Some("2001:db8::1"),
            ),
            (
                "for=203.0.113.9, for=192.0.2.1, for=10.1.1.1",
                Some("192.0.2.1"),
            ),
            ("for=_hidden", None),
            ("for=unknown", None),
            ("proto=https", None),
            ("for=\"192.0.2.1", None),
            // What a client said of the host, where its proxy passes it on in quotes.
            ("for=192.0.2.1;by=\"x, for=10.1.1.1;y=\"", None),
            ("host=\"x;for=10.1.1.1;y\";for=192.0.2.1", None),
            ("host=\"x\\\";for=10.1.1.1\";for=192.0.2.1", None),
            ("for=10.1.1.1;for=192.0.2.1", None),
            ("host=\"epr.site:8080\";for=192.0.2.1", Some("192.0.2.1")),
        ] {
            let read = client("127.0.0.1:9", &[("forwarded", header)]);
            assert_eq!(read.as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn two_headers_that_differ_make_the_client_unknown() {
        let (forwarded, plain) = (
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
        );
        assert_eq!(
            client("127.0.0.1:9", &[forwarded, plain]).as_deref(),
            Some("192.0.2.1")
        );
        let other = ("x-forwarded-for", "10.1.1.1");
        assert_eq!(client("127.0.0.1:9", &[forwarded, other]), None);
    }

    #[test]
    fn many_proxies_end_somewhere() {
        let many = vec!["10.1.1.1"; 10_000].join(",");
        let read = client(
            "127.0.0.1:9",
            &[("x-forwarded-for", &format!("192.0.2.1,{many}"))],
        );
        assert_eq!(read.as_deref(), Some("10.1.1.1"));
    }

    #[test]
    fn a_request_is_called_as_its_proxy_does_where_that_is_plain() {
        let access = access();
        let ask = |peer: &str, id: &str| {
            let request = TestRequest::default()
                .peer_addr(peer.parse().unwrap())
                .append_header(("x-request-id", id))
                .to_http_request();
            let called = access.request_id(&request);
            assert_eq!(access.request_id(&request), called);
            called.as_str().to_owned()
        };
        assert_eq!(ask("127.0.0.1:9", "3f2a-7.b_C"), "3f2a-7.b_C");
        assert_ne!(ask("192.0.2.1:9", "3f2a"), "3f2a");
        for id in ["", "a b", "\"", "a/b", &"a".repeat(129)] {
            assert_eq!(ask("127.0.0.1:9", id).len(), 32, "{id}");
        }
        assert_ne!(ask("192.0.2.1:9", ""), ask("192.0.2.1:9", ""));
    }
}

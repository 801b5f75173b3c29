//! What every request at `/admin` has to pass, whoever asks: the host it is for, the network it comes from, TLS.
//!
//! Browsers keep the pages of one host together, so a host that somebody else could point here (DNS rebinding) is not
//! answered for, even where the registry answers for every host. What a proxy says is believed of trusted ones alone, by
//! the registry's own rules (`api::access`).

use actix_web::HttpRequest;
use actix_web::http::header::{
    FORWARDED, HeaderName, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO,
};

use super::Web;
use crate::admin::error::OperationError;
use crate::admin::peer::OverTls;
use crate::api::access::{Access, asked, without_port};

/// Bytes of a host that a refusal repeats.
const MOST_TOLD_BYTES: usize = 128;

/// Fails where a request is not for this host, not from its networks, or not over TLS where it has to be.
pub(super) fn look(web: &Web, request: &HttpRequest) -> Result<(), OperationError> {
    if !is_for_this_host(web, request) {
        let host = asked(request).unwrap_or_default();
        let told = &host[..host.floor_char_boundary(MOST_TOLD_BYTES)];
        return Err(OperationError::OtherHost(told.to_owned()));
    }
    let access = web.access.load();
    if !access.is_from_here(request) {
        return Err(OperationError::NotFromThere);
    }
    if !is_secure(&access, request) && !is_of_this_host(&access, request) {
        return Err(OperationError::NeedsTls);
    }
    Ok(())
}

fn is_for_this_host(web: &Web, request: &HttpRequest) -> bool {
    if web.rules.load().hosts.include(request) {
        return true;
    }
    let Some(host) = asked(request).and_then(without_port) else {
        return false;
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let names = web.tls.as_ref().map(|tls| tls.names()).unwrap_or_default();
    names.iter().any(|name| is_named(name, host))
}

/// Tells whether a certificate's `name` is `host`'s, by its first label where that is `*` (RFC 9525, 6.3).
fn is_named(name: &str, host: &str) -> bool {
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(name), Some((label, rest))) => !label.is_empty() && name.eq_ignore_ascii_case(rest),
        (Some(_), None) => false,
        (None, _) => name.eq_ignore_ascii_case(host),
    }
}

/// Tells whether a request came over TLS: to this process, or to a proxy that is trusted and says so.
pub(super) fn is_secure(access: &Access, request: &HttpRequest) -> bool {
    if request.conn_data::<OverTls>().is_some() {
        return true;
    }
    let mut said = request.headers().get_all(X_FORWARDED_PROTO);
    let (first, second) = (said.next(), said.next());
    let is_https = |it: &[u8]| it.eq_ignore_ascii_case(b"https");
    // A proxy that adds its word to a client's makes two of it: then nobody knows.
    let said_so = second.is_none() && first.is_some_and(|first| is_https(first.as_bytes()));
    said_so && access.is_by_trusted_proxy(request)
}

/// Tells whether a request's bytes never left this host, as far as can be told.
fn is_of_this_host(access: &Access, request: &HttpRequest) -> bool {
    let client = access.client(request);
    // No browser speaks to a Unix socket: there is a proxy, and it has not said that it speaks TLS.
    let is_local = client.peer.is_some() && client.address.is_some_and(|it| it.is_loopback());
    let by_a_proxy = [
        FORWARDED,
        X_FORWARDED_FOR,
        X_FORWARDED_HOST,
        X_FORWARDED_PROTO,
    ];
    let is_passed_on = |name: &HeaderName| request.headers().contains_key(name);
    // One that nobody told us to trust stands for clients from anywhere.
    is_local && (access.is_by_trusted_proxy(request) || !by_a_proxy.iter().any(is_passed_on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_certificates_name_is_its_own_hosts_and_a_star_is_one_label() {
        for (name, host, expected) in [
            ("epr.site", "EPR.site", true),
            ("epr.site", "a.epr.site", false),
            ("*.site", "epr.site", true),
            ("*.site", "a.epr.site", false),
            ("*.site", "site", false),
            ("*.site", ".site", false),
            ("*.site", "*.site", true),
        ] {
            assert_eq!(is_named(name, host), expected, "{name} {host}");
        }
    }

    fn access() -> Access {
        Access {
            trusted_proxies: vec![
                "10.0.0.1/32".parse().unwrap(),
                "127.0.0.2/32".parse().unwrap(),
            ],
            ..Access::default()
        }
    }

    /// Tells whether plain HTTP from `peer` with these headers is secure, and whether it is of this host.
    fn judged(peer: Option<&str>, headers: &[(&str, &str)]) -> (bool, bool) {
        let mut request = TestRequest::default();
        if let Some(peer) = peer {
            request = request.peer_addr(format!("{peer}:9").parse().unwrap());
        }
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let request = request.to_http_request();
        (
            is_secure(&access(), &request),
            is_of_this_host(&access(), &request),
        )
    }

    #[test]
    fn only_a_trusted_proxy_says_that_it_speaks_tls() {
        let https = ("x-forwarded-proto", "https");
        assert_eq!(judged(Some("10.0.0.1"), &[https]), (true, false));
        assert_eq!(judged(None, &[https]), (true, false));
        assert_eq!(judged(Some("10.0.0.9"), &[https]), (false, false));
        assert_eq!(judged(Some("127.0.0.1"), &[https]), (false, false));
        for value in ["http", "https, http", "https,https", "", "httpss"] {
            let said = ("x-forwarded-proto", value);
            assert_eq!(judged(Some("10.0.0.1"), &[said]), (false, false), "{value}");
        }
        assert_eq!(judged(Some("10.0.0.1"), &[https, https]), (false, false));
        assert_eq!(
            judged(Some("10.0.0.1"), &[https, ("x-forwarded-proto", "http")]),
            (false, false)
        );
    }

    #[test]
    fn plain_http_is_of_this_host_where_no_proxy_stands_between() {
        assert_eq!(judged(Some("127.0.0.1"), &[]), (false, true));
        assert_eq!(judged(Some("192.0.2.1"), &[]), (false, false));
        assert_eq!(judged(None, &[]), (false, false));
        let passed_on = ("x-forwarded-for", "127.0.0.1");
        assert_eq!(judged(Some("127.0.0.1"), &[passed_on]), (false, false));
        assert_eq!(judged(Some("127.0.0.2"), &[passed_on]), (false, true));
        let from_afar = ("x-forwarded-for", "192.0.2.1");
        assert_eq!(judged(Some("127.0.0.2"), &[from_afar]), (false, false));
        assert_eq!(
            judged(Some("127.0.0.1"), &[("forwarded", "for=127.0.0.1")]),
            (false, false)
        );
    }
}

//! Whether a change is asked for by a page of the admin side itself: `Sec-Fetch-Site` and `Origin`.
//!
//! Browsers write both, and no page can (W3C Fetch Metadata, 2; Fetch, 3.2). Where both are there both have to be right, and one
//! has to be: what no browser has said to be asked from here may have been asked from anywhere. Cookies and names that a
//! proxy vouches for are sent by the browser on anybody's request, so this stands before them.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, ORIGIN};

use crate::api::access::asked;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Tells whether a page of the same origin asks. `is_secure`: the browser speaks TLS.
pub(super) fn is_same(request: &HttpRequest, is_secure: bool) -> bool {
    let site = match one(request, &SITE) {
        Said::Nothing => None,
        Said::Once(site) => Some(site == "same-origin"),
        Said::Unclear => Some(false),
    };
    let origin = match one(request, &ORIGIN) {
        Said::Nothing => None,
        Said::Once(origin) => {
            Some(asked(request).is_some_and(|host| is_of(origin, host, is_secure)))
        }
        Said::Unclear => Some(false),
    };
    match (site, origin) {
        (None, None) => false,
        (site, origin) => site.unwrap_or(true) && origin.unwrap_or(true),
    }
}

enum Said<'a> {
    Nothing,
    Once(&'a str),
    Unclear,
}

fn one<'a>(request: &'a HttpRequest, name: &HeaderName) -> Said<'a> {
    let mut sent = request.headers().get_all(name);
    match (sent.next().map(|value| value.to_str()), sent.next()) {
        (None, _) => Said::Nothing,
        (Some(Ok(value)), None) => Said::Once(value),
        _ => Said::Unclear,
    }
}

/// Tells whether `origin` is that of `host`, `HOST` or `HOST:PORT`.
fn is_of(origin: &str, host: &str, is_secure: bool) -> bool {
    let (scheme, port) = match is_secure {
        true => ("https://", ":443"),
        false => ("http://", ":80"),
    };
    let plain = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    origin
        .strip_prefix(scheme)
        .is_some_and(|origin| !origin.is_empty() && plain(origin) == plain(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn judged(headers: &[(&str, &str)], is_secure: bool) -> bool {
        let mut request = TestRequest::with_uri("/admin").append_header(("host", "epr.site:8443"));
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        is_same(&request.to_http_request(), is_secure)
    }

    #[test]
    fn what_is_said_has_to_be_right_and_something_has_to_be_said() {
        let origin = ("origin", "https://epr.site:8443");
        let site = ("sec-fetch-site", "same-origin");
        for (headers, expected) in [
            (vec![], false),
            (vec![origin], true),
            (vec![site], true),
            (vec![origin, site], true),
            (vec![origin, ("sec-fetch-site", "same-site")], false),
            (vec![origin, ("sec-fetch-site", "cross-site")], false),
            (vec![origin, ("sec-fetch-site", "none")], false),
            (vec![site, ("origin", "null")], false),
            (vec![site, ("origin", "https://evil.site")], false),
            (vec![site, site], false),
            (vec![origin, origin], false),
            (vec![("origin", "https://epr.site:8444")], false),
            (vec![("origin", "http://epr.site:8443")], false),
            (vec![("origin", "https://epr.site")], false),
            (vec![("origin", "https://epr.site:8443.evil.site")], false),
            (vec![("origin", "https://")], false),
            (vec![("origin", "")], false),
            (vec![("origin", "HTTPS://EPR.SITE:8443")], false),
            (vec![("origin", "https://EPR.site:8443")], true),
        ] {
            assert_eq!(judged(&headers, true), expected, "{headers:?}");
        }
        assert!(!judged(&[origin], false));
        assert!(judged(&[("origin", "http://epr.site:8443")], false));
    }

    #[test]
    fn the_port_that_goes_without_saying_may_be_said() {
        assert!(is_of("https://epr.site", "epr.site:443", true));
        assert!(is_of("https://epr.site:443", "epr.site", true));
        assert!(is_of("http://[::1]", "[::1]:80", false));
        assert!(!is_of("https://epr.site", "epr.site:80", true));
        assert!(!is_of("http://epr.site", "epr.site:443", false));
    }
}

//! The hosts that requests may be for: a page that has its own name point here (DNS rebinding) is not answered.
//!
//! A name is what such a page needs; so `localhost` and the numeric addresses that are listened at pass, which is what
//! health checks and people at the machine ask for.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

/// The hosts; by default every one.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Vec<String>,
    own: Vec<IpAddr>,
    is_open: IsOpen,
}

/// Whether every host passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum IsOpen {
    /// It does.
    #[default]
    Yes,
    /// Only those that are listed or the server's own.
    No,
}

impl Hosts {
    /// Returns the hosts with these `names`, in lower case and without a dot at their end, and the numeric addresses of a
    /// server that `listens` there. No names: every host.
    pub fn new(names: Vec<String>, listens: &[SocketAddr]) -> Self {
        let is_open = match names.is_empty() {
            true => IsOpen::Yes,
            false => IsOpen::No,
        };
        Self {
            is_open,
            ..Self::only(names, listens)
        }
    }

    /// As [`Self::new`], but for no other host either where there are no names.
    pub fn only(names: Vec<String>, listens: &[SocketAddr]) -> Self {
        Self {
            names,
            own: listens.iter().map(|at| at.ip().to_canonical()).collect(),
            is_open: IsOpen::No,
        }
    }

    /// Tells whether a request is for one of them: by its target where that is absolute, else its one `Host`.
    pub fn include(&self, request: &HttpRequest) -> bool {
        self.is_open == IsOpen::Yes || asked(request).is_some_and(|asked| self.includes(asked))
    }

    fn includes(&self, asked: &str) -> bool {
        let Some(host) = without_port(asked) else {
            return false;
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_canonical();
            // One who listens everywhere has all addresses, those before a translation of addresses too.
            let is_own = |own: &IpAddr| own.is_unspecified() || *own == address;
            return address.is_loopback()
                || self.own.iter().any(is_own)
                || self.names.iter().any(|name| name.parse() == Ok(address));
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_it = |name: &str| name.eq_ignore_ascii_case(host);
        is_it("localhost") || self.names.iter().any(|name| is_it(name))
    }
}

/// Returns what a request asks for, `HOST` or `HOST:PORT`; `None` where it does not say, or says it twice.
pub fn asked(request: &HttpRequest) -> Option<&str> {
    let mut sent = request.headers().get_all(HOST);
    let (first, second) = (sent.next(), sent.next());
    if second.is_some() {
        return None;
    }
    match request.uri().authority() {
        // RFC 9112, 3.2.2: the target says it, whatever `Host` does.
        Some(authority) => Some(authority.as_str()),
        None => first.and_then(|host| host.to_str().ok()),
    }
}

/// Returns the host of `HOST`, `HOST:PORT` or `[IPv6]:PORT`; `None` for what is none of these.
pub fn without_port(asked: &str) -> Option<&str> {
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let (host, rest) = match asked.strip_prefix('[') {
        Some(six) => six.split_once(']')?,
        None => match asked.find(':') {
            Some(colon) => asked.split_at(colon),
            None => (asked, ""),
        },
    };
    let is_right = match rest.strip_prefix(':') {
        Some(port) => is_port(port),
        None => rest.is_empty(),
    };
    (is_right && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn hosts(names: &[&str], listens: &str) -> Hosts {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Hosts::new(names, &[listens.parse().unwrap()])
    }

    #[test]
    fn listed_names_and_own_addresses_are_included() {
        let hosts = hosts(&["epr.site", "10.9.9.9"], "10.1.2.3:8080");
        for included in [
            "epr.site",
            "EPR.site.",
            "epr.site:8080",
            "localhost:1",
            "127.0.0.1",
            "127.8.9.1:1",
            "[::1]:8080",
            "10.1.2.3:8080",
            "[::ffff:10.1.2.3]",
            "10.9.9.9",
            "epr.site:",
        ] {
            assert!(hosts.includes(included), "{included}");
        }
        for other in [
            "",
            ":8080",
            "evil.site",
            "epr.site.evil.site",
            "evil.site:epr.site",
            "epr.site@evil.site",
            "epr.site:80:80",
            "10.1.2.4",
            "[::2]",
            "[::1",
            "::1",
            "localhost.evil.site",
            "epr.site/",
            "epr.site..",
            "0x7f.1",
            "xn--epr.site",
        ] {
            assert!(!hosts.includes(other), "{other}");
        }
    }

    #[test]
    fn one_who_listens_everywhere_is_asked_for_by_any_address() {
        let hosts = hosts(&["epr.site"], "[::]:8080");
        assert!(hosts.includes("192.0.2.7:8080"));
        assert!(!hosts.includes("evil.site"));
    }

    #[test]
    fn the_target_says_the_host_and_two_hosts_are_none() {
        let hosts = hosts(&["epr.site"], "127.0.0.1:1");
        let ask = |uri: &str, sent: &[&str]| {
            let mut request = TestRequest::with_uri(uri);
            for host in sent {
                request = request.append_header((HOST, *host));
            }
            hosts.include(&request.to_http_request())
        };
        assert!(ask("/search", &["epr.site"]));
        assert!(ask("http://epr.site/search", &["evil.site"]));
        assert!(!ask("http://evil.site/search", &["epr.site"]));
        assert!(!ask("http://epr.site@evil.site/", &["epr.site"]));
        assert!(!ask("/search", &["epr.site", "evil.site"]));
        assert!(!ask("/search", &["epr.site", "epr.site"]));
        assert!(!ask("/search", &[]));
        assert!(!ask("/search", &["evil.site"]));
    }

    #[test]
    fn only_those_that_are_listed_are_answered_where_that_is_said() {
        let hosts = Hosts::only(Vec::new(), &["10.1.2.3:8080".parse().unwrap()]);
        assert!(hosts.includes("localhost:8080"));
        assert!(hosts.includes("10.1.2.3"));
        assert!(!hosts.includes("evil.site"));
        assert!(!hosts.includes("10.1.2.4"));
    }

    #[test]
    fn without_names_every_host_is_answered() {
        let request = TestRequest::default().to_http_request();
        assert!(Hosts::default().include(&request));
    }
}

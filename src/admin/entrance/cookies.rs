//! The session's cookie: what browsers are told to keep, and what they send back.
//!
//! No script reads it (`HttpOnly`), no other site's page has it sent (`SameSite=Strict`), it is sent for the admin side alone
//! (`Path=/admin`), and where it was given over TLS never in clear: by its name no page of plain HTTP can set it
//! (RFC 6265bis, 4.1.3).

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

/// Its name over plain HTTP, which browsers of this host alone speak.
const PLAIN: &str = "airlock-session";
/// Its name over TLS.
const SECURE: &str = "__Secure-airlock-session";

/// Bytes of cookies that are looked at: those of other programs at the host come along.
const MOST_BYTES: usize = 8 << 10;

/// What a request's cookies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    /// Nothing.
    Nothing,
    /// The secret of a session.
    Secret(&'a str),
    /// Something that no browser sends of its own: too long, not text, two sessions at once.
    Unclear,
}

/// Returns the secret that a request's cookie holds.
pub(super) fn sent(request: &HttpRequest, is_secure: bool) -> Sent<'_> {
    let name = if is_secure { SECURE } else { PLAIN };
    let mut found = Sent::Nothing;
    let mut bytes = 0;
    for header in request.headers().get_all(COOKIE) {
        bytes += header.len();
        if bytes > MOST_BYTES {
            return Sent::Unclear;
        }
        let Ok(text) = header.to_str() else {
            return Sent::Unclear;
        };
        let pairs = text
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        for (_, value) in pairs.filter(|(sent, _)| *sent == name) {
            found = match found {
                Sent::Nothing => Sent::Secret(value),
                _ => return Sent::Unclear,
            };
        }
    }
    found
}

/// Returns the `Set-Cookie` that has a browser keep `secret` until it ends, or the session does.
pub(super) fn keep(secret: &str, is_secure: bool) -> String {
    format!("{}={secret}{}", name(is_secure), flags(is_secure))
}

/// Returns the `Set-Cookie` that has a browser forget it.
pub(super) fn forget(is_secure: bool) -> String {
    format!("{}={}; Max-Age=0", name(is_secure), flags(is_secure))
}

fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE } else { PLAIN }
}

fn flags(is_secure: bool) -> &'static str {
    match is_secure {
        true => "; Path=/admin; HttpOnly; SameSite=Strict; Secure",
        false => "; Path=/admin; HttpOnly; SameSite=Strict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn one_cookie_of_the_right_name_is_found_among_others() {
        let long = format!("a={}", "x".repeat(MOST_BYTES));
        for (headers, is_secure, expected) in [
            (vec![], false, Sent::Nothing),
            (vec!["airlock-session=abc"], false, Sent::Secret("abc")),
            (
                vec!["a=b; airlock-session=abc ; c"],
                false,
                Sent::Secret("abc"),
            ),
            (
                vec!["a=b", "airlock-session=abc"],
                false,
                Sent::Secret("abc"),
            ),
            (vec!["airlock-session=abc"], true, Sent::Nothing),
            (
                vec!["__Secure-airlock-session=abc"],
                true,
                Sent::Secret("abc"),
            ),
            (vec!["__Secure-airlock-session=abc"], false, Sent::Nothing),
            (
                vec!["airlock-session=a; airlock-session=b"],
                false,
                Sent::Unclear,
            ),
            (
                vec!["airlock-session=a; airlock-session=a"],
                false,
                Sent::Unclear,
            ),
            (
                vec!["airlock-session=a", "airlock-session=b"],
                false,
                Sent::Unclear,
            ),
            (vec!["Airlock-Session=a"], false, Sent::Nothing),
            (vec!["airlock-session"], false, Sent::Nothing),
            (vec!["airlock-session="], false, Sent::Secret("")),
            (vec![&long], false, Sent::Unclear),
        ] {
            let mut request = TestRequest::default();
            for header in &headers {
                request = request.append_header((COOKIE, *header));
            }
            let request = request.to_http_request();
            assert_eq!(sent(&request, is_secure), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_flags_are_those_that_were_agreed() {
        assert_eq!(
            keep("abc", false),
            "airlock-session=abc; Path=/admin; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            keep("abc", true),
            "__Secure-airlock-session=abc; Path=/admin; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            forget(true),
            "__Secure-airlock-session=; Path=/admin; HttpOnly; SameSite=Strict; Secure; Max-Age=0"
        );
    }
}

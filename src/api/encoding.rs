//! `Accept-Encoding`: whether an answer may go out as gzip.
//!
//! Reads RFC 9110, 12.5.3. Decides only between gzip and the plain bytes: nothing else is stored or made. Artifacts are
//! never asked about: Kibana takes their `Content-Length` for the size of the zip.

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap};

/// How the bytes of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As they are.
    Identity,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// Returns the coding that the client likes best; gzip when it likes both alike, the plain bytes when it wants neither.
pub fn preferred(headers: &HeaderMap) -> Coding {
    let mut gzip = None;
    let mut identity = None;
    let mut any = None;
    let elements = headers
        .get_all(ACCEPT_ENCODING)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for element in elements {
        let (name, weight) = match element.split_once(';') {
            None => (element, Some(1000)),
            Some((name, parameter)) => (name, weight(parameter)),
        };
        let name = name.trim();
        let slot = if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            &mut gzip
        } else if name.eq_ignore_ascii_case("identity") {
            &mut identity
        } else if name == "*" {
            &mut any
        } else {
            continue;
        };
        *slot = weight.or(*slot);
    }
    let gzip = gzip.or(any).unwrap_or(0);
    // Not named, the plain bytes are acceptable but not asked for: whoever names gzip at all prefers it.
    if gzip > 0 && gzip >= identity.unwrap_or(0) {
        Coding::Gzip
    } else {
        Coding::Identity
    }
}

/// Returns the weight `q=0.5` in thousandths; `None` for what is none.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn preferred_of(values: &[&str]) -> Coding {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        preferred(&headers)
    }

    #[test]
    fn gzip_goes_to_who_accepts_it() {
        for value in [
            "gzip",
            "gzip,deflate",
            "deflate, GZIP;q=1.0",
            "x-gzip",
            "*",
            "gzip;q=0.001",
            "gzip ; q=0.5",
            "identity;q=0.5, gzip;q=0.5",
            "identity;q=0.5, *",
            "br;q=1, gzip;q=0.8, *;q=0",
            "identity;q=0, gzip",
        ] {
            assert_eq!(preferred_of(&[value]), Coding::Gzip, "{value}");
        }
        assert_eq!(preferred_of(&["br", "gzip"]), Coding::Gzip);
    }

    #[test]
    fn everybody_else_gets_the_plain_bytes() {
        for value in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip;q=0.000",
            "gzip;q=0, *",
            "*;q=0",
            "gzip;q=0.5, identity",
            "identity;q=1, gzip;q=0.999",
            "gzip;q=2",
            "gzip;q=0.1234",
            "gzip;q=-1",
            "gzip;x=1",
            "gzipped",
        ] {
            assert_eq!(preferred_of(&[value]), Coding::Identity, "{value}");
        }
        assert_eq!(preferred_of(&[]), Coding::Identity);
    }
}

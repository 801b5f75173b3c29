//! Which form of an answer a request gets: coding, condition and range together.
//!
//! The order is RFC 9110's: first the coding is chosen, then the conditions are judged against that coding's tag, then
//! the range, which is always one of the plain bytes.

use actix_web::http::header::{self, HeaderMap};

use super::condition::{Validators, Verdict};
use super::encoding::{self, Coding};
use super::range::{self, RangeError, Wanted};

/// In which forms an answer can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// Plain only, and never negotiated: artifacts.
    PlainOnly,
    /// Plain only, of a kind that others have as gzip too: images, small texts.
    Plain,
    /// Plain or gzip.
    PlainOrGzip,
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// 200.
    Whole(Coding),
    /// 206, of the plain bytes.
    Part {
        /// Offset of the first byte.
        start: u64,
        /// Bytes to send, at least one.
        length: u64,
    },
    /// 304, to a client that holds this coding.
    NotModified(Coding),
    /// 412
    PreconditionFailed,
    /// 416
    Unsatisfiable(RangeError),
}

/// Returns what to send of an answer of `size` plain bytes.
///
/// Ranges are looked at when `max_ranges` is not 0.
pub fn select(
    headers: &HeaderMap,
    validators: &Validators,
    forms: Forms,
    size: u64,
    max_ranges: usize,
) -> Selection {
    let ranged = (max_ranges > 0)
        .then(|| headers.get(header::RANGE)?.to_str().ok())
        .flatten()
        .filter(|_| validators.range_counts(headers))
        .map(|range| range::parse(range, size, max_ranges));
    let coding = match (&ranged, forms) {
        (None | Some(Ok(Wanted::Whole)), Forms::PlainOrGzip) => encoding::preferred(headers),
        _ => Coding::Identity,
    };
    match validators.judge(headers, coding) {
        Verdict::NotModified => return Selection::NotModified(coding),
        Verdict::Failed => return Selection::PreconditionFailed,
        Verdict::Proceed => {}
    }
    match ranged {
        None | Some(Ok(Wanted::Whole)) => Selection::Whole(coding),
        Some(Ok(Wanted::Part { start, length })) => Selection::Part { start, length },
        Some(Err(error)) => Selection::Unsatisfiable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn selected(headers: &[(HeaderName, &str)], forms: Forms) -> Selection {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        let validators = Validators {
            tag: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
            modified: Some(1_795_341_600),
        };
        select(&map, &validators, forms, 100, 16)
    }

    #[test]
    fn coding_condition_and_range_work_together() {
        use header::{ACCEPT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};
        let gzip = (ACCEPT_ENCODING, "gzip");
        let part = Selection::Part {
            start: 5,
            length: 95,
        };
        for (headers, expected) in [
            (vec![], Selection::Whole(Coding::Identity)),
            (vec![gzip.clone()], Selection::Whole(Coding::Gzip)),
            (vec![gzip.clone(), (RANGE, "bytes=5-")], part),
            (
                vec![gzip.clone(), (RANGE, "bytes=0-1,4-5")],
                Selection::Whole(Coding::Gzip),
            ),
            (
                vec![
                    gzip.clone(),
                    (RANGE, "bytes=5-"),
                    (IF_RANGE, "\"0123456789abcdef0123456789abcdef-gz\""),
                ],
                Selection::Whole(Coding::Gzip),
            ),
            (
                vec![
                    gzip.clone(),
                    (RANGE, "bytes=5-"),
                    (IF_RANGE, "\"0123456789abcdef0123456789abcdef\""),
                ],
                part,
            ),
            (
                vec![
                    gzip.clone(),
                    (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef-gz\""),
                ],
                Selection::NotModified(Coding::Gzip),
            ),
            (
                vec![
                    gzip.clone(),
                    (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\""),
                ],
                Selection::Whole(Coding::Gzip),
            ),
            (
                vec![
                    (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\""),
                    (RANGE, "bytes=100-"),
                ],
                Selection::NotModified(Coding::Identity),
            ),
            (
                vec![(RANGE, "bytes=100-")],
                Selection::Unsatisfiable(RangeError::PastTheEnd),
            ),
        ] {
            assert_eq!(
                selected(&headers, Forms::PlainOrGzip),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn what_is_not_kept_as_gzip_goes_out_plain() {
        let headers = [(header::ACCEPT_ENCODING, "gzip")];
        for forms in [Forms::Plain, Forms::PlainOnly] {
            assert_eq!(
                selected(&headers, forms),
                Selection::Whole(Coding::Identity)
            );
        }
    }
}

//! Conditional requests: is what the client holds still what would be sent?
//!
//! Reads RFC 9110, 13.2.2. Entity tags are strong and differ by coding, since the bytes do; dates count whole seconds.
//! Knows nothing of how an answer is sent.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate};

use super::encoding::Coding;

/// What tells one state of an answer from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// What changes with the plain bytes: a hash of them, or as much of their digest as makes two equal ones no accident.
    pub tag: u128,
    /// Seconds since 1970 of the last change, for answers that have a date.
    pub modified: Option<u64>,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answer.
    Proceed,
    /// 304: the client holds it.
    NotModified,
    /// 412: it is not what the client wants changed or read.
    Failed,
}

impl Validators {
    /// Returns the entity tag of the answer in `coding`, with its quotes.
    pub fn etag(&self, coding: Coding) -> String {
        match coding {
            Coding::Identity => format!("\"{:032x}\"", self.tag),
            Coding::Gzip => format!("\"{:032x}-gz\"", self.tag),
        }
    }

    /// Returns the date for `Last-Modified`.
    pub fn last_modified(&self) -> Option<HttpDate> {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(self.modified?))?;
        Some(time.into())
    }

    /// Judges the conditions of a GET or HEAD that would be answered in `coding`.
    pub fn judge(&self, headers: &HeaderMap, coding: Coding) -> Verdict {
        if headers.contains_key(header::IF_MATCH) {
            let etag = self.etag(coding);
            if !lists(headers, header::IF_MATCH, &etag, Strength::Strong) {
                return Verdict::Failed;
            }
        } else if let (Some(limit), Some(modified)) =
            (date(headers, &header::IF_UNMODIFIED_SINCE), self.modified)
            && modified > limit
        {
            return Verdict::Failed;
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            let etag = self.etag(coding);
            if lists(headers, header::IF_NONE_MATCH, &etag, Strength::Weak) {
                return Verdict::NotModified;
            }
        } else if let (Some(held), Some(modified)) =
            (date(headers, &header::IF_MODIFIED_SINCE), self.modified)
            && modified <= held
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// Tells whether a `Range` counts: without `If-Range`, or when that names exactly the plain bytes of now.
    pub fn range_counts(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(header::IF_RANGE) else {
            return true;
        };
        let Ok(condition) = condition.to_str() else {
            return false;
        };
        if condition.contains('"') {
            condition.trim() == self.etag(Coding::Identity)
        } else {
            let held = seconds(condition);
            held.is_some() && held == self.modified
        }
    }
}

#[derive(PartialEq)]
enum Strength {
    Strong,
    Weak,
}

/// Tells whether the header's entity tags hold `etag`, or are `*`.
fn lists(headers: &HeaderMap, name: HeaderName, etag: &str, strength: Strength) -> bool {
    let holds = |value: &HeaderValue| {
        let Ok(mut rest) = value.to_str() else {
            return false;
        };
        if rest.trim() == "*" {
            return true;
        }
        // A tag may hold commas: cut at quotes, not at commas.
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let (is_weak, tag) = match rest.strip_prefix("W/") {
                Some(tag) => (true, tag),
                None => (false, rest),
            };
            let Some(end) = tag.strip_prefix('"').and_then(|tag| tag.find('"')) else {
                return false;
            };
            let (tag, after) = tag.split_at(end + 2);
            if tag == etag && !(is_weak && strength == Strength::Strong) {
                return true;
            }
            rest = after;
        }
    };
    headers.get_all(name).any(holds)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    seconds(headers.get(name)?.to_str().ok()?)
}

/// Returns the seconds since 1970 of an HTTP date; `None` for what is none.
fn seconds(text: &str) -> Option<u64> {
    let date: SystemTime = HttpDate::from_str(text.trim()).ok()?.into();
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 22 Nov 2026 10:00:00 GMT
    const MODIFIED: u64 = 1_795_341_600;
    const SAME: &str = "Sun, 22 Nov 2026 10:00:00 GMT";
    const BEFORE: &str = "Sun, 22 Nov 2026 09:59:59 GMT";
    const AFTER: &str = "Sun, 22 Nov 2099 10:00:00 GMT";

    fn validators() -> Validators {
        Validators {
            tag: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
            modified: Some(MODIFIED),
        }
    }

    fn map(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn what_the_client_holds_is_not_sent_again() {
        use header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
        for headers in [
            &[(IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\"")][..],
            &[(IF_NONE_MATCH, "W/\"0123456789abcdef0123456789abcdef\"")],
            &[(
                IF_NONE_MATCH,
                "\"x,\" , \"0123456789abcdef0123456789abcdef\"",
            )],
            &[
                (IF_NONE_MATCH, "\"x\""),
                (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\""),
            ],
            &[(IF_NONE_MATCH, "*")],
            &[
                (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\""),
                (IF_MODIFIED_SINCE, BEFORE),
            ],
            &[(IF_MODIFIED_SINCE, SAME)],
            &[(IF_MODIFIED_SINCE, AFTER)],
        ] {
            let verdict = validators().judge(&map(headers), Coding::Identity);
            assert_eq!(verdict, Verdict::NotModified, "{headers:?}");
        }
    }

    #[test]
    fn anything_else_is_sent() {
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        for headers in [
            &[][..],
            &[(IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef-gz\"")],
            &[(IF_NONE_MATCH, "\"ab\"")],
            &[(IF_NONE_MATCH, "0123456789abcdef0123456789abcdef")],
            &[(IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef")],
            &[(IF_NONE_MATCH, "\"\"")],
            &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AFTER)],
            &[(IF_MODIFIED_SINCE, BEFORE)],
            &[(IF_MODIFIED_SINCE, "yesterday")],
            &[(IF_MATCH, "\"0123456789abcdef0123456789abcdef\"")],
            &[(IF_MATCH, "*")],
            &[(IF_UNMODIFIED_SINCE, SAME)],
            &[
                (IF_MATCH, "\"0123456789abcdef0123456789abcdef\""),
                (IF_UNMODIFIED_SINCE, BEFORE),
            ],
        ] {
            let verdict = validators().judge(&map(headers), Coding::Identity);
            assert_eq!(verdict, Verdict::Proceed, "{headers:?}");
        }
    }

    #[test]
    fn a_failed_condition_stops_the_answer() {
        use header::{IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        for headers in [
            &[(IF_MATCH, "\"x\"")][..],
            &[(IF_MATCH, "W/\"0123456789abcdef0123456789abcdef\"")],
            &[(IF_UNMODIFIED_SINCE, BEFORE)],
            &[
                (IF_MATCH, "\"x\""),
                (IF_NONE_MATCH, "\"0123456789abcdef0123456789abcdef\""),
            ],
        ] {
            let verdict = validators().judge(&map(headers), Coding::Identity);
            assert_eq!(verdict, Verdict::Failed, "{headers:?}");
        }
    }

    #[test]
    fn each_coding_has_its_own_tag() {
        let headers = map(&[(
            header::IF_NONE_MATCH,
            "\"0123456789abcdef0123456789abcdef-gz\"",
        )]);
        assert_eq!(
            validators().judge(&headers, Coding::Gzip),
            Verdict::NotModified
        );
        assert_eq!(
            validators().judge(&headers, Coding::Identity),
            Verdict::Proceed
        );
    }

    #[test]
    fn what_has_no_date_is_judged_by_its_tag_alone() {
        let undated = Validators {
            tag: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
            modified: None,
        };
        let headers = map(&[(header::IF_MODIFIED_SINCE, AFTER)]);
        assert_eq!(undated.judge(&headers, Coding::Identity), Verdict::Proceed);
        let headers = map(&[(header::IF_RANGE, SAME)]);
        assert!(!undated.range_counts(&headers));
    }

    #[test]
    fn a_range_counts_only_for_the_very_bytes_the_client_has_begun() {
        for (value, expected) in [
            ("\"0123456789abcdef0123456789abcdef\"", true),
            ("\"0123456789abcdef0123456789abcdef-gz\"", false),
            ("W/\"0123456789abcdef0123456789abcdef\"", false),
            ("\"x\"", false),
            (SAME, true),
            (BEFORE, false),
            (AFTER, false),
            ("nonsense", false),
        ] {
            let headers = map(&[(header::IF_RANGE, value)]);
            assert_eq!(validators().range_counts(&headers), expected, "{value}");
        }
        assert!(validators().range_counts(&HeaderMap::new()));
    }
}

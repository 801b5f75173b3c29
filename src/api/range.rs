//! The `Range` header: which bytes of an answer are asked for.
//!
//! Reads RFC 9110, 14.1.2, with the statuses and texts of Go's `net/http`, which the reference registry uses. Two things
//! are decided otherwise, as the RFC allows: an unknown unit is ignored, and several ranges are answered with the whole
//! (nothing that reads a registry asks for them, and overlapping ones are an attack). Knows nothing of `If-Range`: see
//! [`super::condition`].

/// The part of an answer to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it: 200.
    Whole,
    /// One run of bytes, never empty and never past the end: 206.
    Part {
        /// Offset of the first byte.
        start: u64,
        /// Bytes to send.
        length: u64,
    },
}

/// A range that cannot be answered: 416.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Not a range at all.
    #[error("invalid range")]
    Malformed,
    /// Past the end; the answer says in `Content-Range` how long the whole is.
    #[error("invalid range: failed to overlap")]
    PastTheEnd,
}

/// Returns which of `size` bytes `header` asks for.
///
/// More than `max_ranges` ranges are not looked at: the whole is sent.
pub fn parse(header: &str, size: u64, max_ranges: usize) -> Result<Wanted, RangeError> {
    let Some((unit, list)) = header.split_once('=') else {
        return Ok(Wanted::Whole);
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || size == 0 {
        return Ok(Wanted::Whole);
    }
    let mut parts = Vec::new();
    let mut asked = 0;
    for spec in list.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        asked += 1;
        if asked > max_ranges {
            return Ok(Wanted::Whole);
        }
        parts.extend(one(spec, size)?);
    }
    match parts.as_slice() {
        [(start, length)] => Ok(Wanted::Part {
            start: *start,
            length: *length,
        }),
        [] if asked > 0 => Err(RangeError::PastTheEnd),
        _ => Ok(Wanted::Whole),
    }
}

/// Returns start and length of one range, `None` when it lies past the end.
fn one(spec: &str, size: u64) -> Result<Option<(u64, u64)>, RangeError> {
    let (first, last) = spec.split_once('-').ok_or(RangeError::Malformed)?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Ok((length > 0).then(|| (size - length, length)));
    }
    let start = number(first)?;
    let end = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if end < start {
        return Err(RangeError::Malformed);
    }
    Ok((start < size).then(|| (start, end.min(size - 1) - start + 1)))
}

/// Returns the number that `digits` are; one too large for 64 bits is only ever past the end.
fn number(digits: &str) -> Result<u64, RangeError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RangeError::Malformed);
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAST: Result<Wanted, RangeError> = Err(RangeError::PastTheEnd);
    const BAD: Result<Wanted, RangeError> = Err(RangeError::Malformed);
    const WHOLE: Result<Wanted, RangeError> = Ok(Wanted::Whole);

    fn part(start: u64, length: u64) -> Result<Wanted, RangeError> {
        Ok(Wanted::Part { start, length })
    }

    #[test]
    fn one_range_is_a_part() {
        for (header, expected) in [
            ("bytes=0-9", part(0, 10)),
            ("bytes=5-", part(5, 95)),
            ("bytes=-5", part(95, 5)),
            ("bytes=0-0", part(0, 1)),
            ("bytes=99-99", part(99, 1)),
            ("bytes=99-1000", part(99, 1)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=0-18446744073709551616", part(0, 100)),
            ("bytes=0-18446744073709551615", part(0, 100)),
            ("bytes= 0 - 9 , ", part(0, 10)),
            ("Bytes=0-9", part(0, 10)),
            ("bytes=0-9,100-", part(0, 10)),
        ] {
            assert_eq!(parse(header, 100, 16), expected, "{header}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for (header, expected) in [
            ("bytes=100-", PAST),
            ("bytes=9999999-", PAST),
            ("bytes=99999999999999999999-", PAST),
            ("bytes=100-200,300-", PAST),
            ("bytes=-0", PAST),
            ("bytes=a-b", BAD),
            ("bytes=5", BAD),
            ("bytes=-", BAD),
            ("bytes=--5", BAD),
            ("bytes=+1-2", BAD),
            ("bytes=9-5", BAD),
            ("bytes=0-1,x", BAD),
            ("bytes=1-2-3", BAD),
        ] {
            assert_eq!(parse(header, 100, 16), expected, "{header}");
        }
    }

    #[test]
    fn what_is_not_understood_or_too_much_is_the_whole() {
        let many = format!("bytes={}", "1000-,".repeat(17));
        for header in [
            "items=0-1",
            "bytes",
            "",
            "bytes=",
            "bytes=,",
            "bytes=0-1,3-4",
            many.as_str(),
        ] {
            assert_eq!(parse(header, 100, 16), WHOLE, "{header}");
        }
        assert_eq!(parse("bytes=0-9", 0, 16), WHOLE);
        assert_eq!(parse("bytes=1000-,1000-", 100, 2), PAST);
    }
}

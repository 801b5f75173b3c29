//! Versions as people type them: `8.5`, `v8.5.0`, `8.5.0-SNAPSHOT`.
//!
//! Knows the shape of a version and nothing of constraints. What is taken, and the text of each refusal (clients see
//! it in an HTTP 400), is that of `NewVersion` of Masterminds/semver v3.5.0.

use semver::{BuildMetadata, Prerelease, Version};

/// Text that is no version, not even loosely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVersion {
    /// More than `MAX_BYTES` bytes.
    #[error("version string is too long (max {MAX_BYTES} bytes)")]
    TooLong,
    /// Not one to three numbers, a prerelease and build metadata.
    #[error("invalid semantic version")]
    Shape,
    /// A number that does not fit in 64 bits.
    #[error(
        "error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range"
    )]
    Number(String),
    /// A number in the prerelease that starts with a zero.
    #[error("version segment starts with 0")]
    LeadingZero,
}

/// Bytes of a version.
pub const MAX_BYTES: usize = 256;

/// Returns the version that `text` is; numbers that are missing are zero, leading zeros and a leading `v` do not count.
pub fn parse_loose_version(text: &str) -> Result<Version, InvalidVersion> {
    if text.len() > MAX_BYTES {
        return Err(InvalidVersion::TooLong);
    }
    let (parts, rest) = Parts::split(text, |b| b.is_ascii_digit()).ok_or(InvalidVersion::Shape)?;
    if !rest.is_empty() {
        return Err(InvalidVersion::Shape);
    }
    Ok(Version {
        major: number(parts.major)?,
        minor: parts.minor.map_or(Ok(0), number)?,
        patch: parts.patch.map_or(Ok(0), number)?,
        // Empty identifiers and foreign characters are no part of the shape: only a leading zero can be wrong here.
        pre: Prerelease::new(parts.pre.unwrap_or("")).map_err(|_| InvalidVersion::LeadingZero)?,
        build: BuildMetadata::new(parts.build.unwrap_or("")).map_err(|_| InvalidVersion::Shape)?,
    })
}

fn number(digits: &str) -> Result<u64, InvalidVersion> {
    digits
        .parse()
        .map_err(|_| InvalidVersion::Number(digits.to_owned()))
}

/// The pieces of a version as written, without their punctuation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub major: &'a str,
    pub minor: Option<&'a str>,
    pub patch: Option<&'a str>,
    pub pre: Option<&'a str>,
    pub build: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Returns the longest version at the start of `text` and what follows it; `is_number` says what a number is made of.
    pub fn split(text: &'a str, is_number: fn(u8) -> bool) -> Option<(Self, &'a str)> {
        let (major, rest) = run(text.strip_prefix('v').unwrap_or(text), is_number)?;
        let (minor, rest) = optional(rest, '.', |r| run(r, is_number));
        let (patch, rest) = match minor {
            Some(_) => optional(rest, '.', |r| run(r, is_number)),
            None => (None, rest),
        };
        let (pre, rest) = optional(rest, '-', identifiers);
        let (build, rest) = optional(rest, '+', identifiers);
        let parts = Self {
            major,
            minor,
            patch,
            pre,
            build,
        };
        Some((parts, rest))
    }
}

/// Splits off the bytes at the start of `text` that are `wanted`, if there are any. All of them must be ASCII.
fn run(text: &str, wanted: fn(u8) -> bool) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !wanted(b)).unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    text.split_at_checked(end)
}

/// Splits off identifiers joined by dots; a dot that no identifier follows is left.
fn identifiers(text: &str) -> Option<(&str, &str)> {
    let is_identifier = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let (_, mut rest) = run(text, is_identifier)?;
    while let (Some(_), after) = optional(rest, '.', |r| run(r, is_identifier)) {
        rest = after;
    }
    text.split_at_checked(text.len() - rest.len())
}

/// Splits off `mark` and what `read` finds behind it, or nothing.
fn optional<'a>(
    text: &'a str,
    mark: char,
    read: impl Fn(&'a str) -> Option<(&'a str, &'a str)>,
) -> (Option<&'a str>, &'a str) {
    match text.strip_prefix(mark).and_then(read) {
        Some((found, rest)) => (Some(found), rest),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_zero_and_a_v_does_not_count() {
        for (text, version) in [
            ("8", "8.0.0"),
            ("8.5", "8.5.0"),
            ("v8.5.0", "8.5.0"),
            ("08.05.00", "8.5.0"),
            ("8-rc.1", "8.0.0-rc.1"),
            ("8.5-SNAPSHOT", "8.5.0-SNAPSHOT"),
            ("8.5.0--", "8.5.0--"),
            ("8.5.0+01.x", "8.5.0+01.x"),
            ("8.5.0-a-b.c+d-e", "8.5.0-a-b.c+d-e"),
            ("18446744073709551615.0.0", "18446744073709551615.0.0"),
        ] {
            assert_eq!(parse_loose_version(text).unwrap().to_string(), version);
        }
    }

    #[test]
    fn each_refusal_has_the_text_that_clients_know() {
        let shape = "invalid semantic version";
        let too_long = format!("1.0.0-{}", "a".repeat(251));
        for (text, message) in [
            ("", shape),
            ("foo", shape),
            ("V1", shape),
            ("vv1", shape),
            ("1.", shape),
            (".1", shape),
            ("1..2", shape),
            ("1.x", shape),
            ("1.2.beta", shape),
            ("8.5.0.1", shape),
            ("8.5.0-", shape),
            ("8.5.0+", shape),
            ("8.5.0-a..b", shape),
            ("8.5.0-a.", shape),
            ("8.5.0-ä", shape),
            ("８.5.0", shape),
            (" 8.5.0", shape),
            ("8.5.0\n", shape),
            ("8.5.0-01", "version segment starts with 0"),
            ("8.5.0-rc.00", "version segment starts with 0"),
            (
                "1.18446744073709551616",
                "error parsing version segment: strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
            ),
            (&too_long, "version string is too long (max 256 bytes)"),
        ] {
            assert_eq!(
                parse_loose_version(text).unwrap_err().to_string(),
                message,
                "{text:?}"
            );
        }
        assert!(parse_loose_version(&too_long[1..]).is_err());
        assert!(parse_loose_version(&too_long[..256]).is_ok());
    }
}

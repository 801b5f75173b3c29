//! What keys are called.

use std::fmt;
use std::str::FromStr;

/// The fingerprint of a key: 20 bytes in version 4, 32 in version 6 (RFC 9580, 5.5.4).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(Box<[u8]>);

/// The last eight bytes of a version 4 fingerprint, or the first eight of a version 6 one: a hint, no proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

/// Text that is not 40 or 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid fingerprint {0:?}: it has 40 hexadecimal digits, or 64")]
pub struct InvalidFingerprint(String);

/// Digits of its end that are typed to confirm a fingerprint.
const LAST_DIGITS: usize = 8;

impl Fingerprint {
    /// Returns the fingerprint whose bytes these are; `None` where they are not 20 or 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        matches!(bytes.len(), 20 | 32).then(|| Self(bytes.into()))
    }

    /// Returns its 20 or 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the digits in groups of four, as they are printed to be compared by eye.
    pub fn grouped(&self) -> String {
        let digits = self.to_string();
        let groups: Vec<_> = digits
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect();
        groups.join(" ")
    }

    /// Tells whether `answer` are its last eight digits, or all of them, in groups or not.
    pub fn is_confirmed_by(&self, answer: &str) -> bool {
        let answer = digits(answer);
        let own = self.to_string();
        answer == own || answer == own[own.len() - LAST_DIGITS..]
    }

    /// Tells whether `end` are its last digits, eight at least.
    pub fn ends_with(&self, end: &str) -> bool {
        let end = digits(end);
        end.len() >= LAST_DIGITS && self.to_string().ends_with(&end)
    }
}

/// Drops what people write between and before digits.
fn digits(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    let text = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(&text);
    text.to_ascii_uppercase()
}

impl KeyId {
    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
}

/// Writes 40 or 64 upper-case hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes 16 upper-case hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads digits with or without white space between them and `0x` in front.
impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let invalid = || InvalidFingerprint(text.chars().take(100).collect());
        let digits = digits(text);
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let byte = |pair| {
            std::str::from_utf8(pair)
                .ok()
                .map(|pair| u8::from_str_radix(pair, 16))
        };
        let bytes: Option<Result<Vec<u8>, _>> = digits.as_bytes().chunks(2).map(byte).collect();
        let bytes = bytes.ok_or_else(invalid)?.map_err(|_| invalid())?;
        Self::from_bytes(&bytes)
            .filter(|fingerprint| fingerprint.to_string() == digits)
            .ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789ABCDEF0123456789ABCDEF01234567";

    #[test]
    fn a_fingerprint_is_read_as_people_write_it() {
        let fingerprint: Fingerprint = TEXT.parse().unwrap();
        assert_eq!(fingerprint.to_string(), TEXT);
        assert_eq!(
            fingerprint.grouped(),
            "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567"
        );
        let lower = format!("0x{}", TEXT.to_lowercase());
        let long = TEXT.repeat(2)[..64].to_owned();
        for text in [&fingerprint.grouped(), &lower] {
            assert_eq!(text.parse().as_ref(), Ok(&fingerprint), "{text}");
        }
        assert_eq!(long.parse::<Fingerprint>().unwrap().as_bytes().len(), 32);
        for text in [
            "",
            "0x",
            "01234567",
            &TEXT[1..],
            &TEXT.replace('0', "g"),
            &TEXT.replace("01", "+1"),
            "é",
            &format!("{TEXT}0"),
        ] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_last_eight_digits_or_all_confirm() {
        let fingerprint: Fingerprint = TEXT.parse().unwrap();
        for yes in [
            "01234567",
            "0123 4567",
            " 0x01234567 ",
            TEXT,
            &fingerprint.grouped(),
        ] {
            assert!(fingerprint.is_confirmed_by(yes), "{yes}");
        }
        for no in [
            "",
            "y",
            "yes",
            "1234567",
            "EF01234567",
            "01234568",
            "67452301",
        ] {
            assert!(!fingerprint.is_confirmed_by(no), "{no}");
        }
        assert!(fingerprint.ends_with("ef01234567") && fingerprint.ends_with(TEXT));
        assert!(!fingerprint.ends_with("1234567") && !fingerprint.ends_with(""));
    }
}

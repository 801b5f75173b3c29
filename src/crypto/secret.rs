//! Secrets that are given out once and known again by their digest: of sessions, tokens and setup links.
//!
//! 256 random bits need no salt and no slow hash: nobody tries them all. What is kept is the digest alone, so that who reads
//! the store can act as nobody.

use std::fmt;

use super::{Digest, Hasher, random_bytes};

/// 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Returns a new one.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// Returns the secret that is written as `text`, 64 lower-case hexadecimal digits; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !text.bytes().all(is_one) {
            return None;
        }
        let bytes: Digest = text.parse().ok()?;
        Some(Self(*bytes.as_bytes()))
    }

    /// Returns its text, for the one who is to have it: nothing else writes it.
    pub fn reveal(&self) -> String {
        Digest::from_bytes(self.0).to_string()
    }

    /// Returns what it is known again by: the SHA-256 of its 32 bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Returns another secret that only who has this one can tell: the SHA-256 of `purpose`, a zero byte and its 32 bytes.
    ///
    /// The CSRF token of a session is made by it, so that nothing more is stored and who sees it cannot tell the session's.
    pub fn derived(&self, purpose: &str) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(&self.0);
        Self(*hasher.finish().as_bytes())
    }

    /// Tells whether both are the same, in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        let differing = self
            .0
            .iter()
            .zip(other.0)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        differing == 0
    }
}

/// Tells nothing: it belongs in no log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text_and_is_told_by_nothing_else() {
        let secret = Secret::random();
        let text = secret.reveal();
        assert_eq!(text.len(), 64);
        let again = Secret::parse(&text).unwrap();
        assert!(again.is(&secret));
        assert_eq!(again.digest(), secret.digest());
        assert!(!Secret::random().is(&secret));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_ne!(secret.digest().to_string(), text);
    }

    #[test]
    fn only_one_text_is_a_secret() {
        let text = Secret([0xab; 32]).reveal();
        for bad in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
            &format!("g{}", &text[1..]),
        ] {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_differs_by_secret_and_purpose() {
        let (one, other) = (Secret::random(), Secret::random());
        let csrf = one.derived("csrf");
        assert!(csrf.is(&one.derived("csrf")));
        for differing in [one.derived("other"), other.derived("csrf"), one.clone()] {
            assert!(!csrf.is(&differing));
        }
        assert_ne!(csrf.reveal(), one.digest().to_string());
    }
}

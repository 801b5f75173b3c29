//! The one door to cryptography: SHA-256, the OpenPGP that signatures are in, TLS, hashes of passwords, secrets, random bytes.
//!
//! Nothing else in the crate names a cryptographic library, so that another implementation can take its place.

pub mod openpgp;
pub mod password;
mod secret;
pub mod tls;

use std::fmt;
use std::str::FromStr;

pub use secret::Secret;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid SHA-256 digest {0:?}")]
pub struct InvalidDigest(String);

/// Computes a [`Digest`] piece by piece.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the digest whose 32 bytes these are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }

    /// Returns the digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        Digest(sha2::Digest::finalize(self.0).into())
    }
}

/// A key of this process alone, by which values are known again that nobody outside can foresee.
///
/// What it makes of them never leaves the process, so that the key before the value is all it takes.
#[derive(Clone)]
pub struct ProcessKey([u8; 32]);

impl ProcessKey {
    /// Returns a new one.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// Returns what `value` is known by.
    pub fn tag(&self, value: &[u8]) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(&self.0);
        hasher.update(value);
        hasher.finish()
    }
}

/// Returns bytes from the system's source of randomness.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::RngCore::fill_bytes(&mut rand::rngs::OsRng, &mut bytes);
    bytes
}

/// Writes 64 lower-case hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At once: every file of an import has its digest written, in the digest of its tree.
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        f.write_str(&digits.collect::<String>())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest(text.chars().take(64).collect());
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_fips_180_says_and_survives_text() {
        // FIPS 180-4, the example "abc".
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(Digest::of(b"abc")));
    }

    #[test]
    fn only_sixty_four_hexadecimal_digits_are_a_digest() {
        let long = "0".repeat(65);
        let signed = format!("+{}", "0".repeat(63));
        for bad in ["", "00", &"g".repeat(64), &long, &signed] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}

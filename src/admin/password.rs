//! Passwords as people choose them, on their way to a hash.
//!
//! What is asked of one is its length and that it is not the name: rules on what it is made of make worse passwords
//! (NIST SP 800-63B, section 3.1.1.2). How long it has to be is a setting and handed in.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use crate::crypto::password::PasswordHash;

/// Characters that a password has at least, where no setting says so.
pub const LEAST_LENGTH: usize = 12;

/// Bytes that one may have: it is hashed whole.
const MOST_BYTES: usize = 1024;

/// A password in plain text, which is nowhere kept and nowhere shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Returns `text` as a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Fails where it is not to be the password of `name`: with fewer than `least` characters, too long, or the name itself.
    pub fn check(&self, name: &str, least: usize) -> Result<(), OperationError> {
        let weak = |why: String| Err(OperationError::WeakPassword(why));
        if self.0.chars().count() < least {
            return weak(format!("it has fewer than {least} characters"));
        }
        if self.0.len() > MOST_BYTES {
            return weak(format!("it has more than {MOST_BYTES} bytes"));
        }
        if self.0.to_lowercase().trim() == name.to_lowercase() {
            return weak("it is the name".to_owned());
        }
        Ok(())
    }

    /// Returns its hash, where [`Self::check`] finds nothing; takes some 20 ms.
    pub(super) fn hashed(&self, name: &str, least: usize) -> Result<PasswordHash, OperationError> {
        self.check(name, least)?;
        Ok(PasswordHash::make(self.as_bytes()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_enough_and_not_the_name() {
        let why = |text: &str| {
            let checked = Password::new(text).check("Lighthouse-Keeper", 12);
            checked.err().map(|error| error.to_string())
        };
        assert_eq!(why("lighthouses!"), None);
        assert_eq!(
            why("aaaaaaaaaaaa"),
            None,
            "nothing is asked of what it is made of"
        );
        for (text, expected) in [
            ("lighthouses", "it has fewer than 12 characters"),
            ("öööööö", "it has fewer than 12 characters"),
            ("lighthouse-KEEPER ", "it is the name"),
            (&"x".repeat(1025), "it has more than 1024 bytes"),
        ] {
            assert!(why(text).unwrap().ends_with(expected), "{text}");
        }
        assert_eq!(format!("{:?}", Password::new("secret")), "Password(…)");
    }
}

//! Why an exception is made: what the operator said, kept in the history.

use std::fmt;
use std::str::FromStr;

/// One line of 1 to 1,000 bytes, without white space at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(Box<str>);

/// Text that is no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reason is one line of 1 to 1,000 bytes")]
pub struct InvalidReason;

/// Bytes of a reason: a sentence or two, shown on one line of the history.
const MAX_BYTES: usize = 1000;

impl Reason {
    /// Returns the reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = InvalidReason;

    fn from_str(text: &str) -> Result<Self, InvalidReason> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES || text.chars().any(char::is_control) {
            return Err(InvalidReason);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_says_something() {
        assert_eq!(" leaks \n".parse::<Reason>().unwrap().as_str(), "leaks");
        let long = "x".repeat(MAX_BYTES);
        assert!(long.parse::<Reason>().is_ok());
        for text in ["", " \t", "two\nlines", "\u{1b}[2J", &format!("{long}x")] {
            assert_eq!(text.parse::<Reason>(), Err(InvalidReason), "{text:?}");
        }
    }
}

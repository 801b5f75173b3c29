//! For which versions a distribution answers when a document, a file or a zip is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What may be fetched from a distribution beside what is withdrawn.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Exact {
    /// Every version that it ever offered: a Kibana that still runs an older one is not broken.
    #[default]
    Ever,
    /// What it offers now.
    Now,
}

/// Text that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is `ever` or `now`")]
pub struct InvalidExact;

impl FromStr for Exact {
    type Err = InvalidExact;

    fn from_str(text: &str) -> Result<Self, InvalidExact> {
        match text {
            "ever" => Ok(Self::Ever),
            "now" => Ok(Self::Now),
            _ => Err(InvalidExact),
        }
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ever => "ever",
            Self::Now => "now",
        })
    }
}

//! What is wrong with settings.

use std::fmt;
use std::path::PathBuf;

use super::Origin;

/// All that is wrong, in the order of its places.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be used", match problems.len() { 1 => "a setting".to_owned(), n => format!("{n} settings") })]
pub struct ConfigError {
    /// Each with its place, at least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was said.
    pub origin: Origin,
    /// The key; empty where it is about a whole file.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Returns what is wrong with `key`, as `origin` says it.
    pub fn new(origin: Origin, key: &str, problem: String, hint: Option<String>) -> Self {
        Self {
            origin,
            key: key.to_owned(),
            problem,
            hint,
        }
    }

    /// Returns the file and line to sort it by; what is in no file comes first.
    pub(super) fn place(&self) -> (Option<PathBuf>, usize) {
        match &self.origin {
            Origin::File { file, line } => (Some(file.clone()), *line),
            _ => (None, 0),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.origin, self.problem),
            key => write!(f, "{}: {key}: {}", self.origin, self.problem),
        }
    }
}

//! The seal of a package: what is known of its signature.

use crate::admin::keys::known_as;
use crate::distribution::SignatureStatus;

/// A signature's status as a stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The name of its style.
    pub(super) class: &'static str,
    /// What it says.
    pub(super) text: String,
    /// The whole of it, in words.
    pub(super) why: String,
}

impl Stamp {
    pub(super) fn of(status: &SignatureStatus) -> Self {
        let (class, text) = match status {
            SignatureStatus::Good { key, .. } => ("good", format!("{} · good", signer(key))),
            SignatureStatus::ExpiredKey { .. } => ("care", "key expired".to_owned()),
            SignatureStatus::UnknownKey { .. } => ("care", "unknown key".to_owned()),
            SignatureStatus::Wrong { .. } => ("bad", "wrong".to_owned()),
            SignatureStatus::Unreadable => ("care", "unreadable".to_owned()),
            SignatureStatus::Absent => ("plain", "unsigned".to_owned()),
        };
        Self {
            class,
            text,
            why: status.to_string(),
        }
    }
}

/// Returns whose a key is, in a word.
fn signer(key: &str) -> String {
    match known_as(key) {
        Some(_) => "Elastic".to_owned(),
        None => key.chars().skip(key.len().saturating_sub(8)).collect(),
    }
}

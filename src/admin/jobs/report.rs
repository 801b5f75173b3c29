//! What is told of a job.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admin::error::Failure;
use crate::admin::uploads::UploadReport;
use crate::crypto;
use crate::import::ProgressReport;

/// What a job is known by: 128 random bits, as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct JobId(String);

impl JobId {
    /// Returns one that nothing else has.
    pub fn random() -> Self {
        let bytes: [u8; 16] = crypto::random_bytes();
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Returns the one that a client has chosen; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_one = text.len() == 32 && text.bytes().all(is_digit);
        is_one.then(|| Self(text.to_owned()))
    }

    /// Returns its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// A source is staged.
    Import,
    /// A package is added to a branch.
    Addition,
    /// What nothing needs is taken out.
    Gc,
    /// The history is let go of up to a change set.
    Prune,
    /// A release is deleted.
    DeleteRelease,
    /// What is in quarantine is tried again.
    Retry,
    /// All signatures are judged again, by a keyring that was changed.
    Keys,
}

impl JobKind {
    /// Tells whether it reads a source, so that it can be stopped at any place.
    pub fn reads_a_source(self) -> bool {
        matches!(self, Self::Import | Self::Addition)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Import => "an import",
            Self::Addition => "an addition",
            Self::Gc => "a collection of garbage",
            Self::Prune => "a pruning of the history",
            Self::DeleteRelease => "the deletion of a release",
            Self::Retry => "a retry of what is in quarantine",
            Self::Keys => "a change of the keyring",
        })
    }
}

/// How a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Under way.
    Running,
    /// All of it was done.
    Done,
    /// It was not done; the failure says why.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// A job, as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct JobReport {
    /// What it is known by.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// What it does that to: the name of a source, of a release, the number of a change set.
    pub subject: String,
    /// Who began it.
    pub who: String,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it is.
    pub state: JobState,
    /// How far an import is; all zero for what reads no source.
    pub progress: ProgressReport,
    /// How its source comes, where that is an upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadReport>,
    /// What it came to: what the route that began it answers where it is waited for. Of an import, `plan` is the number of
    /// the plan that waits now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

//! Plans and what came of them, as people and programs read them. `--json` and `control.sock` write them so.

use serde::{Deserialize, Serialize};

use crate::distribution::{SignatureCounts, SignaturePolicy};

/// A plan as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlanReport {
    /// Its number, for `airlock plans commit`.
    pub plan: i64,
    /// When its source was read, RFC 3339.
    pub staged_at: String,
    /// Who read it.
    pub staged_by: String,
    /// Who said where it belongs, where its source did not: for a second person they count as who staged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_said_by: Option<String>,
    /// What was read.
    pub source: SourceReport,
    /// The branch it is for.
    pub branch: String,
    /// The branch's kind.
    pub kind: String,
    /// Whether the branch is made by it.
    pub is_new_branch: bool,
    /// What makes it the next edition of a release that is here; `None` where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<EditionReport>,
    /// Package versions that are added.
    pub added: Vec<String>,
    /// Package versions whose content is replaced.
    pub replaced: Vec<String>,
    /// How many are there already, the same.
    pub unchanged: usize,
    /// Package versions that the branch's rules refuse, and why.
    pub refused: Vec<Problem>,
    /// Packages that could not be taken from the source, and why.
    pub quarantined: Vec<Problem>,
    /// Package versions that come and that a distribution keeps back, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_back: Vec<Problem>,
    /// What is known of the signatures of what can be taken.
    pub signatures: SignatureReport,
    /// Files of the source that belong to no package.
    pub ignored_files: u64,
    /// The digest of what it would change; the same in every process that computes it from the same store.
    #[serde(default)]
    pub digest: String,
    /// The distributions that ask for somebody else than who staged it to commit it, by that digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approving: Vec<String>,
}

/// How the next edition of a release differs from the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EditionReport {
    /// The release.
    pub release: String,
    /// The edition it is compared with, which stays as it is.
    pub last: String,
    /// Package versions that are new.
    pub added: Vec<String>,
    /// Package versions with other files.
    pub changed: Vec<String>,
    /// Package versions that are no longer there.
    pub removed: Vec<String>,
}

/// What is known of the signatures of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignatureReport {
    /// What becomes of packages without a good one.
    pub policy: SignaturePolicy,
    /// How many packages that are taken have which status.
    pub counts: SignatureCounts,
    /// Package versions that are taken though their signature is wrong, and what is wrong.
    pub doubtful: Vec<Problem>,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SourceReport {
    /// What the operator called it.
    pub name: String,
    /// The digest of its bytes.
    pub sha256: Option<String>,
    /// How many bytes.
    pub bytes: Option<u64>,
    /// The commit it was made from.
    pub commit: Option<String>,
    /// The registry version it pins.
    pub registry_version: Option<String>,
}

/// A package and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// The package version, or its folder in the source.
    pub package: String,
    /// What is wrong.
    pub why: String,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Committed {
    /// The change set; `None` when there was nothing to change.
    pub change_set: Option<i64>,
    /// The branch.
    pub branch: String,
    /// Package versions added.
    pub added: usize,
    /// Package versions replaced.
    pub replaced: usize,
    /// Package versions that were there, the same.
    pub unchanged: usize,
    /// Package versions that the branch's rules refused.
    pub refused: usize,
    /// Packages that could not be taken from the source.
    pub quarantined: usize,
    /// Whether the branch answers at `/`.
    pub is_default: bool,
}

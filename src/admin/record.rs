//! Records: what proves a change set, signed with the appliance's own key.

use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::history::{self, ChangeSetReport};
use super::{record_text, signer};
use crate::import::Problem;
use crate::store::Store;
use crate::store::change_sets::ChangeSetId;
use crate::store::records::{self, Brought};

/// What proves a change set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// Who committed it, when, why, and what it changed, holds included.
    pub change_set: ChangeSetReport,
    /// What it came from; `None` where it came from no source.
    pub source: Option<SourceRecord>,
    /// Who staged it; `None` where it is no import.
    pub staged_by: Option<String>,
    /// When that began, UTC, RFC 3339.
    pub staged_at: Option<String>,
    /// Every artifact that it brought.
    pub artifacts: Vec<ArtifactRecord>,
    /// What of the source is in quarantine.
    pub quarantine: Vec<Problem>,
}

/// Where a change set came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SourceRecord {
    /// What it was called; an image by its label.
    pub name: String,
    /// Its digest, as it was read.
    pub sha256: Option<String>,
    /// Its bytes.
    pub bytes: Option<u64>,
    /// The commit it was made from.
    pub commit: Option<String>,
    /// When that was, RFC 3339.
    pub committed_at: Option<String>,
    /// The registry version it pins.
    pub registry_version: Option<String>,
}

/// An artifact that a change set brought, or that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ArtifactRecord {
    /// The branch.
    pub branch: String,
    /// The package version.
    pub package: String,
    /// The digest of its zip.
    pub sha256: String,
    /// What the keyring says of its signature: `good`, `unknown-key`, `wrong`, `unreadable`, or `absent`.
    pub signature: String,
    /// The key that made it, as far as it is known.
    pub key: Option<String>,
}

/// A record and its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignedRecord<R = Record> {
    /// The record.
    pub record: R,
    /// The fingerprint of the key that signed it.
    pub signer: String,
    /// The record as Markdown, signed in clear: `gpg --verify` checks it.
    pub signed: String,
}

/// Returns the record of a change set, signed with the appliance's own key.
pub fn record(store: &Store, number: i64) -> Result<SignedRecord, OperationError> {
    let change_set = history::show(store, number)?;
    let id = ChangeSetId(number);
    let record = store.snapshot(|conn| {
        let (source, quarantined) = records::source(conn, id)?.unzip();
        let staged = records::staged_by(conn, id)?;
        let artifacts = records::brought(conn, id)?.into_iter();
        Ok::<_, OperationError>(Record {
            change_set,
            source: source.map(|source| SourceRecord {
                name: source.name,
                sha256: source.sha256.map(|digest| digest.to_string()),
                bytes: source.bytes,
                commit: source.commit_id,
                committed_at: source.committed_at,
                registry_version: source.registry_version,
            }),
            staged_at: staged.as_ref().map(|it| it.at.clone()),
            staged_by: staged.map(|it| it.who),
            artifacts: artifacts.map(ArtifactRecord::of).collect(),
            quarantine: quarantined
                .unwrap_or_default()
                .into_iter()
                .map(|it| Problem {
                    package: it.path,
                    why: it.reason,
                })
                .collect(),
        })
    })?;
    sign(store, record, record_text::markdown)
}

/// Returns a record with its text, signed with the appliance's own key.
pub(super) fn sign<R>(
    store: &Store,
    record: R,
    text: impl FnOnce(&R) -> String,
) -> Result<SignedRecord<R>, OperationError> {
    let signer = signer::signer(store)?;
    Ok(SignedRecord {
        signed: signer.sign(&text(&record))?,
        signer: signer.fingerprint(),
        record,
    })
}

impl ArtifactRecord {
    pub(super) fn of(artifact: Brought) -> Self {
        Self {
            package: format!("{} {}", artifact.name, artifact.version),
            branch: artifact.branch,
            sha256: artifact.sha256.to_string(),
            signature: artifact.status.unwrap_or_else(|| "absent".to_owned()),
            key: artifact.key,
        }
    }
}

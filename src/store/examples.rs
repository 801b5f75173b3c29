//! Rows for the tests of the nouns: what a branch, a stage or a document needs to refer to.

use rusqlite::Transaction;

use super::artifacts::{self, ArtifactId, NewArtifact};
use super::change_sets::{self, ChangeSetId, NewChangeSet};
use super::sources::SourceId;
use crate::crypto::Digest;
use crate::distribution::DistributionName;
use crate::package::PackageId;
use crate::people::Actor;

/// Adds a change set.
pub(super) fn change_set(conn: &Transaction<'_>) -> ChangeSetId {
    change_set_from(conn, None)
}

/// Adds a change set that came from a source.
pub(super) fn change_set_from(conn: &Transaction<'_>, source: Option<SourceId>) -> ChangeSetId {
    let new = NewChangeSet {
        at: "2026-11-22T10:00:00Z",
        who: &Actor::here("tester"),
        action: "import",
        why: None,
        source,
        plan: None,
    };
    change_sets::insert(conn, &new).unwrap()
}

/// Adds an artifact of `nginx`; what differs in `content` differs in its digests.
pub(super) fn artifact(conn: &Transaction<'_>, version: &str, content: &str) -> ArtifactId {
    let package = PackageId::parse("nginx", version).unwrap();
    let sha256 = Digest::of(format!("{version} {content}").as_bytes());
    let new = NewArtifact {
        package: &package,
        sha256,
        bytes: 3,
        tree_sha256: sha256,
        modified: 42,
    };
    artifacts::insert(conn, &new).unwrap()
}

/// Returns the name that `text` is.
pub(super) fn name(text: &str) -> DistributionName {
    DistributionName::parse(text).unwrap()
}

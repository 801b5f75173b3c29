//! What the store takes, and what deleting would free.

use serde::{Deserialize, Serialize};

use super::error::OperationError;
use crate::store::in_use::{NEVER, Owner};
use crate::store::sizes::Size;
use crate::store::{Store, branches, sizes};

/// What the store takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SizesReport {
    /// Branches, by name.
    pub branches: Vec<BranchSize>,
    /// What branches held once, and the history keeps.
    pub history: SizeReport,
    /// What imports brought that wait for their commit.
    pub plans: SizeReport,
    /// What is in quarantine.
    pub quarantine: SizeReport,
    /// Bytes of what nothing needs: `airlock gc` takes it out.
    pub unused_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of the file that are free.
    pub free_bytes: u64,
}

/// What one branch takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BranchSize {
    /// The branch.
    pub branch: String,
    /// Its kind.
    pub kind: String,
    /// What it holds.
    #[serde(flatten)]
    pub size: SizeReport,
}

/// What something takes, content that is in it several times counted once.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct SizeReport {
    /// Package versions.
    pub versions: u64,
    /// Bytes in the store.
    pub bytes: u64,
    /// Bytes that nothing else needs: without it they are free.
    pub own_bytes: u64,
}

/// Returns what everything takes.
pub fn measure(store: &Store) -> Result<SizesReport, OperationError> {
    store.snapshot(|conn| {
        let sizes = sizes::measure(conn, NEVER)?;
        let of = |owner| SizeReport::from(sizes.of.get(&owner).copied().unwrap_or_default());
        let branches = branches::all(conn)?.into_iter().map(|branch| BranchSize {
            size: of(Owner::Branch(branch.id)),
            kind: branch.kind.to_string(),
            branch: branch.name.to_string(),
        });
        Ok(SizesReport {
            branches: branches.collect(),
            history: of(Owner::History),
            plans: of(Owner::Plans),
            quarantine: of(Owner::Quarantine),
            unused_bytes: sizes.unused.bytes,
            file_bytes: sizes.file_bytes,
            free_bytes: sizes.free_bytes,
        })
    })
}

impl From<Size> for SizeReport {
    fn from(size: Size) -> Self {
        Self {
            versions: size.artifacts,
            bytes: size.bytes,
            own_bytes: size.own_bytes,
        }
    }
}

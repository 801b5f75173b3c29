//! What is in use: what keeps artifacts and contents in the store, said once for whoever takes out the rest or counts it.

use std::collections::HashMap;

use rusqlite::{Connection, Params, params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::branches::BranchId;

/// What keeps an artifact `a`: branches with their history, stages, the quarantine, and what was deleted after
/// `:released_after` and may be on its way to a client. [`owners`] tells the same by who keeps it.
pub(super) const ARTIFACT_IN_USE: &str = "(
        EXISTS (SELECT 1 FROM member WHERE artifact = a.id)
     OR EXISTS (SELECT 1 FROM staged WHERE artifact = a.id)
     OR EXISTS (SELECT 1 FROM quarantine WHERE artifact = a.id)
     OR a.sha256 IN (SELECT f.sha256
                       FROM former_member f
                       JOIN change_set c ON c.id = f.until
                      WHERE c.at > :released_after))";

/// What keeps a content `c`.
pub(super) const CONTENT_IN_USE: &str = "(
        EXISTS (SELECT 1 FROM file WHERE content = c.id)
     OR EXISTS (SELECT 1 FROM document WHERE document = c.id))";

/// A time after which nothing was deleted.
pub const NEVER: &str = "9999";

/// Who keeps an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A branch holds it.
    Branch(BranchId),
    /// A branch held it once.
    History,
    /// An import that waits for its commit.
    Plans,
    /// It is in quarantine.
    Quarantine,
    /// It was deleted so lately that somebody may be reading it.
    Readers,
}

/// Returns who keeps each artifact; one that is left out is in no use.
pub fn owners(
    conn: &Connection,
    released_after: &str,
) -> Result<HashMap<ArtifactId, Vec<Owner>>, StoreError> {
    let mut owners = Owners {
        conn,
        of: HashMap::new(),
    };
    owners.add(
        "SELECT artifact, branch FROM member WHERE until IS NULL",
        [],
        |branch| Owner::Branch(BranchId(branch)),
    )?;
    owners.add(
        "SELECT DISTINCT artifact, 0 FROM member WHERE until IS NOT NULL",
        [],
        |_| Owner::History,
    )?;
    owners.add("SELECT artifact, stage FROM staged", [], |_| Owner::Plans)?;
    owners.add(
        "SELECT artifact, id FROM quarantine WHERE artifact IS NOT NULL",
        [],
        |_| Owner::Quarantine,
    )?;
    owners.add(
        "SELECT a.id, 0
           FROM former_member f
           JOIN change_set c ON c.id = f.until
           JOIN artifact a ON a.sha256 = f.sha256
          WHERE c.at > ?1",
        params![released_after],
        |_| Owner::Readers,
    )?;
    Ok(owners.of)
}

struct Owners<'a> {
    conn: &'a Connection,
    of: HashMap<ArtifactId, Vec<Owner>>,
}

impl Owners<'_> {
    /// Adds what a query says, which names an artifact and a number.
    fn add(
        &mut self,
        query: &str,
        parameters: impl Params,
        owner: fn(i64) -> Owner,
    ) -> Result<(), StoreError> {
        let mut query = self.conn.prepare(query)?;
        let mut rows = query.query(parameters)?;
        while let Some(row) = rows.next()? {
            let owner = owner(row.get(1)?);
            let owners = self.of.entry(row.get(0)?).or_default();
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        Ok(())
    }
}

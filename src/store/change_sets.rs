//! Change sets: every change of branches and distributions, numbered.

use rusqlite::{Connection, Transaction, named_params};

use super::StoreError;
use super::branches::BranchId;
use super::sources::SourceId;

/// The number of a change set. They count up and are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeSetId(pub i64);

/// A change set to be: who does what, when and from where. `at` is UTC, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChangeSet<'a> {
    /// When.
    pub at: &'a str,
    /// Who.
    pub who: &'a str,
    /// What, in one word: `import`, `activate`, `distribution`.
    pub action: &'a str,
    /// From where.
    pub source: Option<SourceId>,
}

/// Adds a change set; the changes themselves follow in the same transaction.
pub fn insert(conn: &Transaction<'_>, new: &NewChangeSet<'_>) -> Result<ChangeSetId, StoreError> {
    conn.execute(
        "INSERT INTO change_set (at, who, action, source)
         VALUES (:at, :who, :action, :source)",
        named_params! { ":at": new.at, ":who": new.who, ":action": new.action, ":source": new.source },
    )?;
    Ok(ChangeSetId(conn.last_insert_rowid()))
}

/// Notes that a change set was an import into `branch`, and whether the branch took the whole of its source.
pub fn note_import(
    conn: &Transaction<'_>,
    change_set: ChangeSetId,
    branch: BranchId,
    is_complete: bool,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO change_set_branch (change_set, branch, is_complete)
         VALUES (:change_set, :branch, :is_complete)",
        named_params! { ":change_set": change_set, ":branch": branch, ":is_complete": is_complete },
    )?;
    Ok(())
}

/// Returns the number of the last change set; 0 in a store that was never changed.
pub fn last(conn: &Connection) -> Result<ChangeSetId, StoreError> {
    Ok(
        conn.query_row("SELECT coalesce(max(id), 0) FROM change_set", [], |row| {
            row.get(0)
        })?,
    )
}

super::sql_id!(ChangeSetId);

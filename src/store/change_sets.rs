//! Change sets: every change of branches and distributions, numbered.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::branches::BranchId;
use super::sources::SourceId;
use super::{StoreError, audit};
use crate::crypto::Digest;
use crate::people::Actor;

/// The number of a change set. They count up and are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeSetId(pub i64);

/// A change set to be: who does what, when and from where. `at` is UTC, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChangeSet<'a> {
    /// When.
    pub at: &'a str,
    /// Who, and from where.
    pub who: &'a Actor,
    /// What, as one would call the command: `import`, `activate`, `distribution create`.
    pub action: &'a str,
    /// Why, where the rules ask for a reason or the operator gave one.
    pub why: Option<&'a str>,
    /// From where.
    pub source: Option<SourceId>,
    /// What else the audit log is to tell of it: the digest of the plan that was approved.
    pub plan: Option<Digest>,
}

/// A change set: who did what, when and from where. What it changed are rows of branches and distributions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// Its number.
    pub id: ChangeSetId,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// Why.
    pub why: Option<String>,
    /// What the source is called that it came from.
    pub source: Option<String>,
}

/// Adds a change set, and its entry in the audit log; the changes themselves follow in the same transaction.
pub fn insert(conn: &Transaction<'_>, new: &NewChangeSet<'_>) -> Result<ChangeSetId, StoreError> {
    conn.execute(
        "INSERT INTO change_set (at, who, action, why, source)
         VALUES (:at, :who, :action, :why, :source)",
        named_params! {
            ":at": new.at,
            ":who": new.who.name,
            ":action": new.action,
            ":why": new.why,
            ":source": new.source,
        },
    )?;
    let id = ChangeSetId(conn.last_insert_rowid());
    let mut detail = serde_json::Map::new();
    detail.insert("change_set".to_owned(), id.0.into());
    if let Some(why) = new.why {
        detail.insert("reason".to_owned(), why.into());
    }
    if let Some(plan) = new.plan {
        detail.insert("plan".to_owned(), plan.to_string().into());
    }
    audit::note(
        conn,
        time(new.at)?,
        new.who,
        new.action,
        &format!("change set {}", id.0),
        detail.into(),
    )?;
    Ok(id)
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

/// Returns the last change set that was made up to `time`; `None` where the first came later.
pub fn last_up_to(conn: &Connection, time: Timestamp) -> Result<Option<ChangeSet>, StoreError> {
    // As times and not as text, which has fractions of a second of any length.
    let mut query = conn.prepare(&format!("{SELECT} ORDER BY c.id DESC"))?;
    for row in query.query_map([], ChangeSet::read)? {
        let change_set = row?;
        if change_set.time()? <= time {
            return Ok(Some(change_set));
        }
    }
    Ok(None)
}

/// Returns the change set of this number, or `None`.
pub fn get(conn: &Connection, id: ChangeSetId) -> Result<Option<ChangeSet>, StoreError> {
    let query = format!("{SELECT} WHERE c.id = :id");
    let row = conn.query_row(&query, named_params! { ":id": id }, ChangeSet::read);
    Ok(row.optional()?)
}

/// Returns the last `limit` change sets, the newest first.
pub fn newest(conn: &Connection, limit: u32) -> Result<Vec<ChangeSet>, StoreError> {
    let mut query = conn.prepare(&format!("{SELECT} ORDER BY c.id DESC LIMIT :limit"))?;
    let rows = query.query_map(named_params! { ":limit": limit }, ChangeSet::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the change set before one, or `None`.
pub fn before(conn: &Connection, id: ChangeSetId) -> Result<Option<ChangeSetId>, StoreError> {
    let mut query = conn.prepare_cached("SELECT max(id) FROM change_set WHERE id < :id")?;
    Ok(query.query_row(named_params! { ":id": id }, |row| row.get(0))?)
}

/// Returns how many change sets there are.
pub fn count(conn: &Connection) -> Result<u64, StoreError> {
    let count: i64 = conn.query_row("SELECT count(*) FROM change_set", [], |row| row.get(0))?;
    // A count is never below zero.
    Ok(count.unsigned_abs())
}

const SELECT: &str = "SELECT c.id, c.at, c.who, c.action, c.why, s.name
                        FROM change_set c
                        LEFT JOIN source s ON s.id = c.source";

impl ChangeSet {
    /// Returns when it was.
    pub fn time(&self) -> Result<Timestamp, StoreError> {
        time(&self.at)
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            who: row.get(2)?,
            action: row.get(3)?,
            why: row.get(4)?,
            source: row.get(5)?,
        })
    }
}

fn time(at: &str) -> Result<Timestamp, StoreError> {
    at.parse().map_err(|_| StoreError::Invalid {
        what: "time of a change set",
        value: at.to_owned(),
    })
}

super::sql_id!(ChangeSetId);

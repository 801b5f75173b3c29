//! What proves a change set: the source it came from, every artifact it brought, and what did not come in.

use rusqlite::{Connection, OptionalExtension, Params, Transaction, named_params};

use super::StoreError;
use super::branches::BranchId;
use super::change_sets::ChangeSetId;
use super::quarantine::Quarantined;
use super::sources::{self, Source};
use crate::crypto::Digest;

/// An artifact that a change set brought into a branch, or that the branch held right after one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The branch.
    pub branch: String,
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its zip.
    pub sha256: Digest,
    /// What the keyring said last of its signature; `None` without one.
    pub status: Option<String>,
    /// The key that signed it, as far as it is known.
    pub key: Option<String>,
}

/// Who staged what a change set committed, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedBy {
    /// Who.
    pub who: String,
    /// When reading began, RFC 3339.
    pub at: String,
}

/// Notes who staged what a change set commits; it is an import that was noted before.
pub fn note_staged(
    conn: &Transaction<'_>,
    change_set: ChangeSetId,
    who: &str,
    at: &str,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE change_set_branch SET staged_by = :who, staged_at = :at WHERE change_set = :change_set",
        named_params! { ":change_set": change_set, ":who": who, ":at": at },
    )?;
    Ok(())
}

/// Returns who staged what a change set committed; `None` for one that is no import.
pub fn staged_by(
    conn: &Connection,
    change_set: ChangeSetId,
) -> Result<Option<StagedBy>, StoreError> {
    let query = "SELECT staged_by, staged_at
                   FROM change_set_branch
                  WHERE change_set = :change_set AND staged_by IS NOT NULL AND staged_at IS NOT NULL";
    let row = conn.query_row(query, named_params! { ":change_set": change_set }, |row| {
        Ok(StagedBy {
            who: row.get(0)?,
            at: row.get(1)?,
        })
    });
    Ok(row.optional()?)
}

/// Returns the source of a change set, and what of it is in quarantine.
pub fn source(
    conn: &Connection,
    change_set: ChangeSetId,
) -> Result<Option<(Source, Vec<Quarantined>)>, StoreError> {
    let query = "SELECT source FROM change_set WHERE id = :id AND source IS NOT NULL";
    let id = conn
        .query_row(query, named_params! { ":id": change_set }, |row| row.get(0))
        .optional()?;
    let Some(id) = id else {
        return Ok(None);
    };
    let Some(source) = sources::get(conn, id)? else {
        return Ok(None);
    };
    let mut query =
        conn.prepare("SELECT path, reason FROM quarantine WHERE source = :source ORDER BY id")?;
    let rows = query.query_map(named_params! { ":source": id }, |row| {
        Ok(Quarantined {
            path: row.get(0)?,
            reason: row.get(1)?,
        })
    })?;
    let quarantined = rows.collect::<Result<_, _>>()?;
    Ok(Some((source, quarantined)))
}

/// Returns what a change set brought into branches, by branch, name and version as text. Reads every row of every branch.
pub fn brought(conn: &Connection, change_set: ChangeSetId) -> Result<Vec<Brought>, StoreError> {
    members(
        conn,
        "since = :change_set",
        named_params! { ":change_set": change_set },
    )
}

/// Returns what a branch held right after a change set, by name and version as text; what was deleted since is among it.
pub fn held(
    conn: &Connection,
    branch: BranchId,
    change_set: ChangeSetId,
) -> Result<Vec<Brought>, StoreError> {
    members(
        conn,
        "branch = :branch AND since <= :change_set AND (until IS NULL OR until > :change_set)",
        named_params! { ":branch": branch, ":change_set": change_set },
    )
}

/// Returns the rows for which `condition` holds, of what branches hold or held and of what was deleted with them.
fn members(
    conn: &Connection,
    condition: &str,
    parameters: impl Params,
) -> Result<Vec<Brought>, StoreError> {
    let mut query = conn.prepare(&format!(
        "SELECT b.name, v.name, v.version, a.sha256, s.status, s.key
           FROM (SELECT * FROM member WHERE {condition}) m
           JOIN branch b ON b.id = m.branch
           JOIN package_version v ON v.id = m.package_version
           JOIN artifact a ON a.id = m.artifact
           LEFT JOIN signature s ON s.id = (SELECT id
                                              FROM signature
                                             WHERE artifact = m.artifact
                                             ORDER BY status = 'good' DESC, id
                                             LIMIT 1)
          UNION ALL
         SELECT b.name, v.name, v.version, f.sha256, f.status, f.key
           FROM (SELECT * FROM former_member WHERE {condition}) f
           JOIN branch b ON b.id = f.branch
           JOIN package_version v ON v.id = f.package_version
          ORDER BY 1, 2, 3"
    ))?;
    let rows = query.query_map(parameters, |row| {
        Ok(Brought {
            branch: row.get(0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            sha256: row.get(3)?,
            status: row.get(4)?,
            key: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! Letting go of what branches held once: the rows of `member` that ended, and with them what alone kept their content.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::artifacts::ArtifactId;
use super::change_sets::ChangeSetId;
use super::{StoreError, artifacts};
use crate::package::PackageId;

/// What a branch held once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The package version.
    pub package: PackageId,
    /// The artifact.
    pub artifact: ArtifactId,
    branch: i64,
    package_version: i64,
    since: ChangeSetId,
}

/// What nothing else keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Own {
    /// How many artifacts.
    pub artifacts: u64,
    /// Bytes at rest of their contents, each once.
    pub bytes: u64,
}

/// Returns what branches held and gave up with a change set up to `up_to`.
pub fn ended(conn: &Connection, up_to: ChangeSetId) -> Result<Vec<Ended>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, m.artifact, m.branch, m.package_version, m.since
           FROM member m
           JOIN package_version v ON v.id = m.package_version
          WHERE m.until <= :up_to",
    )?;
    let mut rows = query.query(named_params! { ":up_to": up_to })?;
    let mut ended = Vec::new();
    while let Some(row) = rows.next()? {
        ended.push(Ended {
            package: artifacts::package_id(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?)?,
            artifact: row.get(2)?,
            branch: row.get(3)?,
            package_version: row.get(4)?,
            since: row.get(5)?,
        });
    }
    ended.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(ended)
}

/// Returns what only these rows keep. Reads a row for each file of each artifact.
pub fn own(conn: &Connection, ended: &[Ended]) -> Result<Own, StoreError> {
    let mut rows_of: HashMap<ArtifactId, i64> = HashMap::new();
    for it in ended {
        *rows_of.entry(it.artifact).or_default() += 1;
    }
    let mut others = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM member WHERE artifact = :artifact)
              + (SELECT count(*) FROM staged WHERE artifact = :artifact)
              + (SELECT count(*) FROM quarantine WHERE artifact = :artifact)",
    )?;
    let mut own: HashSet<ArtifactId> = HashSet::new();
    for (artifact, rows) in rows_of {
        let parameters = named_params! { ":artifact": artifact };
        let all: i64 = others.query_row(parameters, |row| row.get(0))?;
        if all == rows {
            own.insert(artifact);
        }
    }
    let (mut contents, mut kept): (HashSet<i64>, HashSet<i64>) = Default::default();
    for query in [
        "SELECT content, artifact FROM file",
        "SELECT document, artifact FROM document",
    ] {
        let mut query = conn.prepare(query)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let is_own = own.contains(&row.get(1)?);
            let place = if is_own { &mut contents } else { &mut kept };
            place.insert(row.get(0)?);
        }
    }
    let mut size =
        conn.prepare_cached("SELECT coalesce(sum(bytes), 0) FROM stream WHERE content = :content")?;
    let mut bytes = 0_u64;
    for content in contents.difference(&kept) {
        let parameters = named_params! { ":content": content };
        let of_content: i64 = size.query_row(parameters, |row| row.get(0))?;
        bytes += of_content.unsigned_abs();
    }
    Ok(Own {
        artifacts: own.len() as u64,
        bytes,
    })
}

/// Lets go of these rows, and notes that what was there before `up_to` is no longer known whole.
pub fn prune(
    conn: &Transaction<'_>,
    ended: &[Ended],
    up_to: ChangeSetId,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "DELETE FROM member
          WHERE branch = :branch
            AND package_version = :package_version
            AND since = :since
            AND until IS NOT NULL",
    )?;
    for it in ended {
        query.execute(named_params! {
            ":branch": it.branch,
            ":package_version": it.package_version,
            ":since": it.since,
        })?;
    }
    conn.execute(
        "INSERT INTO pruned (id, change_set) VALUES (1, :up_to)
             ON CONFLICT DO UPDATE SET change_set = max(change_set, excluded.change_set)",
        named_params! { ":up_to": up_to },
    )?;
    Ok(())
}

/// Returns the change set up to which the history was pruned: right after it everything is known, and nothing before.
pub fn pruned(conn: &Connection) -> Result<Option<ChangeSetId>, StoreError> {
    let mut query = conn.prepare_cached("SELECT change_set FROM pruned")?;
    Ok(query.query_row([], |row| row.get(0)).optional()?)
}

//! The quarantine: packages of imports that could not be taken, and those that their branch does not take.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::branches;
use super::sources::SourceId;
use super::stages::Target;
use crate::distribution::{BranchKind, DistributionName, SignaturePolicy};

/// The number of a package in quarantine: what `airlock quarantine show N` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuarantineId(pub i64);

/// A package that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it lay in its source, or the package version.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A package that was read well and that its branch does not take: it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What was read.
    pub artifact: ArtifactId,
    /// The branch that it was for.
    pub branch: DistributionName,
    /// The branch's kind.
    pub kind: BranchKind,
    /// The policy that kept it out.
    pub signatures: SignaturePolicy,
}

/// A package in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: QuarantineId,
    /// What it is, and why it is here.
    pub package: Quarantined,
    /// The source it came in.
    pub source: SourceId,
    /// When, RFC 3339.
    pub at: String,
    /// What is kept of it; `None` where it could not be read.
    pub kept: Option<Kept>,
}

/// Adds a package that could not be read.
pub fn put(
    conn: &Transaction<'_>,
    source: SourceId,
    at: &str,
    package: &Quarantined,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO quarantine (source, at, path, reason) VALUES (:source, :at, :path, :reason)",
        named_params! { ":source": source, ":at": at, ":path": package.path, ":reason": package.reason },
    )?;
    Ok(())
}

/// Adds a package that its branch does not take; of one that is here already it changes what is said.
pub fn keep(
    conn: &Transaction<'_>,
    source: SourceId,
    at: &str,
    package: &Quarantined,
    kept: &Kept,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT INTO quarantine (source, at, path, reason, artifact, branch, branch_kind, signatures)
         VALUES (:source, :at, :path, :reason, :artifact, :branch, :kind, :signatures)
             ON CONFLICT (artifact, branch) DO UPDATE
            SET source = excluded.source, at = excluded.at, reason = excluded.reason, signatures = excluded.signatures",
    )?;
    query.execute(named_params! {
        ":source": source,
        ":at": at,
        ":path": package.path,
        ":reason": package.reason,
        ":artifact": kept.artifact,
        ":branch": kept.branch.as_str(),
        ":kind": kept.kind.as_str(),
        ":signatures": kept.signatures.as_str(),
    })?;
    Ok(())
}

/// Returns what could not be read of a source, in the order it was met.
pub fn of_source(conn: &Connection, source: SourceId) -> Result<Vec<Quarantined>, StoreError> {
    let mut query = conn.prepare(
        "SELECT path, reason FROM quarantine WHERE source = :source AND artifact IS NULL ORDER BY id",
    )?;
    let rows = query.query_map(named_params! { ":source": source }, |row| {
        Ok(Quarantined {
            path: row.get(0)?,
            reason: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the artifacts that are kept out of a branch.
pub fn kept_from(
    conn: &Connection,
    branch: &DistributionName,
) -> Result<Vec<ArtifactId>, StoreError> {
    let mut query = conn.prepare(
        "SELECT artifact FROM quarantine WHERE branch = :branch AND artifact IS NOT NULL",
    )?;
    let rows = query.query_map(named_params! { ":branch": branch.as_str() }, |row| {
        row.get(0)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns everything in quarantine, oldest first, but what belongs to plans that wait.
pub fn all(conn: &Connection) -> Result<Vec<Case>, StoreError> {
    let mut query = conn.prepare(&format!("SELECT {COLUMNS} {COMMITTED} ORDER BY q.id"))?;
    let rows = query.query_map([], Columns::read)?;
    rows.map(|row| row?.case()).collect()
}

/// Returns a package in quarantine, or `None`.
pub fn get(conn: &Connection, id: QuarantineId) -> Result<Option<Case>, StoreError> {
    let row = conn
        .query_row(
            &format!("SELECT {COLUMNS} {COMMITTED} AND q.id = :id"),
            named_params! { ":id": id },
            Columns::read,
        )
        .optional()?;
    row.map(Columns::case).transpose()
}

/// Returns how many packages are in quarantine, but for plans that wait.
pub fn count(conn: &Connection) -> Result<usize, StoreError> {
    let count: i64 = conn.query_row(&format!("SELECT count(*) {COMMITTED}"), [], |row| {
        row.get(0)
    })?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Lets a package go. What was kept of it is garbage from here on, unless something else needs it.
pub fn remove(conn: &Transaction<'_>, id: QuarantineId) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM quarantine WHERE id = :id",
        named_params! { ":id": id },
    )?;
    Ok(())
}

/// Forgets what could not be read of a source.
pub fn forget(conn: &Transaction<'_>, source: SourceId) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM quarantine WHERE source = :source",
        named_params! { ":source": source },
    )?;
    Ok(())
}

/// Forgets what the branch `branch` has taken since, and what was said of the same bytes as `source` when they were read
/// before.
pub fn settle(
    conn: &Transaction<'_>,
    source: SourceId,
    branch: &DistributionName,
) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM quarantine
          WHERE branch = :branch
            AND EXISTS (SELECT 1
                          FROM branch b
                          JOIN member m ON m.branch = b.id
                         WHERE b.name = :branch
                           AND m.artifact = quarantine.artifact
                           AND m.until IS NULL)",
        named_params! { ":branch": branch.as_str() },
    )?;
    conn.execute(
        "DELETE FROM quarantine
          WHERE artifact IS NULL
            AND source IN (SELECT before.id
                             FROM source before
                             JOIN source now ON now.sha256 = before.sha256
                            WHERE now.id = :source AND before.id <> now.id)
            AND source NOT IN (SELECT source FROM stage)",
        named_params! { ":source": source },
    )?;
    Ok(())
}

const COLUMNS: &str =
    "q.id, q.path, q.reason, q.source, q.at, q.artifact, q.branch, q.branch_kind, q.signatures";
const COMMITTED: &str =
    "FROM quarantine q WHERE NOT EXISTS (SELECT 1 FROM stage WHERE source = q.source)";

struct Columns {
    case: Case,
    artifact: Option<ArtifactId>,
    branch: Option<String>,
    kind: Option<String>,
    signatures: Option<String>,
}

impl Columns {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            case: Case {
                id: row.get(0)?,
                package: Quarantined {
                    path: row.get(1)?,
                    reason: row.get(2)?,
                },
                source: row.get(3)?,
                at: row.get(4)?,
                kept: None,
            },
            artifact: row.get(5)?,
            branch: row.get(6)?,
            kind: row.get(7)?,
            signatures: row.get(8)?,
        })
    }

    fn case(self) -> Result<Case, StoreError> {
        let kept = match (self.artifact, self.branch, self.kind, self.signatures) {
            (Some(artifact), Some(branch), Some(kind), Some(signatures)) => Some(Kept {
                artifact,
                branch: branches::read_name(&branch)?,
                kind: branches::read_kind(&kind)?,
                signatures: branches::read_policy(&signatures)?,
            }),
            _ => None,
        };
        Ok(Case { kept, ..self.case })
    }
}

impl Kept {
    /// Returns where it was to go.
    pub fn target(&self) -> Target {
        Target {
            branch: self.branch.clone(),
            kind: self.kind,
            settings: Default::default(),
        }
    }
}

super::sql_id!(QuarantineId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::branches::{self, BranchSettings};
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::{schema, sources, stages};

    const AT: &str = "2026-11-22T10:00:00Z";

    fn package(path: &str) -> Quarantined {
        Quarantined {
            path: path.into(),
            reason: "manifest.yml is missing".into(),
        }
    }

    fn kept(artifact: ArtifactId) -> Kept {
        Kept {
            artifact,
            branch: name("9.2.0"),
            kind: BranchKind::Release,
            signatures: SignaturePolicy::Require,
        }
    }

    #[test]
    fn what_could_not_be_read_is_told_in_order_until_it_is_forgotten() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let [source, other] = ["a.tar", "b.tar"].map(|name| sources::begin(&conn, name).unwrap());
        let packages = ["z/1.0.0", "a/1.0.0"].map(package);
        for package in &packages {
            put(&conn, source, AT, package).unwrap();
        }
        put(&conn, other, AT, &packages[0]).unwrap();
        assert_eq!(of_source(&conn, source).unwrap(), packages);
        assert_eq!(count(&conn).unwrap(), 3);
        forget(&conn, source).unwrap();
        assert_eq!(of_source(&conn, source).unwrap(), []);
        assert_eq!(of_source(&conn, other).unwrap(), packages[..1]);
    }

    #[test]
    fn what_a_branch_does_not_take_is_kept_once_until_it_takes_it() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let source = sources::begin(&conn, "a.tar").unwrap();
        let it = artifact(&conn, "1.0.0", "a");
        for _ in 0..2 {
            keep(&conn, source, AT, &package("nginx 1.0.0"), &kept(it)).unwrap();
        }
        let [case] = all(&conn).unwrap().try_into().unwrap();
        assert_eq!(case.kept, Some(kept(it)));
        assert_eq!(get(&conn, case.id).unwrap(), Some(case));
        assert_eq!(kept_from(&conn, &name("9.2.0")).unwrap(), [it]);
        assert_eq!(kept_from(&conn, &name("9.3.0")).unwrap(), []);

        settle(&conn, source, &name("9.2.0")).unwrap();
        assert_eq!(count(&conn).unwrap(), 1);
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        let branch =
            branches::insert(&conn, &name("9.2.0"), BranchKind::Release, &settings, at).unwrap();
        branches::put(&conn, branch, it, at).unwrap();
        settle(&conn, source, &name("9.2.0")).unwrap();
        assert_eq!(count(&conn).unwrap(), 0);
    }

    #[test]
    fn a_source_that_is_read_again_speaks_for_its_first_reading_once_it_is_committed() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let read = |text: &str| {
            let source = sources::begin(&conn, text).unwrap();
            let read = sources::Source {
                sha256: Some(crate::crypto::Digest::of(b"the same")),
                ..Default::default()
            };
            sources::finish(&conn, source, &read).unwrap();
            put(&conn, source, AT, &package("a/1.0.0")).unwrap();
            source
        };
        let (_, again) = (read("first"), read("again"));
        let stage = stages::begin(&conn, again, AT, "tester", None).unwrap();
        assert_eq!(count(&conn).unwrap(), 1, "a plan that waits does not count");
        stages::end(&conn, stage).unwrap();
        assert_eq!(count(&conn).unwrap(), 2);
        settle(&conn, again, &name("9.2.0")).unwrap();
        let left: Vec<_> = all(&conn).unwrap().iter().map(|case| case.source).collect();
        assert_eq!(left, [again]);
    }
}

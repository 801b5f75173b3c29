//! Sources: where imports read from, known again by size and digest.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use crate::crypto::Digest;
use crate::distribution::DistributionName;

/// The number of a source in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceId(pub i64);

/// Where an import read from, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// What the operator called it: a file's name, or `-`.
    pub name: String,
    /// The digest of its bytes as they were read; not of a directory.
    pub sha256: Option<Digest>,
    /// How many bytes were read.
    pub bytes: Option<u64>,
    /// The commit it was made from.
    pub commit_id: Option<String>,
    /// When that was, RFC 3339.
    pub committed_at: Option<String>,
    /// The registry version it pins.
    pub registry_version: Option<String>,
}

/// Adds a source of which only the name is known yet.
pub fn begin(conn: &Transaction<'_>, name: &str) -> Result<SourceId, StoreError> {
    conn.execute(
        "INSERT INTO source (name) VALUES (:name)",
        named_params! { ":name": name },
    )?;
    Ok(SourceId(conn.last_insert_rowid()))
}

/// Writes what reading the source to its end has told.
pub fn finish(conn: &Transaction<'_>, id: SourceId, source: &Source) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE source
            SET sha256 = :sha256, bytes = :bytes, commit_id = :commit_id, committed_at = :committed_at,
                registry_version = :registry_version
          WHERE id = :id",
        named_params! {
            ":id": id,
            ":sha256": source.sha256,
            ":bytes": source.bytes.map(u64::cast_signed),
            ":commit_id": source.commit_id,
            ":committed_at": source.committed_at,
            ":registry_version": source.registry_version,
        },
    )?;
    Ok(())
}

/// Removes the sources that nothing came of: no change set, no stage, no quarantine.
pub fn remove_unused(conn: &Transaction<'_>) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "DELETE FROM source AS s
          WHERE NOT EXISTS (SELECT 1 FROM change_set WHERE source = s.id)
            AND NOT EXISTS (SELECT 1 FROM stage WHERE source = s.id)
            AND NOT EXISTS (SELECT 1 FROM quarantine WHERE source = s.id)",
        [],
    )?)
}

/// Returns a source, or `None`.
pub fn get(conn: &Connection, id: SourceId) -> Result<Option<Source>, StoreError> {
    let row = conn
        .query_row(
            "SELECT name, sha256, bytes, commit_id, committed_at, registry_version
               FROM source
              WHERE id = :id",
            named_params! { ":id": id },
            |row| {
                Ok(Source {
                    name: row.get(0)?,
                    sha256: row.get(1)?,
                    bytes: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    commit_id: row.get(3)?,
                    committed_at: row.get(4)?,
                    registry_version: row.get(5)?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// Tells whether a source of this many bytes was read to its end before: only then is its digest worth computing.
pub fn has_size(conn: &Connection, bytes: u64) -> Result<bool, StoreError> {
    let known = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM source WHERE bytes = :bytes AND sha256 IS NOT NULL)",
        named_params! { ":bytes": bytes.cast_signed() },
        |row| row.get(0),
    )?;
    Ok(known)
}

/// Returns the names of the branches that took all of the source with this digest, refused nothing of it and lost nothing
/// since, newest first.
pub fn committed_into(conn: &Connection, sha256: &Digest) -> Result<Vec<String>, StoreError> {
    let mut query = conn.prepare(
        "SELECT b.name
           FROM source s
           JOIN change_set c ON c.source = s.id
           JOIN change_set_branch cb ON cb.change_set = c.id
           JOIN branch b ON b.id = cb.branch
          WHERE s.sha256 = :sha256 AND cb.is_complete
            AND NOT EXISTS (SELECT 1 FROM member m WHERE m.branch = b.id AND m.until > c.id)
          ORDER BY c.id DESC",
    )?;
    let rows = query.query_map(named_params! { ":sha256": sha256 }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the branch that took something of the last source of this name, `None` where none did.
pub fn last_into(conn: &Connection, name: &str) -> Result<Option<DistributionName>, StoreError> {
    let mut query = conn.prepare(
        "SELECT b.name
           FROM source s
           JOIN change_set c ON c.source = s.id
           JOIN change_set_branch cb ON cb.change_set = c.id
           JOIN branch b ON b.id = cb.branch
          WHERE s.name = :name AND b.deleted IS NULL
          ORDER BY c.id DESC
          LIMIT 1",
    )?;
    let found: Option<String> = query
        .query_row(named_params! { ":name": name }, |row| row.get(0))
        .optional()?;
    Ok(found.and_then(|name| DistributionName::parse(&name).ok()))
}

super::sql_id!(SourceId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{self, BranchId, BranchSettings};
    use crate::store::change_sets;
    use crate::store::examples::{artifact, change_set, change_set_from, name};
    use crate::store::schema;

    fn read_source(conn: &Transaction<'_>, content: &str) -> SourceId {
        let id = begin(conn, "packages.tar").unwrap();
        let source = Source {
            name: "not written by finish".into(),
            sha256: Some(Digest::of(content.as_bytes())),
            bytes: Some(content.len() as u64),
            commit_id: Some("0123abcd".into()),
            committed_at: Some("2022-11-01T08:00:00Z".into()),
            registry_version: Some("1.15.0".into()),
        };
        finish(conn, id, &source).unwrap();
        let expected = Source {
            name: "packages.tar".into(),
            ..source
        };
        assert_eq!(get(conn, id).unwrap(), Some(expected));
        id
    }

    fn branch(conn: &Transaction<'_>, text: &str) -> BranchId {
        let at = change_set(conn);
        let settings = BranchSettings::default();
        branches::insert(conn, &name(text), BranchKind::Local, &settings, at).unwrap()
    }

    #[test]
    fn a_source_is_known_by_its_size_once_it_was_read_to_its_end() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let id = begin(&conn, "-").unwrap();
        let unread = Source {
            name: "-".into(),
            ..Source::default()
        };
        assert_eq!(get(&conn, id).unwrap(), Some(unread));
        assert!(!has_size(&conn, 5).unwrap());
        read_source(&conn, "12345");
        assert!(has_size(&conn, 5).unwrap());
        assert!(!has_size(&conn, 4).unwrap());
        assert_eq!(get(&conn, SourceId(99)).unwrap(), None);
    }

    #[test]
    fn only_branches_that_took_the_whole_and_lost_nothing_of_it_have_the_source() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let digest = Digest::of(b"12345");
        let source = read_source(&conn, "12345");
        let names = ["first", "partial", "replaced", "last"];
        let branches = names.map(|text| branch(&conn, text));
        let held = artifact(&conn, "1.0.0", "a");
        for (branch, is_complete) in branches.into_iter().zip([true, false, true, true]) {
            let import = change_set_from(&conn, Some(source));
            branches::put(&conn, branch, held, import).unwrap();
            change_sets::note_import(&conn, import, branch, is_complete).unwrap();
        }
        assert_eq!(
            committed_into(&conn, &digest).unwrap(),
            ["last", "replaced", "first"]
        );

        let later = change_set(&conn);
        branches::put(&conn, branches[2], artifact(&conn, "1.0.0", "b"), later).unwrap();
        assert_eq!(committed_into(&conn, &digest).unwrap(), ["last", "first"]);
        assert!(committed_into(&conn, &Digest::of(b"")).unwrap().is_empty());
    }

    #[test]
    fn the_last_branch_that_a_name_went_into_is_known() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        for text in ["first", "second"] {
            let source = read_source(&conn, text);
            let import = change_set_from(&conn, Some(source));
            change_sets::note_import(&conn, import, branch(&conn, text), false).unwrap();
        }
        let last = last_into(&conn, "packages.tar").unwrap();
        assert_eq!(last, Some(name("second")));
        assert_eq!(last_into(&conn, "other.tar").unwrap(), None);
    }

    #[test]
    fn sources_that_nothing_came_of_are_removed() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let [unused, used] = ["a", "b"].map(|content| read_source(&conn, content));
        change_set_from(&conn, Some(used));
        assert_eq!(remove_unused(&conn).unwrap(), 1);
        assert_eq!(get(&conn, unused).unwrap(), None);
        assert!(get(&conn, used).unwrap().is_some());
    }
}

//! Branches that are deleted: what they held leaves `member`, so that nothing keeps its content alive, and stays known to the
//! history by its digests.

use std::collections::HashSet;

use rusqlite::{Connection, Transaction, named_params};

use super::StoreError;
use super::artifacts;
use super::branches::BranchId;
use super::change_sets::ChangeSetId;
use crate::package::PackageId;

/// Deletes a branch at `change_set`: it is found no more, and of what it ever held the history keeps only the digests.
/// Returns how many package versions it held.
///
/// Its sources are no longer known as taken whole, so that they can be imported again.
pub fn delete_branch(
    conn: &Transaction<'_>,
    branch: BranchId,
    change_set: ChangeSetId,
) -> Result<usize, StoreError> {
    let parameters = named_params! { ":branch": branch, ":change_set": change_set };
    conn.execute(
        "INSERT INTO former_member (branch, package_version, since, until, sha256, status, key)
         SELECT m.branch, m.package_version, m.since, coalesce(m.until, :change_set), a.sha256, s.status, s.key
           FROM member m
           JOIN artifact a ON a.id = m.artifact
           LEFT JOIN signature s ON s.id = (SELECT id
                                              FROM signature
                                             WHERE artifact = m.artifact
                                             ORDER BY status = 'good' DESC, id
                                             LIMIT 1)
          WHERE m.branch = :branch",
        parameters,
    )?;
    let held = conn.query_row(
        "SELECT count(*) FROM member WHERE branch = :branch AND until IS NULL",
        named_params! { ":branch": branch },
        |row| row.get::<_, i64>(0),
    )?;
    for step in [
        "DELETE FROM member WHERE branch = :branch",
        "UPDATE change_set_branch SET is_complete = 0 WHERE branch = :branch",
    ] {
        conn.execute(step, named_params! { ":branch": branch })?;
    }
    conn.execute(
        "UPDATE branch SET deleted = :change_set WHERE id = :branch",
        parameters,
    )?;
    Ok(usize::try_from(held).unwrap_or_default())
}

/// Returns the package versions of a branch whose artifact no other branch holds or held.
pub fn only_of(conn: &Connection, branch: BranchId) -> Result<HashSet<PackageId>, StoreError> {
    let mut query = conn.prepare(
        "SELECT v.name, v.version
           FROM member m
           JOIN package_version v ON v.id = m.package_version
          WHERE m.branch = :branch
            AND NOT EXISTS (SELECT 1
                              FROM member other
                             WHERE other.artifact = m.artifact AND other.branch <> m.branch)",
    )?;
    let rows = query.query_map(named_params! { ":branch": branch }, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (name, version) = row?;
        artifacts::package_id(&name, &version)
    })
    .collect()
}

/// Tells whether a branch held something right after `change_set` that it will never give back.
pub fn held_at(
    conn: &Connection,
    branch: BranchId,
    change_set: ChangeSetId,
) -> Result<bool, StoreError> {
    let query = "SELECT EXISTS (SELECT 1
                                  FROM former_member
                                 WHERE branch = :branch AND since <= :change_set AND until > :change_set)";
    let parameters = named_params! { ":branch": branch, ":change_set": change_set };
    Ok(conn.query_row(query, parameters, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{self, BranchSettings, put};
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::{history, schema, sources};

    #[test]
    fn a_deleted_branch_is_found_no_more_and_the_history_still_tells_what_it_held() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let made = change_set(&conn);
        let settings = BranchSettings::default();
        let insert = |kind, at| branches::insert(&conn, &name("8.5.0"), kind, &settings, at);
        let branch = insert(BranchKind::Release, made).unwrap();
        put(&conn, branch, artifact(&conn, "1.0.0", "a"), made).unwrap();
        assert!(insert(BranchKind::Release, made).is_err());

        let deleted = change_set(&conn);
        assert_eq!(delete_branch(&conn, branch, deleted).unwrap(), 1);
        assert_eq!(branches::find(&conn, &name("8.5.0")).unwrap(), None);
        assert_eq!(branches::all(&conn).unwrap(), []);
        let changed = |at| {
            let changes = history::member_changes(&conn, at).unwrap();
            let sides = |it: &history::MemberChange| (it.from.is_some(), it.to.is_some());
            changes.iter().map(sides).collect::<Vec<_>>()
        };
        assert_eq!(changed(made), [(false, true)]);
        assert_eq!(changed(deleted), [(true, false)]);
        assert_eq!(history::members_at(&conn, branch, made).unwrap(), []);
        assert!(held_at(&conn, branch, made).unwrap());
        assert!(!held_at(&conn, branch, deleted).unwrap());

        // The name may come again, and then it is the same branch with another life.
        let again = change_set(&conn);
        assert_eq!(insert(BranchKind::Local, again).unwrap(), branch);
        let found = branches::find(&conn, &name("8.5.0")).unwrap().unwrap();
        assert_eq!(found.kind, BranchKind::Local);
        put(&conn, branch, artifact(&conn, "1.0.0", "b"), again).unwrap();
        assert_eq!(changed(again), [(false, true)]);
        assert_eq!(changed(made), [(false, true)]);
    }

    #[test]
    fn the_source_of_a_deleted_branch_can_come_again() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let source = sources::begin(&conn, "x.tar").unwrap();
        let digest = crate::crypto::Digest::of(b"x");
        let read = sources::Source {
            sha256: Some(digest),
            ..Default::default()
        };
        sources::finish(&conn, source, &read).unwrap();
        let made = crate::store::examples::change_set_from(&conn, Some(source));
        let settings = BranchSettings::default();
        let branch =
            branches::insert(&conn, &name("8.5.0"), BranchKind::Release, &settings, made).unwrap();
        crate::store::change_sets::note_import(&conn, made, branch, true).unwrap();
        assert_eq!(sources::committed_into(&conn, &digest).unwrap(), ["8.5.0"]);
        delete_branch(&conn, branch, change_set(&conn)).unwrap();
        assert!(sources::committed_into(&conn, &digest).unwrap().is_empty());
        assert_eq!(sources::last_into(&conn, "x.tar").unwrap(), None);
    }
}

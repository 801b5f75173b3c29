//! What change sets did, and what was there right after each: reads of the rows that begin and end with them.

use std::collections::BTreeMap;

use rusqlite::{Connection, named_params};

use super::StoreError;
use super::artifacts;
use super::branches::{self, BranchId, Member, MemberRow};
use super::change_sets::ChangeSetId;
use super::distributions::DistributionId;
use crate::crypto::Digest;
use crate::package::PackageId;

/// What a change set did to one package version of a branch: at least one of the two digests is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange {
    /// The branch.
    pub branch: BranchId,
    /// The package version.
    pub package: PackageId,
    /// The artifact that the branch held before.
    pub from: Option<Digest>,
    /// The artifact that it held afterwards.
    pub to: Option<Digest>,
}

/// What a change set did to one distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The distribution.
    pub distribution: DistributionId,
    /// Its branches before, the winning one first; none where it was not there.
    pub from: Vec<BranchId>,
    /// The same afterwards; none where it is no longer there.
    pub to: Vec<BranchId>,
}

/// Returns what a change set did to branches, by branch, name and version. Reads every row of every branch.
pub fn member_changes(
    conn: &Connection,
    change_set: ChangeSetId,
) -> Result<Vec<MemberChange>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT m.branch, v.name, v.version, a.sha256, m.since = :change_set
           FROM member m
           JOIN package_version v ON v.id = m.package_version
           JOIN artifact a ON a.id = m.artifact
          WHERE m.since = :change_set OR m.until = :change_set
          UNION ALL
         SELECT f.branch, v.name, v.version, f.sha256, f.since = :change_set
           FROM former_member f
           JOIN package_version v ON v.id = f.package_version
          WHERE f.since = :change_set OR f.until = :change_set",
    )?;
    let mut rows = query.query(named_params! { ":change_set": change_set })?;
    let mut changes: BTreeMap<(i64, PackageId), MemberChange> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let branch: BranchId = row.get(0)?;
        let package = artifacts::package_id(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?)?;
        let change = changes
            .entry((branch.0, package.clone()))
            .or_insert(MemberChange {
                branch,
                package,
                from: None,
                to: None,
            });
        let side = if row.get(4)? {
            &mut change.to
        } else {
            &mut change.from
        };
        *side = Some(row.get(3)?);
    }
    Ok(changes.into_values().collect())
}

/// Returns what a change set did to distributions.
pub fn moves(conn: &Connection, change_set: ChangeSetId) -> Result<Vec<Move>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT distribution, branch, since = :change_set
           FROM distribution_branch
          WHERE since = :change_set OR until = :change_set
          ORDER BY distribution, position",
    )?;
    let mut rows = query.query(named_params! { ":change_set": change_set })?;
    let mut moves: Vec<Move> = Vec::new();
    while let Some(row) = rows.next()? {
        let distribution = row.get(0)?;
        if moves.last().map(|last| last.distribution) != Some(distribution) {
            moves.push(Move {
                distribution,
                from: Vec::new(),
                to: Vec::new(),
            });
        }
        if let Some(last) = moves.last_mut() {
            let side = if row.get(2)? {
                &mut last.to
            } else {
                &mut last.from
            };
            side.push(row.get(1)?);
        }
    }
    Ok(moves)
}

/// Returns what a branch held right after a change set, by name and version.
pub fn members_at(
    conn: &Connection,
    branch: BranchId,
    change_set: ChangeSetId,
) -> Result<Vec<Member>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, m.artifact, a.sha256, a.tree_sha256
           FROM member m
           JOIN package_version v ON v.id = m.package_version
           JOIN artifact a ON a.id = m.artifact
          WHERE m.branch = :branch
            AND m.since <= :change_set
            AND (m.until IS NULL OR m.until > :change_set)",
    )?;
    let parameters = named_params! { ":branch": branch, ":change_set": change_set };
    branches::members_of(query.query_map(parameters, MemberRow::read)?)
}

/// Returns the branches of a distribution right after a change set, the winning one first; none where it was not there.
pub fn branches_at(
    conn: &Connection,
    distribution: DistributionId,
    change_set: ChangeSetId,
) -> Result<Vec<BranchId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT branch
           FROM distribution_branch
          WHERE distribution = :distribution
            AND since <= :change_set
            AND (until IS NULL OR until > :change_set)
          ORDER BY position",
    )?;
    let parameters = named_params! { ":distribution": distribution, ":change_set": change_set };
    let rows = query.query_map(parameters, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{BranchSettings, insert, put, remove};
    use crate::store::distributions;
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::schema;

    #[test]
    fn each_change_set_is_known_by_the_rows_it_began_and_ended() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let branch = insert(&conn, &name("mine"), BranchKind::Local, &settings, first).unwrap();
        let (one, two) = (artifact(&conn, "1.0.0", "a"), artifact(&conn, "1.0.0", "b"));
        let ten = artifact(&conn, "1.10.0", "a");
        put(&conn, branch, one, first).unwrap();
        put(&conn, branch, ten, first).unwrap();
        let second = change_set(&conn);
        put(&conn, branch, two, second).unwrap();
        let third = change_set(&conn);
        assert!(remove(&conn, branch, ten, third).unwrap());
        assert!(!remove(&conn, branch, ten, third).unwrap());

        let shown = |at| -> Vec<_> {
            let changes = member_changes(&conn, at).unwrap();
            let side = |digest: Option<Digest>| digest.is_some();
            let shown = |it: MemberChange| {
                let version = it.package.version.to_string();
                (version, side(it.from), side(it.to))
            };
            changes.into_iter().map(shown).collect()
        };
        assert_eq!(
            shown(first),
            [
                ("1.0.0".into(), false, true),
                ("1.10.0".into(), false, true)
            ]
        );
        assert_eq!(shown(second), [("1.0.0".into(), true, true)]);
        assert_eq!(shown(third), [("1.10.0".into(), true, false)]);
        let held = |at| -> Vec<_> {
            let members = members_at(&conn, branch, at).unwrap();
            members.into_iter().map(|member| member.artifact).collect()
        };
        assert_eq!(
            [first, second, third].map(held),
            [vec![one, ten], vec![two, ten], vec![two]]
        );
        assert_eq!(held(ChangeSetId(first.0 - 1)), []);
    }

    #[test]
    fn a_distribution_is_known_as_it_was() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let [a, b] = ["a", "b"]
            .map(|text| insert(&conn, &name(text), BranchKind::Local, &settings, first).unwrap());
        let both = distributions::insert(&conn, &name("both"), first).unwrap();
        distributions::set_branches(&conn, both, &[a, b], first).unwrap();
        let second = change_set(&conn);
        distributions::set_branches(&conn, both, &[b], second).unwrap();
        let third = change_set(&conn);
        distributions::set_branches(&conn, both, &[], third).unwrap();

        let at = |at| branches_at(&conn, both, at).unwrap();
        assert_eq!(
            [first, second, third].map(at),
            [vec![a, b], vec![b], vec![]]
        );
        let moved = |at| {
            let moves = moves(&conn, at).unwrap();
            let [one] = moves.as_slice() else {
                panic!("{moves:?}")
            };
            (one.from.clone(), one.to.clone())
        };
        assert_eq!(
            [first, second, third].map(moved),
            [
                (vec![], vec![a, b]),
                (vec![a, b], vec![b]),
                (vec![b], vec![])
            ]
        );
    }
}

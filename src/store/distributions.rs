//! Distributions: stable addresses, and the branches behind them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::branches::BranchId;
use super::change_sets::ChangeSetId;
use crate::distribution::DistributionName;

/// The number of a distribution in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DistributionId(pub i64);

/// A distribution, without its branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its number.
    pub id: DistributionId,
    /// Its name, the last part of its address.
    pub name: DistributionName,
}

/// Adds a distribution that is not here, without branches: it is there once [`set_branches`] gave it some. One that was
/// deleted comes back with its history.
pub fn insert(
    conn: &Transaction<'_>,
    name: &DistributionName,
    created: ChangeSetId,
) -> Result<DistributionId, StoreError> {
    conn.execute(
        "INSERT INTO distribution (name, created)
         VALUES (:name, :created)
         ON CONFLICT (name) DO NOTHING",
        named_params! { ":name": name.as_str(), ":created": created },
    )?;
    let query = "SELECT id FROM distribution WHERE name = :name";
    let parameters = named_params! { ":name": name.as_str() };
    Ok(conn.query_row(query, parameters, |row| row.get(0))?)
}

/// Returns the distribution of this name, or `None`; one that was deleted is none.
pub fn find(
    conn: &Connection,
    name: &DistributionName,
) -> Result<Option<DistributionId>, StoreError> {
    let id = conn
        .query_row(
            "SELECT id
               FROM distribution d
              WHERE name = :name
                AND EXISTS (SELECT 1
                              FROM distribution_branch b
                             WHERE b.distribution = d.id AND b.until IS NULL)",
            named_params! { ":name": name.as_str() },
            |row| row.get(0),
        )
        .optional()?;
    Ok(id)
}

/// Returns all distributions, by name.
pub fn all(conn: &Connection) -> Result<Vec<Distribution>, StoreError> {
    let mut query = conn.prepare(
        "SELECT id, name
           FROM distribution d
          WHERE EXISTS (SELECT 1
                          FROM distribution_branch b
                         WHERE b.distribution = d.id AND b.until IS NULL)
          ORDER BY name",
    )?;
    rows(&mut query)
}

/// Returns the same, and those that were deleted.
pub fn ever(conn: &Connection) -> Result<Vec<Distribution>, StoreError> {
    rows(&mut conn.prepare("SELECT id, name FROM distribution ORDER BY name")?)
}

fn rows(query: &mut rusqlite::Statement<'_>) -> Result<Vec<Distribution>, StoreError> {
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (id, name) = row?;
        let name = DistributionName::parse(&name).map_err(|_| StoreError::Invalid {
            what: "distribution name",
            value: name,
        })?;
        Ok(Distribution { id, name })
    })
    .collect()
}

/// Returns the branches of a distribution, the winning one first.
pub fn branches(conn: &Connection, id: DistributionId) -> Result<Vec<BranchId>, StoreError> {
    let mut query = conn.prepare(
        "SELECT branch
           FROM distribution_branch
          WHERE distribution = :id AND until IS NULL
          ORDER BY position",
    )?;
    let rows = query.query_map(named_params! { ":id": id }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the distributions, deleted ones too, that serve a branch or ever did.
pub fn ever_with(
    conn: &Connection,
    branch: BranchId,
) -> Result<HashSet<DistributionId>, StoreError> {
    let mut query = conn.prepare(
        "SELECT DISTINCT distribution
           FROM distribution_branch
          WHERE branch = :branch",
    )?;
    let rows = query.query_map(named_params! { ":branch": branch }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes `branches`, in this order, what a distribution is from `change_set` on. Without branches it is deleted: its name is
/// free, and what it was before `change_set` stays known.
pub fn set_branches(
    conn: &Transaction<'_>,
    id: DistributionId,
    branches: &[BranchId],
    change_set: ChangeSetId,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE distribution_branch
            SET until = :change_set
          WHERE distribution = :id AND until IS NULL",
        named_params! { ":id": id, ":change_set": change_set },
    )?;
    let mut query = conn.prepare(
        "INSERT INTO distribution_branch (distribution, position, since, branch)
         VALUES (:id, :position, :change_set, :branch)",
    )?;
    for (position, branch) in (0_i64..).zip(branches) {
        query.execute(named_params! {
            ":id": id,
            ":position": position,
            ":change_set": change_set,
            ":branch": branch,
        })?;
    }
    Ok(())
}

super::sql_id!(DistributionId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{self as store_branches, BranchSettings};
    use crate::store::examples::{change_set, name};
    use crate::store::schema;

    #[test]
    fn branches_stand_in_the_order_that_was_set_last_and_the_former_is_kept() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let [a, b, c] = ["a", "b", "c"].map(|text| {
            let kind = BranchKind::Local;
            store_branches::insert(&conn, &name(text), kind, &settings, first).unwrap()
        });
        let [mine, other] =
            ["mine", "other"].map(|text| insert(&conn, &name(text), first).unwrap());
        assert_eq!(branches(&conn, mine).unwrap(), []);

        set_branches(&conn, mine, &[c, a, b], first).unwrap();
        set_branches(&conn, other, &[a], first).unwrap();
        let second = change_set(&conn);
        set_branches(&conn, mine, &[b, c], second).unwrap();
        assert_eq!(branches(&conn, mine).unwrap(), [b, c]);
        assert_eq!(branches(&conn, other).unwrap(), [a]);

        let mut query = conn
            .prepare(
                "SELECT branch FROM distribution_branch
                  WHERE distribution = ?1 AND since = ?2 AND until = ?3 ORDER BY position",
            )
            .unwrap();
        let former = query.query_map((mine, first, second), |row| row.get(0));
        let former: Vec<BranchId> = former.unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(former, [c, a, b]);
    }

    #[test]
    fn distributions_are_found_by_name_each_once() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        let branch = store_branches::insert(&conn, &name("a"), BranchKind::Local, &settings, at);
        let branch = branch.unwrap();
        let ids = ["mine", "9.2.0"].map(|text| insert(&conn, &name(text), at).unwrap());
        assert_eq!(
            find(&conn, &name("mine")).unwrap(),
            None,
            "it has no branches"
        );
        for id in ids {
            set_branches(&conn, id, &[branch], at).unwrap();
        }
        assert_eq!(insert(&conn, &name("mine"), at).unwrap(), ids[0]);
        assert_eq!(find(&conn, &name("mine")).unwrap(), Some(ids[0]));
        assert_eq!(find(&conn, &name("none")).unwrap(), None);
        let all: Vec<_> = all(&conn).unwrap().into_iter().map(|d| d.id).collect();
        assert_eq!(all, [ids[1], ids[0]]);
    }

    #[test]
    fn a_deleted_distribution_is_found_by_nobody_and_its_name_is_free() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let branch = store_branches::insert(&conn, &name("a"), BranchKind::Local, &settings, first);
        let branch = branch.unwrap();
        let id = insert(&conn, &name("mine"), first).unwrap();
        set_branches(&conn, id, &[branch], first).unwrap();
        set_branches(&conn, id, &[], change_set(&conn)).unwrap();
        assert_eq!(find(&conn, &name("mine")).unwrap(), None);
        assert_eq!(all(&conn).unwrap(), []);
        assert_eq!(ever(&conn).unwrap().len(), 1);

        let third = change_set(&conn);
        assert_eq!(insert(&conn, &name("mine"), third).unwrap(), id);
        set_branches(&conn, id, &[branch], third).unwrap();
        assert_eq!(find(&conn, &name("mine")).unwrap(), Some(id));
    }
}

//! Which distributions ask for a second person: their branches take a plan only from somebody else than who staged it.

use rusqlite::{Connection, Transaction, named_params};

use super::StoreError;
use super::branches::BranchId;
use super::change_sets::ChangeSetId;
use super::distributions::DistributionId;

/// Says whether a distribution asks for a second person, from `change_set` on; tells whether that is new.
pub fn set(
    conn: &Transaction<'_>,
    distribution: DistributionId,
    is_needed: bool,
    change_set: ChangeSetId,
) -> Result<bool, StoreError> {
    if needed(conn, None)?.contains(&distribution) == is_needed {
        return Ok(false);
    }
    let statement = if is_needed {
        "INSERT INTO approval (distribution, since) VALUES (:distribution, :change_set)"
    } else {
        "UPDATE approval SET until = :change_set WHERE distribution = :distribution AND until IS NULL"
    };
    conn.execute(
        statement,
        named_params! { ":distribution": distribution, ":change_set": change_set },
    )?;
    Ok(true)
}

/// Returns the distributions that ask for a second person: now, or right after a change set.
pub fn needed(
    conn: &Connection,
    at: Option<ChangeSetId>,
) -> Result<Vec<DistributionId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT distribution
           FROM approval
          WHERE (:at IS NULL AND until IS NULL)
             OR (since <= :at AND (until IS NULL OR until > :at))",
    )?;
    let rows = query.query_map(named_params! { ":at": at }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the distributions that serve `branch` now and ask for a second person.
pub fn of_branch(conn: &Connection, branch: BranchId) -> Result<Vec<DistributionId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT DISTINCT a.distribution
           FROM approval a
           JOIN distribution_branch b ON b.distribution = a.distribution
          WHERE a.until IS NULL AND b.until IS NULL AND b.branch = :branch
          ORDER BY a.distribution",
    )?;
    let rows = query.query_map(named_params! { ":branch": branch }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the distributions whose setting a change set changed, and whether they ask for a second person since.
pub fn changed(
    conn: &Connection,
    change_set: ChangeSetId,
) -> Result<Vec<(DistributionId, bool)>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT distribution, since = :at FROM approval WHERE since = :at OR until = :at",
    )?;
    let rows = query.query_map(named_params! { ":at": change_set }, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{BranchSettings, insert};
    use crate::store::distributions;
    use crate::store::examples::{change_set, name};
    use crate::store::schema;

    #[test]
    fn what_asks_for_a_second_person_is_known_as_it_was_and_by_branch() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let [a, b] = ["a", "b"]
            .map(|text| insert(&conn, &name(text), BranchKind::Local, &settings, first).unwrap());
        let [prod, test] =
            ["prod", "test"].map(|text| distributions::insert(&conn, &name(text), first).unwrap());
        distributions::set_branches(&conn, prod, &[a, b], first).unwrap();
        distributions::set_branches(&conn, test, &[b], first).unwrap();
        assert!(set(&conn, prod, true, first).unwrap());
        assert!(!set(&conn, prod, true, first).unwrap());
        assert_eq!(of_branch(&conn, a).unwrap(), [prod]);
        assert_eq!(of_branch(&conn, b).unwrap(), [prod]);

        let second = change_set(&conn);
        distributions::set_branches(&conn, prod, &[a], second).unwrap();
        assert_eq!(of_branch(&conn, b).unwrap(), []);
        assert!(set(&conn, prod, false, second).unwrap());
        assert!(!set(&conn, prod, false, second).unwrap());
        assert_eq!(needed(&conn, None).unwrap(), []);
        assert_eq!(needed(&conn, Some(first)).unwrap(), [prod]);
        assert_eq!(changed(&conn, first).unwrap(), [(prod, true)]);
        assert_eq!(changed(&conn, second).unwrap(), [(prod, false)]);
        assert_eq!(of_branch(&conn, a).unwrap(), []);
    }
}

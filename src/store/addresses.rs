//! The distributions that come with branches: each branch is served under its own name, the built-in ones serve several,
//! and the first branch of a store answers at `/`.

use rusqlite::{Connection, Transaction};

use super::StoreError;
use super::branches::{self, BranchId, BranchSettings};
use super::change_sets::ChangeSetId;
use super::distributions;
use crate::distribution::{BranchKind, DistributionName, built_in};

/// Adds a branch that is not here yet, and the distributions that come with it.
pub fn make_branch(
    conn: &Transaction<'_>,
    name: &DistributionName,
    kind: BranchKind,
    settings: &BranchSettings,
    change_set: ChangeSetId,
) -> Result<BranchId, StoreError> {
    let branch = branches::insert(conn, name, kind, settings, change_set)?;
    give_address(conn, name, branch, change_set)?;
    Ok(branch)
}

/// Gives a branch the distribution of its name where there is none, and each built-in distribution that is there all the
/// branches it serves. To be called once in a change set, and where that changes no distribution otherwise.
pub fn give_address(
    conn: &Transaction<'_>,
    name: &DistributionName,
    branch: BranchId,
    change_set: ChangeSetId,
) -> Result<(), StoreError> {
    let own = of_built_in(conn, name.as_str())?.unwrap_or_else(|| vec![branch]);
    for distribution in [name, &DistributionName::default_distribution()] {
        if distributions::find(conn, distribution)?.is_none() {
            let distribution = distributions::insert(conn, distribution, change_set)?;
            distributions::set_branches(conn, distribution, &own, change_set)?;
        }
    }
    for other in distributions::all(conn)? {
        let Some(served) = of_built_in(conn, other.name.as_str())? else {
            continue;
        };
        if distributions::branches(conn, other.id)? != served {
            distributions::set_branches(conn, other.id, &served, change_set)?;
        }
    }
    Ok(())
}

/// Returns the branches that a built-in distribution serves, as far as they are there; `None` for any other.
fn of_built_in(conn: &Connection, name: &str) -> Result<Option<Vec<BranchId>>, StoreError> {
    let Some((_, served)) = built_in().find(|(built_in, _)| *built_in == name) else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for branch in branches::all(conn)? {
        let place = served.iter().position(|name| *name == branch.name.as_str());
        found.extend(place.map(|place| (place, branch.id)));
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(Some(found.into_iter().map(|(_, id)| id).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examples::{change_set, name};
    use crate::store::schema;

    #[test]
    fn stages_are_laid_under_the_ones_behind_them_in_whatever_order_they_come() {
        let stages = ["production", "staging", "snapshot"];
        for order in [[2, 1, 0], [0, 1, 2], [1, 2, 0], [2, 0, 1]] {
            let mut conn = schema::in_memory();
            let conn = conn.transaction().unwrap();
            for stage in order {
                let (name, kind) = (name(stages[stage]), BranchKind::of_name(stages[stage]));
                let at = change_set(&conn);
                make_branch(&conn, &name, kind, &BranchSettings::default(), at).unwrap();
            }
            let served = |of: &str| -> Vec<String> {
                let all = branches::all(&conn).unwrap();
                let id = distributions::find(&conn, &name(of)).unwrap().unwrap();
                let served = distributions::branches(&conn, id).unwrap().into_iter();
                let name = |id| all.iter().find(|it| it.id == id).unwrap().name.to_string();
                served.map(name).collect()
            };
            assert_eq!(served("production"), stages[..1], "{order:?}");
            assert_eq!(served("staging"), stages[..2], "{order:?}");
            assert_eq!(served("snapshot"), stages, "{order:?}");
            assert_eq!(served("default")[0], stages[order[0]], "{order:?}");
        }
    }
}

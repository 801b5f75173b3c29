//! Which edition of a release an import is: one that is here with the same content, or the next.

use std::collections::HashSet;

use rusqlite::Connection;

use super::error::ImportError;
use crate::distribution::{
    BranchKind, Differences, DistributionName, Held, next_edition, release_of,
};
use crate::package::PackageId;
use crate::store::branches::{self, Branch, Member};
use crate::store::stages::Target;
use crate::store::{StoreError, distributions, quarantine};

/// What is new about an edition.
pub(super) struct Edition {
    /// The release that it is an edition of.
    pub release: String,
    /// The edition before.
    pub last: DistributionName,
    pub differences: Differences,
}

/// Points `target`, a release, to the edition that has this content, else to the next, which is made on `day`; returns the
/// edition before, where there is one with other content.
pub fn settle_edition(
    conn: &Connection,
    target: &mut Target,
    day: &str,
    coming: &[Member],
) -> Result<Option<DistributionName>, ImportError> {
    Ok(settle(conn, target, day, coming)?.map(|edition| edition.last))
}

/// Points `target`, a release, to the edition that has this content, else to the next, which came on `day`; returns how that
/// differs from the last. A release that is not here yet stays what it is.
pub(super) fn settle(
    conn: &Connection,
    target: &mut Target,
    day: &str,
    coming: &[Member],
) -> Result<Option<Edition>, ImportError> {
    if target.kind != BranchKind::Release {
        return Ok(None);
    }
    let release = release_of(&target.branch).to_owned();
    let mut editions: Vec<Branch> = branches::all(conn)?
        .into_iter()
        .filter(|branch| branch.kind == BranchKind::Release && release_of(&branch.name) == release)
        .collect();
    editions.sort_by_key(|branch| branch.id.0);
    let mut of_last = None;
    for edition in editions.iter().rev() {
        let members = branches::members(conn, edition.id)?;
        // What it keeps out is no difference.
        let (_, coming) = split_completing(conn, &edition.name, &members, coming)?;
        let differences = Differences::between(&held(&members), &held(&coming));
        if differences.is_empty() {
            target.branch = edition.name.clone();
            return Ok(None);
        }
        of_last.get_or_insert((edition.name.clone(), differences));
    }
    let Some((last, differences)) = of_last else {
        return Ok(None);
    };
    if is_taken(conn, &target.branch)? {
        // The store is asked beforehand: a closure has no way to fail.
        let mut taken: Vec<_> = branches::all(conn)?.into_iter().map(|it| it.name).collect();
        taken.extend(distributions::all(conn)?.into_iter().map(|it| it.name));
        target.branch = next_edition(&release, day, |name| taken.contains(name))
            .map_err(|_too_long| ImportError::NoEdition(release.clone()))?;
    }
    Ok(Some(Edition {
        release,
        last,
        differences,
    }))
}

fn is_taken(conn: &Connection, name: &DistributionName) -> Result<bool, StoreError> {
    Ok(branches::find(conn, name)?.is_some() || distributions::find(conn, name)?.is_some())
}

/// Parts what a release kept out when it was made, and so may complete it, from everything else that comes.
pub(super) fn split_completing(
    conn: &Connection,
    release: &DistributionName,
    members: &[Member],
    coming: &[Member],
) -> Result<(Vec<Member>, Vec<Member>), StoreError> {
    let kept: HashSet<_> = quarantine::kept_from(conn, release)?.into_iter().collect();
    let held: HashSet<_> = members.iter().map(|member| &member.package).collect();
    let is_completing =
        |member: &Member| kept.contains(&member.artifact) && !held.contains(&member.package);
    Ok(coming.iter().cloned().partition(is_completing))
}

/// Returns package versions with what is held of each.
pub(super) fn held(members: &[Member]) -> Vec<(PackageId, Held)> {
    members
        .iter()
        .map(|member| (member.package.clone(), member.held))
        .collect()
}

//! What branches hold, and what distributions offer of it.

use std::collections::HashMap;

use rusqlite::Connection;

use super::report::{DistributionDetails, DistributionReport, Layer, Shadowed};
use super::{is_own, served};
use crate::admin::error::OperationError;
use crate::distribution::{DistributionName, Fingerprint, Offered, offers};
use crate::package::PackageId;
use crate::store::StoreError;
use crate::store::branches::{self, Branch, Member};

/// Returns what branches offer together, and what of them is shadowed.
pub(in crate::admin) fn offered_by<'a>(
    layers: impl IntoIterator<Item = (&'a Branch, &'a [Member])>,
) -> (Vec<Offered<Origin<'a>>>, Vec<Offered<Origin<'a>>>) {
    offers(layers.into_iter().map(|(branch, members)| {
        let origin = |member: &'a Member| (member.package.clone(), (branch, member));
        members.iter().map(origin).collect()
    }))
}

/// A member, and the branch that holds it.
pub(in crate::admin) type Origin<'a> = (&'a Branch, &'a Member);

/// What each branch holds now, read once for all distributions.
pub(in crate::admin) struct Contents(HashMap<i64, Vec<Member>>);

impl Contents {
    pub(in crate::admin) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let mut contents = HashMap::new();
        for branch in branches::all(conn)? {
            contents.insert(branch.id.0, branches::members(conn, branch.id)?);
        }
        Ok(Self(contents))
    }

    /// Returns what a branch holds.
    pub(in crate::admin) fn of(&self, branch: &Branch) -> &[Member] {
        self.0.get(&branch.id.0).map_or(&[], Vec::as_slice)
    }

    pub(super) fn details(
        &self,
        conn: &Connection,
        name: &DistributionName,
    ) -> Result<DistributionDetails, OperationError> {
        let served = served(conn, name)?;
        let (offered, shadowed) = offered_by(served.iter().map(|branch| (branch, self.of(branch))));
        let digest = |it: &'_ Offered<Origin<'_>>| it.held.1.held.sha256;
        let fingerprint = Fingerprint::of(offered.iter().map(|it| (&it.package, digest(it))));
        let winners: HashMap<&PackageId, Origin<'_>> =
            offered.iter().map(|it| (&it.package, it.held)).collect();
        let layer = |branch: &Branch| {
            let count = |all: &[Offered<Origin<'_>>]| {
                let of_branch = all.iter().filter(|it| it.held.0.id == branch.id);
                of_branch.count()
            };
            Layer {
                branch: branch.name.to_string(),
                kind: branch.kind.to_string(),
                offered: count(&offered),
                shadowed: count(&shadowed),
            }
        };
        let shadow = |it: &Offered<Origin<'_>>| {
            let (branch, member) = it.held;
            let (by, winner) = winners.get(&it.package)?;
            Some(Shadowed {
                package: it.package.to_string(),
                branch: branch.name.to_string(),
                by: by.name.to_string(),
                is_same: winner.held.tree_sha256 == member.held.tree_sha256,
            })
        };
        let mut names: Vec<_> = offered.iter().map(|it| &it.package.name).collect();
        names.dedup();
        Ok(DistributionDetails {
            is_own: is_own(conn, name)?,
            packages: names.len(),
            layers: served.iter().map(layer).collect(),
            shadowed: shadowed.iter().filter_map(shadow).collect(),
            report: DistributionReport {
                name: name.to_string(),
                branches: served.iter().map(|it| it.name.to_string()).collect(),
                offered: offered.len(),
                fingerprint: fingerprint.to_string(),
            },
        })
    }
}

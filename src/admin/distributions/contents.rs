//! What branches hold, and what distributions offer of it.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::report::{DistributionDetails, DistributionReport, Layer, Shadowed};
use super::{find, is_own, served};
use crate::admin::error::OperationError;
use crate::admin::holds::HoldReport;
use crate::distribution::{DistributionName, Exact, Fingerprint, Holds, KeptBack, Offered, offers};
use crate::package::PackageId;
use crate::store::branches::{self, Branch, Member};
use crate::store::distributions::DistributionId;
use crate::store::holds::{self, Held};
use crate::store::{StoreError, approvals};

/// Returns what branches offer together under these holds, the winning one first.
pub(in crate::admin) fn offered_by<'a>(
    layers: impl IntoIterator<Item = (&'a Branch, &'a [Member])>,
    holds: &Holds,
    now: Timestamp,
) -> Offers<'a> {
    let mut kept_back = Vec::new();
    let mut open = Vec::new();
    for (branch, members) in layers {
        let origin = |member: &'a Member| (member.package.clone(), (branch, member));
        let members = members.iter().map(origin).collect();
        let (of_branch, held) = holds.part(&branch.name, members, now);
        open.push(of_branch);
        kept_back.extend(held);
    }
    let (offered, shadowed) = offers(open);
    Offers {
        offered,
        shadowed,
        kept_back,
    }
}

/// A member, and the branch that holds it.
pub(in crate::admin) type Origin<'a> = (&'a Branch, &'a Member);

/// What branches hold and what is held back of it now, read once for all distributions.
pub(in crate::admin) struct Contents {
    members: HashMap<i64, Vec<Member>>,
    holds: Vec<Held>,
    exact_now: Vec<DistributionId>,
    now: Timestamp,
}

/// What a distribution makes of its branches.
pub(in crate::admin) struct Offers<'a> {
    /// What it offers, by name and version.
    pub(in crate::admin) offered: Vec<Offered<Origin<'a>>>,
    /// What a branch before has.
    pub(in crate::admin) shadowed: Vec<Offered<Origin<'a>>>,
    /// What a hold keeps back.
    pub(in crate::admin) kept_back: Vec<KeptBack<Origin<'a>>>,
}

impl Contents {
    pub(in crate::admin) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let mut members = HashMap::new();
        for branch in branches::all(conn)? {
            members.insert(branch.id.0, branches::members(conn, branch.id)?);
        }
        Ok(Self {
            members,
            holds: holds::open(conn)?,
            exact_now: holds::exact_now(conn, None)?,
            now: Timestamp::now(),
        })
    }

    /// Returns what a distribution makes of these branches, the winning one first.
    pub(in crate::admin) fn offers<'a>(
        &'a self,
        distribution: DistributionId,
        layers: &'a [Branch],
    ) -> Offers<'a> {
        let holds = holds::of(&self.holds, distribution);
        let layers = layers.iter().map(|branch| (branch, self.of(branch)));
        offered_by(layers, &holds, self.now)
    }

    /// Returns for which versions a distribution answers.
    pub(in crate::admin) fn exact(&self, distribution: DistributionId) -> Exact {
        match self.exact_now.contains(&distribution) {
            true => Exact::Now,
            false => Exact::Ever,
        }
    }

    /// Returns the holds of a distribution that are not over, with what is withdrawn from it; or all there are.
    pub(in crate::admin) fn holds(&self, of: Option<DistributionId>) -> Vec<&Held> {
        let concerns = |it: &&Held| {
            let is_of = |id| it.distribution.is_none_or(|of| of == id);
            of.is_none_or(is_of) && !it.hold.is_over(self.now)
        };
        self.holds.iter().filter(concerns).collect()
    }

    /// Returns what a branch holds.
    pub(in crate::admin) fn of(&self, branch: &Branch) -> &[Member] {
        self.members.get(&branch.id.0).map_or(&[], Vec::as_slice)
    }

    pub(super) fn details(
        &self,
        conn: &Connection,
        name: &DistributionName,
    ) -> Result<DistributionDetails, OperationError> {
        let served = served(conn, name)?;
        let id = find(conn, name)?;
        let Offers {
            offered,
            shadowed,
            kept_back,
        } = self.offers(id, &served);
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
            exact: self.exact(id),
            approvals: u8::from(approvals::needed(conn, None)?.contains(&id)),
            holds: holds_of(&self.holds(Some(id)), &kept_back, name),
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

/// Returns holds with what each keeps back of `distribution`; those that are withdrawn only where they keep back something.
fn holds_of(
    holds: &[&Held],
    kept_back: &[KeptBack<Origin<'_>>],
    distribution: &DistributionName,
) -> Vec<HoldReport> {
    let mut reports = Vec::new();
    for held in holds {
        let of_hold = kept_back.iter().filter(|it| it.hold == held.hold.number);
        let versions: Vec<_> = of_hold.map(|it| it.package.to_string()).collect();
        if held.distribution.is_none() && versions.is_empty() {
            continue;
        }
        let name = held.distribution.map(|_| distribution.to_string());
        reports.push(HoldReport {
            versions,
            ..HoldReport::of(&held.hold, name)
        });
    }
    reports
}

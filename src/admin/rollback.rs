//! Going back: a change set that makes everything what it was right after an earlier one.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::branches::{Done, begin, done, perform, reason};
use super::error::OperationError;
use super::prune;
use crate::distribution::{BranchKind, Consent, DistributionName, Hold};
use crate::import::Problem;
use crate::package::PackageId;
use crate::people::Actor;
use crate::store::artifacts::ArtifactId;
use crate::store::branches::{self, Branch};
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::holds::{self, Held};
use crate::store::{Store, distributions, former, history};

/// Where to go back to.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The change set right after which everything was as it is to be.
    pub to: i64,
    /// Why; needed where a branch loses or changes versions that its rules keep.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What one branch has to give up and to take to be what it was.
struct Return {
    branch: Branch,
    gives_up: Vec<ArtifactId>,
    takes: Vec<ArtifactId>,
    replaces: bool,
}

/// Makes what every branch holds and every distribution serves what it was right after a change set. Releases are frozen and
/// stay, at their addresses; settings of branches stay too.
pub fn rollback(
    store: &Store,
    who: &Actor,
    request: &RollbackRequest,
) -> Result<Done, OperationError> {
    let to = ChangeSetId(request.to);
    let reason = reason(request.reason.as_deref())?;
    perform(store, request.is_dry, |conn| {
        if change_sets::get(conn, to)?.is_none() {
            return Err(OperationError::NoSuchChangeSet(request.to));
        }
        prune::check_is_known(conn, to)?;
        let mut returns = Vec::new();
        for branch in branches::all(conn)? {
            if branch.kind != BranchKind::Release {
                returns.push(Return::of(conn, branch, to)?);
            }
        }
        let consent = Consent {
            is_asked: true,
            has_reason: reason.is_some(),
            is_making: false,
            plan: None,
        };
        let mut refused = Vec::new();
        for it in &returns {
            match it.exception(consent) {
                None => {}
                // A plan is shown all the same, and says what it asks for.
                Some(exception) if request.is_dry => refused.push(Problem {
                    package: it.branch.name.to_string(),
                    why: format!("{exception} without a reason"),
                }),
                Some(exception) => return Err(OperationError::NeedsReason(exception)),
            }
        }
        let moved = moved(conn, to)?;
        let held = HoldsReturn::of(conn, to)?;
        if held.lifts_withdrawal && reason.is_none() {
            let lifted = "what is withdrawn is not offered again".to_owned();
            match request.is_dry {
                true => refused.push(Problem {
                    package: "withdrawals".to_owned(),
                    why: format!("{lifted} without a reason"),
                }),
                false => return Err(OperationError::NeedsReason(lifted)),
            }
        }
        if moved.is_empty() && returns.iter().all(Return::is_empty) && held.is_empty() {
            return Ok(Done::default());
        }
        let change_set = begin(conn, who, "rollback", reason.as_ref())?;
        for it in &returns {
            for artifact in &it.takes {
                branches::put(conn, it.branch.id, *artifact, change_set)?;
            }
            for artifact in &it.gives_up {
                branches::remove(conn, it.branch.id, *artifact, change_set)?;
            }
        }
        for (distribution, served) in &moved {
            distributions::set_branches(conn, *distribution, served, change_set)?;
        }
        held.apply(conn, change_set)?;
        done(conn, change_set, refused)
    })
}

/// The holds and the settings of distributions that are not what they were.
struct HoldsReturn {
    /// Numbers of holds that were not there.
    ends: Vec<i64>,
    /// Holds that were.
    begins: Vec<Held>,
    /// Whether something is no longer withdrawn by it.
    lifts_withdrawal: bool,
    /// The distributions that answered for other versions, and whether only for what they offered.
    exact: Vec<(distributions::DistributionId, bool)>,
}

impl HoldsReturn {
    fn of(conn: &Transaction<'_>, to: ChangeSetId) -> Result<Self, OperationError> {
        let now = Timestamp::now();
        let (mut open, mut before) = (holds::open(conn)?, holds::at(conn, to)?);
        for all in [&mut open, &mut before] {
            all.retain(|it| !it.hold.is_over(now));
        }
        // One that was released and comes back has another number.
        let is_same = |a: &Held, b: &Held| {
            let hold = Hold {
                number: a.hold.number,
                ..b.hold.clone()
            };
            a.distribution == b.distribution && a.hold == hold
        };
        let is_in = |it: &Held, all: &[Held]| all.iter().any(|other| is_same(it, other));
        let ends: Vec<_> = open.iter().filter(|it| !is_in(it, &before)).collect();
        let begins = before.iter().filter(|it| !is_in(it, &open)).cloned();
        let (exact, exact_before) = (
            holds::exact_now(conn, None)?,
            holds::exact_now(conn, Some(to))?,
        );
        let no_longer = exact.iter().filter(|it| !exact_before.contains(it));
        let again = exact_before.iter().filter(|it| !exact.contains(it));
        Ok(Self {
            lifts_withdrawal: ends.iter().any(|it| it.distribution.is_none()),
            ends: ends.iter().map(|it| it.hold.number).collect(),
            begins: begins.collect(),
            exact: no_longer
                .map(|it| (*it, false))
                .chain(again.map(|it| (*it, true)))
                .collect(),
        })
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.begins.is_empty() && self.exact.is_empty()
    }

    fn apply(&self, conn: &Transaction<'_>, change_set: ChangeSetId) -> Result<(), OperationError> {
        for number in &self.ends {
            holds::release(conn, *number, change_set)?;
        }
        for held in &self.begins {
            holds::insert(conn, held.distribution, &held.hold, change_set)?;
        }
        for (distribution, is_now) in &self.exact {
            holds::set_exact_now(conn, *distribution, *is_now, change_set)?;
        }
        Ok(())
    }
}

/// Returns the distributions that are not what they were, with the branches they had. Those of releases stay.
fn moved(
    conn: &Transaction<'_>,
    to: ChangeSetId,
) -> Result<Vec<(distributions::DistributionId, Vec<branches::BranchId>)>, OperationError> {
    let mut moved = Vec::new();
    let ever = branches::ever(conn)?;
    for distribution in distributions::ever(conn)? {
        let branch = ever.iter().find(|it| it.name == distribution.name);
        if branch.is_some_and(|branch| branch.kind == BranchKind::Release) {
            continue;
        }
        let before = history::branches_at(conn, distribution.id, to)?;
        let is_default = distribution.name == DistributionName::default_distribution();
        if distributions::branches(conn, distribution.id)? != before
            && !(is_default && before.is_empty())
        {
            for branch in &before {
                if former::held_at(conn, *branch, to)? {
                    let gone = ever.iter().find(|it| it.id == *branch);
                    let name = gone.map_or_else(String::new, |it| it.name.to_string());
                    return Err(OperationError::GoneRelease(name));
                }
            }
            moved.push((distribution.id, before));
        }
    }
    Ok(moved)
}

impl Return {
    fn of(conn: &Transaction<'_>, branch: Branch, to: ChangeSetId) -> Result<Self, OperationError> {
        let now = branches::members(conn, branch.id)?;
        let before = history::members_at(conn, branch.id, to)?;
        let held: HashMap<&PackageId, ArtifactId> =
            now.iter().map(|it| (&it.package, it.artifact)).collect();
        let wanted: HashMap<&PackageId, ArtifactId> =
            before.iter().map(|it| (&it.package, it.artifact)).collect();
        let gone = now.iter().filter(|it| !wanted.contains_key(&it.package));
        let other = |it: &&branches::Member| held.get(&it.package) != Some(&it.artifact);
        let takes: Vec<_> = before.iter().filter(other).collect();
        Ok(Self {
            gives_up: gone.map(|it| it.artifact).collect(),
            replaces: takes.iter().any(|it| held.contains_key(&it.package)),
            takes: takes.iter().map(|it| it.artifact).collect(),
            branch,
        })
    }

    fn is_empty(&self) -> bool {
        self.gives_up.is_empty() && self.takes.is_empty()
    }

    /// Returns the rule that this is an exception to, which takes a reason.
    fn exception(&self, consent: Consent) -> Option<String> {
        let (kind, name) = (self.branch.kind, &self.branch.name);
        let loses = !self.gives_up.is_empty() && !kind.remove().admits(consent);
        let changes = self.replaces && !kind.overwrite().admits(consent);
        match (consent.has_reason, loses, changes) {
            (false, true, _) => Some(format!("{name} gives up no version")),
            (false, _, true) => Some(format!("{name} changes no version")),
            _ => None,
        }
    }
}

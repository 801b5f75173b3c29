//! What the operator does with distributions: addresses, and the branches served there.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::branches::{begin, find};
use super::error::OperationError;
use crate::distribution::{BranchKind, DistributionName, Fingerprint, Offered, offers};
use crate::package::PackageId;
use crate::store::branches::{self, Branch, BranchId, Member};
use crate::store::{Store, StoreError, distributions};

/// A distribution as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionReport {
    /// Its name: it answers at `/d/{name}/`, and `default` at `/` too.
    pub name: String,
    /// Its branches, the winning one first.
    pub branches: Vec<String>,
    /// How many package versions it offers.
    pub offered: usize,
    /// Equal where the same is offered.
    pub fingerprint: String,
}

/// A distribution with what each of its branches brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionDetails {
    /// The distribution.
    #[serde(flatten)]
    pub report: DistributionReport,
    /// Whether the operator may set and delete it; the others serve what they do by their name.
    pub is_own: bool,
    /// How many packages it offers.
    pub packages: usize,
    /// What each branch brings, the winning one first.
    pub layers: Vec<Layer>,
    /// The versions that a branch holds and another one wins.
    pub shadowed: Vec<Shadowed>,
}

/// What a branch brings to a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The branch.
    pub branch: String,
    /// Its kind.
    pub kind: String,
    /// How many of its versions are offered.
    pub offered: usize,
    /// How many are not, as a branch before it has them.
    pub shadowed: usize,
}

/// A version that is not offered, as a branch before has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadowed {
    /// The package version.
    pub package: String,
    /// The branch whose version is not offered.
    pub branch: String,
    /// The branch whose version is.
    pub by: String,
    /// Whether both hold the same files.
    pub is_same: bool,
}

/// What a changed distribution came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The change set; `None` when it was so already.
    pub change_set: Option<i64>,
    /// The distribution as it is now.
    pub distribution: DistributionReport,
}

/// What a distribution is to serve: as another one does, or one branch with others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayersRequest {
    /// The branch or release it is made of; what is there stays where it is not said.
    #[serde(default)]
    pub from: Option<String>,
    /// Branches with it: local ones are laid over it, the others under it.
    #[serde(default)]
    pub with: Vec<String>,
    /// Whether local branches that are laid over it now do not stay.
    #[serde(default)]
    pub alone: bool,
    /// A distribution to be like, as it is now.
    #[serde(default)]
    pub like: Option<String>,
}

/// Returns all distributions, by name.
pub fn list(store: &Store) -> Result<Vec<DistributionReport>, OperationError> {
    store.snapshot(|conn| {
        let contents = Contents::load(conn)?;
        distributions::all(conn)?
            .into_iter()
            .map(|distribution| Ok(contents.details(conn, &distribution.name)?.report))
            .collect()
    })
}

/// Returns one distribution whole.
pub fn show(store: &Store, name: &DistributionName) -> Result<DistributionDetails, OperationError> {
    store.snapshot(|conn| Contents::load(conn)?.details(conn, name))
}

/// Makes a distribution.
pub fn create(
    store: &Store,
    who: &str,
    name: &DistributionName,
    layers: &LayersRequest,
) -> Result<Changed, OperationError> {
    if *name == DistributionName::default_distribution()
        || BranchKind::of_name(name.as_str()) != BranchKind::Local
    {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    if name.is_of_a_release() {
        return Err(OperationError::NamedLikeRelease(name.to_string()));
    }
    store.write_synced(|conn| {
        let layers = resolve(conn, layers, &[])?;
        if distributions::find(conn, name)?.is_some() {
            return Err(OperationError::NameTaken(name.to_string()));
        }
        assign(conn, who, "distribution create", name, &layers)
    })
}

/// Says what a distribution serves from now on.
pub fn set(
    store: &Store,
    who: &str,
    name: &DistributionName,
    layers: &LayersRequest,
) -> Result<Changed, OperationError> {
    store.write_synced(|conn| {
        let now = served(conn, name)?;
        check_is_own(conn, name)?;
        let layers = resolve(conn, layers, &now)?;
        assign(conn, who, "distribution set", name, &layers)
    })
}

/// Makes what answers at the address of `like` answer at `/` too.
pub fn activate(
    store: &Store,
    who: &str,
    like: &DistributionName,
) -> Result<Changed, OperationError> {
    store.write_synced(|conn| {
        let missing = |error| match error {
            OperationError::NoSuchDistribution(name) => OperationError::NoSuchBranch(name),
            error => error,
        };
        let layers = served(conn, like).map_err(missing)?;
        let default = DistributionName::default_distribution();
        assign(conn, who, "activate", &default, &layers)
    })
}

/// Deletes a distribution of the operator's own; its branches stay, and so does what it was.
pub fn delete(
    store: &Store,
    who: &str,
    name: &DistributionName,
) -> Result<Changed, OperationError> {
    if *name == DistributionName::default_distribution() {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    store.write_synced(|conn| {
        let distribution = Contents::load(conn)?.details(conn, name)?.report;
        check_is_own(conn, name)?;
        let change_set = begin(conn, who, "distribution delete", None)?;
        if let Some(id) = distributions::find(conn, name)? {
            distributions::set_branches(conn, id, &[], change_set)?;
        }
        Ok(Changed {
            change_set: Some(change_set.0),
            distribution,
        })
    })
}

/// Makes `layers` what a distribution serves, where it is not that already.
fn assign(
    conn: &Transaction<'_>,
    who: &str,
    action: &str,
    name: &DistributionName,
    layers: &[Branch],
) -> Result<Changed, OperationError> {
    let ids: Vec<_> = layers.iter().map(|branch| branch.id).collect();
    let existing = distributions::find(conn, name)?;
    let now = match existing {
        Some(id) => distributions::branches(conn, id)?,
        None => Vec::new(),
    };
    let mut number = None;
    if now != ids {
        let change_set = begin(conn, who, action, None)?;
        let id = distributions::insert(conn, name, change_set)?;
        distributions::set_branches(conn, id, &ids, change_set)?;
        number = Some(change_set.0);
    }
    Ok(Changed {
        change_set: number,
        distribution: Contents::load(conn)?.details(conn, name)?.report,
    })
}

/// Returns the branches that are asked for, in their order. Local ones are laid over the branch that the distribution is
/// made of, the others under it; `now` is what is served at present.
fn resolve(
    conn: &Transaction<'_>,
    request: &LayersRequest,
    now: &[Branch],
) -> Result<Vec<Branch>, OperationError> {
    let invalid = |why: &str| Err(OperationError::InvalidRequest(why.to_owned()));
    let base = match (&request.like, &request.from) {
        (Some(_), _) if request.from.is_some() || !request.with.is_empty() || request.alone => {
            return invalid("a distribution is like another one, or made of branches");
        }
        (Some(like), _) => return served(conn, &parse(like)?),
        (None, Some(from)) => find(conn, &parse(from)?)?,
        (None, None) => return invalid("it is not said what it serves"),
    };
    let mut with = Vec::new();
    for name in &request.with {
        with.push(find(conn, &parse(name)?)?);
    }
    let is_local = |branch: &Branch| branch.kind == BranchKind::Local;
    if with.is_empty() && !request.alone {
        with.extend(now.iter().filter(|branch| is_local(branch)).cloned());
    }
    let (over, under): (Vec<_>, Vec<_>) = with.into_iter().partition(is_local);
    let mut layers: Vec<Branch> = Vec::new();
    for branch in over.into_iter().chain([base]).chain(under) {
        if layers.iter().all(|layer| layer.id != branch.id) {
            layers.push(branch);
        }
    }
    Ok(layers)
}

/// Returns the branches of a distribution, the winning one first.
pub(super) fn served(
    conn: &Connection,
    name: &DistributionName,
) -> Result<Vec<Branch>, OperationError> {
    let missing = || OperationError::NoSuchDistribution(name.to_string());
    let id = distributions::find(conn, name)?.ok_or_else(missing)?;
    let all = branches::all(conn)?;
    let ids = distributions::branches(conn, id)?;
    let branch = |id: &BranchId| all.iter().find(|branch| branch.id == *id).cloned();
    Ok(ids.iter().filter_map(branch).collect())
}

/// Built-in distributions and those of branches serve what they do by their name.
fn check_is_own(conn: &Connection, name: &DistributionName) -> Result<(), OperationError> {
    if is_own(conn, name)? {
        Ok(())
    } else {
        Err(OperationError::FixedDistribution(name.to_string()))
    }
}

fn is_own(conn: &Connection, name: &DistributionName) -> Result<bool, StoreError> {
    Ok(branches::find(conn, name)?.is_none())
}

fn parse(text: &str) -> Result<DistributionName, OperationError> {
    DistributionName::parse(text).map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// Returns what branches offer together, and what of them is shadowed.
pub(super) fn offered_by<'a>(
    layers: impl IntoIterator<Item = (&'a Branch, &'a [Member])>,
) -> (Vec<Offered<Origin<'a>>>, Vec<Offered<Origin<'a>>>) {
    offers(layers.into_iter().map(|(branch, members)| {
        let origin = |member: &'a Member| (member.package.clone(), (branch, member));
        members.iter().map(origin).collect()
    }))
}

/// A member, and the branch that holds it.
pub(super) type Origin<'a> = (&'a Branch, &'a Member);

/// What each branch holds now, read once for all distributions.
pub(super) struct Contents(HashMap<i64, Vec<Member>>);

impl Contents {
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let mut contents = HashMap::new();
        for branch in branches::all(conn)? {
            contents.insert(branch.id.0, branches::members(conn, branch.id)?);
        }
        Ok(Self(contents))
    }

    /// Returns what a branch holds.
    pub(super) fn of(&self, branch: &Branch) -> &[Member] {
        self.0.get(&branch.id.0).map_or(&[], Vec::as_slice)
    }

    fn details(
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

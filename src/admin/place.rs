//! Where something is offered, as an operator names it: a distribution now or right after a change set, what a plan would
//! make of its branch, or one version of a package.

use rusqlite::Connection;

use super::distributions::{find, served};
use super::error::OperationError;
use super::missing::Missing;
use super::offering::{OfferedVersion, Offering, no_such_package};
use super::prune;
use crate::distribution::{Consent, DistributionName};
use crate::import;
use crate::package::{PackageChoice, PackageId};
use crate::store::branches;
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::stages::StageId;
use crate::store::{distributions, former, history, holds};

/// What an operator names to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// `8.5.0`: a distribution; every branch has one of its name.
    Now(DistributionName),
    /// `mine@7`: a distribution right after a change set.
    Past(DistributionName, ChangeSetId),
    /// `plan:3`: what its branch would hold.
    Plan(StageId),
    /// `nginx@1.5.0`: one version of a package.
    Version(PackageId),
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, OperationError> {
        let invalid =
            |error: &dyn std::fmt::Display| OperationError::InvalidRequest(error.to_string());
        if let Some(number) = text.strip_prefix("plan:") {
            let number = number.parse();
            return Ok(Self::Plan(StageId(number.map_err(|_| {
                invalid(&format!("{text:?} is no plan, as plan:3 is"))
            })?)));
        }
        let name = |text: &str| DistributionName::parse(text).map_err(|error| invalid(&error));
        match text.split_once('@') {
            None => Ok(Self::Now(name(text)?)),
            Some((before, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                let number = number.parse();
                let number =
                    number.map_err(|_| invalid(&format!("{text:?} names no change set")))?;
                Ok(Self::Past(name(before)?, ChangeSetId(number)))
            }
            Some(_) => {
                let choice: PackageChoice = text.parse().map_err(|error| invalid(&error))?;
                let PackageChoice { name, version } = choice;
                let version = version.ok_or_else(|| invalid(&text))?;
                Ok(Self::Version(PackageId { name, version }))
            }
        }
    }

    /// Returns what is offered there.
    pub(super) fn load(&self, conn: &Connection) -> Result<Offering, OperationError> {
        match self {
            Self::Now(name) => now(conn, name),
            Self::Past(name, at) => past(conn, name, *at),
            Self::Plan(id) => {
                let outcome = import::outcome(conn, *id, Consent::default())?;
                let branch = outcome.branch.to_string();
                let name = format!("{branch} after plan {}", id.0);
                Ok(Offering::of_members(name, &branch, outcome.after))
            }
            Self::Version(package) => version(conn, package),
        }
    }

    /// Returns what a place takes the place of: a plan what its branch holds, or the edition before, and all else what
    /// answers at `/`, which is nothing before the first release.
    pub(super) fn replaced(&self, conn: &Connection) -> Result<Offering, OperationError> {
        let default = || {
            let name = DistributionName::default_distribution();
            match now(conn, &name) {
                Err(OperationError::NoSuchDistribution(_)) => {
                    Ok(Offering::of_members(name.to_string(), "", Vec::new()))
                }
                offering => offering,
            }
        };
        let Self::Plan(id) = self else {
            return default();
        };
        let outcome = import::outcome(conn, *id, Consent::default())?;
        match (outcome.before, outcome.last_edition) {
            (Some(before), _) => {
                let branch = outcome.branch.to_string();
                Ok(Offering::of_members(branch.clone(), &branch, before))
            }
            (None, Some(last)) => now(conn, &last),
            (None, None) => default(),
        }
    }
}

/// Returns what a distribution offers.
pub(super) fn now(conn: &Connection, name: &DistributionName) -> Result<Offering, OperationError> {
    let layers = served(conn, name)?;
    let members = layers.iter().map(|it| branches::members(conn, it.id));
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let layers = layers.iter().zip(members.iter().map(Vec::as_slice));
    let holds = holds::of(&holds::open(conn)?, find(conn, name)?);
    Ok(Offering::of_layers(name.to_string(), layers, &holds))
}

fn past(
    conn: &Connection,
    name: &DistributionName,
    at: ChangeSetId,
) -> Result<Offering, OperationError> {
    if change_sets::get(conn, at)?.is_none() {
        return Err(OperationError::NoSuchChangeSet(at.0));
    }
    prune::check_is_known(conn, at)?;
    let ever = distributions::ever(conn)?;
    let distribution = ever.iter().find(|it| it.name == *name);
    let branches = match distribution {
        Some(distribution) => history::branches_at(conn, distribution.id, at)?,
        None => Vec::new(),
    };
    if branches.is_empty() {
        let others = ever.iter().map(|it| it.name.as_str());
        let missing = Missing::among(&format!("{name}@{}", at.0), others);
        return Err(OperationError::NoSuchDistribution(missing));
    }
    // Less than it was is not what it was.
    for branch in branches::ever(conn)? {
        if branches.contains(&branch.id) && former::held_at(conn, branch.id, at)? {
            return Err(OperationError::GoneRelease(branch.name.to_string()));
        }
    }
    let all = branches::all(conn)?;
    let mut layers = Vec::new();
    for branch in branches
        .iter()
        .filter_map(|id| all.iter().find(|it| it.id == *id))
    {
        layers.push((branch, history::members_at(conn, branch.id, at)?));
    }
    let layers = layers
        .iter()
        .map(|(branch, members)| (*branch, members.as_slice()));
    let held = holds::served_at(conn, at)?;
    let holds = distribution.map(|it| holds::of(&held, it.id));
    let (name, holds) = (format!("{name}@{}", at.0), holds.unwrap_or_default());
    Ok(Offering::of_layers(name, layers, &holds))
}

/// Returns one version of a package: as it answers at `/`, else as the first branch by name has it.
fn version(conn: &Connection, package: &PackageId) -> Result<Offering, OperationError> {
    let mut branches = match served(conn, &DistributionName::default_distribution()) {
        Err(OperationError::NoSuchDistribution(_)) => Vec::new(),
        branches => branches?,
    };
    branches.extend(branches::all(conn)?);
    let mut others: Vec<PackageId> = Vec::new();
    for branch in branches {
        for member in branches::members_of_package(conn, branch.id, &package.name)? {
            if member.package == *package {
                return Ok(Offering {
                    kept_back: Vec::new(),
                    name: format!("{}@{}", package.name, package.version),
                    versions: vec![OfferedVersion::of(member, branch.name.as_str())],
                });
            }
            others.push(member.package);
        }
    }
    if others.is_empty() {
        return Err(no_such_package(conn, &package.name)?);
    }
    let named = |it: &PackageId| format!("{}@{}", it.name, it.version);
    let others: Vec<_> = others.iter().map(named).collect();
    let missing = Missing::among(&named(package), others.iter().map(String::as_str));
    Err(OperationError::NoSuchVersion(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_by_their_form() {
        let name = |text: &str| DistributionName::parse(text).unwrap();
        let nginx = PackageId::parse("nginx", "1.5.0-rc.1").unwrap();
        for (text, place) in [
            ("8.5.0", Place::Now(name("8.5.0"))),
            ("mine@7", Place::Past(name("mine"), ChangeSetId(7))),
            ("8.5.0@7", Place::Past(name("8.5.0"), ChangeSetId(7))),
            ("plan:3", Place::Plan(StageId(3))),
            ("nginx@1.5.0-rc.1", Place::Version(nginx)),
        ] {
            assert_eq!(Place::parse(text).unwrap(), place, "{text}");
        }
        for text in [
            "",
            "@",
            "mine@",
            "@7",
            "mine@7@8",
            "mine@99999999999999999999",
            "plan:",
            "plan:x",
            "nginx@1.5",
            "MINE",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}

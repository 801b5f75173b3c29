//! Why a distribution answers with one version of a package, and not with another.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::diff::{parse_package, parse_query};
use super::distributions::{find, served};
use super::error::OperationError;
use super::offering::{OfferedVersion, by_hold, facts_of, no_such_package};
use crate::distribution::{DistributionName, Holds, offers};
use crate::limits::Limits;
use crate::package::{Categories, Explained, Offer, PackageName, PackageVersion, Standing, Unmet};
use crate::store::branches::{self, Branch};
use crate::store::{Store, StoreError, holds};

/// What is to be explained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The package.
    pub package: String,
    /// The distribution that is asked; the one at `/` where it is not said.
    #[serde(default)]
    pub distribution: Option<String>,
    /// The query string of a `/search`.
    #[serde(default)]
    pub query: String,
}

/// Why a distribution answers with what it does of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExplainReport {
    /// The package.
    pub package: String,
    /// The distribution.
    pub distribution: String,
    /// The query string of the `/search`.
    pub query: String,
    /// The versions that it answers with.
    pub answer: Vec<String>,
    /// Every version there is, the newest first.
    pub versions: Vec<ExplainedVersion>,
}

/// A version, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExplainedVersion {
    /// The version.
    pub version: String,
    /// The branch that the distribution has it from; `None` where none of its branches holds it.
    pub branch: Option<String>,
    /// Other branches that hold it.
    pub also_in: Vec<String>,
    /// How it stands.
    pub standing: StandingReport,
    /// The conditions it does not meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// The hold that keeps it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// The newer version that is answered with instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
}

/// How a version of a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StandingReport {
    /// It is in the answer.
    Answered,
    /// It is of another category.
    OtherCategory,
    /// It does not meet conditions.
    Unmet,
    /// It meets them, and so does a newer one.
    Older,
    /// It meets them, but is a prerelease or of major version 0, and another one is not.
    LessFinal,
    /// A hold keeps it back.
    Held,
    /// None of the distribution's branches holds it.
    NotOffered,
}

/// Explains what `/search` answers of a package. Reads what branches hold of that package, and of no other.
pub fn explain(
    store: &Store,
    request: &ExplainRequest,
    limits: &Limits,
) -> Result<ExplainReport, OperationError> {
    let package = parse_package(&request.package)?;
    let query = parse_query(&request.query, limits)?.of_package(&package);
    let distribution = match request.distribution.as_deref() {
        Some(text) => DistributionName::parse(text)
            .map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
        None => DistributionName::default_distribution(),
    };
    store.snapshot(|conn| {
        let served = served(conn, &distribution)?;
        let everywhere = Everywhere::load(conn, &package)?;
        if everywhere.0.is_empty() {
            return Err(no_such_package(conn, &package)?);
        }
        let holds = holds::of(&holds::open(conn)?, find(conn, &distribution)?);
        let offered = everywhere.offered(&served, &holds);
        let offer = Offer::new(facts_of(conn, &offered)?);
        let explained = query.explain(&offer, &Categories::built_in());
        let mut versions = everywhere.not_offered(&served, &offered, &holds);
        versions.extend(explained.iter().filter_map(|it| {
            let version = offered.get(it.position)?;
            let report = everywhere.report(version, it, &offered);
            Some((version.package.version.clone(), report))
        }));
        versions.sort_by(|(a, _), (b, _)| b.cmp(a));
        let answered = |it: &&Explained| it.standing == Standing::Answered;
        let answer = explained.iter().filter(answered);
        Ok(ExplainReport {
            package: package.to_string(),
            distribution: distribution.to_string(),
            query: request.query.clone(),
            answer: answer
                .filter_map(|it| Some(offered.get(it.position)?.package.version.to_string()))
                .collect(),
            versions: versions.into_iter().map(|(_, report)| report).collect(),
        })
    })
}

/// What every branch holds of a package, by the name of the branch.
struct Everywhere(Vec<(Branch, Vec<OfferedVersion>)>);

impl Everywhere {
    fn load(conn: &Connection, package: &PackageName) -> Result<Self, StoreError> {
        let mut held = Vec::new();
        for branch in branches::all(conn)? {
            let members = branches::members_of_package(conn, branch.id, package)?;
            let versions = members
                .into_iter()
                .map(|it| OfferedVersion::of(it, branch.name.as_str()));
            let versions: Vec<_> = versions.collect();
            if !versions.is_empty() {
                held.push((branch, versions));
            }
        }
        Ok(Self(held))
    }

    fn of(&self, branch: &Branch) -> &[OfferedVersion] {
        let held = self.0.iter().find(|(it, _)| it.id == branch.id);
        held.map_or(&[], |(_, versions)| versions.as_slice())
    }

    /// Returns what branches offer together under these holds, each version from the first that holds it.
    fn offered(&self, served: &[Branch], holds: &Holds) -> Vec<OfferedVersion> {
        let now = Timestamp::now();
        let layer = |branch: &Branch| {
            let versions = self.of(branch).iter();
            let versions = versions.map(|it| (it.package.clone(), it.clone()));
            holds.part(&branch.name, versions.collect(), now).0
        };
        let (offered, _shadowed) = offers(served.iter().map(layer));
        offered.into_iter().map(|it| it.held).collect()
    }

    /// Returns the versions that the branches do not offer: held back, or in none of them.
    fn not_offered(
        &self,
        served: &[Branch],
        offered: &[OfferedVersion],
        holds: &Holds,
    ) -> Vec<(PackageVersion, ExplainedVersion)> {
        let now = Timestamp::now();
        let mut others: BTreeMap<&PackageVersion, Vec<&OfferedVersion>> = BTreeMap::new();
        for version in self.0.iter().flat_map(|(_, versions)| versions) {
            others
                .entry(&version.package.version)
                .or_default()
                .push(version);
        }
        for version in offered {
            others.remove(&version.package.version);
        }
        let report = |(version, held): (&PackageVersion, Vec<&OfferedVersion>)| {
            let kept_back = served.iter().find_map(|branch| {
                let name = branch.name.as_str();
                let of_branch = held.iter().find(|it| it.branch == name)?;
                Some((name, holds.on(&of_branch.package, &branch.name, now)?))
            });
            let branch = kept_back.map(|(branch, _)| branch.to_owned());
            let others = held.iter().map(|it| it.branch.clone());
            let report = ExplainedVersion {
                version: version.to_string(),
                also_in: others.filter(|it| Some(it) != branch.as_ref()).collect(),
                branch,
                standing: match kept_back {
                    Some(_) => StandingReport::Held,
                    None => StandingReport::NotOffered,
                },
                unmet: Vec::new(),
                hold: kept_back.map(|(_, hold)| by_hold(hold)),
                newer: None,
            };
            (version.clone(), report)
        };
        others.into_iter().map(report).collect()
    }

    fn report(
        &self,
        version: &OfferedVersion,
        explained: &Explained,
        offered: &[OfferedVersion],
    ) -> ExplainedVersion {
        let holds =
            |versions: &[OfferedVersion]| versions.iter().any(|it| it.package == version.package);
        let others = self
            .0
            .iter()
            .filter(|(branch, versions)| branch.name.as_str() != version.branch && holds(versions));
        let (standing, unmet, newer) = match &explained.standing {
            Standing::Answered => (StandingReport::Answered, Vec::new(), None),
            Standing::OtherCategory => (StandingReport::OtherCategory, Vec::new(), None),
            Standing::LessFinal => (StandingReport::LessFinal, Vec::new(), None),
            Standing::Unmet(unmet) => (StandingReport::Unmet, unmet.clone(), None),
            Standing::Older(newer) => (StandingReport::Older, Vec::new(), offered.get(*newer)),
        };
        ExplainedVersion {
            version: version.package.version.to_string(),
            branch: Some(version.branch.clone()),
            also_in: others.map(|(branch, _)| branch.name.to_string()).collect(),
            standing,
            unmet,
            hold: None,
            newer: newer.map(|it| it.package.version.to_string()),
        }
    }
}

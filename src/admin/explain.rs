//! Why a distribution answers with one version of a package, and not with another.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::diff::{parse_package, parse_query};
use super::distributions::served;
use super::error::OperationError;
use super::offering::{OfferedVersion, facts_of, no_such_package};
use crate::distribution::{DistributionName, offers};
use crate::limits::Limits;
use crate::package::{Categories, Explained, Offer, PackageName, PackageVersion, Standing, Unmet};
use crate::store::branches::{self, Branch};
use crate::store::{Store, StoreError};

/// What is to be explained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedVersion {
    /// The version.
    pub version: String,
    /// The branch that the distribution has it from; `None` where it does not offer it.
    pub branch: Option<String>,
    /// Other branches that hold it.
    pub also_in: Vec<String>,
    /// How it stands.
    pub standing: StandingReport,
    /// The conditions it does not meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// The newer version that is answered with instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
}

/// How a version of a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
        let offered = everywhere.offered(&served);
        let offer = Offer::new(facts_of(conn, &offered)?);
        let explained = query.explain(&offer, &Categories::built_in());
        let mut versions = everywhere.not_offered(&served);
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

    /// Returns what branches offer together, each version from the first that holds it.
    fn offered(&self, served: &[Branch]) -> Vec<OfferedVersion> {
        let layer = |branch: &Branch| {
            let versions = self.of(branch).iter();
            versions
                .map(|it| (it.package.clone(), it.clone()))
                .collect()
        };
        let (offered, _shadowed) = offers(served.iter().map(layer));
        offered.into_iter().map(|it| it.held).collect()
    }

    /// Returns the versions that none of the branches holds.
    fn not_offered(&self, served: &[Branch]) -> Vec<(PackageVersion, ExplainedVersion)> {
        let mut elsewhere: BTreeMap<PackageVersion, Vec<String>> = BTreeMap::new();
        for (branch, versions) in &self.0 {
            for version in versions {
                let branches = elsewhere
                    .entry(version.package.version.clone())
                    .or_default();
                branches.push(branch.name.to_string());
            }
        }
        elsewhere.retain(|version, _| {
            let mut offered = served.iter().flat_map(|branch| self.of(branch));
            !offered.any(|it| it.package.version == *version)
        });
        let report = |(version, also_in): (PackageVersion, Vec<String>)| {
            let report = ExplainedVersion {
                version: version.to_string(),
                branch: None,
                also_in,
                standing: StandingReport::NotOffered,
                unmet: Vec::new(),
                newer: None,
            };
            (version, report)
        };
        elsewhere.into_iter().map(report).collect()
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
            newer: newer.map(|it| it.package.version.to_string()),
        }
    }
}

//! What a Kibana would find here: whether each package that is installed has a version for it, and what comes with that.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::diff::{newest_fetched, parse_query};
use super::error::OperationError;
use super::offering::{OfferedVersion, Offering, facts_of};
use super::place;
use super::version_diff::changelog;
use crate::distribution::{DistributionName, Outlook};
use crate::limits::Limits;
use crate::package::{
    Categories, ChangelogEntry, FLEET_NEEDS, Installed, Offer, PackageName, PackageVersion,
    SearchQuery, Standing,
};
use crate::store::{Store, documents};

/// What a Kibana is to be looked at for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreflightRequest {
    /// The query string of its `/search`.
    pub query: String,
    /// The distribution that it asks; the one at `/` where it is not said.
    #[serde(default)]
    pub distribution: Option<String>,
    /// What it has installed; all packages there are where it is not said.
    #[serde(default)]
    pub installed: Option<Vec<Installed>>,
    /// Whether what some Kibana fetched lately counts as installed.
    #[serde(default)]
    pub used: bool,
}

/// What a Kibana would find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PreflightReport {
    /// The distribution.
    pub distribution: String,
    /// The query string of its `/search`.
    pub query: String,
    /// Whether it is known what is installed.
    pub knows_installed: bool,
    /// Each package, by name.
    pub packages: Vec<PackageOutlook>,
    /// What Fleet needs and has no version of here.
    pub needs: Vec<NeedReport>,
}

/// What becomes of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageOutlook {
    /// The package.
    pub package: String,
    /// What becomes of it.
    pub outlook: Outlook,
    /// The version that is installed.
    pub installed: Option<String>,
    /// Whether that version is offered here.
    pub is_installed_here: bool,
    /// The version that is answered with.
    pub picked: Option<String>,
    /// Why none is: what keeps the newest one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether Kibana upgrades it by itself when it starts.
    pub is_upgraded_at_start: bool,
    /// Whether Kibana then upgrades its policies too.
    pub keeps_policies_up_to_date: bool,
    /// What a deprecated package says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// What may no longer work as it did, from the installed version to the newer one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaking: Vec<ChangelogEntry>,
    /// Why the changelog could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_problem: Option<String>,
}

/// A package that Fleet needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NeedReport {
    /// The package.
    pub package: String,
    /// What does not work without it.
    pub purpose: String,
    /// Whether newer Kibanas bring one along.
    pub comes_with_kibana: bool,
}

/// Looks at what a Kibana would find. Reads the facts of all that is offered, and the changelog of each newer version.
pub fn preflight(
    store: &Store,
    request: &PreflightRequest,
    limits: &Limits,
) -> Result<PreflightReport, OperationError> {
    let query = parse_query(&request.query, limits)?;
    let distribution = match request.distribution.as_deref() {
        Some(text) => DistributionName::parse(text)
            .map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
        None => DistributionName::default_distribution(),
    };
    let installed = request.installed.as_deref().map(by_name).transpose()?;
    store.snapshot(|conn| {
        let installed = match (installed, request.used) {
            (None, true) => Some(fetched(conn)?),
            (installed, _) => installed,
        };
        let offering = place::now(conn, &distribution)?;
        let here = Here::load(conn, &offering, &query)?;
        let names: BTreeSet<&PackageName> = match &installed {
            Some(installed) => installed.keys().collect(),
            None => here.packages.keys().copied().collect(),
        };
        let mut packages = Vec::new();
        for name in names {
            let installed = installed.as_ref().and_then(|it| it.get(name));
            packages.push(here.outlook(conn, name, installed, limits)?);
        }
        Ok(PreflightReport {
            distribution: distribution.to_string(),
            query: request.query.clone(),
            knows_installed: installed.is_some(),
            packages,
            needs: here.needs(),
        })
    })
}

/// What is installed, by package.
type InstalledByName = BTreeMap<PackageName, (PackageVersion, bool)>;

fn by_name(installed: &[Installed]) -> Result<InstalledByName, OperationError> {
    let named = installed.iter().map(|it| {
        let id = it.id();
        let id = id.map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
        Ok((id.name, (id.version, it.keeps_policies_up_to_date)))
    });
    named.collect()
}

fn fetched(conn: &Connection) -> Result<InstalledByName, OperationError> {
    let newest = newest_fetched(conn)?.into_iter();
    Ok(newest
        .map(|(name, version)| (name, (version, false)))
        .collect())
}

/// What is offered of each package, as a query finds it.
struct Here<'a> {
    packages: BTreeMap<&'a PackageName, PackageHere<'a>>,
}

#[derive(Default)]
struct PackageHere<'a> {
    /// Oldest first.
    versions: Vec<&'a OfferedVersion>,
    picked: Option<&'a OfferedVersion>,
    /// Whether a version is there that a hold keeps back.
    is_held: bool,
    /// What keeps the newest version back.
    why: Option<String>,
    /// The newest version that is deprecated.
    deprecated: Option<&'a OfferedVersion>,
}

impl<'a> Here<'a> {
    fn load(
        conn: &Connection,
        offering: &'a Offering,
        query: &SearchQuery,
    ) -> Result<Self, OperationError> {
        let facts = facts_of(conn, &offering.versions)?;
        let offer = Offer::new(facts.iter().cloned());
        let mut packages: BTreeMap<&PackageName, PackageHere> = BTreeMap::new();
        // Oldest first, so what the last one says is said of the newest.
        for explained in query.explain(&offer, &Categories::built_in()) {
            let position = explained.position;
            let Some((version, facts)) = offering.versions.get(position).zip(facts.get(position))
            else {
                continue;
            };
            let here = packages.entry(&version.package.name).or_default();
            here.versions.push(version);
            if facts.is_deprecated {
                here.deprecated = Some(version);
            }
            match explained.standing {
                Standing::Answered => here.picked = Some(version),
                Standing::Unmet(unmet) => {
                    let why: Vec<_> = unmet.into_iter().map(|it| it.why).collect();
                    here.why = Some(format!("{}: {}", version.package.version, why.join("; ")));
                }
                _ => {}
            }
        }
        for held in &offering.kept_back {
            let here = packages.entry(&held.version.package.name).or_default();
            here.is_held = true;
            here.why = Some(format!("{}: {}", held.version.package.version, held.by));
        }
        Ok(Self { packages })
    }

    fn outlook(
        &self,
        conn: &Connection,
        name: &PackageName,
        installed: Option<&(PackageVersion, bool)>,
        limits: &Limits,
    ) -> Result<PackageOutlook, OperationError> {
        let none = PackageHere::default();
        let here = self.packages.get(name).unwrap_or(&none);
        let version = installed.map(|(version, _)| version);
        let picked = here.picked.map(|it| &it.package.version);
        let is_here = here.is_held || !here.versions.is_empty();
        let outlook = Outlook::of(version, picked, is_here);
        let changes = match (outlook, version, here.picked) {
            (Outlook::Newer, Some(version), Some(picked)) => {
                let between = [version, &picked.package.version];
                changelog(conn, picked.artifact, between, limits)?
            }
            _ => Ok(Vec::new()),
        };
        let (changes, changelog_problem) = match changes {
            Ok(changes) => (changes, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let need = FLEET_NEEDS.iter().find(|it| it.package == name.as_str());
        let is_held = |version: &PackageVersion| {
            here.versions
                .iter()
                .any(|it| it.package.version == *version)
        };
        Ok(PackageOutlook {
            package: name.to_string(),
            outlook,
            installed: version.map(ToString::to_string),
            is_installed_here: version.is_some_and(is_held),
            picked: picked.map(ToString::to_string),
            why: here.why.clone().filter(|_| outlook == Outlook::NoneFits),
            is_upgraded_at_start: outlook == Outlook::Newer
                && need.is_some_and(|it| it.is_upgraded_at_start),
            keeps_policies_up_to_date: installed.is_some_and(|(_, keeps)| *keeps),
            deprecated: here.deprecated.map(|it| notice(conn, it)).transpose()?,
            breaking: changes
                .into_iter()
                .filter(ChangelogEntry::is_breaking)
                .collect(),
            changelog_problem,
        })
    }

    fn needs(&self) -> Vec<NeedReport> {
        let is_here = |package: &str| {
            let here = self
                .packages
                .iter()
                .find(|(name, _)| name.as_str() == package);
            here.is_some_and(|(_, here)| here.picked.is_some())
        };
        let missing = FLEET_NEEDS.iter().filter(|need| !is_here(need.package));
        let report = missing.map(|need| NeedReport {
            package: need.package.to_owned(),
            purpose: need.purpose.to_owned(),
            comes_with_kibana: need.comes_with_kibana,
        });
        report.collect()
    }
}

/// Returns what a deprecated version says of that.
fn notice(conn: &Connection, version: &OfferedVersion) -> Result<String, OperationError> {
    let row = documents::facts(conn, version.artifact)?;
    let notice = row.and_then(|(_, notice)| notice).unwrap_or_default();
    let notice: serde_json::Value = serde_json::from_str(&notice).unwrap_or_default();
    let description = notice.get("description").and_then(|it| it.as_str());
    Ok(description.unwrap_or_default().to_owned())
}

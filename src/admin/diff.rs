//! How what is offered in one place differs from what is offered in another: packages, and what is new in each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::offering::{OfferedVersion, Offering};
use super::place::Place;
use crate::distribution::{PackageChanges, package_changes};
use crate::limits::Limits;
use crate::package::{PackageId, PackageName, PackageVersion, SearchQuery};
use crate::store::{Store, fetches};

pub use super::version_diff::VersionDiff;

/// What is to be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// What was: a distribution, branch or release, `mine@7`, `plan:3`, or one version, `nginx@1.5.0`.
    pub before: String,
    /// What is, named in the same ways. Where it is not said, `before` is what comes, and what it takes the place of was.
    #[serde(default)]
    pub after: Option<String>,
    /// The query string of a `/search`: only what it answers with is compared.
    #[serde(default)]
    pub query: Option<String>,
    /// The only package that is looked at.
    #[serde(default)]
    pub package: Option<String>,
    /// Whether only packages are looked at that some Kibana fetched lately.
    #[serde(default)]
    pub used: bool,
}

/// How two places differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DiffReport {
    /// What was.
    pub before: SideReport,
    /// What is.
    pub after: SideReport,
    /// The query string of the `/search` whose answers were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The packages that differ, by name.
    pub packages: Vec<PackageDiff>,
}

/// One of the two places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SideReport {
    /// What it is called.
    pub name: String,
    /// How many packages were looked at.
    pub packages: usize,
    /// How many package versions.
    pub versions: usize,
}

/// How a package differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageDiff {
    /// The package.
    pub package: String,
    /// Its newest version that was offered; a prerelease where there is no other.
    pub before: Option<String>,
    /// The same of what is.
    pub after: Option<String>,
    /// Versions that are new, oldest first.
    pub added: Vec<String>,
    /// Versions that are no longer there.
    pub removed: Vec<String>,
    /// Versions with another zip.
    pub changed: Vec<ChangedVersion>,
    /// What differs between the two newest, where both are there and not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<VersionDiff>,
}

/// A version with another zip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangedVersion {
    /// The version.
    pub version: String,
    /// Whether the files in it are the same ones, packed otherwise.
    pub is_repacked: bool,
}

/// Compares two places. Reads changelogs, detection rules and lists of files of the packages that differ, and no other file.
pub fn diff(
    store: &Store,
    request: &DiffRequest,
    limits: &Limits,
) -> Result<DiffReport, OperationError> {
    let query = request
        .query
        .as_deref()
        .map(|text| parse_query(text, limits));
    let query = query.transpose()?;
    let package = request.package.as_deref().map(parse_package).transpose()?;
    let first = Place::parse(&request.before)?;
    let second = request.after.as_deref().map(Place::parse).transpose()?;
    store.snapshot(|conn| {
        let (mut before, mut after) = match &second {
            Some(second) => (first.load(conn)?, second.load(conn)?),
            None => (first.replaced(conn)?, first.load(conn)?),
        };
        let of_version = |place: &Place| match place {
            Place::Version(package) => Some(package.name.clone()),
            _ => None,
        };
        let named = of_version(&first).or_else(|| second.as_ref().and_then(of_version));
        if let Some(name) = package.as_ref().or(named.as_ref()) {
            before.keep_package(name);
            after.keep_package(name);
        }
        if request.used {
            let used = newest_fetched(conn)?;
            for side in [&mut before, &mut after] {
                side.versions
                    .retain(|it| used.contains_key(&it.package.name));
            }
        }
        let newest = match &query {
            Some(query) => {
                for side in [&mut before, &mut after] {
                    side.versions = side.answer(conn, query)?;
                }
                [
                    newest(before.versions.clone()),
                    newest(after.versions.clone()),
                ]
            }
            None => {
                // What Kibana asked up to 8.5: final versions first, and any other where there is none.
                let any = parse_query("experimental=true", limits)?;
                [
                    newest(before.answer(conn, &any)?),
                    newest(after.answer(conn, &any)?),
                ]
            }
        };
        let mut packages = Vec::new();
        for changes in package_changes(held(&before), held(&after)) {
            packages.push(package_diff(conn, changes, &newest, limits)?);
        }
        Ok(DiffReport {
            before: SideReport::of(&before),
            after: SideReport::of(&after),
            query: request.query.clone(),
            packages,
        })
    })
}

/// Returns the packages that some Kibana fetched lately, each with the newest version of it.
pub(super) fn newest_fetched(
    conn: &Connection,
) -> Result<BTreeMap<PackageName, PackageVersion>, OperationError> {
    let fetched = fetches::in_use(conn, Timestamp::now())?.into_iter();
    // Oldest first: of a package the last one stays.
    let newest = fetched.map(|it| (it.fetch.package.name, it.fetch.package.version));
    Ok(newest.collect())
}

/// Reads the query string of a `/search`.
pub(super) fn parse_query(text: &str, limits: &Limits) -> Result<SearchQuery, OperationError> {
    let query = SearchQuery::parse(text, limits);
    query.map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// Reads the name of a package.
pub(super) fn parse_package(text: &str) -> Result<PackageName, OperationError> {
    let name = PackageName::parse(text);
    name.map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// The newest version of each package, by name.
type Newest = BTreeMap<PackageName, OfferedVersion>;

/// Returns the newest of versions that are sorted.
fn newest(versions: Vec<OfferedVersion>) -> Newest {
    let named = |it: OfferedVersion| (it.package.name.clone(), it);
    versions.into_iter().map(named).collect()
}

fn held(side: &Offering) -> impl Iterator<Item = (&PackageId, &crate::distribution::Held)> {
    side.versions.iter().map(|it| (&it.package, &it.held))
}

fn package_diff(
    conn: &Connection,
    changes: PackageChanges,
    newest: &[Newest; 2],
    limits: &Limits,
) -> Result<PackageDiff, OperationError> {
    let [before, after] = newest.each_ref().map(|it| it.get(&changes.name));
    let details = match (before, after) {
        (Some(before), Some(after)) if before.held.tree_sha256 != after.held.tree_sha256 => {
            Some(VersionDiff::between(conn, before, after, limits)?)
        }
        _ => None,
    };
    let texts = |versions: &[PackageVersion]| versions.iter().map(ToString::to_string).collect();
    let version = |side: Option<&OfferedVersion>| side.map(|it| it.package.version.to_string());
    let changed = changes
        .changed
        .iter()
        .map(|(version, is_repacked)| ChangedVersion {
            version: version.to_string(),
            is_repacked: *is_repacked,
        });
    Ok(PackageDiff {
        package: changes.name.to_string(),
        before: version(before),
        after: version(after),
        added: texts(&changes.added),
        removed: texts(&changes.removed),
        changed: changed.collect(),
        details,
    })
}

impl SideReport {
    fn of(side: &Offering) -> Self {
        Self {
            name: side.name.clone(),
            packages: side.packages(),
            versions: side.versions.len(),
        }
    }
}

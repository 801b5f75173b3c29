//! What is offered somewhere: by a distribution now or right after a change set, by a branch, after a plan, or one version
//! of a package. What is compared and asked of starts here.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;

use super::distributions::{Offers, offered_by};
use super::error::OperationError;
use super::missing::Missing;
use crate::distribution::{Held, Hold, Holds};
use crate::package::{Categories, Facts, Offer, PackageId, PackageName, SearchQuery};
use crate::store::artifacts::{self, ArtifactId};
use crate::store::branches::{Branch, Member};
use crate::store::{StoreError, documents};

/// Package versions that are offered together.
#[derive(Debug, Clone)]
pub(super) struct Offering {
    /// What people call it.
    pub(super) name: String,
    /// By name and version, each once.
    pub(super) versions: Vec<OfferedVersion>,
    /// What its branches hold and a hold keeps back.
    pub(super) kept_back: Vec<HeldBack>,
}

/// A package version that is kept back, and by which hold.
#[derive(Debug, Clone)]
pub(super) struct HeldBack {
    pub(super) version: OfferedVersion,
    /// As people read it.
    pub(super) by: String,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct OfferedVersion {
    pub(super) package: PackageId,
    pub(super) artifact: ArtifactId,
    pub(super) held: Held,
    /// The branch it comes from.
    pub(super) branch: String,
}

impl Offering {
    pub(super) fn of_members(name: String, branch: &str, members: Vec<Member>) -> Self {
        let versions = members.into_iter().map(|it| OfferedVersion::of(it, branch));
        Self {
            versions: versions.collect(),
            kept_back: Vec::new(),
            name,
        }
    }

    pub(super) fn of_layers<'a>(
        name: String,
        layers: impl Iterator<Item = (&'a Branch, &'a [Member])>,
        holds: &Holds,
    ) -> Self {
        let now = Timestamp::now();
        let Offers {
            offered, kept_back, ..
        } = offered_by(layers, holds, now);
        let version = |(branch, member): (&Branch, &Member)| {
            OfferedVersion::of(member.clone(), branch.name.as_str())
        };
        let held_back = kept_back.into_iter().filter_map(|it| {
            let hold = holds.on(&it.package, &it.held.0.name, now)?;
            Some(HeldBack {
                version: version(it.held),
                by: by_hold(hold),
            })
        });
        Self {
            kept_back: held_back.collect(),
            versions: offered.into_iter().map(|it| version(it.held)).collect(),
            name,
        }
    }

    /// Returns how many packages it has.
    pub(super) fn packages(&self) -> usize {
        let names = self
            .versions
            .chunk_by(|a, b| a.package.name == b.package.name);
        names.count()
    }

    /// Leaves the versions of one package.
    pub(super) fn keep_package(&mut self, name: &PackageName) {
        self.versions.retain(|it| it.package.name == *name);
    }

    /// Returns what `/search` answers to a query, by name, then version. Reads the facts of all versions.
    pub(super) fn answer(
        &self,
        conn: &Connection,
        query: &SearchQuery,
    ) -> Result<Vec<OfferedVersion>, OperationError> {
        let offer = Offer::new(facts_of(conn, &self.versions)?);
        let selected = query.select(&offer, &Categories::built_in()).into_iter();
        let version = |position: usize| self.versions.get(position).cloned();
        Ok(selected.filter_map(|it| version(it.position)).collect())
    }
}

impl OfferedVersion {
    pub(super) fn of(member: Member, branch: &str) -> Self {
        Self {
            package: member.package,
            artifact: member.artifact,
            held: member.held,
            branch: branch.to_owned(),
        }
    }
}

/// Returns a hold as the reason for which a version is not offered.
pub(super) fn by_hold(hold: &Hold) -> String {
    let mut text = format!("hold {} keeps back {hold}", hold.number);
    if let Some(ends) = &hold.ends {
        text.push_str(&format!(" until {ends}"));
    }
    if let Some(reason) = &hold.reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// Returns what queries look at of each of the versions, in their order.
pub(super) fn facts_of(
    conn: &Connection,
    versions: &[OfferedVersion],
) -> Result<Vec<Arc<Facts>>, OperationError> {
    let facts = versions.iter().map(|version| {
        let missing = || StoreError::Invalid {
            what: "facts",
            value: version.package.to_string(),
        };
        let (facts, _) = documents::facts(conn, version.artifact)?.ok_or_else(missing)?;
        let facts = serde_json::from_str(&facts).map_err(|_| missing())?;
        Ok::<_, OperationError>(Arc::new(facts))
    });
    facts.collect()
}

/// Returns the error of a package that no branch holds.
pub(super) fn no_such_package(
    conn: &Connection,
    name: &PackageName,
) -> Result<OperationError, StoreError> {
    // A package that was here once and is no longer has a name, and no version.
    let mut names = artifacts::package_names(conn)?;
    names.retain(|known| known != name.as_str());
    let missing = Missing::among(name.as_str(), names.iter().map(String::as_str));
    Ok(OperationError::NoSuchPackage(missing))
}

//! One package version, whole: what it is, where it is held, what it says of itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::distributions::{find, served};
use super::error::OperationError;
use super::offering::no_such_package;
use super::version_diff::changelog_of;
use crate::distribution::{DistributionName, SignatureStatus};
use crate::limits::Limits;
use crate::package::{ChangelogEntry, PackageId};
use crate::store::artifacts::{self, ArtifactId};
use crate::store::branches::{self, Branch, Member};
use crate::store::{Store, StoreError, contents, signatures};

/// The page that a package shows of itself.
const README: &str = "docs/README.md";

/// A package version as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageReport {
    /// The package.
    pub package: String,
    /// The version.
    pub version: String,
    /// The branch that it is looked at in.
    pub branch: String,
    /// Each branch that holds it, with the digest of its zip there.
    pub held_by: Vec<Holding>,
    /// The digest of its zip.
    pub sha256: String,
    /// Bytes of its zip.
    pub bytes: u64,
    /// When its source was made, RFC 3339.
    pub modified: Option<String>,
    /// What is known of its signature.
    pub signature: SignatureStatus,
    /// What its changelog says of this version.
    pub changelog: Vec<ChangelogEntry>,
    /// Why the changelog could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_problem: Option<String>,
    /// The page that it shows of itself, Markdown.
    pub readme: Option<String>,
    /// Its files, by path.
    pub files: Vec<FileReport>,
}

/// A branch that holds a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Holding {
    /// The branch.
    pub branch: String,
    /// The branch's kind.
    pub kind: String,
    /// The digest of its zip there.
    pub sha256: String,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileReport {
    /// Its path inside the package.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

/// Returns a package version as a distribution has it; as the first branch by name has it where the distribution has not.
pub fn look(
    store: &Store,
    distribution: &DistributionName,
    package: &PackageId,
    limits: &Limits,
) -> Result<PackageReport, OperationError> {
    store.snapshot(|conn| {
        let (holding, member) = held(conn, distribution, package)?;
        let artifact = artifacts::get(conn, member.artifact)?.ok_or(StoreError::Invalid {
            what: "artifact",
            value: package.to_string(),
        })?;
        let files = artifacts::files(conn, artifact.id)?;
        let (changelog, changelog_problem) =
            match changelog_of(conn, artifact.id, &package.version, limits)? {
                Ok(entries) => (entries, None),
                Err(problem) => (Vec::new(), Some(problem)),
            };
        let readme = files.iter().find(|file| file.path == README);
        let readme = readme.map(|file| contents::read(conn, &file.content, limits.manifest_bytes));
        let readme = readme.transpose()?.flatten();
        let modified = Timestamp::from_second(artifact.modified).ok();
        Ok(PackageReport {
            package: package.name.to_string(),
            version: package.version.to_string(),
            branch: holding
                .first()
                .map(|it| it.branch.clone())
                .unwrap_or_default(),
            held_by: holding,
            sha256: artifact.sha256.to_string(),
            bytes: artifact.bytes,
            modified: modified.map(|time| time.to_string()),
            signature: signatures::status(conn, artifact.id, Timestamp::now())?,
            changelog,
            changelog_problem,
            readme: readme.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            files: files
                .into_iter()
                .map(|file| FileReport {
                    path: file.path,
                    bytes: file.content.bytes,
                })
                .collect(),
        })
    })
}

/// Returns the bytes of one file of a package version, `None` where it has no such file or a larger one.
pub fn file(
    store: &Store,
    artifact: ArtifactId,
    path: &str,
    max_bytes: u64,
) -> Result<Option<Vec<u8>>, OperationError> {
    store.read(|conn| match artifacts::file(conn, artifact, path)? {
        Some(content) => Ok(contents::read(conn, &content, max_bytes)?),
        None => Ok(None),
    })
}

/// Returns every branch that holds the version, those of the distribution first, and what the first one holds.
fn held(
    conn: &rusqlite::Connection,
    distribution: &DistributionName,
    package: &PackageId,
) -> Result<(Vec<Holding>, Member), OperationError> {
    let mut order: Vec<Branch> = match find(conn, distribution) {
        Ok(_) => served(conn, distribution)?,
        Err(_) => Vec::new(),
    };
    let others = branches::all(conn)?.into_iter();
    let others: Vec<_> = others
        .filter(|it| order.iter().all(|o| o.id != it.id))
        .collect();
    order.extend(others);
    let mut holding = Vec::new();
    let mut first = None;
    let mut is_known = false;
    for branch in order {
        for member in branches::members_of_package(conn, branch.id, &package.name)? {
            is_known = true;
            if member.package != *package {
                continue;
            }
            holding.push(Holding {
                branch: branch.name.to_string(),
                kind: branch.kind.to_string(),
                sha256: member.held.sha256.to_string(),
            });
            first.get_or_insert(member);
        }
    }
    match first {
        Some(member) => Ok((holding, member)),
        None if is_known => Err(OperationError::NoSuchVersion(super::Missing::among(
            &package.to_string(),
            std::iter::empty(),
        ))),
        None => Err(no_such_package(conn, &package.name)?),
    }
}

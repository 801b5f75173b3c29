//! What differs between two versions of a package: its changelog, detection rules, assets and files.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::offering::OfferedVersion;
use crate::crypto::Digest;
use crate::limits::Limits;
use crate::package::{
    AssetsDiff, CHANGELOG_PATH, Changelog, ChangelogEntry, FileDigest, NamesDiff, PackageVersion,
    RulesDiff, SecurityRule, is_security_rule,
};
use crate::store::StoreError;
use crate::store::artifacts::{self, ArtifactId, File};
use crate::store::contents;

/// What differs between two versions of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VersionDiff {
    /// The changelog between the two, in the words of the newer one; breaking changes first.
    pub changelog: Vec<ChangelogEntry>,
    /// Why the changelog could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_problem: Option<String>,
    /// Detection rules, by their id.
    pub rules: RulesDiff,
    /// What Kibana installs of it, by type.
    pub assets: Vec<AssetsDiff>,
    /// All files, by path.
    pub files: NamesDiff,
}

impl VersionDiff {
    pub(super) fn between(
        conn: &Connection,
        before: &OfferedVersion,
        after: &OfferedVersion,
        limits: &Limits,
    ) -> Result<Self, OperationError> {
        let [old, new] = [before, after].map(|it| artifacts::files(conn, it.artifact));
        let (old, new) = (old?, new?);
        let (old_digests, new_digests) = (digests(&old), digests(&new));
        let (changelog, changelog_problem) = match changes(conn, before, after, limits)? {
            Ok(entries) => (entries, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        Ok(Self {
            changelog,
            changelog_problem,
            rules: rules(conn, &old, &new, limits)?,
            assets: AssetsDiff::between(&old_digests, &new_digests),
            files: NamesDiff::of_files(&old_digests, &new_digests),
        })
    }
}

/// Returns what the changelog of the newer of two versions says of what lies between, or why it cannot be read. A package
/// without a changelog says nothing.
pub(super) fn changes(
    conn: &Connection,
    one: &OfferedVersion,
    other: &OfferedVersion,
    limits: &Limits,
) -> Result<Result<Vec<ChangelogEntry>, String>, StoreError> {
    let newer = if one.package.version > other.package.version {
        one
    } else {
        other
    };
    let versions = [&one.package.version, &other.package.version];
    changelog(conn, newer.artifact, versions, limits)
}

/// Returns what the changelog of an artifact says of what lies between two versions, or why it cannot be read.
pub(super) fn changelog(
    conn: &Connection,
    artifact: ArtifactId,
    [one, other]: [&PackageVersion; 2],
    limits: &Limits,
) -> Result<Result<Vec<ChangelogEntry>, String>, StoreError> {
    let changelog = read_changelog(conn, artifact, limits)?;
    Ok(changelog.map(|it| it.between(one, other)))
}

/// Returns what the changelog of an artifact says of one version, or why it cannot be read.
pub(super) fn changelog_of(
    conn: &Connection,
    artifact: ArtifactId,
    version: &PackageVersion,
    limits: &Limits,
) -> Result<Result<Vec<ChangelogEntry>, String>, StoreError> {
    let changelog = read_changelog(conn, artifact, limits)?;
    Ok(changelog.map(|it| it.of(version)))
}

fn read_changelog(
    conn: &Connection,
    artifact: ArtifactId,
    limits: &Limits,
) -> Result<Result<Changelog, String>, StoreError> {
    let Some(file) = artifacts::file(conn, artifact, CHANGELOG_PATH)? else {
        return Ok(Ok(Changelog::default()));
    };
    let Some(text) = contents::read(conn, &file, limits.manifest_bytes)? else {
        return Ok(Err(format!("the changelog has {} bytes", file.bytes)));
    };
    Ok(Changelog::parse(&text, limits).map_err(|error| error.to_string()))
}

fn digests(files: &[File]) -> Vec<FileDigest> {
    let digest = |file: &File| (file.path.clone(), file.content.sha256);
    files.iter().map(digest).collect()
}

/// Compares detection rules. Those that have not changed are read too, since a file does not say which rule it is; where no
/// file has changed none is.
fn rules(
    conn: &Connection,
    before: &[File],
    after: &[File],
    limits: &Limits,
) -> Result<RulesDiff, StoreError> {
    let rules = |files: &[File]| -> Vec<File> {
        let rules = files.iter().filter(|file| is_security_rule(&file.path));
        rules.cloned().collect()
    };
    let (before, after) = (rules(before), rules(after));
    if before == after {
        return Ok(RulesDiff::default());
    }
    let read = |files: Vec<File>| -> Result<Vec<(SecurityRule, Digest)>, StoreError> {
        let rules = files.iter().map(|file| {
            let json = contents::read(conn, &file.content, limits.manifest_bytes)?;
            let rule = SecurityRule::read(&file.path, &json.unwrap_or_default());
            Ok((rule, file.content.sha256))
        });
        rules.collect()
    };
    Ok(RulesDiff::between(read(before)?, read(after)?))
}

//! What a package's `changelog.yml` says of its versions.
//!
//! Liberal: what is no entry is passed over, since a changelog that is half right is still worth reading. Facts: the
//! package specification, `changelog.spec.yml`.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::PackageVersion;
use super::yaml::{self, Yaml, YamlError};
use crate::limits::Limits;

/// Where the changelog of a package lies.
pub const CHANGELOG_PATH: &str = "changelog.yml";

/// The kind of a change after which something may no longer work as it did.
const BREAKING: &str = "breaking-change";

/// The changes that a changelog tells, as they stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changelog(Vec<(PackageVersion, ChangelogEntry)>);

/// One change of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangelogEntry {
    /// The version that brought it.
    pub version: String,
    /// `enhancement`, `bugfix`, `breaking-change`, or whatever the changelog says.
    pub kind: String,
    /// What changed, in the package's own words.
    pub description: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A changelog that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangelogError {
    /// It is not the YAML we read.
    #[error("the changelog cannot be read: {0}")]
    Yaml(String),
    /// It is no list of versions.
    #[error("the changelog is no list of versions")]
    Form,
}

impl From<YamlError> for ChangelogError {
    fn from(error: YamlError) -> Self {
        Self::Yaml(error.to_string())
    }
}

impl ChangelogEntry {
    /// Tells whether something may no longer work as it did.
    pub fn is_breaking(&self) -> bool {
        self.kind == BREAKING
    }
}

impl Changelog {
    /// Reads a changelog. Entries whose version is not semver 2.0.0 are passed over.
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Self, ChangelogError> {
        let versions = match yaml::parse(text, limits)?.root {
            Yaml::Null => Vec::new(),
            Yaml::List(versions) => versions,
            _ => return Err(ChangelogError::Form),
        };
        let mut entries = Vec::new();
        for of_version in &versions {
            let Some(Ok(version)) =
                text_of(of_version, "version").map(|it| PackageVersion::parse(&it))
            else {
                continue;
            };
            let Some(Yaml::List(changes)) = value(of_version, "changes") else {
                continue;
            };
            entries.extend(changes.iter().filter_map(|change| {
                let entry = ChangelogEntry {
                    version: version.to_string(),
                    kind: text_of(change, "type").unwrap_or_default(),
                    description: one_line(&text_of(change, "description")?),
                    link: text_of(change, "link"),
                };
                Some((version.clone(), entry))
            }));
        }
        Ok(Self(entries))
    }

    /// Returns the changes that came with a version, as they stand.
    pub fn of(self, version: &PackageVersion) -> Vec<ChangelogEntry> {
        let entries = self.0.into_iter().filter(|(it, _)| it == version);
        entries.map(|(_, entry)| entry).collect()
    }

    /// Returns the changes that came after the older of two versions and up to the newer: breaking ones first, then as they
    /// stand.
    pub fn between(self, one: &PackageVersion, other: &PackageVersion) -> Vec<ChangelogEntry> {
        let (older, newer) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let within = |version: &PackageVersion| older < version && version <= newer;
        let entries = self.0.into_iter().filter(|(version, _)| within(version));
        let entries = entries.map(|(_, entry)| entry);
        let (breaking, others): (Vec<_>, Vec<_>) = entries.partition(ChangelogEntry::is_breaking);
        breaking.into_iter().chain(others).collect()
    }
}

fn value<'a>(map: &'a Yaml, key: &str) -> Option<&'a Yaml> {
    match map {
        Yaml::Map(entries) => entries.get(key).map(Rc::as_ref),
        _ => None,
    }
}

fn text_of(map: &Yaml, key: &str) -> Option<String> {
    match value(map, key)? {
        Yaml::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Descriptions come folded over lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(text: &str, one: &str, other: &str) -> Vec<String> {
        let [one, other] = [one, other].map(|text| PackageVersion::parse(text).unwrap());
        let changelog = Changelog::parse(text.as_bytes(), &Limits::default()).unwrap();
        let shown = |it: ChangelogEntry| format!("{} {}: {}", it.version, it.kind, it.description);
        let entries = changelog.between(&one, &other).into_iter();
        entries.map(shown).collect()
    }

    const CHANGELOG: &str = "
- version: 1.10.0
  changes:
    - {description: Tenth., type: enhancement, link: https://example.org/10}
- version: \"1.2.0\"
  changes:
    - description: >
        Over two
        lines.
      type: bugfix
    - {description: No longer as before., type: breaking-change}
- version: 1.2.0-rc.1
  changes: [{description: First try., type: enhancement}]
- version: 1.1.0
  changes: [{description: Older., type: breaking-change}]
";

    #[test]
    fn what_lies_between_two_versions_is_told_breaking_changes_first() {
        let up = between(CHANGELOG, "1.1.0", "1.10.0");
        assert_eq!(
            up,
            [
                "1.2.0 breaking-change: No longer as before.",
                "1.10.0 enhancement: Tenth.",
                "1.2.0 bugfix: Over two lines.",
                "1.2.0-rc.1 enhancement: First try.",
            ]
        );
        assert_eq!(between(CHANGELOG, "1.10.0", "1.1.0"), up);
        assert_eq!(
            between(CHANGELOG, "1.2.0", "1.3.0"),
            [""; 0],
            "neither its own changes nor later ones"
        );
    }

    #[test]
    fn what_is_no_entry_is_passed_over_and_what_is_no_changelog_is_an_error() {
        for text in [
            "",
            "~",
            "- 1",
            "- {version: 1.5.0}",
            "- {version: 1.5, changes: [{description: x}]}",
            "- {version: next, changes: [{description: x}]}",
            "- {version: 1.5.0, changes: x}",
            "- {version: 1.5.0, changes: [x, {type: bugfix}, {description: [x]}]}",
        ] {
            assert_eq!(between(text, "1.0.0", "2.0.0"), [""; 0], "{text}");
        }
        assert_eq!(
            between(
                "- {version: 1.5.0, changes: [{description: x}]}",
                "1.0.0",
                "2.0.0"
            ),
            ["1.5.0 : x"]
        );
        for text in ["a: b", "text", "[", "\u{1}"] {
            let changelog = Changelog::parse(text.as_bytes(), &Limits::default());
            assert!(changelog.is_err(), "{text}");
        }
    }
}

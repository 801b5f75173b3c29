//! Names and versions of packages: the only way from text to them.

use std::cmp::Ordering;
use std::fmt;

/// The name of a package: one or more of `a-z`, `0-9` and `_`, as the registry's routes take it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName(Box<str>);

/// The version of a package: strictly semver 2.0.0, kept as it was written.
///
/// Ordered by precedence; versions that differ in build metadata alone are ordered by their text, so that the order
/// is total and agrees with equality.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PackageVersion(semver::Version);

/// One package version, `nginx 1.5.0`. Ordered by name, then version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: PackageVersion,
}

/// Text that names no package or no version of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPackageId {
    /// Something outside `a-z0-9_`, or nothing at all, or more than 128 bytes.
    #[error("invalid package name {0:?}")]
    Name(String),
    /// Not semver 2.0.0, or more than 128 bytes.
    #[error("invalid package version {0:?}")]
    Version(String),
}

/// Bytes of a name or a version: both become parts of one path and one file name.
const MAX_BYTES: usize = 128;

impl PackageName {
    /// Returns the name that `text` is.
    pub fn parse(text: &str) -> Result<Self, InvalidPackageId> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if text.is_empty() || text.len() > MAX_BYTES || !text.bytes().all(is_plain) {
            return Err(InvalidPackageId::Name(shortened(text)));
        }
        Ok(Self(text.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PackageVersion {
    /// Returns the version that `text` is: three numbers, no `v`, no leading zeros.
    pub fn parse(text: &str) -> Result<Self, InvalidPackageId> {
        if text.len() > MAX_BYTES {
            return Err(InvalidPackageId::Version(shortened(text)));
        }
        semver::Version::parse(text)
            .map(Self)
            .map_err(|_| InvalidPackageId::Version(shortened(text)))
    }

    /// Returns the parsed version.
    pub fn as_semver(&self) -> &semver::Version {
        &self.0
    }

    /// Tells whether this is a prerelease (`1.0.0-beta1`).
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// Tells whether this is a technical preview: major version 0.
    pub fn is_technical_preview(&self) -> bool {
        self.0.major == 0
    }
}

impl PackageId {
    /// Returns the package version that `name` and `version` are.
    pub fn parse(name: &str, version: &str) -> Result<Self, InvalidPackageId> {
        Ok(Self {
            name: PackageName::parse(name)?,
            version: PackageVersion::parse(version)?,
        })
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_BYTES).collect()
}

impl Ord for PackageVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        // `semver::Version` orders by precedence first and by build metadata last.
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for PackageVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PackageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes `nginx 1.5.0`, as a sentence would.
impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_letters_digits_and_underscores() {
        for good in ["nginx", "m365_defender", "1password", "_"] {
            assert_eq!(PackageName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "Nginx",
            "a-b",
            "a/b",
            "..",
            "a b",
            "ä",
            "a\0",
            &"a".repeat(129),
        ] {
            assert!(PackageName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn versions_are_strict() {
        for good in [
            "1.0.0",
            "0.0.1-beta.2",
            "1.0.0+build",
            "18446744073709551615.0.0",
        ] {
            assert_eq!(PackageVersion::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "1",
            "1.0",
            "v1.0.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0 ",
            "1.0.0/..",
            "18446744073709551616.0.0",
        ] {
            assert!(PackageVersion::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prerelease_comes_before_its_release() {
        let mut versions = ["1.10.0", "1.2.0", "1.2.0-rc.1", "1.2.0-beta"]
            .map(|v| PackageVersion::parse(v).unwrap());
        versions.sort();
        assert_eq!(
            versions.map(|v| v.to_string()),
            ["1.2.0-beta", "1.2.0-rc.1", "1.2.0", "1.10.0"]
        );
    }
}

//! Which packages an operator means: `nginx` with all its versions, or `nginx@` and one of them.

use std::fmt;
use std::str::FromStr;

use super::id::{InvalidPackageId, PackageId, PackageName, PackageVersion};

/// A package, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChoice {
    /// The package.
    pub name: PackageName,
    /// The version; `None` means all.
    pub version: Option<PackageVersion>,
}

impl PackageChoice {
    /// Tells whether a package version is meant.
    pub fn means(&self, package: &PackageId) -> bool {
        let is_version = |version: &PackageVersion| *version == package.version;
        self.name == package.name && self.version.as_ref().is_none_or(is_version)
    }
}

impl FromStr for PackageChoice {
    type Err = InvalidPackageId;

    fn from_str(text: &str) -> Result<Self, InvalidPackageId> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(PackageVersion::parse(version)?)),
            None => (text, None),
        };
        let name = PackageName::parse(name)?;
        Ok(Self { name, version })
    }
}

impl fmt::Display for PackageChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_all_versions_and_a_version_itself() {
        let choice = |text: &str| text.parse::<PackageChoice>().unwrap();
        let id = |name, version| PackageId::parse(name, version).unwrap();
        assert!(choice("buoy").means(&id("buoy", "1.0.0")));
        assert!(!choice("buoy").means(&id("buoys", "1.0.0")));
        assert!(choice("buoy@1.0.0").means(&id("buoy", "1.0.0")));
        assert!(!choice("buoy@1.0.0").means(&id("buoy", "1.0.0-rc.1")));
        for text in ["buoy", "buoy@1.0.0-rc.1"] {
            assert_eq!(choice(text).to_string(), text);
        }
        for text in [
            "",
            "@1.0.0",
            "buoy@",
            "buoy@1.0",
            "buoy@1.0.0@2.0.0",
            "Buoy",
        ] {
            assert!(text.parse::<PackageChoice>().is_err(), "{text}");
        }
    }
}

//! Names of distributions and branches. A release's name is both.

use std::fmt;

/// `[a-z0-9][a-z0-9._+-]{0,63}`: what can stand in a URL, a file name and a shell without quoting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DistributionName(Box<str>);

/// Text that names no distribution or branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid name {0:?}: names are 1 to 64 of a-z, 0-9, '.', '_', '+' and '-', and begin with a letter or digit"
)]
pub struct InvalidName(String);

impl DistributionName {
    /// Returns the name that `text` is.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_allowed = |b: u8| is_plain(b) || b"._+-".contains(&b);
        let begins_well = text.bytes().next().is_some_and(is_plain);
        if !begins_well || text.len() > 64 || !text.bytes().all(is_allowed) {
            return Err(InvalidName(text.chars().take(80).collect()));
        }
        Ok(Self(text.into()))
    }

    /// Returns the name of the distribution that answers at `/`.
    pub fn default_distribution() -> Self {
        Self("default".into())
    }

    /// Tells whether releases of the Elastic Stack are named so: `8.5.0`, `9.2.0+2026-11-22`, `lite-9.2.0`.
    pub fn is_of_a_release(&self) -> bool {
        let version = self.0.strip_prefix("lite-").unwrap_or(&self.0);
        semver::Version::parse(version).is_ok()
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for DistributionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

impl fmt::Display for DistributionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_urls_and_shells() {
        let longest = "a".repeat(64);
        for good in [
            "8.5.0",
            "lite-9.2.0",
            "9.2.0+2026-11-22",
            "prod",
            "a_b",
            &longest,
        ] {
            assert_eq!(DistributionName::parse(good).unwrap().as_str(), good);
        }
        let of_releases = ["8.5.0", "lite-9.2.0", "9.2.0+2026-11-22", "8.6.0-snapshot"];
        let others = ["8.5", "mine-8.5.0", "production-7.9", "lite-", "v8"];
        let is_of_a_release =
            |name: &&str| DistributionName::parse(name).unwrap().is_of_a_release();
        assert!(of_releases.iter().all(is_of_a_release));
        assert!(!others.iter().any(is_of_a_release));
        let too_long = "a".repeat(65);
        for bad in [
            "", ".", "..", "-x", "A", "a b", "a/b", "ä", "a@1", &too_long,
        ] {
            assert!(DistributionName::parse(bad).is_err(), "{bad:?}");
        }
    }
}

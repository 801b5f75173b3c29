//! What becomes of an installed package once another Kibana asks.

use serde::{Deserialize, Serialize};

use crate::package::PackageVersion;

/// What becomes of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// The installed version is the one that is answered with.
    Stays,
    /// A newer version is answered with.
    Newer,
    /// An older version is answered with: the installed one fits no more, or is a prerelease.
    Older,
    /// There are versions, and none fits.
    NoneFits,
    /// There is no version of it.
    Missing,
    /// It is not known to be installed, and there is a version that fits.
    Available,
}

impl Outlook {
    /// Returns what becomes of a package: `picked` is the version that is answered with, `is_here` whether there is any.
    pub fn of(
        installed: Option<&PackageVersion>,
        picked: Option<&PackageVersion>,
        is_here: bool,
    ) -> Self {
        match (installed, picked) {
            (_, None) if is_here => Self::NoneFits,
            (_, None) => Self::Missing,
            (None, Some(_)) => Self::Available,
            (Some(installed), Some(picked)) => {
                let order = picked.as_semver().cmp_precedence(installed.as_semver());
                match order {
                    std::cmp::Ordering::Less => Self::Older,
                    std::cmp::Ordering::Equal => Self::Stays,
                    std::cmp::Ordering::Greater => Self::Newer,
                }
            }
        }
    }

    /// Tells whether Kibana cannot be given what it has.
    pub fn is_problem(self) -> bool {
        matches!(self, Self::NoneFits | Self::Missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_has_its_word() {
        let version = |text: &str| PackageVersion::parse(text).unwrap();
        for (installed, picked, is_here, outlook) in [
            (Some("1.0.0"), Some("1.0.0"), true, Outlook::Stays),
            (Some("1.0.0"), Some("1.0.0+b"), true, Outlook::Stays),
            (Some("1.0.0"), Some("1.10.0"), true, Outlook::Newer),
            (Some("2.0.0-rc.1"), Some("1.10.0"), true, Outlook::Older),
            (Some("1.0.0"), None, true, Outlook::NoneFits),
            (Some("1.0.0"), None, false, Outlook::Missing),
            (None, Some("1.0.0"), true, Outlook::Available),
            (None, None, true, Outlook::NoneFits),
        ] {
            let [installed, picked] = [installed, picked].map(|it| it.map(version));
            let found = Outlook::of(installed.as_ref(), picked.as_ref(), is_here);
            assert_eq!(found, outlook, "{installed:?} {picked:?}");
            assert_eq!(found.is_problem(), picked.is_none());
        }
    }
}

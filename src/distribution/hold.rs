//! Holds: what a distribution keeps back, and what is withdrawn from all of them.
//!
//! Whether a hold is over is asked with a time: nobody writes anything when its end passes.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;

use super::DistributionName;
use crate::package::{PackageId, PackageName, PackageVersion};

/// A rule that keeps versions of one package back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its number, by which it is released.
    pub number: i64,
    /// The package.
    pub package: PackageName,
    /// Which of its versions.
    pub rule: HoldRule,
    /// Why.
    pub reason: Option<String>,
    /// When it ends by itself.
    pub ends: Option<Timestamp>,
}

/// Which versions of its package a hold keeps back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldRule {
    /// Those newer than this one.
    At(PackageVersion),
    /// This one.
    Version(PackageVersion),
    /// Those of other branches than this one.
    Only(DistributionName),
    /// This one, everywhere: it is not fetched either.
    Withdrawn(PackageVersion),
}

/// The holds of a distribution, and what is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holds(HashMap<PackageName, Vec<Hold>>);

/// What a branch holds and a distribution keeps back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBack<T> {
    /// The package version.
    pub package: PackageId,
    /// What the branch holds for it.
    pub held: T,
    /// The number of the hold.
    pub hold: i64,
}

impl Hold {
    /// Tells whether it keeps back what `branch` holds as `package`, as long as it is not over.
    pub fn keeps_back(&self, package: &PackageId, branch: &DistributionName) -> bool {
        self.package == package.name
            && match &self.rule {
                HoldRule::At(version) => package.version > *version,
                HoldRule::Version(version) | HoldRule::Withdrawn(version) => {
                    package.version == *version
                }
                HoldRule::Only(only) => branch != only,
            }
    }

    /// Tells whether it has ended by itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

impl HoldRule {
    /// Returns the rule as the store and `--json` write it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::At(_) => "at",
            Self::Version(_) => "version",
            Self::Only(_) => "only",
            Self::Withdrawn(_) => "withdrawn",
        }
    }

    /// Returns the version that it names.
    pub fn version(&self) -> Option<&PackageVersion> {
        match self {
            Self::At(version) | Self::Version(version) | Self::Withdrawn(version) => Some(version),
            Self::Only(_) => None,
        }
    }

    /// Returns the branch that it names.
    pub fn branch(&self) -> Option<&DistributionName> {
        match self {
            Self::Only(branch) => Some(branch),
            _ => None,
        }
    }
}

impl Holds {
    /// Returns what these holds are together; those that are withdrawn go before the others.
    pub fn new(holds: impl IntoIterator<Item = Hold>) -> Self {
        let mut by_package: HashMap<PackageName, Vec<Hold>> = HashMap::new();
        for hold in holds {
            by_package
                .entry(hold.package.clone())
                .or_default()
                .push(hold);
        }
        for holds in by_package.values_mut() {
            holds.sort_by_key(|it| (!matches!(it.rule, HoldRule::Withdrawn(_)), it.number));
        }
        Self(by_package)
    }

    /// Returns the hold that keeps back what `branch` holds as `package`, `None` where none does.
    pub fn on(
        &self,
        package: &PackageId,
        branch: &DistributionName,
        now: Timestamp,
    ) -> Option<&Hold> {
        self.0
            .get(&package.name)?
            .iter()
            .find(|hold| !hold.is_over(now) && hold.keeps_back(package, branch))
    }

    /// Tells whether a package version is withdrawn.
    pub fn is_withdrawn(&self, package: &PackageId) -> bool {
        let withdraws = |hold: &Hold| matches!(&hold.rule, HoldRule::Withdrawn(version) if *version == package.version);
        let holds = self.0.get(&package.name);
        holds.is_some_and(|holds| holds.iter().any(withdraws))
    }

    /// Parts what `branch` holds: what may be offered, and what is kept back.
    pub fn part<T>(
        &self,
        branch: &DistributionName,
        held: Vec<(PackageId, T)>,
        now: Timestamp,
    ) -> (Vec<(PackageId, T)>, Vec<KeptBack<T>>) {
        let mut open = Vec::with_capacity(held.len());
        let mut kept_back = Vec::new();
        for (package, held) in held {
            match self.on(&package, branch, now) {
                None => open.push((package, held)),
                Some(hold) => kept_back.push(KeptBack {
                    hold: hold.number,
                    package,
                    held,
                }),
            }
        }
        (open, kept_back)
    }
}

/// Writes what it keeps back: `nginx newer than 1.20.3`.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = &self.package;
        match &self.rule {
            HoldRule::At(version) => write!(f, "{package} newer than {version}"),
            HoldRule::Version(version) => write!(f, "{package} {version}"),
            HoldRule::Only(branch) => write!(f, "{package} of other branches than {branch}"),
            HoldRule::Withdrawn(version) => write!(f, "{package} {version} everywhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> PackageVersion {
        PackageVersion::parse(text).unwrap()
    }

    fn hold(number: i64, rule: HoldRule, ends: Option<&str>) -> Hold {
        Hold {
            number,
            package: PackageName::parse("buoy").unwrap(),
            rule,
            reason: None,
            ends: ends.map(|ends| ends.parse().unwrap()),
        }
    }

    fn name(text: &str) -> DistributionName {
        DistributionName::parse(text).unwrap()
    }

    #[test]
    fn each_rule_keeps_back_what_it_says_and_no_other_package() {
        let at = hold(1, HoldRule::At(version("1.2.0")), None);
        let one = hold(2, HoldRule::Version(version("1.2.0")), None);
        let only = hold(3, HoldRule::Only(name("local")), None);
        let withdrawn = hold(4, HoldRule::Withdrawn(version("1.2.0")), None);
        for (package, branch, kept_back) in [
            ("1.1.0", "staging", [false, false, true, false]),
            ("1.2.0", "staging", [false, true, true, true]),
            ("1.2.0", "local", [false, true, false, true]),
            ("1.2.1-rc.1", "local", [true, false, false, false]),
            ("1.10.0", "staging", [true, false, true, false]),
        ] {
            let held = [&at, &one, &only, &withdrawn].map(|hold| {
                let other = PackageId::parse("dock", package).unwrap();
                assert!(!hold.keeps_back(&other, &name(branch)));
                hold.keeps_back(&PackageId::parse("buoy", package).unwrap(), &name(branch))
            });
            assert_eq!(held, kept_back, "{package} of {branch}");
        }
    }

    #[test]
    fn a_hold_ends_at_its_end_and_what_is_withdrawn_goes_before_others() {
        let ends = Some("2026-12-01T00:00:00Z");
        let holds = Holds::new([
            hold(1, HoldRule::Version(version("1.0.0")), ends),
            hold(2, HoldRule::Version(version("2.0.0")), None),
            hold(3, HoldRule::Withdrawn(version("2.0.0")), None),
        ]);
        for (package, now, by, is_withdrawn) in [
            ("1.0.0", "2026-11-30T23:59:59Z", Some(1), false),
            ("1.0.0", "2026-12-01T00:00:00Z", None, false),
            ("2.0.0", "2026-12-01T00:00:00Z", Some(3), true),
            ("3.0.0", "2026-12-01T00:00:00Z", None, false),
        ] {
            let buoy = PackageId::parse("buoy", package).unwrap();
            let on = holds.on(&buoy, &name("local"), now.parse().unwrap());
            assert_eq!(on.map(|hold| hold.number), by, "{now}");
            assert_eq!(holds.is_withdrawn(&buoy), is_withdrawn, "{now}");
        }
    }
}

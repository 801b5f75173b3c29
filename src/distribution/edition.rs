//! Editions: what a release is called that comes again with other content, and how two of them differ.
//!
//! The first is called as the release, the next by the day it came, `9.2.0+2026-11-22`; a second one of a day is
//! `9.2.0+2026-11-22.2`. What stands behind a plus is build metadata of a semantic version and orders nothing.

use std::collections::HashMap;

use super::{DistributionName, Held, InvalidName};
use crate::crypto::Digest;
use crate::package::PackageId;

/// How an edition differs from the one before, by name and version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// What is new.
    pub added: Vec<PackageId>,
    /// What has other files.
    pub changed: Vec<PackageId>,
    /// What is no longer there.
    pub removed: Vec<PackageId>,
}

impl Differences {
    /// Returns how `after` differs from `before`.
    pub fn between(before: &[(PackageId, Held)], after: &[(PackageId, Held)]) -> Self {
        let trees = |all: &[(PackageId, Held)]| -> HashMap<PackageId, Digest> {
            let trees = all.iter().map(|(id, held)| (id.clone(), held.tree_sha256));
            trees.collect()
        };
        let (old, new) = (trees(before), trees(after));
        let mut differences = Self::default();
        for (package, held) in after {
            match old.get(package) {
                None => differences.added.push(package.clone()),
                Some(tree) if *tree != held.tree_sha256 => {
                    differences.changed.push(package.clone());
                }
                Some(_) => {}
            }
        }
        let gone = before.iter().map(|(package, _)| package);
        differences.removed = gone
            .filter(|package| !new.contains_key(*package))
            .cloned()
            .collect();
        differences
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Returns the release that `name` is an edition of: itself, where no day stands behind it.
pub fn release_of(name: &DistributionName) -> &str {
    let text = name.as_str();
    let numbered = text
        .rsplit_once('.')
        .filter(|(_, number)| is_digits(number));
    let dated = numbered.map_or(text, |(dated, _)| dated);
    // Without a number the last dot may be the one before the day.
    [dated, text]
        .into_iter()
        .find_map(without_day)
        .filter(|release| !release.is_empty())
        .unwrap_or(text)
}

/// Returns the name of the next edition of `release`, which comes on `day` (`2026-11-22`); the first that is not taken.
///
/// Fails where the release's name leaves no room for it.
pub fn next_edition(
    release: &str,
    day: &str,
    is_taken: impl Fn(&DistributionName) -> bool,
) -> Result<DistributionName, InvalidName> {
    // A semantic version has one plus, and behind it parts between dots.
    let between = if release.contains('+') { '.' } else { '+' };
    let first = DistributionName::parse(&format!("{release}{between}{day}"))?;
    if !is_taken(&first) {
        return Ok(first);
    }
    let mut number = 2_u64;
    loop {
        let name = DistributionName::parse(&format!("{first}.{number}"))?;
        if !is_taken(&name) {
            return Ok(name);
        }
        number += 1;
    }
}

/// Returns what stands before a day and what sets it apart; `None` where there is no day at the end.
fn without_day(text: &str) -> Option<&str> {
    let (before, day) = text.split_at_checked(text.len().checked_sub("2026-11-22".len())?)?;
    let is_day = day.bytes().enumerate().all(|(at, b)| match at {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    let release = before.strip_suffix(['+', '.'])?;
    (is_day && before.contains('+')).then_some(release)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DistributionName {
        DistributionName::parse(text).unwrap()
    }

    #[test]
    fn each_edition_is_of_its_release() {
        for (edition, release) in [
            ("9.2.0", "9.2.0"),
            ("9.2.0+2026-11-22", "9.2.0"),
            ("9.2.0+2026-11-22.2", "9.2.0"),
            ("9.2.0+2026-11-22.17", "9.2.0"),
            ("lite-9.2.0+2026-11-22", "lite-9.2.0"),
            ("mine+2026-11-22", "mine"),
            ("9.2.0+build5", "9.2.0+build5"),
            ("9.2.0+build5.2026-11-22", "9.2.0+build5"),
            ("9.2.0+build5.2026-11-22.3", "9.2.0+build5"),
            ("9.2.0-2026-11-22", "9.2.0-2026-11-22"),
            ("9.2026-11-22", "9.2026-11-22"),
            ("2026-11-22", "2026-11-22"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(release_of(&name(edition)), release, "{edition}");
        }
    }

    #[test]
    fn the_next_edition_is_called_by_its_day_then_counted() {
        let mut taken = vec![name("9.2.0")];
        for expected in [
            "9.2.0+2026-11-22",
            "9.2.0+2026-11-22.2",
            "9.2.0+2026-11-22.3",
        ] {
            let next = next_edition("9.2.0", "2026-11-22", |name| taken.contains(name)).unwrap();
            assert_eq!(next.as_str(), expected);
            assert!(next.is_of_a_release());
            assert_eq!(release_of(&next), "9.2.0");
            taken.push(next);
        }
        let next = next_edition("9.2.0+build5", "2026-11-22", |_| false).unwrap();
        assert_eq!(next.as_str(), "9.2.0+build5.2026-11-22");
        assert!(next.is_of_a_release());
        assert!(next_edition(&"a".repeat(60), "2026-11-22", |_| false).is_err());
    }

    #[test]
    fn what_differs_is_added_changed_or_removed() {
        let held = |version: &str, content: &str| {
            let digest = Digest::of(content.as_bytes());
            let held = Held {
                sha256: Digest::of(format!("zip of {content} at {version}").as_bytes()),
                tree_sha256: digest,
            };
            (PackageId::parse("nginx", version).unwrap(), held)
        };
        let before = [held("1.0.0", "a"), held("1.1.0", "b"), held("1.2.0", "c")];
        let after = [held("1.0.0", "a"), held("1.1.0", "x"), held("1.3.0", "d")];
        let differences = Differences::between(&before, &after);
        let shown = |ids: &[PackageId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(&differences.added), ["nginx 1.3.0"]);
        assert_eq!(shown(&differences.changed), ["nginx 1.1.0"]);
        assert_eq!(shown(&differences.removed), ["nginx 1.2.0"]);
        assert!(!differences.is_empty());
        assert!(Differences::between(&before, &before).is_empty());
    }
}

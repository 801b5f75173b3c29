//! How what is offered in one place differs from what is offered in another, package by package.

use std::collections::{BTreeMap, BTreeSet};

use super::Held;
use crate::package::{PackageId, PackageName, PackageVersion};

/// How the versions of one package differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChanges {
    /// The package.
    pub name: PackageName,
    /// Versions that are new, oldest first.
    pub added: Vec<PackageVersion>,
    /// Versions that are no longer there.
    pub removed: Vec<PackageVersion>,
    /// Versions with another zip, and whether its files are the same ones.
    pub changed: Vec<(PackageVersion, bool)>,
}

/// Returns how `after` differs from `before`, by name; packages that do not differ are left out.
pub fn package_changes<'a>(
    before: impl IntoIterator<Item = (&'a PackageId, &'a Held)>,
    after: impl IntoIterator<Item = (&'a PackageId, &'a Held)>,
) -> Vec<PackageChanges> {
    let before: BTreeMap<_, _> = before.into_iter().collect();
    let after: BTreeMap<_, _> = after.into_iter().collect();
    let mut packages: Vec<PackageChanges> = Vec::new();
    let all: BTreeSet<&PackageId> = before.keys().chain(after.keys()).copied().collect();
    for package in all {
        let sides = (before.get(package), after.get(package));
        if matches!(sides, (Some(old), Some(new)) if old.sha256 == new.sha256) {
            continue;
        }
        if packages.last().is_none_or(|last| last.name != package.name) {
            packages.push(PackageChanges::none(package.name.clone()));
        }
        let Some(changes) = packages.last_mut() else {
            continue;
        };
        let version = package.version.clone();
        match sides {
            (Some(old), Some(new)) => {
                let is_repacked = old.tree_sha256 == new.tree_sha256;
                changes.changed.push((version, is_repacked));
            }
            (None, _) => changes.added.push(version),
            (_, None) => changes.removed.push(version),
        }
    }
    packages
}

impl PackageChanges {
    fn none(name: PackageName) -> Self {
        Self {
            name,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;

    #[test]
    fn packages_that_differ_are_told_by_name_and_version() {
        let held = |text: &str, zip: &str, tree: &str| {
            let (name, version) = text.split_once(' ').unwrap();
            let held = Held {
                sha256: Digest::of(zip.as_bytes()),
                tree_sha256: Digest::of(tree.as_bytes()),
            };
            (PackageId::parse(name, version).unwrap(), held)
        };
        let before = [
            held("b 1.2.0", "z", "t"),
            held("a 1.0.0", "z", "t"),
            held("c 1.0.0", "z", "t"),
            held("c 2.0.0", "z", "t"),
            held("same 1.0.0", "z", "t"),
        ];
        let after = [
            held("same 1.0.0", "z", "t"),
            held("c 2.0.0", "other", "t"),
            held("c 1.0.0", "other", "other"),
            held("b 1.10.0", "z", "t"),
            held("b 1.9.0", "z", "t"),
        ];
        let pairs = |side: &'static [(PackageId, Held)]| side.iter().map(|(id, held)| (id, held));
        let [before, after] = [before.to_vec(), after.to_vec()].map(|it| &*it.leak());
        let shown = |it: PackageChanges| {
            let versions = |all: &[PackageVersion]| -> String {
                let all = all.iter().map(ToString::to_string);
                all.collect::<Vec<_>>().join(" ")
            };
            let changed = it.changed.iter();
            let changed: Vec<_> = changed.map(|(v, same)| format!("{v} {same}")).collect();
            format!(
                "{} +{} -{} ~{}",
                it.name,
                versions(&it.added),
                versions(&it.removed),
                changed.join(" ")
            )
        };
        let changes = package_changes(pairs(before), pairs(after));
        assert_eq!(
            changes.into_iter().map(shown).collect::<Vec<_>>(),
            [
                "a + -1.0.0 ~",
                "b +1.9.0 1.10.0 -1.2.0 ~",
                "c + - ~1.0.0 false 2.0.0 true"
            ]
        );
        assert_eq!(package_changes(pairs(after), pairs(after)), []);
    }
}

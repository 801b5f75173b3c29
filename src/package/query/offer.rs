//! The package versions that queries choose from, in the order that makes choosing cheap.

use std::sync::Arc;

use crate::package::{Facts, PackageName};

/// What a distribution offers: packages by name, their versions by precedence.
#[derive(Debug, Default)]
pub struct Offer {
    listed: Vec<Listed>,
    /// For each package the end of its versions in `listed`.
    package_ends: Vec<usize>,
}

/// One package version and where the distribution lists it.
#[derive(Debug)]
pub(super) struct Listed {
    pub facts: Arc<Facts>,
    pub position: usize,
}

impl Offer {
    /// Returns the offer of `facts`, which come in the order in which the distribution lists them: of versions that differ
    /// in build metadata alone the first counts as the newest. No package version may be among them twice.
    pub fn new(facts: impl IntoIterator<Item = Arc<Facts>>) -> Self {
        let mut listed: Vec<Listed> = facts
            .into_iter()
            .enumerate()
            .map(|(position, facts)| Listed { facts, position })
            .collect();
        listed.sort_by(|a, b| {
            let by_name = a.name().cmp(b.name());
            by_name.then_with(|| a.version().cmp_precedence(b.version()))
        });
        let mut package_ends = Vec::new();
        for versions in listed.chunk_by(|a, b| a.name() == b.name()) {
            package_ends.push(package_ends.last().unwrap_or(&0) + versions.len());
        }
        Self {
            listed,
            package_ends,
        }
    }

    /// Returns the versions of each package, oldest first; of equal precedence, first listed first.
    pub(super) fn packages(&self) -> impl Iterator<Item = &[Listed]> {
        (0..self.package_ends.len()).filter_map(|number| self.versions(number))
    }

    /// Returns the versions of the package `name`.
    pub(super) fn package(&self, name: &str) -> Option<&[Listed]> {
        let name_of = |end: &usize| self.listed.get(end - 1).map(|l| l.name().as_str());
        let number = self
            .package_ends
            .binary_search_by(|end| name_of(end).cmp(&Some(name)))
            .ok()?;
        self.versions(number)
    }

    fn versions(&self, number: usize) -> Option<&[Listed]> {
        let end = *self.package_ends.get(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => *self.package_ends.get(before)?,
            None => 0,
        };
        self.listed.get(start..end)
    }
}

impl Listed {
    pub fn version(&self) -> &semver::Version {
        self.facts.id.version.as_semver()
    }

    fn name(&self) -> &PackageName {
        &self.facts.id.name
    }
}

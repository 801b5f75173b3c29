//! The one layout of a plan, of the difference between two places and of a change set that was made: packages in groups, the
//! ones that need care first, each from what was to what is.

mod row;

use std::collections::BTreeMap;

use self::row::Row;
use super::lens::{self, Lens};
use crate::admin::diff::DiffReport;
use crate::admin::history::{BranchChanges, PackageChange};
use crate::admin::picks::Picked;
use crate::import::Problem;

/// Kibanas that have a column.
const MOST_KIBANAS: usize = 3;

/// The groups of packages, and the bar above them.
pub(super) struct Ledger {
    pub(super) bar: Vec<Segment>,
    pub(super) groups: Vec<Group>,
    /// The Kibanas that have a column each.
    pub(super) kibanas: Vec<String>,
    /// How many are as they were.
    pub(super) unchanged: usize,
    /// Whether it tells of what was done.
    pub(super) is_past: bool,
}

/// A part of the bar; its place and width are of 1000.
pub(super) struct Segment {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) count: usize,
    pub(super) x: usize,
    pub(super) width: usize,
    pub(super) class: &'static str,
}

pub(super) struct Group {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) class: &'static str,
    pub(super) rows: Vec<Row>,
}

/// The Kibanas whose view is shown: the lens' own, then those that asked.
pub(super) fn kibanas(lens: &Lens, seen: &[String]) -> Vec<String> {
    let mut kibanas: Vec<String> = lens.kibana.iter().map(ToString::to_string).collect();
    for version in seen.iter().rev() {
        if semver::Version::parse(version).is_ok() && !kibanas.contains(version) {
            kibanas.push(version.clone());
        }
    }
    kibanas.truncate(MOST_KIBANAS);
    kibanas
}

/// Returns the query strings of these Kibanas.
pub(super) fn queries(kibanas: &[String]) -> Vec<String> {
    let versions = kibanas
        .iter()
        .filter_map(|it| semver::Version::parse(it).ok());
    versions.map(|it| lens::query_of(&it)).collect()
}

impl Ledger {
    /// Returns how two places differ, with what Kibanas get of it.
    pub(super) fn of_diff(diff: DiffReport, picked: &Picked, kibanas: Vec<String>) -> Self {
        let total = diff.after.packages.max(diff.before.packages);
        let changed = diff.packages.len();
        let mut groups = [
            group("care", "Breaks or needs care", "care"),
            group("used", "Used here", "good"),
            group("added", "Added", "good"),
            group("updated", "Updated", "accent"),
            group("gone", "No longer offered", "bad"),
        ];
        for package in diff.packages {
            let row = Row::of_package(package, picked);
            let place = match () {
                () if row.needs_care() => 0,
                () if row.is_used && !row.before.is_empty() && !row.after.is_empty() => 1,
                () if row.before.is_empty() => 2,
                () if row.after.is_empty() => 4,
                () => 3,
            };
            groups[place].rows.push(row);
        }
        Self::of_groups(groups.into(), total.saturating_sub(changed), kibanas)
    }

    /// Returns what a new branch holds, package versions by package.
    pub(super) fn of_added(added: &[String]) -> Self {
        let mut group = group("added", "Added", "good");
        group.rows = by_package(added.iter().map(String::as_str))
            .into_iter()
            .map(|(name, versions)| Row::of_versions(name, &versions))
            .collect();
        Self::of_groups(vec![group], 0, Vec::new())
    }

    /// Returns what a change set did to branches, by package.
    pub(super) fn of_changes(branches: &[BranchChanges]) -> Self {
        let mut groups = [
            group("added", "Added", "good"),
            group("updated", "Replaced", "care"),
            group("gone", "No longer held", "bad"),
        ];
        for branch in branches {
            for (place, group) in groups.iter_mut().enumerate() {
                let changes = branch.packages.iter().filter(|it| place_of(it) == place);
                for (name, versions) in by_package(changes.map(|it| it.package.as_str())) {
                    let row = Row::of_versions(name, &versions);
                    let row = if group.id == "gone" { row.gone() } else { row };
                    group.rows.push(row.in_branch(&branch.branch));
                }
            }
        }
        Self {
            is_past: true,
            ..Self::of_groups(groups.into(), 0, Vec::new())
        }
    }

    /// Adds what is refused or in quarantine, each with its reason.
    pub(super) fn with_problems(
        self,
        id: &'static str,
        title: &'static str,
        problems: &[Problem],
    ) -> Self {
        let mut group = group(id, title, "care");
        group.rows = problems.iter().map(Row::of_problem).collect();
        let mut groups = self.groups;
        groups.push(group);
        Self::of_groups(groups, self.unchanged, self.kibanas)
    }

    fn of_groups(groups: Vec<Group>, unchanged: usize, kibanas: Vec<String>) -> Self {
        let groups: Vec<_> = groups
            .into_iter()
            .filter(|it| !it.rows.is_empty())
            .collect();
        let count: usize = groups.iter().map(|it| it.rows.len()).sum();
        let total = (count + unchanged).max(1);
        let mut x = 0;
        let mut bar: Vec<_> = groups
            .iter()
            .map(|group| {
                let width = (group.rows.len() * 1000 / total).max(4);
                let segment = Segment {
                    id: group.id,
                    title: group.title,
                    count: group.rows.len(),
                    x,
                    width,
                    class: group.class,
                };
                x += width;
                segment
            })
            .collect();
        if unchanged > 0 {
            bar.push(Segment {
                id: "unchanged",
                title: "Unchanged",
                count: unchanged,
                x: x.min(996),
                width: 1000 - x.min(996),
                class: "plain",
            });
        }
        Self {
            bar,
            groups,
            kibanas,
            unchanged,
            is_past: false,
        }
    }

    /// Returns how many packages are in a group.
    pub(super) fn count(&self, id: &str) -> usize {
        let found = self.groups.iter().find(|it| it.id == id);
        found.map_or(0, |it| it.rows.len())
    }
}

/// Returns in which group a change of a package version stands.
fn place_of(change: &PackageChange) -> usize {
    match (&change.from, &change.to) {
        (None, _) => 0,
        (Some(_), Some(_)) => 1,
        (Some(_), None) => 2,
    }
}

/// Returns the versions of each package, as they stand.
fn by_package<'a>(packages: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let (name, version) = package.rsplit_once([' ', '@']).unwrap_or((package, ""));
        versions.entry(name).or_default().push(version);
    }
    versions
}

fn group(id: &'static str, title: &'static str, class: &'static str) -> Group {
    Group {
        id,
        title,
        class,
        rows: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_its_width_and_no_group_vanishes() {
        let problem = |name: &str| Problem {
            package: name.to_owned(),
            why: "why".to_owned(),
        };
        let many: Vec<_> = (0..5000).map(|n| problem(&n.to_string())).collect();
        let ledger = Ledger::of_changes(&[])
            .with_problems("refused", "Refused", &many)
            .with_problems("quarantine", "In quarantine", &[problem("x")]);
        let widths: Vec<_> = ledger.bar.iter().map(|it| it.width).collect();
        assert_eq!(ledger.count("refused"), 5000);
        assert!(widths[0] >= 990 && widths[1] >= 4, "{widths:?}");
    }
}

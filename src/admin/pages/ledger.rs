//! The one layout of a plan, of the difference between two places and of a change set that was made: packages in groups, the
//! ones that need care first, each from what was to what is.

use std::collections::BTreeMap;

use super::lens::{self, Lens};
use crate::admin::diff::{DiffReport, PackageDiff, VersionDiff};
use crate::admin::history::{BranchChanges, PackageChange};
use crate::admin::picks::Picked;
use crate::admin::wording::counted;
use crate::import::Problem;
use crate::package::ChangelogEntry;

/// Kibanas that have a column.
const MOST_KIBANAS: usize = 3;
/// Entries of a changelog that are shown.
const MOST_ENTRIES: usize = 30;

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

/// A package, from what was to what is.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) before: String,
    pub(super) after: Chain,
    /// For each Kibana what it gets, and a sign.
    pub(super) kibanas: Vec<Cell>,
    pub(super) is_used: bool,
    pub(super) note: String,
    pub(super) changelog: Vec<ChangelogEntry>,
    pub(super) more_entries: usize,
    pub(super) facts: Vec<String>,
    pub(super) files: Vec<(&'static str, String)>,
}

/// A version whose changed part stands out.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) same: String,
    pub(super) changed: String,
}

pub(super) struct Cell {
    pub(super) sign: &'static str,
    pub(super) text: String,
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

impl Row {
    fn named(name: String) -> Self {
        Self {
            name,
            before: String::new(),
            after: Chain::default(),
            kibanas: Vec::new(),
            is_used: false,
            note: String::new(),
            changelog: Vec::new(),
            more_entries: 0,
            facts: Vec::new(),
            files: Vec::new(),
        }
    }

    fn of_package(package: PackageDiff, picked: &Picked) -> Self {
        let sides = picked.before.iter().zip(&picked.after);
        let cells = sides.map(|(before, after)| {
            Cell::of(before.get(&package.package), after.get(&package.package))
        });
        let before = package.before.clone().unwrap_or_default();
        let after = package.after.as_deref().unwrap_or_default();
        let mut row = Self {
            kibanas: cells.collect(),
            is_used: picked.used.contains(&package.package),
            note: note(&package),
            after: Chain::between(&before, after),
            before,
            ..Self::named(package.package)
        };
        if let Some(details) = package.details {
            row.take(details);
        }
        row
    }

    /// A package of which versions come; the last one stands first.
    fn of_versions(name: &str, versions: &[&str]) -> Self {
        let last = versions.last().copied().unwrap_or_default();
        let (_, others) = versions.split_last().unwrap_or((&"", &[]));
        Self {
            after: Chain {
                same: String::new(),
                changed: last.to_owned(),
            },
            facts: match others {
                [] => Vec::new(),
                others => vec![format!("And {}", others.join(", "))],
            },
            note: counted(versions.len() as u64, "version", "versions"),
            ..Self::named(name.to_owned())
        }
    }

    /// The same, where they go.
    fn gone(self) -> Self {
        Self {
            before: self.after.changed,
            after: Chain::default(),
            ..self
        }
    }

    fn in_branch(self, branch: &str) -> Self {
        let note = format!("{} in {branch}", self.note);
        Self { note, ..self }
    }

    fn of_problem(problem: &Problem) -> Self {
        Self {
            note: problem.why.clone(),
            ..Self::named(problem.package.clone())
        }
    }

    fn take(&mut self, details: VersionDiff) {
        self.more_entries = details.changelog.len().saturating_sub(MOST_ENTRIES);
        self.changelog = details.changelog;
        self.changelog.truncate(MOST_ENTRIES);
        if let Some(problem) = details.changelog_problem {
            self.facts
                .push(format!("The changelog cannot be read: {problem}"));
        }
        let rules = &details.rules;
        if !(rules.added.is_empty() && rules.removed.is_empty() && rules.changed.is_empty()) {
            self.facts.push(format!(
                "Detection rules: {} added, {} removed, {} changed",
                rules.added.len(),
                rules.removed.len(),
                rules.changed.len()
            ));
        }
        for assets in &details.assets {
            self.facts.push(format!(
                "{}: {} added, {} removed, {} changed",
                assets.asset_type,
                assets.names.added.len(),
                assets.names.removed.len(),
                assets.names.changed.len()
            ));
        }
        let files = details.files;
        let named =
            |sign: &'static str, paths: Vec<String>| paths.into_iter().map(move |it| (sign, it));
        self.files = named("+", files.added)
            .chain(named("−", files.removed))
            .chain(named("~", files.changed))
            .collect();
    }

    /// Tells whether something may no longer work as it did.
    fn needs_care(&self) -> bool {
        self.changelog.iter().any(ChangelogEntry::is_breaking)
            || (self.is_used && self.after.is_empty() && !self.before.is_empty())
    }

    /// Tells whether there is more to be seen of it.
    pub(super) fn has_more(&self) -> bool {
        !(self.changelog.is_empty() && self.facts.is_empty() && self.files.is_empty())
    }
}

impl Chain {
    /// Returns `after` with its first part, as far as it is `before`'s too, apart.
    fn between(before: &str, after: &str) -> Self {
        let same = match before == after {
            true => after.len(),
            false => {
                let parts = before.split('.').zip(after.split('.'));
                let same = parts.take_while(|(a, b)| a == b);
                same.map(|(part, _)| part.len() + 1)
                    .sum::<usize>()
                    .min(after.len())
            }
        };
        let (same, changed) = after.split_at_checked(same).unwrap_or(("", after));
        Self {
            same: same.to_owned(),
            changed: changed.to_owned(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.same.is_empty() && self.changed.is_empty()
    }
}

impl Cell {
    fn of(before: Option<&String>, after: Option<&String>) -> Self {
        let (sign, text) = match (before, after) {
            (None, None) => ("○", "hidden".to_owned()),
            (Some(before), None) => ("—", format!("no longer, was {before}")),
            (_, Some(after)) => ("●", after.clone()),
        };
        Self { sign, text }
    }
}

/// Returns which versions come and go beside the newest.
fn note(package: &PackageDiff) -> String {
    let one_or_many = |versions: &[String], what: &str| match versions {
        [] => None,
        [one] => Some(format!("{what} {one}")),
        many => Some(format!("{what} {} versions", many.len())),
    };
    let repacked = package.changed.iter().filter(|it| it.is_repacked).count();
    let changed = package.changed.len() - repacked;
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{what} {count}"));
    let parts = [
        one_or_many(&package.added, "+"),
        one_or_many(&package.removed, "−"),
        counted(changed, "other content in"),
        counted(repacked, "packed otherwise in"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_part_of_a_version_stands_out() {
        let chain = |before, after| {
            let chain = Chain::between(before, after);
            format!("{}[{}]", chain.same, chain.changed)
        };
        assert_eq!(chain("1.4.0", "1.5.0"), "1.[5.0]");
        assert_eq!(chain("1.4.0", "1.4.1"), "1.4.[1]");
        assert_eq!(chain("", "1.4.1"), "[1.4.1]");
        assert_eq!(chain("1.4.0", "1.4.0"), "1.4.0[]");
        assert_eq!(chain("1.4.0", ""), "[]");
        assert_eq!(chain("1.4.0", "1.4"), "1.4[]");
        assert_eq!(chain("1.4.0-ä", "1.4.0-ö"), "1.4.[0-ö]");
    }

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

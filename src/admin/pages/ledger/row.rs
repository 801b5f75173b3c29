//! One package of a ledger: from what was to what is, with what is to be seen of it.

use crate::admin::diff::{PackageDiff, VersionDiff};
use crate::admin::picks::Picked;
use crate::admin::wording::counted;
use crate::import::Problem;
use crate::package::ChangelogEntry;

/// Entries of a changelog that are shown.
const MOST_ENTRIES: usize = 30;

/// A package, from what was to what is.
pub(in crate::admin::pages) struct Row {
    pub(in crate::admin::pages) name: String,
    pub(in crate::admin::pages) before: String,
    pub(in crate::admin::pages) after: Chain,
    /// For each Kibana what it gets, and a sign.
    pub(in crate::admin::pages) kibanas: Vec<Cell>,
    pub(in crate::admin::pages) is_used: bool,
    pub(in crate::admin::pages) note: String,
    pub(in crate::admin::pages) changelog: Vec<ChangelogEntry>,
    pub(in crate::admin::pages) more_entries: usize,
    pub(in crate::admin::pages) facts: Vec<String>,
    pub(in crate::admin::pages) files: Vec<(&'static str, String)>,
}

/// A version whose changed part stands out.
#[derive(Default)]
pub(in crate::admin::pages) struct Chain {
    pub(in crate::admin::pages) same: String,
    pub(in crate::admin::pages) changed: String,
}

pub(in crate::admin::pages) struct Cell {
    pub(in crate::admin::pages) sign: &'static str,
    pub(in crate::admin::pages) text: String,
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

    pub(super) fn of_package(package: PackageDiff, picked: &Picked) -> Self {
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
    pub(super) fn of_versions(name: &str, versions: &[&str]) -> Self {
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
    pub(super) fn gone(self) -> Self {
        Self {
            before: self.after.changed,
            after: Chain::default(),
            ..self
        }
    }

    pub(super) fn in_branch(self, branch: &str) -> Self {
        let note = format!("{} in {branch}", self.note);
        Self { note, ..self }
    }

    pub(super) fn of_problem(problem: &Problem) -> Self {
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
    pub(super) fn needs_care(&self) -> bool {
        self.changelog.iter().any(ChangelogEntry::is_breaking)
            || (self.is_used && self.after.is_empty() && !self.before.is_empty())
    }

    /// Tells whether there is more to be seen of it.
    pub(in crate::admin::pages) fn has_more(&self) -> bool {
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

    pub(in crate::admin::pages) fn is_empty(&self) -> bool {
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
}

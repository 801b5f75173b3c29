//! How two places differ, as text: a line for each package, and under it what is new.

use std::fmt::Write;

use super::plain::plain;
use crate::admin::diff::{DiffReport, PackageDiff, SideReport, VersionDiff};
use crate::admin::wording::{counted, grouped};
use crate::package::{ChangelogEntry, NamesDiff, RulesDiff, SecurityRule};

/// Lines of a list before it is cut, unless all of it is asked for.
const SHOWN: usize = 10;

/// Returns a diff as text; with `all`, nothing is only counted.
pub(super) fn report(report: &DiffReport, all: bool) -> String {
    let mut text = format!("{}\n", heading(report));
    if report.packages.is_empty() {
        text.push_str("No package differs.\n");
    }
    for (count, what) in totals(report) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:>7} {what}", grouped(count as u64));
    }
    for package in &report.packages {
        let _ = writeln!(text, "{} {}", sign(package), versions(package));
        if let Some(details) = &package.details {
            let mut lines = Vec::new();
            version_diff(&mut lines, details, all);
            lines
                .iter()
                .for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    text
}

/// Returns what is compared, in one line.
pub(super) fn heading(report: &DiffReport) -> String {
    let DiffReport {
        before,
        after,
        query,
        ..
    } = report;
    let asked = query
        .as_ref()
        .map(|query| format!(", as /search?{query} answers"));
    let [before, after] = [before, after].map(side);
    format!(
        "From {before} to {after}{}",
        plain(&asked.unwrap_or_default())
    )
}

fn side(side: &SideReport) -> String {
    let versions = counted(side.versions as u64, "package version", "package versions");
    let packages = counted(side.packages as u64, "package", "packages");
    format!("{} ({versions} of {packages})", side.name)
}

/// Returns how many packages came, went and changed; those that are none are left out.
pub(super) fn totals(report: &DiffReport) -> Vec<(usize, &'static str)> {
    let count = |wanted: char| {
        report
            .packages
            .iter()
            .filter(|it| sign(it) == wanted)
            .count()
    };
    let totals = [
        (count('+'), "added"),
        (count('-'), "removed"),
        (count('~'), "changed"),
    ];
    totals.into_iter().filter(|(count, _)| *count > 0).collect()
}

/// Returns the sign of a package: it came, went or changed.
pub(super) fn sign(package: &PackageDiff) -> char {
    match (&package.before, &package.after) {
        (None, _) => '+',
        (Some(_), None) => '-',
        (Some(_), Some(_)) => '~',
    }
}

/// Returns what became of the versions of a package, in one line.
pub(super) fn versions(package: &PackageDiff) -> String {
    let name = &package.package;
    let older = |versions: &[String]| match versions.len() {
        0 | 1 => String::new(),
        many => {
            let older = counted(many as u64 - 1, "other version", "other versions");
            format!(", with {older}")
        }
    };
    match (&package.before, &package.after) {
        (None, Some(after)) => return format!("{name} {after}{}", older(&package.added)),
        (Some(before), None) => return format!("{name} {before}{}", older(&package.removed)),
        _ => {}
    }
    let [before, after] = [&package.before, &package.after].map(|it| it.as_deref().unwrap_or(""));
    let mut line = match before == after {
        true => format!("{name} {after}"),
        false => format!("{name} {before} -> {after}"),
    };
    let is_plain_step = package.added == [after] && package.removed == [before];
    let counts = [(&package.added, "added"), (&package.removed, "removed")];
    for (versions, what) in counts {
        if !versions.is_empty() && !is_plain_step {
            let count = counted(versions.len() as u64, "version", "versions");
            let _ = write!(line, ", {count} {what}");
        }
    }
    for (is_repacked, what) in [(false, "other files in"), (true, "packed otherwise:")] {
        let changed = package
            .changed
            .iter()
            .filter(|it| it.is_repacked == is_repacked);
        let changed: Vec<_> = changed.map(|it| it.version.as_str()).collect();
        if !changed.is_empty() {
            let _ = write!(line, ", {what} {}", changed.join(", "));
        }
    }
    line
}

fn version_diff(lines: &mut Vec<String>, diff: &VersionDiff, all: bool) {
    let (breaking, others): (Vec<_>, Vec<_>) =
        diff.changelog.iter().partition(|entry| entry.is_breaking());
    lines.extend(breaking.iter().map(|entry| quoted(entry)));
    if all {
        lines.extend(others.iter().map(|entry| quoted(entry)));
    } else if !others.is_empty() {
        lines.push(kinds(&others));
    }
    lines.extend(diff.changelog_problem.as_deref().map(plain));
    rules(lines, &diff.rules, all);
    for assets in &diff.assets {
        lines.push(format!("{}: {}", assets.asset_type, counts(&assets.names)));
        if all {
            names(lines, &assets.names);
        }
    }
    if !diff.files.is_empty() {
        lines.push(format!("files: {}", counts(&diff.files)));
        if all {
            names(lines, &diff.files);
        }
    }
}

fn quoted(entry: &ChangelogEntry) -> String {
    let kind = if entry.kind.is_empty() {
        "change"
    } else {
        &entry.kind
    };
    format!(
        "{} {}: \"{}\"",
        entry.version,
        plain(kind),
        plain(&entry.description)
    )
}

/// Returns how many changes of each kind there are, in one line.
pub(super) fn kinds(entries: &[&ChangelogEntry]) -> String {
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for entry in entries {
        match kinds.iter_mut().find(|(kind, _)| *kind == entry.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((&entry.kind, 1)),
        }
    }
    let shown = kinds.into_iter().map(|(kind, count)| match kind {
        "enhancement" => counted(count, "enhancement", "enhancements"),
        "bugfix" => counted(count, "bugfix", "bugfixes"),
        _ => counted(count, "other change", "other changes"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn rules(lines: &mut Vec<String>, rules: &RulesDiff, all: bool) {
    if rules.is_empty() {
        return;
    }
    let counts = parts(&[
        (rules.added.len(), "added"),
        (rules.removed.len(), "removed"),
        (rules.changed.len(), "changed"),
    ]);
    lines.push(format!("detection rules: {counts}"));
    let added = rules.added.iter().map(|it| format!("  + {}", rule(it)));
    let removed = rules.removed.iter().map(|it| format!("  - {}", rule(it)));
    let changed = rules.changed.iter().map(|it| {
        let line = format!("  ~ {}", rule(&it.rule));
        match it.before.severity == it.rule.severity {
            true => line,
            false => format!("{line}, was {}", plain(&it.before.severity)),
        }
    });
    let listed: Vec<_> = added.chain(removed).chain(changed).collect();
    let shown = if all { listed.len() } else { SHOWN };
    let more = listed.len().saturating_sub(shown);
    lines.extend(listed.into_iter().take(shown));
    if more > 0 {
        lines.push(format!(
            "  and {} more: --all names them",
            grouped(more as u64)
        ));
    }
}

/// Returns a detection rule as people call it, with its severity.
pub(super) fn rule(rule: &SecurityRule) -> String {
    let name = if rule.name.is_empty() {
        &rule.rule_id
    } else {
        &rule.name
    };
    match rule.severity.is_empty() {
        true => plain(name),
        false => format!("{} ({})", plain(name), plain(&rule.severity)),
    }
}

/// Returns how many were added, removed and changed, in one line.
pub(super) fn counts(names: &NamesDiff) -> String {
    parts(&[
        (names.added.len(), "added"),
        (names.removed.len(), "removed"),
        (names.changed.len(), "changed"),
    ])
}

fn parts(counts: &[(usize, &str)]) -> String {
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let shown = counts.map(|(count, what)| format!("{} {what}", grouped(*count as u64)));
    shown.collect::<Vec<_>>().join(", ")
}

fn names(lines: &mut Vec<String>, names: &NamesDiff) {
    for (sign, names) in [
        ('+', &names.added),
        ('-', &names.removed),
        ('~', &names.changed),
    ] {
        lines.extend(names.iter().map(|name| format!("  {sign} {}", plain(name))));
    }
}

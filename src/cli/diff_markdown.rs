//! How two places differ, as Markdown: for a ticket, or for those who run the Kibanas.

use std::fmt::Write;

use super::diff_text::{counts, heading, kinds, rule, sign, totals, versions};
use super::plain::plain;
use crate::admin::diff::{DiffReport, VersionDiff};
use crate::admin::wording::grouped;
use crate::package::{ChangelogEntry, NamesDiff};

/// Returns a diff as Markdown; with `all`, nothing is only counted.
pub(super) fn report(report: &DiffReport, all: bool) -> String {
    let (before, after) = (&report.before.name, &report.after.name);
    let mut text = format!(
        "# {} to {}\n\n{}.\n",
        escaped(before),
        escaped(after),
        escaped(&heading(report))
    );
    let totals: Vec<_> = totals(report)
        .into_iter()
        .map(|(count, what)| format!("{} {what}", grouped(count as u64)))
        .collect();
    // Writing to a string cannot fail.
    let _ = match totals.as_slice() {
        [] => writeln!(text, "\nNo package differs."),
        totals => writeln!(text, "\nPackages: {}.", totals.join(", ")),
    };
    for (wanted, title) in [('+', "Added"), ('-', "Removed"), ('~', "Changed")] {
        let mut packages = report
            .packages
            .iter()
            .filter(|it| sign(it) == wanted)
            .peekable();
        if packages.peek().is_some() {
            let _ = writeln!(text, "\n## {title}\n");
        }
        for package in packages {
            let _ = writeln!(text, "- {}", escaped(&versions(package)));
            if let Some(details) = &package.details {
                version_diff(&mut text, details, all);
            }
        }
    }
    text
}

fn version_diff(text: &mut String, diff: &VersionDiff, all: bool) {
    let mut line = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let (breaking, others): (Vec<_>, Vec<_>) =
        diff.changelog.iter().partition(|entry| entry.is_breaking());
    for entry in &breaking {
        line(format!(
            "  > **Breaking** in {}: {}\n",
            entry.version,
            described(entry)
        ));
    }
    if all {
        for entry in &others {
            line(format!(
                "  - {} {}: {}",
                entry.version,
                escaped(&entry.kind),
                described(entry)
            ));
        }
    } else if !others.is_empty() {
        line(format!("  - {}", kinds(&others)));
    }
    if let Some(problem) = &diff.changelog_problem {
        line(format!("  - {}", escaped(problem)));
    }
    for added in &diff.rules.added {
        line(format!(
            "  - detection rule added: {}",
            escaped(&rule(added))
        ));
    }
    for removed in &diff.rules.removed {
        line(format!(
            "  - detection rule removed: {}",
            escaped(&rule(removed))
        ));
    }
    for changed in &diff.rules.changed {
        line(format!(
            "  - detection rule changed: {}",
            escaped(&rule(&changed.rule))
        ));
    }
    for assets in &diff.assets {
        line(format!(
            "  - {}: {}",
            escaped(&assets.asset_type),
            counts(&assets.names)
        ));
        if all {
            names(&mut line, &assets.names);
        }
    }
    if !diff.files.is_empty() {
        line(format!("  - files: {}", counts(&diff.files)));
        if all {
            names(&mut line, &diff.files);
        }
    }
}

fn names(line: &mut impl FnMut(String), names: &NamesDiff) {
    for (what, names) in [
        ("added", &names.added),
        ("removed", &names.removed),
        ("changed", &names.changed),
    ] {
        for name in names {
            line(format!("    - {what}: {}", escaped(name)));
        }
    }
}

/// Returns a change in the package's words; links are written out, since a package's text may say anything of where they go.
fn described(entry: &ChangelogEntry) -> String {
    let link = entry
        .link
        .as_ref()
        .map(|link| format!(" ({})", escaped(link)));
    format!(
        "{}{}",
        escaped(&entry.description),
        link.unwrap_or_default()
    )
}

/// Returns text that means nothing in Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_says_is_text_and_nothing_else() {
        assert_eq!(
            escaped("<img src=x> [here](y) *a_b* `c`\n# d"),
            "\\<img src=x\\> \\[here\\](y) \\*a\\_b\\* \\`c\\`\u{fffd}\\# d"
        );
    }
}

//! Holds as people read them.

use crate::admin::holds::HoldReport;

/// Returns a hold as one line: `  hold 3 on prod: nginx newer than 1.20.3 (it leaks)`.
pub(super) fn line(hold: &HoldReport) -> String {
    let number = hold.number;
    let mut text = match &hold.distribution {
        Some(distribution) => format!("  hold {number} on {distribution}: {}", hold.what),
        None => format!("  hold {number}: {} is withdrawn", hold.what),
    };
    if let Some(ends) = &hold.ends {
        text.push_str(&format!(", until {ends}"));
    }
    if let Some(reason) = &hold.reason {
        text.push_str(&format!(" ({reason})"));
    }
    text.push('\n');
    text
}

/// Returns what a hold keeps back, one version a line; where there is none, that: the name may be mistyped.
pub(super) fn versions_or_none(hold: &HoldReport) -> String {
    match versions(hold) {
        none if none.is_empty() => "    keeps back nothing that is offered now\n".to_owned(),
        versions => versions,
    }
}

/// Returns what a hold keeps back, one version a line.
pub(super) fn versions(hold: &HoldReport) -> String {
    let line = |version: &String| format!("    keeps back {version}\n");
    hold.versions.iter().map(line).collect()
}

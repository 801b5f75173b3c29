//! A change set in one line: what was done, and how much of it.

use jiff::Timestamp;

use crate::admin::history::{BranchChanges, ChangeSetReport};
use crate::admin::wording::{grouped, listed, told};

/// A change set as a row of a table.
#[derive(Clone)]
pub(super) struct ChangeLine {
    pub(super) number: i64,
    pub(super) when: String,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) why: Option<String>,
}

impl ChangeLine {
    pub(super) fn of(report: &ChangeSetReport, now: Timestamp) -> Self {
        Self {
            number: report.number,
            when: told(&report.at, now),
            who: report.who.clone(),
            what: what(report),
            why: report.why.clone(),
        }
    }
}

/// Returns what a change set did: `import into 8.5.0: 1,912 added`.
pub(super) fn what(report: &ChangeSetReport) -> String {
    let changes = &report.changes;
    let moves = changes.distributions.iter().map(|it| {
        let name = &it.distribution;
        match it.to.is_empty() {
            true => format!("{name} is gone"),
            false => format!("{name} serves {}", it.to.join(" + ")),
        }
    });
    let holds = changes.holds.iter().map(|it| match it.is_released {
        true => format!("hold {} released", it.hold.number),
        false => format!("hold {} on {}", it.hold.number, it.hold.what),
    });
    let exact = changes
        .exact
        .iter()
        .map(|it| format!("{} answers for others", it.distribution));
    let branches = changes.branches.iter().map(branch);
    let parts: Vec<_> = branches.chain(moves).chain(holds).chain(exact).collect();
    match parts.is_empty() {
        true => report.action.clone(),
        false => format!("{}: {}", report.action, parts.join("; ")),
    }
}

fn branch(changes: &BranchChanges) -> String {
    let counts = [
        (changes.added, "added"),
        (changes.replaced, "replaced"),
        (changes.removed, "removed"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, what)| format!("{} {what}", grouped(*count as u64)))
        .collect();
    format!("{} in {}", listed(&counts), changes.branch)
}

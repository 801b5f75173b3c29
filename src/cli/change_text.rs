//! Changes of branches and distributions as people read them: of a change set that is, or of one that would be.

use super::hold_text;
use crate::admin::NoLongerOffered;
use crate::admin::branches::Done;
use crate::admin::history::{
    ApprovalsChange, BranchChanges, Changes, DistributionMove, ExactChange, HoldChange,
    PackageChange,
};
use crate::admin::wording::grouped;
use crate::distribution::Exact;

/// Returns what a change came to, or would.
pub(super) fn done(done: &Done) -> String {
    let mut text = match done.change_set {
        Some(number) => format!("Change set {number}:\n"),
        None if done.changes.is_empty() => "Nothing changes.\n".to_owned(),
        None => "This would change:\n".to_owned(),
    };
    text.push_str(&changes(&done.changes));
    if !done.refused.is_empty() {
        text.push_str("Refused:\n");
        for refused in &done.refused {
            text.push_str(&format!("  {}: {}\n", refused.package, refused.why));
        }
    }
    text.push_str(&no_longer_offered(&done.no_longer_offered));
    text
}

/// Returns what a hold that was asked for came to, or would: it says so where the hold keeps nothing back.
pub(super) fn held(it: &Done) -> String {
    let text = done(it);
    let is_idle = |it: &&HoldChange| !it.is_released && it.hold.versions.is_empty();
    match it.changes.holds.iter().find(is_idle) {
        Some(idle) => {
            let line = hold_text::line(&idle.hold);
            text.replacen(
                &line,
                &(line.clone() + &hold_text::versions_or_none(&idle.hold)),
                1,
            )
        }
        None => text,
    }
}

/// Returns what some Kibana fetched and is no longer offered to it.
pub(super) fn no_longer_offered(missed: &[NoLongerOffered]) -> String {
    if missed.is_empty() {
        return String::new();
    }
    let mut text = "Fetched by some Kibana, and no longer offered to it:\n".to_owned();
    for it in missed {
        let kibana = match it.kibana.as_slice() {
            [] => String::new(),
            versions => format!("by Kibana {}, ", versions.join(", ")),
        };
        let answered = match it.is_answered {
            true => "answered all the same",
            false => "not answered either",
        };
        text.push_str(&format!(
            "  {} of {} ({kibana}last on {}): {answered}\n",
            it.package, it.distribution, it.last_day
        ));
    }
    text
}

/// Returns changes as indented lines, packages after their branch.
pub(super) fn changes(changes: &Changes) -> String {
    let branches = changes.branches.iter().map(branch);
    let distributions = changes.distributions.iter().map(distribution);
    let holds = changes.holds.iter().map(hold);
    let exact = changes.exact.iter().map(exact);
    let approvals = changes.approvals.iter().map(approvals);
    let of_distributions = distributions.chain(holds).chain(exact).chain(approvals);
    branches.chain(of_distributions).collect()
}

/// Returns which holds began and which were released, a line each.
pub(super) fn holds_changed(changes: &[HoldChange]) -> String {
    changes.iter().map(hold).collect()
}

fn hold(change: &HoldChange) -> String {
    let hold = &change.hold;
    if change.is_released {
        let whose = hold.distribution.as_deref().unwrap_or("every distribution");
        return format!(
            "  hold {} on {whose} released: {}\n",
            hold.number, hold.what
        );
    }
    hold_text::line(hold) + &hold_text::versions(hold)
}

fn exact(change: &ExactChange) -> String {
    let name = &change.distribution;
    match change.exact {
        Exact::Ever => {
            format!("  distribution {name}: answers for every version it ever offered\n")
        }
        Exact::Now => format!("  distribution {name}: answers only for what it offers now\n"),
    }
}

fn approvals(change: &ApprovalsChange) -> String {
    approvals_changed(&change.distribution, change.approvals)
}

/// Returns who has to commit plans from now on, a line.
pub(super) fn approvals_changed(distribution: &str, approvals: u8) -> String {
    match approvals {
        0 => format!("  distribution {distribution}: who staged a plan may commit it\n"),
        _ => format!(
            "  distribution {distribution}: somebody else than who staged a plan commits it\n"
        ),
    }
}

fn branch(branch: &BranchChanges) -> String {
    let counts = [
        (branch.added, "added"),
        (branch.replaced, "replaced"),
        (branch.removed, "removed"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, what)| format!("{} {what}", grouped(*count as u64)))
        .collect();
    let mut text = format!("  {}: {}\n", branch.branch, counts.join(", "));
    text.extend(branch.packages.iter().map(package));
    text
}

fn package(change: &PackageChange) -> String {
    let sign = match (&change.from, &change.to) {
        (None, _) => '+',
        (Some(_), None) => '-',
        (Some(_), Some(_)) => '~',
    };
    format!("    {sign} {}\n", change.package)
}

fn distribution(it: &DistributionMove) -> String {
    let [from, to] = [&it.from, &it.to].map(|branches| branches.join(", then "));
    let name = &it.distribution;
    match (it.from.is_empty(), it.to.is_empty()) {
        (true, _) => format!("  distribution {name}: serves {to}\n"),
        (false, true) => format!("  distribution {name}: deleted, served {from}\n"),
        (false, false) => format!("  distribution {name}: serves {to} instead of {from}\n"),
    }
}

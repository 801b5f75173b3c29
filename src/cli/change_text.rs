//! Changes of branches and distributions as people read them: of a change set that is, or of one that would be.

use super::numbers::grouped;
use crate::admin::branches::Done;
use crate::admin::history::{BranchChanges, Changes, DistributionMove, PackageChange};

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
    text
}

/// Returns changes as indented lines, packages after their branch.
pub(super) fn changes(changes: &Changes) -> String {
    let branches = changes.branches.iter().map(branch);
    let distributions = changes.distributions.iter().map(distribution);
    branches.chain(distributions).collect()
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

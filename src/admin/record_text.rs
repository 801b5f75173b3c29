//! A record as people read it and as it is signed: Markdown. What comes from outside stands on one line each and begins none.

use super::record::{ArtifactRecord, Record};

/// Returns a record as Markdown.
pub(super) fn markdown(record: &Record) -> String {
    let change_set = &record.change_set;
    let mut text = format!(
        "# Change set {}: {}\n\n",
        change_set.number, change_set.action
    );
    let mut line = |what: &str, value: Option<&str>| {
        if let Some(value) = value {
            text.push_str(&format!("* {what}: {}\n", on_one_line(value)));
        }
    };
    line("Committed by", Some(&change_set.who));
    line("Committed at", Some(&change_set.at));
    line("Staged by", record.staged_by.as_deref());
    line("Staged at", record.staged_at.as_deref());
    line("Why", change_set.why.as_deref());
    if let Some(source) = &record.source {
        line("Source", Some(&source.name));
        line("Source SHA-256", source.sha256.as_deref());
        let bytes = source.bytes.map(|bytes| bytes.to_string());
        line("Source bytes", bytes.as_deref());
        line("Commit", source.commit.as_deref());
        line("Commit of", source.committed_at.as_deref());
        line("Registry version", source.registry_version.as_deref());
    }
    text.push_str("\n## Changes\n\n");
    for branch in &change_set.changes.branches {
        text.push_str(&format!(
            "* {}: {} added, {} replaced, {} removed\n",
            branch.branch, branch.added, branch.replaced, branch.removed
        ));
        for change in &branch.packages {
            if let (Some(from), None) = (&change.from, &change.to) {
                text.push_str(&format!("  * removed: {} {from}\n", change.package));
            }
        }
    }
    for it in &change_set.changes.distributions {
        let [from, to] = [&it.from, &it.to].map(|branches| match branches.as_slice() {
            [] => "nothing".to_owned(),
            branches => branches.join(", then "),
        });
        text.push_str(&format!(
            "* distribution {}: {to} instead of {from}\n",
            it.distribution
        ));
    }
    for hold in &change_set.changes.holds {
        // As JSON: a hold has more to it than a line of text tells.
        let hold = serde_json::to_string(hold).unwrap_or_default();
        text.push_str(&format!("* hold: {hold}\n"));
    }
    if !record.artifacts.is_empty() {
        text.push_str("\n## Artifacts\n\n");
        text.push_str(&artifacts(&record.artifacts));
    }
    if !record.quarantine.is_empty() {
        text.push_str("\n## In quarantine\n\n");
        for it in &record.quarantine {
            let (package, why) = (on_one_line(&it.package), on_one_line(&it.why));
            text.push_str(&format!("* {package}: {why}\n"));
        }
    }
    text
}

/// Returns artifacts as a table of Markdown.
pub(super) fn artifacts(artifacts: &[ArtifactRecord]) -> String {
    let mut text =
        "| Branch | Package | SHA-256 | Signature | Key |\n|---|---|---|---|---|\n".to_owned();
    for it in artifacts {
        let key = it.key.as_deref().unwrap_or("");
        text.push_str(&format!(
            "| {} | {} | {} | {} | {key} |\n",
            it.branch, it.package, it.sha256, it.signature
        ));
    }
    text
}

/// Returns text without what could pass for another line.
pub(super) fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect()
}

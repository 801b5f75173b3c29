//! Plans and what came of them, as text.

use std::fmt::Write;

use super::plain::plain;
use crate::admin::wording::{counted, grouped, size};
use crate::distribution::{SignatureCounts, SignaturePolicy};
use crate::import::{Committed, EditionReport, PlanReport, Problem};

/// Lines of a list before it is cut, unless all of it is asked for.
const SHOWN: usize = 10;

/// Returns a plan as text: what it would do, then each problem; with `all`, each version too.
pub(super) fn plan(plan: &PlanReport, all: bool) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let source = [
        plan.source.bytes.map(size),
        plan.source
            .commit
            .as_ref()
            .map(|commit| format!("commit {}", commit.chars().take(10).collect::<String>())),
        plan.source
            .registry_version
            .as_ref()
            .map(|version| format!("registry {version}")),
    ];
    let source: Vec<_> = source.into_iter().flatten().collect();
    let source = if source.is_empty() {
        String::new()
    } else {
        format!(" ({})", source.join(", "))
    };
    let making = if plan.is_new_branch {
        "makes"
    } else {
        "changes"
    };
    line(format!(
        "Plan {} {making} {} {} from {}{source}",
        plan.plan,
        kind(plan),
        plan.branch,
        plan.source.name
    ));
    line(format!("  {:>7} added", grouped(plan.added.len() as u64)));
    for (count, what) in [
        (plan.replaced.len() as u64, "replaced"),
        (plan.unchanged as u64, "there already, the same"),
        (
            plan.refused.len() as u64,
            "refused by the rules of the branch",
        ),
        (plan.quarantined.len() as u64, "in quarantine"),
        (
            plan.ignored_files,
            match plan.ignored_files {
                1 => "file that belongs to no package ignored",
                _ => "files that belong to no package ignored",
            },
        ),
    ] {
        if count > 0 {
            line(format!("  {:>7} {what}", grouped(count)));
        }
    }
    if all {
        plan.added
            .iter()
            .for_each(|package| line(format!("+ {package}")));
        plan.replaced
            .iter()
            .for_each(|package| line(format!("~ {package}")));
    }
    let signatures = &plan.signatures;
    if !(signatures.counts.are_absent() && signatures.policy == SignaturePolicy::Verify) {
        line(format!(
            "Signatures ({}): {}",
            signatures.policy,
            counts(&signatures.counts)
        ));
    }
    if let Some(edition) = &plan.edition {
        differences(&mut text, edition, all);
    }
    problems(&mut text, "Refused", &plan.refused, all);
    problems(&mut text, "In quarantine", &plan.quarantined, all);
    problems(&mut text, "Held back", &plan.kept_back, all);
    problems(
        &mut text,
        "Taken, though the signature is wrong",
        &signatures.doubtful,
        all,
    );
    if !plan.approving.is_empty() {
        text.push_str(&format!(
            "{} asks for somebody else than {} to commit it, by its digest:\n  {}\n",
            plan.approving.join(", "),
            plain(&plan.staged_by),
            plan.digest
        ));
    }
    text
}

/// Returns how many packages have which signature, in one line.
pub(super) fn counts(counts: &SignatureCounts) -> String {
    let parts = counts.told("without one");
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{} {what}", grouped(count as u64)))
        .collect();
    match parts.as_slice() {
        [] => "no package".to_owned(),
        parts => parts.join(", "),
    }
}

/// Returns what a commit came to as text.
pub(super) fn committed(done: &Committed) -> String {
    let Some(change_set) = done.change_set else {
        return match (done.refused, done.quarantined) {
            (0, 0) => format!("Nothing changed: {} has it all.\n", done.branch),
            (0, quarantined) => format!(
                "Nothing changed: {} in quarantine; `airlock quarantine list` tells why.\n",
                counted(quarantined as u64, "package is", "packages are")
            ),
            (refused, _) => format!(
                "Nothing changed: the rules of {} refuse {}.\n",
                done.branch,
                counted(refused as u64, "package version", "package versions")
            ),
        };
    };
    let mut parts = vec![format!("{} added", grouped(done.added as u64))];
    for (count, what) in [
        (done.replaced, "replaced"),
        (done.unchanged, "unchanged"),
        (done.refused, "refused"),
        (done.quarantined, "in quarantine"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count as u64)));
        }
    }
    let address = if done.is_default { "/ and " } else { "" };
    let hint = if done.is_default {
        String::new()
    } else {
        format!("; `airlock activate {}` puts it at /", done.branch)
    };
    let why = match done.quarantined {
        0 => "",
        _ => "`airlock quarantine list` tells why packages were not taken.\n",
    };
    format!(
        "Change set {change_set}: {} of {}, served at {address}/d/{}/{hint}\n{why}",
        parts.join(", "),
        counted_versions(done),
        done.branch,
    )
}

fn counted_versions(done: &Committed) -> String {
    let all = done.added + done.replaced + done.unchanged + done.refused + done.quarantined;
    counted(all as u64, "package version", "package versions")
}

fn kind(plan: &PlanReport) -> String {
    if plan.kind == "release" {
        "release".to_owned()
    } else {
        format!("{} branch", plan.kind)
    }
}

/// Writes what an edition adds, changes and leaves out of the last.
fn differences(text: &mut String, edition: &EditionReport, all: bool) {
    let EditionReport {
        release,
        last,
        added,
        changed,
        removed,
    } = edition;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "It is the next edition of {release}: {last} is here with other content, and stays as it is. Against {last}:"
    );
    for (sign, packages, what) in [
        ('+', added, "new"),
        ('~', changed, "with other files"),
        ('-', removed, "no longer there"),
    ] {
        if packages.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {:>7} {what}", grouped(packages.len() as u64));
        let shown = if all { packages.len() } else { SHOWN };
        for package in packages.iter().take(shown) {
            let _ = writeln!(text, "  {sign} {package}");
        }
        if packages.len() > shown {
            let _ = writeln!(
                text,
                "  and {} more: `airlock plans show` lists them",
                packages.len() - shown
            );
        }
    }
}

fn problems(text: &mut String, title: &str, problems: &[Problem], all: bool) {
    if problems.is_empty() {
        return;
    }
    let shown = if all { problems.len() } else { SHOWN };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{title}:");
    for problem in problems.iter().take(shown) {
        let _ = writeln!(text, "  {}: {}", problem.package, problem.why);
    }
    if problems.len() > shown {
        let _ = writeln!(
            text,
            "  and {} more: `airlock plans show` lists them",
            problems.len() - shown
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{SignatureReport, SourceReport};

    #[test]
    fn a_plan_says_what_it_does_and_each_problem() {
        let report = PlanReport {
            plan: 3,
            staged_at: "2026-11-22T12:00:00Z".into(),
            staged_by: "admin".into(),
            branch_said_by: None,
            source: SourceReport {
                name: "package-storage-8.5.0.tar.zst".into(),
                sha256: None,
                bytes: Some(130_882_640),
                commit: Some("c18366cb784f2cc3e1b36d59fb63478d6006ec16".into()),
                registry_version: None,
            },
            branch: "8.5.0".into(),
            kind: "release".into(),
            is_new_branch: true,
            edition: None,
            added: vec!["nginx 1.5.0".into(), "nginx 1.6.0".into()],
            replaced: vec![],
            unchanged: 0,
            refused: vec![],
            kept_back: Vec::new(),
            quarantined: vec![Problem {
                package: "packages/bad/1.0.0".into(),
                why: "it has no manifest.yml".into(),
            }],
            signatures: SignatureReport {
                counts: SignatureCounts {
                    good: 1,
                    wrong: 1,
                    ..SignatureCounts::default()
                },
                doubtful: vec![Problem {
                    package: "nginx 1.5.0".into(),
                    why: "the signature is not over these bytes".into(),
                }],
                ..SignatureReport::default()
            },
            ignored_files: 1234,
            digest: String::new(),
            approving: vec![],
        };
        insta::assert_snapshot!(plan(&report, false), @r"
        Plan 3 makes release 8.5.0 from package-storage-8.5.0.tar.zst (130.88 MB, commit c18366cb78)
                2 added
                1 in quarantine
            1,234 files that belong to no package ignored
        Signatures (verify): 1 good, 1 wrong
        In quarantine:
          packages/bad/1.0.0: it has no manifest.yml
        Taken, though the signature is wrong:
          nginx 1.5.0: the signature is not over these bytes
        ");
        assert!(plan(&report, true).contains("\n+ nginx 1.6.0\n"));
    }

    #[test]
    fn a_commit_says_where_it_is_served() {
        let done = Committed {
            change_set: Some(2),
            branch: "8.5.0".into(),
            added: 1912,
            replaced: 0,
            unchanged: 0,
            refused: 0,
            quarantined: 1,
            is_default: true,
        };
        assert_eq!(
            committed(&done),
            "Change set 2: 1,912 added, 1 in quarantine of 1,913 package versions, served at / and /d/8.5.0/\n`airlock quarantine list` tells why packages were not taken.\n",
        );
        assert_eq!(
            committed(&Committed {
                is_default: false,
                quarantined: 0,
                ..done.clone()
            }),
            "Change set 2: 1,912 added of 1,912 package versions, served at /d/8.5.0/; `airlock activate 8.5.0` puts it at /\n",
        );
        assert_eq!(
            committed(&Committed {
                change_set: None,
                quarantined: 0,
                ..done.clone()
            }),
            "Nothing changed: 8.5.0 has it all.\n"
        );
        assert_eq!(
            committed(&Committed {
                change_set: None,
                ..done
            }),
            "Nothing changed: 1 package is in quarantine; `airlock quarantine list` tells why.\n"
        );
    }
}

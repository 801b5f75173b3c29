//! What an import would change, computed before anything is.

use std::collections::HashMap;

use super::{BranchKind, Consent};
use crate::crypto::Digest;
use crate::package::PackageId;

/// What a branch holds for a package version: the digest of the artifact and of its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The digest of the zip.
    pub sha256: Digest,
    /// The digest of its tree: equal trees are the same content, however packed.
    pub tree_sha256: Digest,
}

/// One change of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package version that changes.
    pub package: PackageId,
    /// What the branch will hold.
    pub to: Digest,
    /// What it holds now, where it is replaced.
    pub from: Option<Digest>,
}

/// A change that the branch's rules refuse; the others are done all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedChange {
    /// The package version.
    pub package: PackageId,
    /// The rule, as a sentence without its period.
    pub why: String,
}

/// What committing an import into one branch will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What is added or replaced, by name and version.
    pub changes: Vec<Change>,
    /// How many versions are there already, with the same content.
    pub unchanged: usize,
    /// What the rules refuse.
    pub refused: Vec<RefusedChange>,
}

/// Returns what an import of `incoming` into the branch `name` would do. `now` is what the branch holds, `None` where it is
/// to be made. Both are sorted by package.
pub fn plan_import(
    name: &str,
    kind: BranchKind,
    now: Option<&[(PackageId, Held)]>,
    incoming: &[(PackageId, Held)],
    consent: Consent,
) -> Plan {
    let consent = Consent {
        is_making: now.is_none(),
        ..consent
    };
    let now = now.unwrap_or_default();
    let present: HashMap<&PackageId, Held> =
        now.iter().map(|(package, held)| (package, *held)).collect();
    let mut plan = Plan::default();
    for (package, held) in incoming {
        let from = present.get(package);
        if from.is_some_and(|from| from.tree_sha256 == held.tree_sha256) {
            plan.unchanged += 1;
            continue;
        }
        let permission = if from.is_some() {
            kind.overwrite()
        } else {
            kind.add()
        };
        if permission.admits(consent) {
            let from = from.map(|from| from.sha256);
            plan.changes.push(Change {
                package: package.clone(),
                to: held.sha256,
                from,
            });
        } else {
            let why = match permission {
                super::Permission::WhenAsked => {
                    format!("it is in {name} with other content; --overwrite replaces it")
                }
                super::Permission::AtMaking => {
                    format!("{name} is a release, and takes nothing more")
                }
                _ => format!(
                    "it is in {name} with other content, and {name} never changes a version"
                ),
            };
            plan.refused.push(RefusedChange {
                package: package.clone(),
                why,
            });
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(version: &str, content: &str) -> (PackageId, Held) {
        let digest = Digest::of(content.as_bytes());
        (
            PackageId::parse("nginx", version).unwrap(),
            Held {
                sha256: digest,
                tree_sha256: digest,
            },
        )
    }

    fn shown(plan: &Plan) -> (Vec<String>, usize, Vec<String>) {
        let verb = |change: &Change| {
            if change.from.is_some() {
                "replace"
            } else {
                "add"
            }
        };
        (
            plan.changes
                .iter()
                .map(|change| format!("{} {}", verb(change), change.package.version))
                .collect(),
            plan.unchanged,
            plan.refused
                .iter()
                .map(|refused| format!("{}: {}", refused.package.version, refused.why))
                .collect(),
        )
    }

    #[test]
    fn a_new_release_takes_everything() {
        let plan = plan_import(
            "8.5.0",
            BranchKind::Release,
            None,
            &[held("1.0.0", "a"), held("1.1.0", "b")],
            Consent::default(),
        );
        assert_eq!(
            shown(&plan),
            (vec!["add 1.0.0".into(), "add 1.1.0".into()], 0, vec![])
        );
    }

    #[test]
    fn the_same_release_again_changes_nothing() {
        let now = [held("1.0.0", "a")];
        let plan = plan_import(
            "8.5.0",
            BranchKind::Release,
            Some(&now),
            &now,
            Consent::default(),
        );
        assert_eq!(shown(&plan), (vec![], 1, vec![]));
    }

    #[test]
    fn nothing_is_put_into_a_release_that_is_made() {
        let now = [held("1.0.0", "a"), held("1.1.0", "b")];
        let incoming = [
            held("1.0.0", "a"),
            held("1.1.0", "other"),
            held("1.2.0", "c"),
        ];
        let plan = plan_import(
            "8.5.0",
            BranchKind::Release,
            Some(&now),
            &incoming,
            Consent::default(),
        );
        assert_eq!(
            shown(&plan),
            (
                vec![],
                1,
                vec![
                    "1.1.0: it is in 8.5.0 with other content, and 8.5.0 never changes a version"
                        .into(),
                    "1.2.0: 8.5.0 is a release, and takes nothing more".into(),
                ]
            )
        );
    }

    #[test]
    fn each_kind_of_branch_adds_and_overwrites_by_its_rule() {
        let now = [held("1.0.0", "a")];
        let incoming = [held("1.0.0", "other"), held("1.1.0", "b")];
        let asked = Consent {
            is_asked: true,
            ..Consent::default()
        };
        let outcome = |kind, consent| {
            let plan = plan_import("here", kind, Some(&now), &incoming, consent);
            (plan.changes.len(), plan.refused.len())
        };
        for (kind, unasked, when_asked) in [
            (BranchKind::Production, (1, 1), (1, 1)),
            (BranchKind::Staging, (1, 1), (2, 0)),
            (BranchKind::Snapshot, (2, 0), (2, 0)),
            (BranchKind::Experimental, (2, 0), (2, 0)),
            (BranchKind::Local, (1, 1), (2, 0)),
        ] {
            assert_eq!(
                (outcome(kind, Consent::default()), outcome(kind, asked)),
                (unasked, when_asked),
                "{kind}"
            );
        }
    }

    #[test]
    fn a_refusal_says_what_would_lift_it() {
        let now = [held("1.0.0", "a")];
        let incoming = [held("1.0.0", "other")];
        let why = |kind| {
            plan_import("here", kind, Some(&now), &incoming, Consent::default()).refused[0]
                .why
                .clone()
        };
        assert_eq!(
            why(BranchKind::Production),
            "it is in here with other content, and here never changes a version"
        );
        assert_eq!(
            why(BranchKind::Staging),
            "it is in here with other content; --overwrite replaces it"
        );
    }
}

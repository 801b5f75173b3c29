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

/// Why an import as a whole cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The release is here with other content, and a release never changes.
    #[error(
        "release {release} is already here with other content: {differences} of {versions} package versions differ, first {first}"
    )]
    ReleaseDiffers {
        /// The release.
        release: String,
        /// How many package versions differ, are missing or are new.
        differences: usize,
        /// How many there are on both sides together.
        versions: usize,
        /// The first of them, and how.
        first: String,
    },
}

/// Returns what an import of `incoming` into the branch `name` would do. `now` is what the branch holds, `None` where it is
/// to be made. Both are sorted by package.
pub fn plan_import(
    name: &str,
    kind: BranchKind,
    now: Option<&[(PackageId, Held)]>,
    incoming: &[(PackageId, Held)],
    consent: Consent,
) -> Result<Plan, PlanError> {
    let consent = Consent {
        is_making: now.is_none(),
        ..consent
    };
    let now = now.unwrap_or_default();
    if kind == BranchKind::Release && !consent.is_making {
        return same_release(name, now, incoming);
    }
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
    Ok(plan)
}

/// A release that is here: nothing to do where it is the same, an error where it is not.
fn same_release(
    release: &str,
    now: &[(PackageId, Held)],
    incoming: &[(PackageId, Held)],
) -> Result<Plan, PlanError> {
    let here: HashMap<&PackageId, Digest> = now
        .iter()
        .map(|(package, held)| (package, held.tree_sha256))
        .collect();
    let coming: HashMap<&PackageId, Digest> = incoming
        .iter()
        .map(|(package, held)| (package, held.tree_sha256))
        .collect();
    let mut differences: Vec<(&PackageId, &str)> = Vec::new();
    for (package, tree) in &coming {
        match here.get(package) {
            None => differences.push((package, "is new")),
            Some(other) if other != tree => differences.push((package, "has other files")),
            Some(_) => {}
        }
    }
    differences.extend(
        here.keys()
            .filter(|package| !coming.contains_key(*package))
            .map(|package| (*package, "is missing")),
    );
    match differences.iter().min() {
        None => Ok(Plan {
            unchanged: coming.len(),
            ..Plan::default()
        }),
        Some((package, how)) => Err(PlanError::ReleaseDiffers {
            release: release.to_owned(),
            differences: differences.len(),
            versions: here.len()
                + coming
                    .keys()
                    .filter(|package| !here.contains_key(*package))
                    .count(),
            first: format!("{package}, which {how}"),
        }),
    }
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
            shown(&plan.unwrap()),
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
        assert_eq!(shown(&plan.unwrap()), (vec![], 1, vec![]));
    }

    #[test]
    fn a_release_with_other_content_is_refused_with_the_count_and_the_first_difference() {
        let now = [held("1.0.0", "a"), held("1.1.0", "b"), held("1.3.0", "d")];
        let incoming = [
            held("1.0.0", "a"),
            held("1.1.0", "other"),
            held("1.2.0", "c"),
        ];
        let error = plan_import(
            "8.5.0",
            BranchKind::Release,
            Some(&now),
            &incoming,
            Consent::default(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "release 8.5.0 is already here with other content: 3 of 4 package versions differ, first nginx 1.1.0, which has other files",
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
            let plan = plan_import("here", kind, Some(&now), &incoming, consent).unwrap();
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
            plan_import("here", kind, Some(&now), &incoming, Consent::default())
                .unwrap()
                .refused[0]
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

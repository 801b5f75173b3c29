//! The second step of an import: what committing a stage would change.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

use super::edition::{self, Edition};
use super::error::ImportError;
use super::report::{EditionReport, PlanReport, Problem, SignatureReport, SourceReport};
use crate::distribution::{
    BranchKind, Change, Consent, DistributionName, Holds, Plan, SignatureCounts, SignaturePolicy,
    SignatureStatus, plan_import,
};
use crate::package::PackageId;
use crate::people::Actor;
use crate::store::artifacts::ArtifactId;
use crate::store::branches::{self, Branch, Member};
use crate::store::distributions;
use crate::store::holds;
use crate::store::quarantine::{self, Quarantined};
use crate::store::signatures;
use crate::store::sources;
use crate::store::stages::{self, Stage, StageId, Target};
use crate::store::{Store, audit};

/// A stage with everything its plan is computed from.
pub(super) struct Planned {
    pub(super) stage: Stage,
    pub(super) target: Target,
    pub(super) branch: Option<Branch>,
    /// What is new about it where it is the next edition of a release.
    pub(super) edition: Option<Edition>,
    pub(super) incoming: Vec<Member>,
    pub(super) plan: Plan,
    /// What could not be read.
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) policy: SignaturePolicy,
    pub(super) statuses: HashMap<ArtifactId, SignatureStatus>,
    /// What the policy does not let in.
    pub(super) kept_out: Vec<(Member, String)>,
}

/// Returns what committing a stage would do.
pub fn plan(store: &Store, id: StageId, consent: Consent) -> Result<PlanReport, ImportError> {
    tracing::debug!(phase = "plan", plan = id.0, "comparing with the branch");
    let report = store.snapshot(|conn| {
        let planned = Planned::load(conn, id, consent)?;
        planned.report(conn)
    })?;
    let changes = report.added.len() + report.replaced.len();
    tracing::debug!(phase = "plan", plan = id.0, changes, "compared");
    Ok(report)
}

/// What a branch holds before and after the commit of a stage.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The branch.
    pub branch: DistributionName,
    /// What it holds now, by name and version; `None` where the commit makes it.
    pub before: Option<Vec<Member>>,
    /// The release that the branch is the next edition of, as it is here.
    pub last_edition: Option<DistributionName>,
    /// What it would hold, by name and version.
    pub after: Vec<Member>,
}

/// Returns what a branch holds before and after the commit of a stage.
pub fn outcome(conn: &Connection, id: StageId, consent: Consent) -> Result<Outcome, ImportError> {
    let planned = Planned::load(conn, id, consent)?;
    let before = planned.branch.as_ref();
    let before = before.map(|branch| branches::members(conn, branch.id));
    let before = before.transpose()?;
    let coming: HashSet<_> = (planned.plan.changes.iter())
        .map(|change| &change.package)
        .collect();
    let is_coming = |member: &&Member| coming.contains(&member.package);
    let staying = before.iter().flatten().filter(|it| !is_coming(it));
    let arriving = planned.incoming.iter().filter(is_coming);
    let mut after: Vec<_> = staying.chain(arriving).cloned().collect();
    after.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(Outcome {
        branch: planned.target.branch.clone(),
        before,
        last_edition: planned.edition.as_ref().map(|edition| edition.last.clone()),
        after,
    })
}

/// A plan that waits, or why the one of this number can no longer be.
pub type Waiting = Result<PlanReport, (StageId, ImportError)>;

/// Returns the plans that wait for a commit, oldest first.
pub fn waiting(store: &Store, consent: Consent) -> Result<Vec<Waiting>, ImportError> {
    store.snapshot(|conn| {
        let stages = stages::waiting(conn)?;
        let report = |id| Planned::load(conn, id, consent)?.report(conn);
        Ok(stages
            .into_iter()
            .map(|stage| report(stage.id).map_err(|error| (stage.id, error)))
            .collect())
    })
}

/// Says where a stage belongs that did not say it itself. Fails where that is known: somebody may have looked at its plan.
pub fn set_target(
    store: &Store,
    who: &Actor,
    id: StageId,
    branch: DistributionName,
    kind: BranchKind,
) -> Result<(), ImportError> {
    store.write(|conn| {
        if stages::set_target(conn, id, &branch, kind, &who.name)? {
            let (subject, detail) = (
                format!("plan {}", id.0),
                json!({ "branch": branch.as_str() }),
            );
            audit::note(
                conn,
                Timestamp::now(),
                who,
                "plans target",
                &subject,
                detail,
            )?;
            return Ok(());
        }
        match stages::get(conn, id)? {
            Some(_) => Err(ImportError::HasTarget { plan: id.0 }),
            None => Err(ImportError::NoSuchPlan(id.0)),
        }
    })
}

/// Ends a stage without a commit. What it stored is garbage from here on, unless something else needs it.
pub fn drop_stage(store: &Store, who: &Actor, id: StageId) -> Result<(), ImportError> {
    store.write(|conn| {
        let stage = stages::get(conn, id)?.ok_or(ImportError::NoSuchPlan(id.0))?;
        quarantine::forget(conn, stage.source)?;
        stages::end(conn, id)?;
        sources::remove_unused(conn)?;
        let (subject, detail) = (format!("plan {}", id.0), json!({ "staged_by": stage.who }));
        audit::note(conn, Timestamp::now(), who, "plans drop", &subject, detail)?;
        Ok(())
    })
}

impl Planned {
    pub(super) fn load(
        conn: &Connection,
        id: StageId,
        consent: Consent,
    ) -> Result<Self, ImportError> {
        let stage = stages::get(conn, id)?.ok_or(ImportError::NoSuchPlan(id.0))?;
        let mut target = stage.target.clone().ok_or(ImportError::NoTarget)?;
        let mut branch = branches::find(conn, &target.branch)?;
        if let Some(branch) = branch.as_ref().filter(|branch| branch.kind != target.kind) {
            return Err(ImportError::OtherKind {
                name: branch.name.to_string(),
                kind: branch.kind.as_str(),
            });
        }
        let coming = stages::members(conn, id)?;
        let policy_of_named = branch.as_ref().map(|branch| branch.signatures);
        let day = stage.started_at.get(..10).unwrap_or_default();
        let edition = edition::settle(conn, &mut target, day, &coming)?;
        if branch.as_ref().map(|branch| &branch.name) != Some(&target.branch) {
            branch = branches::find(conn, &target.branch)?;
        }
        // A branch answers at the address of its own name; made beside a distribution of that name it would answer nowhere.
        if branch.is_none() && distributions::find(conn, &target.branch)?.is_some() {
            return Err(ImportError::NameTaken(target.branch.to_string()));
        }
        let now = branch
            .as_ref()
            .map(|branch| branches::members(conn, branch.id))
            .transpose()?;
        let policy = stage
            .signatures
            .or(branch.as_ref().map(|branch| branch.signatures))
            .or(policy_of_named)
            .unwrap_or_default();
        let statuses = signatures::of_stage(conn, id, Timestamp::now())?;
        // What a branch holds stays, whatever is thought of its signature since.
        let held: HashSet<_> = now.iter().flatten().map(|member| member.artifact).collect();
        let (mut incoming, mut kept_out) = (Vec::new(), Vec::new());
        for member in coming {
            let status = statuses
                .get(&member.artifact)
                .unwrap_or(&SignatureStatus::Absent);
            match policy.refusal(status) {
                Some(why) if !held.contains(&member.artifact) => kept_out.push((member, why)),
                _ => incoming.push(member),
            }
        }
        let (completing, others) = match &now {
            Some(now) if target.kind == BranchKind::Release => {
                edition::split_completing(conn, &target.branch, now, &incoming)?
            }
            _ => (Vec::new(), incoming.clone()),
        };
        let now = now.map(|members| edition::held(&members));
        let mut plan = plan_import(
            target.branch.as_str(),
            target.kind,
            now.as_deref(),
            &edition::held(&others),
            consent,
        );
        plan.changes
            .extend(completing.into_iter().map(|member| Change {
                package: member.package,
                to: member.held.sha256,
                from: None,
            }));
        let quarantined = quarantine::of_source(conn, stage.source)?;
        Ok(Self {
            stage,
            target,
            branch,
            edition,
            incoming,
            plan,
            quarantined,
            policy,
            statuses,
            kept_out,
        })
    }

    fn report(&self, conn: &Connection) -> Result<PlanReport, ImportError> {
        let source = sources::get(conn, self.stage.source)?.unwrap_or_default();
        let (replaced, added): (Vec<_>, Vec<_>) = self
            .plan
            .changes
            .iter()
            .partition(|change| change.from.is_some());
        let names = |changes: Vec<&crate::distribution::Change>| {
            changes
                .into_iter()
                .map(|change| change.package.to_string())
                .collect()
        };
        Ok(PlanReport {
            plan: self.stage.id.0,
            staged_at: self.stage.started_at.clone(),
            staged_by: self.stage.who.clone(),
            branch_said_by: self.stage.target_who.clone(),
            source: SourceReport {
                name: source.name,
                sha256: source.sha256.map(|digest| digest.to_string()),
                bytes: source.bytes,
                commit: source.commit_id,
                registry_version: source.registry_version,
            },
            branch: self.target.branch.to_string(),
            kind: self.target.kind.to_string(),
            is_new_branch: self.branch.is_none(),
            edition: self.edition.as_ref().map(edition_report),
            added: names(added),
            replaced: names(replaced),
            unchanged: self.plan.unchanged,
            refused: (self.plan.refused.iter())
                .map(|refused| Problem {
                    package: refused.package.to_string(),
                    why: refused.why.clone(),
                })
                .collect(),
            quarantined: (self.quarantined.iter())
                .map(|package| Problem {
                    package: package.path.clone(),
                    why: package.reason.clone(),
                })
                .chain(self.kept_out.iter().map(|(member, why)| Problem {
                    package: member.package.to_string(),
                    why: why.clone(),
                }))
                .collect(),
            kept_back: self.kept_back(conn)?,
            signatures: self.signatures(),
            ignored_files: self.stage.ignored_files,
            digest: self.digest().to_string(),
            approving: self.approving(conn)?,
        })
    }

    /// Returns what of the plan's changes is withdrawn, and what holds keep back, by the distributions that serve the branch.
    fn kept_back(&self, conn: &Connection) -> Result<Vec<Problem>, ImportError> {
        let open = holds::open(conn)?;
        let mut kept_back = Vec::new();
        if open.is_empty() {
            return Ok(kept_back);
        }
        let now = Timestamp::now();
        let (everywhere, open): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|held| held.distribution.is_none());
        let withdrawn = Holds::new(everywhere.into_iter().map(|held| held.hold));
        let changed = || self.plan.changes.iter().map(|change| &change.package);
        for package in changed() {
            if let Some(hold) = withdrawn.on(package, &self.target.branch, now) {
                kept_back.push(Problem {
                    package: package.to_string(),
                    why: format!("it is withdrawn everywhere (hold {})", hold.number),
                });
            }
        }
        let branch = self.branch.as_ref().map(|branch| branch.id);
        for distribution in distributions::all(conn)? {
            let served = distributions::branches(conn, distribution.id)?;
            if branch.is_none_or(|branch| !served.contains(&branch)) {
                continue;
            }
            let holds = holds::of(&open, distribution.id);
            for package in changed() {
                if let Some(hold) = holds.on(package, &self.target.branch, now) {
                    kept_back.push(Problem {
                        package: package.to_string(),
                        why: format!(
                            "{} keeps back {hold} (hold {})",
                            distribution.name, hold.number
                        ),
                    });
                }
            }
        }
        Ok(kept_back)
    }

    fn signatures(&self) -> SignatureReport {
        let mut counts = SignatureCounts::default();
        let mut doubtful = Vec::new();
        for member in &self.incoming {
            let status = self
                .statuses
                .get(&member.artifact)
                .unwrap_or(&SignatureStatus::Absent);
            counts.add(status);
            if let SignatureStatus::Wrong { why } = status {
                doubtful.push(Problem {
                    package: member.package.to_string(),
                    why: why.clone(),
                });
            }
        }
        SignatureReport {
            policy: self.policy,
            counts,
            doubtful,
        }
    }
}

fn edition_report(edition: &Edition) -> EditionReport {
    let names = |ids: &[PackageId]| ids.iter().map(ToString::to_string).collect();
    EditionReport {
        release: edition.release.clone(),
        last: edition.last.to_string(),
        added: names(&edition.differences.added),
        changed: names(&edition.differences.changed),
        removed: names(&edition.differences.removed),
    }
}

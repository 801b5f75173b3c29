//! The second and third step of an import: what a stage would change, and making it so.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::edition::{self, Edition};
use super::error::ImportError;
use super::report::{Committed, EditionReport, PlanReport, Problem, SignatureReport, SourceReport};
use crate::distribution::{
    BranchKind, Change, Consent, DistributionName, Plan, SignatureCounts, SignaturePolicy,
    SignatureStatus, plan_import,
};
use crate::package::PackageId;
use crate::store::artifacts::ArtifactId;
use crate::store::branches::{self, Branch, BranchId, Member};
use crate::store::change_sets::{self, ChangeSetId, NewChangeSet};
use crate::store::distributions;
use crate::store::quarantine::{self, Kept, Quarantined};
use crate::store::signatures;
use crate::store::sources;
use crate::store::stages::{self, Stage, StageId, Target};
use crate::store::{Store, StoreError};

/// A stage with everything its plan is computed from.
struct Planned {
    stage: Stage,
    target: Target,
    branch: Option<Branch>,
    /// What is new about it where it is the next edition of a release.
    edition: Option<Edition>,
    incoming: Vec<Member>,
    plan: Plan,
    /// What could not be read.
    quarantined: Vec<Quarantined>,
    policy: SignaturePolicy,
    statuses: HashMap<ArtifactId, SignatureStatus>,
    /// What the policy does not let in.
    kept_out: Vec<(Member, String)>,
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

/// Says where a stage belongs that did not say it itself.
pub fn set_target(
    store: &Store,
    id: StageId,
    branch: DistributionName,
    kind: BranchKind,
) -> Result<(), ImportError> {
    store.write(|conn| {
        if stages::set_target(conn, id, &branch, kind)? {
            Ok(())
        } else {
            Err(ImportError::NoSuchPlan(id.0))
        }
    })
}

/// Ends a stage without a commit. What it stored is garbage from here on, unless something else needs it.
pub fn drop_stage(store: &Store, id: StageId) -> Result<(), ImportError> {
    store.write(|conn| {
        let stage = stages::get(conn, id)?.ok_or(ImportError::NoSuchPlan(id.0))?;
        quarantine::forget(conn, stage.source)?;
        stages::end(conn, id)?;
        sources::remove_unused(conn)?;
        Ok(())
    })
}

/// Does what the plan of a stage says, as one change set, on disk when it returns.
pub fn commit(
    store: &Store,
    id: StageId,
    who: &str,
    consent: Consent,
) -> Result<Committed, ImportError> {
    tracing::debug!(phase = "commit", plan = id.0, "changing the branch");
    let committed = store.write_synced(|conn| {
        let planned = Planned::load(conn, id, consent)?;
        let change_set = if planned.changes_nothing() {
            None
        } else {
            Some(planned.apply(conn, who)?)
        };
        planned.quarantine(conn)?;
        stages::end(conn, id)?;
        let default = distributions::find(conn, &DistributionName::default_distribution())?;
        let default = default
            .map(|default| distributions::branches(conn, default))
            .transpose()?;
        let branch = branches::find(conn, &planned.target.branch)?.map(|branch| branch.id);
        let replaced = planned
            .plan
            .changes
            .iter()
            .filter(|change| change.from.is_some())
            .count();
        Ok::<_, ImportError>(Committed {
            change_set: change_set.map(|id| id.0),
            branch: planned.target.branch.to_string(),
            added: planned.plan.changes.len() - replaced,
            replaced,
            unchanged: planned.plan.unchanged,
            refused: planned.plan.refused.len(),
            quarantined: planned.quarantined.len() + planned.kept_out.len(),
            is_default: branch.is_some() && default.unwrap_or_default().first() == branch.as_ref(),
        })
    })?;
    let change_set = committed.change_set;
    tracing::debug!(phase = "commit", plan = id.0, change_set, "on disk");
    Ok(committed)
}

impl Planned {
    fn load(conn: &Connection, id: StageId, consent: Consent) -> Result<Self, ImportError> {
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
        let (mut incoming, mut kept_out) = (Vec::new(), Vec::new());
        for member in coming {
            let status = statuses
                .get(&member.artifact)
                .unwrap_or(&SignatureStatus::Absent);
            match policy.refusal(status) {
                None => incoming.push(member),
                Some(why) => kept_out.push((member, why)),
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

    /// A branch is not made for nothing: where all packages are kept out there is none.
    fn changes_nothing(&self) -> bool {
        let is_policy_same = self
            .branch
            .as_ref()
            .is_none_or(|branch| branch.signatures == self.policy);
        self.plan.changes.is_empty() && is_policy_same
    }

    /// Puts what the policy does not let in into quarantine, and lets go of what was there and is settled by this.
    fn quarantine(&self, conn: &Transaction<'_>) -> Result<(), StoreError> {
        for (member, why) in &self.kept_out {
            let package = Quarantined {
                path: member.package.to_string(),
                reason: why.clone(),
            };
            let kept = Kept {
                artifact: member.artifact,
                branch: self.target.branch.clone(),
                kind: self.target.kind,
                signatures: self.policy,
            };
            quarantine::keep(
                conn,
                self.stage.source,
                &self.stage.started_at,
                &package,
                &kept,
            )?;
        }
        quarantine::settle(conn, self.stage.source, &self.target.branch)
    }

    fn apply(&self, conn: &Transaction<'_>, who: &str) -> Result<ChangeSetId, StoreError> {
        let at = Timestamp::now().to_string();
        let new = NewChangeSet {
            at: &at,
            who,
            action: "import",
            source: Some(self.stage.source),
        };
        let change_set = change_sets::insert(conn, &new)?;
        let branch = match &self.branch {
            Some(branch) => {
                branches::update_settings(conn, branch.id, &self.target.settings)?;
                branch.id
            }
            None => self.make_branch(conn, change_set)?,
        };
        let artifacts: HashMap<_, _> = self
            .incoming
            .iter()
            .map(|member| (member.held.sha256, member.artifact))
            .collect();
        for change in &self.plan.changes {
            let artifact = artifacts
                .get(&change.to)
                .ok_or_else(|| StoreError::Invalid {
                    what: "artifact",
                    value: change.to.to_string(),
                })?;
            branches::put(conn, branch, *artifact, change_set)?;
        }
        branches::set_signatures(conn, branch, self.policy)?;
        let is_complete =
            self.plan.refused.is_empty() && self.quarantined.is_empty() && self.kept_out.is_empty();
        change_sets::note_import(conn, change_set, branch, is_complete)?;
        Ok(change_set)
    }

    /// Makes the branch and the distribution of its name; the first branch of a store also answers at `/`.
    fn make_branch(
        &self,
        conn: &Transaction<'_>,
        change_set: ChangeSetId,
    ) -> Result<BranchId, StoreError> {
        let Target {
            branch: name,
            kind,
            settings,
        } = &self.target;
        let branch = branches::insert(conn, name, *kind, settings, change_set)?;
        for distribution in [name, &DistributionName::default_distribution()] {
            if distributions::find(conn, distribution)?.is_none() {
                let distribution = distributions::insert(conn, distribution, change_set)?;
                distributions::set_branches(conn, distribution, &[branch], change_set)?;
            }
        }
        Ok(branch)
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
            signatures: self.signatures(),
            ignored_files: self.stage.ignored_files,
        })
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

//! The third step of an import: doing what its plan says, whole or not at all.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::json;

use super::error::ImportError;
use super::plan::Planned;
use super::report::Committed;
use crate::distribution::{Consent, DistributionName};
use crate::people::Actor;
use crate::store::addresses;
use crate::store::audit::{self, NewEntry, Outcome};
use crate::store::branches;
use crate::store::change_sets::{self, ChangeSetId, NewChangeSet};
use crate::store::distributions;
use crate::store::quarantine::{self, Kept, Quarantined};
use crate::store::records;
use crate::store::stages::{self, StageId, Target};
use crate::store::{Store, StoreError};

/// Does what the plan of a stage says, as one change set, on disk when it returns.
///
/// Fails where somebody else has to commit it, or has to say what was looked at (`check_approval`); the plan waits
/// all the same.
pub fn commit(
    store: &Store,
    id: StageId,
    who: &Actor,
    consent: Consent,
) -> Result<Committed, ImportError> {
    tracing::debug!(phase = "commit", plan = id.0, "changing the branch");
    let committed = store.write_synced(|conn| commit_in(conn, id, who, consent));
    if let Err(error @ ImportError::NeedsSecondPerson { .. }) = &committed {
        let (detail, subject) = (
            json!({ "why": error.to_string() }),
            format!("plan {}", id.0),
        );
        let refused = NewEntry {
            at: Timestamp::now(),
            who: &who.name,
            from: &who.from,
            action: "import",
            subject: &subject,
            outcome: Outcome::Refused,
            detail: &detail,
        };
        store.write(|conn| audit::append(conn, &refused))?;
    }
    let committed = committed?;
    let change_set = committed.change_set;
    tracing::debug!(phase = "commit", plan = id.0, change_set, "on disk");
    Ok(committed)
}

fn commit_in(
    conn: &Transaction<'_>,
    id: StageId,
    who: &Actor,
    consent: Consent,
) -> Result<Committed, ImportError> {
    let planned = Planned::load(conn, id, consent)?;
    let change_set = if planned.changes_nothing() {
        None
    } else {
        planned.check_approval(conn, who, consent)?;
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
    Ok(Committed {
        change_set: change_set.map(|id| id.0),
        branch: planned.target.branch.to_string(),
        added: planned.plan.changes.len() - replaced,
        replaced,
        unchanged: planned.plan.unchanged,
        refused: planned.plan.refused.len(),
        quarantined: planned.quarantined.len() + planned.kept_out.len(),
        is_default: branch.is_some() && default.unwrap_or_default().first() == branch.as_ref(),
    })
}

impl Planned {
    /// A branch is not made for nothing: where all packages are kept out there is none.
    fn changes_nothing(&self) -> bool {
        let is_policy_same = self
            .branch
            .as_ref()
            .is_none_or(|branch| branch.signatures == self.policy);
        self.plan.changes.is_empty() && is_policy_same
    }

    fn apply(&self, conn: &Transaction<'_>, who: &Actor) -> Result<ChangeSetId, StoreError> {
        let at = Timestamp::now().to_string();
        let new = NewChangeSet {
            at: &at,
            who,
            action: "import",
            why: None,
            source: Some(self.stage.source),
            plan: Some(self.digest()),
        };
        let change_set = change_sets::insert(conn, &new)?;
        let branch = match &self.branch {
            Some(branch) => {
                branches::update_settings(conn, branch.id, &self.target.settings)?;
                addresses::give_address(conn, &branch.name, branch.id, change_set)?;
                branch.id
            }
            None => {
                let Target {
                    branch: name,
                    kind,
                    settings,
                } = &self.target;
                addresses::make_branch(conn, name, *kind, settings, change_set)?
            }
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
        records::note_staged(conn, change_set, &self.stage.who, &self.stage.started_at)?;
        Ok(change_set)
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
}

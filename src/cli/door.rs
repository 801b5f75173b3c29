//! The way to the store: through this process where nobody else has it, else through the server that has.

mod changes;
mod keeping;
mod people;
mod questions;
mod trust;

use std::io::Read;
use std::sync::Arc;

use super::control::ControlClient;
use super::way::Way;
use super::{CliError, Common, owner};
use crate::admin::jobs::JobReport;
use crate::admin::operations::{self, KnownSource, StagedReport, WaitingPlan};
use crate::admin::routes::{
    CommitRequest, ConsentRequest, ImportRequest, KnownSourceRequest, TargetRequest,
};
use crate::admin::{Failure, OperationError};
use crate::crypto::Digest;
use crate::import::{self, Committed, PlanReport, Progress, ProgressReport, StageRequest};
use crate::limits::Limits;
use crate::people::Actor;
use crate::store::Store;
use crate::store::stages::StageId;

/// The way to the store. Both ways do the same operations.
pub(super) enum Door {
    /// This process owns the store.
    Here(Arc<Store>),
    /// A server does.
    There(ControlClient),
}

/// Where the progress of an import can be read while it runs.
pub(super) enum Watch {
    Here(Arc<Progress>),
    There { client: ControlClient, job: String },
}

impl Door {
    /// Opens the store that the settings name, or finds the server that has it open; see [`Way::find`].
    pub(super) fn open(common: &Common) -> Result<Self, CliError> {
        Way::find(common)?.open()
    }

    pub(super) fn known_source(
        &self,
        bytes: u64,
        sha256: Option<Digest>,
    ) -> Result<KnownSource, Failure> {
        match self {
            Self::Here(store) => Ok(operations::known_source(store, bytes, sha256.as_ref())?),
            Self::There(client) => {
                let sha256 = sha256.map(|digest| digest.to_string());
                client.get("/sources/known", &KnownSourceRequest { bytes, sha256 })
            }
        }
    }

    /// Returns where the progress of the import `job` will be readable.
    pub(super) fn watch(&self, job: &str) -> Watch {
        match self {
            Self::Here(_) => Watch::Here(Arc::default()),
            Self::There(client) => Watch::There {
                client: client.clone(),
                job: job.to_owned(),
            },
        }
    }

    /// Stages a source; `watch` follows it.
    pub(super) fn stage(
        &self,
        request: ImportRequest,
        source: Box<dyn Read + Send>,
        watch: &Watch,
    ) -> Result<StagedReport, Failure> {
        match (self, watch) {
            (Self::Here(store), Watch::Here(progress)) => {
                let target =
                    operations::target(request.release.as_deref(), request.branch.as_deref())?;
                let stage = StageRequest {
                    source_name: request.source_name,
                    who: who(),
                    target,
                    may_ask: request.may_ask,
                    signatures: request.signatures,
                    image: request.image,
                };
                progress.expect(request.source_bytes.unwrap_or_default());
                let staged = import::stage(store, source, &stage, progress, &Limits::default());
                Ok(StagedReport::from(&staged.map_err(OperationError::from)?))
            }
            (Self::There(client), _) => client.upload("/imports", &request, source),
            (Self::Here(_), Watch::There { .. }) => {
                Err(OperationError::InvalidRequest("a watch of another door".into()).into())
            }
        }
    }

    pub(super) fn set_target(&self, plan: i64, target: &TargetRequest) -> Result<(), Failure> {
        match self {
            Self::Here(store) => {
                let none = || OperationError::InvalidRequest("no release and no branch".into());
                let (branch, kind) = target.target()?.ok_or_else(none)?;
                Ok(
                    import::set_target(store, &who(), StageId(plan), branch, kind)
                        .map_err(OperationError::from)?,
                )
            }
            Self::There(client) => client.put(&format!("/plans/{plan}/target"), target),
        }
    }

    pub(super) fn plans(&self) -> Result<Vec<WaitingPlan>, Failure> {
        match self {
            Self::Here(store) => Ok(operations::list_plans(store)?),
            Self::There(client) => client.get("/plans", &()),
        }
    }

    pub(super) fn plan(&self, plan: i64, consent: ConsentRequest) -> Result<PlanReport, Failure> {
        match self {
            Self::Here(store) => Ok(import::plan(store, StageId(plan), consent.consent())
                .map_err(OperationError::from)?),
            Self::There(client) => client.get(&format!("/plans/{plan}"), &consent),
        }
    }

    pub(super) fn commit(&self, plan: i64, commit: &CommitRequest) -> Result<Committed, Failure> {
        match self {
            Self::Here(store) => {
                Ok(
                    import::commit(store, StageId(plan), &who(), commit.consent()?)
                        .map_err(OperationError::from)?,
                )
            }
            Self::There(client) => client.post(&format!("/plans/{plan}/commit"), commit),
        }
    }

    pub(super) fn drop_plan(&self, plan: i64) -> Result<(), Failure> {
        match self {
            Self::Here(store) => {
                Ok(import::drop_stage(store, &who(), StageId(plan))
                    .map_err(OperationError::from)?)
            }
            Self::There(client) => client.delete(&format!("/plans/{plan}")),
        }
    }
}

impl Watch {
    /// Returns how far the import is; `None` while a server has not begun it.
    pub(super) fn report(&self) -> Option<ProgressReport> {
        match self {
            Self::Here(progress) => Some(progress.report()),
            Self::There { client, job } => {
                let job = client.get::<JobReport>(&format!("/jobs/{job}"), &());
                job.ok().map(|job| job.progress)
            }
        }
    }
}

/// Returns who asks.
fn who() -> Actor {
    Actor::here(owner::asking_user().name())
}

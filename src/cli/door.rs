//! The way to the store: through this process where nobody else has it, else through the server that has.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::CliError;
use super::control::ControlClient;
use crate::admin::branches::{self, Done, PromoteRequest, RemoveRequest};
use crate::admin::distributions::{
    self, Changed, DistributionDetails, DistributionReport, LayersRequest,
};
use crate::admin::history::{self, ChangeSetReport, History};
use crate::admin::keys::{self, KeyAdded, KeyRemoved, KeyReport, KeyRequest};
use crate::admin::operations::{self, KnownSource, WaitingPlan};
use crate::admin::quarantine::{self, CaseReport, CasesRequest, Retried};
use crate::admin::rollback::{self, RollbackRequest};
use crate::admin::routes::{
    ConsentRequest, DistributionRequest, HistoryRequest, ImportRequest, KnownSourceRequest,
    StagedReport, TargetRequest,
};
use crate::admin::signatures::{self, BranchSignatures, PolicyRequest};
use crate::admin::tag::{self, TagRequest, Tagged};
use crate::admin::{Failure, OperationError, PeerUser};
use crate::crypto::Digest;
use crate::distribution::{DistributionName, SignaturePolicy};
use crate::import::{self, Committed, PlanReport, Progress, ProgressReport, StageRequest};
use crate::limits::Limits;
use crate::store::stages::StageId;
use crate::store::{Store, StoreError};

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
    /// Opens the store in `folder`, or finds the server that has it open.
    pub(super) fn open(folder: &Path) -> Result<Self, CliError> {
        match Store::open(folder) {
            Ok(store) => Ok(Self::Here(Arc::new(store))),
            Err(in_use @ StoreError::InUse { .. }) => match ControlClient::connect(folder) {
                Ok(client) => Ok(Self::There(client)),
                Err(cause) => Err(CliError::from(OperationError::from(in_use)).caused_by(&cause)),
            },
            Err(error) => Err(OperationError::from(error).into()),
        }
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
                Ok(import::set_target(store, StageId(plan), branch, kind)
                    .map_err(OperationError::from)?)
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

    pub(super) fn commit(&self, plan: i64, consent: ConsentRequest) -> Result<Committed, Failure> {
        match self {
            Self::Here(store) => {
                Ok(
                    import::commit(store, StageId(plan), &who(), consent.consent())
                        .map_err(OperationError::from)?,
                )
            }
            Self::There(client) => client.post(&format!("/plans/{plan}/commit"), &consent),
        }
    }

    pub(super) fn drop_plan(&self, plan: i64) -> Result<(), Failure> {
        match self {
            Self::Here(store) => {
                Ok(import::drop_stage(store, StageId(plan)).map_err(OperationError::from)?)
            }
            Self::There(client) => client.delete(&format!("/plans/{plan}")),
        }
    }

    pub(super) fn remove(
        &self,
        branch: &DistributionName,
        request: &RemoveRequest,
    ) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(branches::remove(store, &who(), branch, request)?),
            Self::There(client) => client.post(&format!("/branches/{branch}/remove"), request),
        }
    }

    pub(super) fn promote(&self, request: &PromoteRequest) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(branches::promote(store, &who(), request)?),
            Self::There(client) => client.post("/promotions", request),
        }
    }

    pub(super) fn tag(&self, request: &TagRequest) -> Result<Tagged, Failure> {
        match self {
            Self::Here(store) => Ok(tag::tag(store, &who(), request)?),
            Self::There(client) => client.post("/releases", request),
        }
    }

    pub(super) fn rollback(&self, request: &RollbackRequest) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(rollback::rollback(store, &who(), request)?),
            Self::There(client) => client.post("/rollbacks", request),
        }
    }

    pub(super) fn distributions(&self) -> Result<Vec<DistributionReport>, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::list(store)?),
            Self::There(client) => client.get("/distributions", &()),
        }
    }

    pub(super) fn distribution(
        &self,
        name: &DistributionName,
    ) -> Result<DistributionDetails, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::show(store, name)?),
            Self::There(client) => client.get(&format!("/distributions/{name}"), &()),
        }
    }

    pub(super) fn create_distribution(
        &self,
        name: &DistributionName,
        layers: LayersRequest,
    ) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::create(store, &who(), name, &layers)?),
            Self::There(client) => {
                let name = name.to_string();
                client.post("/distributions", &DistributionRequest { name, layers })
            }
        }
    }

    pub(super) fn set_distribution(
        &self,
        name: &DistributionName,
        layers: &LayersRequest,
    ) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::set(store, &who(), name, layers)?),
            Self::There(client) => client.put(&format!("/distributions/{name}"), layers),
        }
    }

    pub(super) fn delete_distribution(&self, name: &DistributionName) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::delete(store, &who(), name)?),
            Self::There(client) => client.delete(&format!("/distributions/{name}")),
        }
    }

    pub(super) fn activate(&self, like: &DistributionName) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::activate(store, &who(), like)?),
            Self::There(client) => client.put(&format!("/distributions/default/{like}"), &()),
        }
    }

    pub(super) fn history(&self, request: &HistoryRequest) -> Result<History, Failure> {
        match self {
            Self::Here(store) => Ok(history::list(store, request.limit, request.packages)?),
            Self::There(client) => client.get("/history", request),
        }
    }

    pub(super) fn change_set(&self, number: i64) -> Result<ChangeSetReport, Failure> {
        match self {
            Self::Here(store) => Ok(history::show(store, number)?),
            Self::There(client) => client.get(&format!("/history/{number}"), &()),
        }
    }

    pub(super) fn keys(&self) -> Result<Vec<KeyReport>, Failure> {
        match self {
            Self::Here(store) => Ok(keys::list(store)?),
            Self::There(client) => client.get("/keys", &()),
        }
    }

    pub(super) fn add_key(&self, key: &KeyRequest) -> Result<KeyAdded, Failure> {
        match self {
            Self::Here(store) => Ok(keys::add(store, &who(), key, &Limits::default())?),
            Self::There(client) => client.post("/keys", key),
        }
    }

    pub(super) fn quarantine(&self) -> Result<Vec<CaseReport>, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::list(store)?),
            Self::There(client) => client.get("/quarantine", &()),
        }
    }

    pub(super) fn retry_quarantined(&self, cases: &CasesRequest) -> Result<Retried, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::retry(store, &who(), cases, &Limits::default())?),
            Self::There(client) => client.post("/quarantine/retry", cases),
        }
    }

    pub(super) fn drop_quarantined(
        &self,
        cases: &CasesRequest,
    ) -> Result<Vec<CaseReport>, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::drop_cases(store, cases)?),
            Self::There(client) => client.post("/quarantine/drop", cases),
        }
    }

    pub(super) fn signatures(
        &self,
        branch: Option<&DistributionName>,
    ) -> Result<Vec<BranchSignatures>, Failure> {
        match (self, branch) {
            (Self::Here(store), branch) => Ok(signatures::list(store, branch)?),
            (Self::There(client), None) => client.get("/signatures", &()),
            (Self::There(client), Some(branch)) => {
                client.get(&format!("/signatures/{branch}"), &())
            }
        }
    }

    pub(super) fn set_policy(
        &self,
        branch: &DistributionName,
        policy: SignaturePolicy,
    ) -> Result<BranchSignatures, Failure> {
        match self {
            Self::Here(store) => Ok(signatures::set_policy(store, &who(), branch, policy)?),
            Self::There(client) => {
                client.put(&format!("/signatures/{branch}"), &PolicyRequest { policy })
            }
        }
    }

    /// Takes out the key whose fingerprint ends in `end`, which is hexadecimal.
    pub(super) fn remove_key(&self, end: &str) -> Result<KeyRemoved, Failure> {
        match self {
            Self::Here(store) => Ok(keys::remove(store, end, &Limits::default())?),
            Self::There(client) => client.delete(&format!("/keys/{end}")),
        }
    }
}

impl Watch {
    /// Returns how far the import is; `None` while a server has not begun it, and once it is done.
    pub(super) fn report(&self) -> Option<ProgressReport> {
        match self {
            Self::Here(progress) => Some(progress.report()),
            Self::There { client, job } => client.get(&format!("/imports/{job}"), &()).ok(),
        }
    }
}

/// Returns the name of the user this process runs as.
fn who() -> String {
    PeerUser::own().name()
}

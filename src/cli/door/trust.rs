//! Keys, signatures, and what was not taken.

use super::{Door, who};
use crate::admin::Failure;
use crate::admin::keys::{self, KeyAdded, KeyRemoved, KeyReport, KeyRequest};
use crate::admin::quarantine::{self, CaseReport, CasesRequest, Retried};
use crate::admin::signatures::{self, BranchSignatures, PolicyRequest};
use crate::distribution::{DistributionName, SignaturePolicy};
use crate::limits::Limits;

impl Door {
    pub(in crate::cli) fn keys(&self) -> Result<Vec<KeyReport>, Failure> {
        match self {
            Self::Here(store) => Ok(keys::list(store)?),
            Self::There(client) => client.get("/keys", &()),
        }
    }

    pub(in crate::cli) fn add_key(&self, key: &KeyRequest) -> Result<KeyAdded, Failure> {
        match self {
            Self::Here(store) => Ok(keys::add(store, &who(), key, &Limits::default())?),
            Self::There(client) => client.post("/keys", key),
        }
    }

    /// Takes out the key whose fingerprint ends in `end`, which is hexadecimal.
    pub(in crate::cli) fn remove_key(&self, end: &str) -> Result<KeyRemoved, Failure> {
        match self {
            Self::Here(store) => Ok(keys::remove(store, &who(), end, &Limits::default())?),
            Self::There(client) => client.delete(&format!("/keys/{end}")),
        }
    }

    pub(in crate::cli) fn quarantine(&self) -> Result<Vec<CaseReport>, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::list(store)?),
            Self::There(client) => client.get("/quarantine", &()),
        }
    }

    pub(in crate::cli) fn retry_quarantined(
        &self,
        cases: &CasesRequest,
    ) -> Result<Retried, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::retry(store, &who(), cases, &Limits::default())?),
            Self::There(client) => client.post("/quarantine/retry", cases),
        }
    }

    pub(in crate::cli) fn drop_quarantined(
        &self,
        cases: &CasesRequest,
    ) -> Result<Vec<CaseReport>, Failure> {
        match self {
            Self::Here(store) => Ok(quarantine::drop_cases(store, &who(), cases)?),
            Self::There(client) => client.post("/quarantine/drop", cases),
        }
    }

    pub(in crate::cli) fn signatures(
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

    pub(in crate::cli) fn set_policy(
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
}

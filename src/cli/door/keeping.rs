//! Keeping house: what the store takes, what is deleted, what is freed.

use super::{Door, who};
use crate::admin::Failure;
use crate::admin::collection::{self, Collected, CollectionRequest, Readers};
use crate::admin::deletion::{self, Deleted, DeletionRequest};
use crate::admin::sizes::{self, SizesReport};
use crate::distribution::DistributionName;

impl Door {
    pub(in crate::cli) fn delete_release(
        &self,
        release: &DistributionName,
        request: &DeletionRequest,
    ) -> Result<Deleted, Failure> {
        match self {
            Self::Here(store) => Ok(deletion::delete_release(store, &who(), release, request)?),
            Self::There(client) => client.post(&format!("/releases/{release}/delete"), request),
        }
    }

    pub(in crate::cli) fn collect(&self, request: CollectionRequest) -> Result<Collected, Failure> {
        match self {
            Self::Here(store) => Ok(collection::collect(store, Readers::None, request)?),
            Self::There(client) => client.post("/gc", &request),
        }
    }

    pub(in crate::cli) fn sizes(&self) -> Result<SizesReport, Failure> {
        match self {
            Self::Here(store) => Ok(sizes::measure(store)?),
            Self::There(client) => client.get("/sizes", &()),
        }
    }
}

//! Keeping house: what the store takes, what is deleted, what is freed.

use std::io::Read;

use super::{Door, who};
use crate::admin::Failure;
use crate::admin::addition::{self, Added, AdditionRequest};
use crate::admin::collection::{self, Collected, CollectionRequest, Readers};
use crate::admin::deletion::{self, Deleted, DeletionRequest};
use crate::admin::offer_record::{self, MomentRequest, OfferRecord};
use crate::admin::record::{self, SignedRecord};
use crate::admin::signer::{self, SignerReport};
use crate::admin::sizes::{self, SizesReport};
use crate::admin::status::{self, StatusReport};
use crate::distribution::DistributionName;
use crate::limits::Limits;

impl Door {
    pub(in crate::cli) fn add(
        &self,
        request: &AdditionRequest,
        source: Box<dyn Read + Send>,
    ) -> Result<Added, Failure> {
        match self {
            Self::Here(store) => {
                let limits = Limits::default();
                Ok(addition::add(store, &who(), source, request, &limits)?)
            }
            Self::There(client) => client.upload("/additions", request, source),
        }
    }

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
            Self::Here(store) => Ok(collection::collect(store, &who(), Readers::None, request)?),
            Self::There(client) => client.post("/gc", &request),
        }
    }

    pub(in crate::cli) fn record(&self, number: i64) -> Result<SignedRecord, Failure> {
        match self {
            Self::Here(store) => Ok(record::record(store, number)?),
            Self::There(client) => client.get(&format!("/records/{number}"), &()),
        }
    }

    pub(in crate::cli) fn offer_record(
        &self,
        name: &DistributionName,
        moment: &MomentRequest,
    ) -> Result<SignedRecord<OfferRecord>, Failure> {
        match self {
            Self::Here(store) => Ok(offer_record::record(store, name, moment)?),
            Self::There(client) => client.get(&format!("/distributions/{name}/record"), moment),
        }
    }

    pub(in crate::cli) fn signer(&self) -> Result<SignerReport, Failure> {
        match self {
            Self::Here(store) => Ok(signer::show(store)?),
            Self::There(client) => client.get("/signer", &()),
        }
    }

    pub(in crate::cli) fn status(&self) -> Result<StatusReport, Failure> {
        match self {
            Self::Here(store) => Ok(status::look(store, None)?),
            Self::There(client) => client.get("/status", &()),
        }
    }

    pub(in crate::cli) fn sizes(&self) -> Result<SizesReport, Failure> {
        match self {
            Self::Here(store) => Ok(sizes::measure(store)?),
            Self::There(client) => client.get("/sizes", &()),
        }
    }
}

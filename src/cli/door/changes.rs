//! Changes of branches and distributions, and what the history says of them.

use super::{Door, who};
use crate::admin::Failure;
use crate::admin::branches::{self, Done, PromoteRequest, RemoveRequest};
use crate::admin::distributions::{
    self, Changed, DistributionDetails, DistributionReport, LayersRequest,
};
use crate::admin::history::{self, ChangeSetReport, History};
use crate::admin::holds::{self, HoldDetails, HoldRequest, ReleaseRequest};
use crate::admin::prune::{self, PruneRequest, Pruned};
use crate::admin::rollback::{self, RollbackRequest};
use crate::admin::routes::{DistributionRequest, HistoryRequest, HoldsOf};
use crate::admin::tag::{self, TagRequest, Tagged};
use crate::distribution::DistributionName;
use crate::limits::Limits;

impl Door {
    pub(in crate::cli) fn remove(
        &self,
        branch: &DistributionName,
        request: &RemoveRequest,
    ) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(branches::remove(store, &who(), branch, request)?),
            Self::There(client) => client.post(&format!("/branches/{branch}/remove"), request),
        }
    }

    pub(in crate::cli) fn promote(&self, request: &PromoteRequest) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(branches::promote(store, &who(), request)?),
            Self::There(client) => client.post("/promotions", request),
        }
    }

    pub(in crate::cli) fn tag(&self, request: &TagRequest) -> Result<Tagged, Failure> {
        match self {
            Self::Here(store) => Ok(tag::tag(store, &who(), request)?),
            Self::There(client) => client.post("/releases", request),
        }
    }

    pub(in crate::cli) fn rollback(&self, request: &RollbackRequest) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(rollback::rollback(store, &who(), request)?),
            Self::There(client) => client.post("/rollbacks", request),
        }
    }

    pub(in crate::cli) fn hold(
        &self,
        distribution: &DistributionName,
        request: &HoldRequest,
    ) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(holds::hold(
                store,
                &who(),
                distribution,
                request,
                &Limits::default(),
            )?),
            Self::There(client) => {
                client.post(&format!("/distributions/{distribution}/holds"), request)
            }
        }
    }

    pub(in crate::cli) fn withdraw(&self, request: &HoldRequest) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(holds::withdraw(store, &who(), request, &Limits::default())?),
            Self::There(client) => client.post("/withdrawals", request),
        }
    }

    pub(in crate::cli) fn holds(
        &self,
        distribution: Option<&DistributionName>,
    ) -> Result<Vec<HoldDetails>, Failure> {
        match self {
            Self::Here(store) => Ok(holds::list(store, distribution)?),
            Self::There(client) => {
                let distribution = distribution.map(ToString::to_string);
                client.get("/holds", &HoldsOf { distribution })
            }
        }
    }

    pub(in crate::cli) fn release_hold(
        &self,
        number: i64,
        request: &ReleaseRequest,
    ) -> Result<Done, Failure> {
        match self {
            Self::Here(store) => Ok(holds::release(store, &who(), number, request)?),
            Self::There(client) => client.post(&format!("/holds/{number}/release"), request),
        }
    }

    pub(in crate::cli) fn history(&self, request: &HistoryRequest) -> Result<History, Failure> {
        match self {
            Self::Here(store) => Ok(history::list(store, request.limit, request.packages)?),
            Self::There(client) => client.get("/history", request),
        }
    }

    pub(in crate::cli) fn prune(&self, request: &PruneRequest) -> Result<Pruned, Failure> {
        match self {
            Self::Here(store) => Ok(prune::prune(store, &who(), request)?),
            Self::There(client) => client.post("/history/prune", request),
        }
    }

    pub(in crate::cli) fn change_set(&self, number: i64) -> Result<ChangeSetReport, Failure> {
        match self {
            Self::Here(store) => Ok(history::show(store, number)?),
            Self::There(client) => client.get(&format!("/history/{number}"), &()),
        }
    }

    pub(in crate::cli) fn distributions(&self) -> Result<Vec<DistributionReport>, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::list(store)?),
            Self::There(client) => client.get("/distributions", &()),
        }
    }

    pub(in crate::cli) fn distribution(
        &self,
        name: &DistributionName,
    ) -> Result<DistributionDetails, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::show(store, name)?),
            Self::There(client) => client.get(&format!("/distributions/{name}"), &()),
        }
    }

    pub(in crate::cli) fn create_distribution(
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

    pub(in crate::cli) fn set_distribution(
        &self,
        name: &DistributionName,
        layers: &LayersRequest,
    ) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::set(store, &who(), name, layers)?),
            Self::There(client) => client.put(&format!("/distributions/{name}"), layers),
        }
    }

    pub(in crate::cli) fn delete_distribution(
        &self,
        name: &DistributionName,
    ) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::delete(store, &who(), name)?),
            Self::There(client) => client.delete(&format!("/distributions/{name}")),
        }
    }

    pub(in crate::cli) fn activate(&self, like: &DistributionName) -> Result<Changed, Failure> {
        match self {
            Self::Here(store) => Ok(distributions::activate(store, &who(), like)?),
            Self::There(client) => client.put(&format!("/distributions/default/{like}"), &()),
        }
    }
}

//! Questions about what is offered, which change nothing.

use super::Door;
use crate::admin::Failure;
use crate::admin::diff::{self, DiffReport, DiffRequest};
use crate::admin::explain::{self, ExplainReport, ExplainRequest};
use crate::admin::preflight::{self, PreflightReport, PreflightRequest};
use crate::limits::Limits;

impl Door {
    pub(in crate::cli) fn diff(&self, request: &DiffRequest) -> Result<DiffReport, Failure> {
        match self {
            Self::Here(store) => Ok(diff::diff(store, request, &Limits::default())?),
            Self::There(client) => client.get("/diff", request),
        }
    }

    pub(in crate::cli) fn explain(
        &self,
        request: &ExplainRequest,
    ) -> Result<ExplainReport, Failure> {
        match self {
            Self::Here(store) => Ok(explain::explain(store, request, &Limits::default())?),
            Self::There(client) => client.get("/explain", request),
        }
    }

    pub(in crate::cli) fn preflight(
        &self,
        request: &PreflightRequest,
    ) -> Result<PreflightReport, Failure> {
        match self {
            Self::Here(store) => Ok(preflight::preflight(store, request, &Limits::default())?),
            Self::There(client) => client.post("/preflight", request),
        }
    }
}

//! The audit log.

use actix_web::web::{Data, Query};

use super::{Answer, Operator, perform};
use crate::admin::audit::{self, AuditRequest, EntryReport, Verification, VerificationRequest};

pub(super) async fn list(
    operator: Data<Operator>,
    request: Query<AuditRequest>,
) -> Answer<Vec<EntryReport>> {
    perform(&operator, move |store| audit::list(store, *request)).await
}

pub(super) async fn verify(
    operator: Data<Operator>,
    request: Query<VerificationRequest>,
) -> Answer<Verification> {
    perform(&operator, move |store| audit::verify(store, &request)).await
}

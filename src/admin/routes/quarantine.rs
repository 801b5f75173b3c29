//! The quarantine.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};

use super::refusal::Refusal;
use super::work::{Worked, work};
use super::{Answer, Operator, change, perform, who};
use crate::admin::jobs::JobKind;
use crate::admin::quarantine::{self, CaseReport, CasesRequest, Retried};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<CaseReport>> {
    perform(&operator, quarantine::list).await
}

pub(super) async fn retry(
    operator: Data<Operator>,
    request: HttpRequest,
    cases: Json<CasesRequest>,
) -> Result<Worked<Retried>, Refusal> {
    let (who, limits) = (who(&request), operator.limits.clone());
    let subject = "quarantine".to_owned();
    work(&operator, &request, JobKind::Retry, subject, move |store| {
        quarantine::retry(store, &who, &cases, &limits)
    })
    .await
}

pub(super) async fn drop_cases(
    operator: Data<Operator>,
    request: HttpRequest,
    cases: Json<CasesRequest>,
) -> Answer<Vec<CaseReport>> {
    let who = who(&request);
    change(&operator, move |store| {
        quarantine::drop_cases(store, &who, &cases)
    })
    .await
}

//! The quarantine.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};

use super::{Answer, Operator, change, perform, who};
use crate::admin::quarantine::{self, CaseReport, CasesRequest, Retried};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<CaseReport>> {
    perform(&operator, quarantine::list).await
}

pub(super) async fn retry(
    operator: Data<Operator>,
    request: HttpRequest,
    cases: Json<CasesRequest>,
) -> Answer<Retried> {
    let (who, limits) = (who(&request), operator.limits.clone());
    perform(&operator, move |store| {
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

//! What is known of signatures, and what a branch makes of it.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, change, parse_name, perform, who};
use crate::admin::signatures::{self, BranchSignatures, PolicyRequest};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<BranchSignatures>> {
    perform(&operator, |store| signatures::list(store, None)).await
}

pub(super) async fn show(
    operator: Data<Operator>,
    branch: Path<String>,
) -> Answer<Vec<BranchSignatures>> {
    let branch = parse_name(&branch)?;
    perform(&operator, move |store| {
        signatures::list(store, Some(&branch))
    })
    .await
}

pub(super) async fn set_policy(
    operator: Data<Operator>,
    request: HttpRequest,
    branch: Path<String>,
    policy: Json<PolicyRequest>,
) -> Answer<BranchSignatures> {
    let who = who(&request);
    let branch = parse_name(&branch)?;
    change(&operator, move |store| {
        signatures::set_policy(store, &who, &branch, policy.policy)
    })
    .await
}

//! Changes of branches: removal, promotion, tags, and the way back.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, change, parse_name, who};
use crate::admin::branches::{self, Done, PromoteRequest, RemoveRequest};
use crate::admin::rollback::{self, RollbackRequest};
use crate::admin::tag::{self, TagRequest, Tagged};

pub(super) async fn remove(
    operator: Data<Operator>,
    request: HttpRequest,
    branch: Path<String>,
    packages: Json<RemoveRequest>,
) -> Answer<Done> {
    let who = who(&request);
    let branch = parse_name(&branch)?;
    change(&operator, move |store| {
        branches::remove(store, &who, &branch, &packages)
    })
    .await
}

pub(super) async fn promote(
    operator: Data<Operator>,
    request: HttpRequest,
    packages: Json<PromoteRequest>,
) -> Answer<Done> {
    let who = who(&request);
    change(&operator, move |store| {
        branches::promote(store, &who, &packages)
    })
    .await
}

pub(super) async fn tag(
    operator: Data<Operator>,
    request: HttpRequest,
    release: Json<TagRequest>,
) -> Answer<Tagged> {
    let who = who(&request);
    change(&operator, move |store| tag::tag(store, &who, &release)).await
}

pub(super) async fn rollback(
    operator: Data<Operator>,
    request: HttpRequest,
    to: Json<RollbackRequest>,
) -> Answer<Done> {
    let who = who(&request);
    change(&operator, move |store| rollback::rollback(store, &who, &to)).await
}

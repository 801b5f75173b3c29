//! Tokens, and the setup link.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, caller, perform, who};
use crate::admin::error::OperationError;
use crate::admin::setup::{self, LinkMade};
use crate::admin::tokens::{self, TokenMade, TokenReport, TokenRequest};

pub(super) async fn list(
    operator: Data<Operator>,
    request: HttpRequest,
) -> Answer<Vec<TokenReport>> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    perform(&operator, move |store| {
        tokens::list(store, &caller.actor(), caller.role)
    })
    .await
}

pub(super) async fn make(
    operator: Data<Operator>,
    request: HttpRequest,
    token: Json<TokenRequest>,
) -> Answer<TokenMade> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    perform(&operator, move |store| {
        tokens::make(store, &caller.actor(), caller.role, &token)
    })
    .await
}

pub(super) async fn remove(
    operator: Data<Operator>,
    request: HttpRequest,
    number: Path<i64>,
) -> Answer<TokenReport> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    perform(&operator, move |store| {
        tokens::remove(store, &caller.actor(), caller.role, *number)
    })
    .await
}

pub(super) async fn make_setup_link(
    operator: Data<Operator>,
    request: HttpRequest,
) -> Answer<LinkMade> {
    let who = who(&request);
    perform(&operator, move |store| setup::make_link(store, &who)).await
}

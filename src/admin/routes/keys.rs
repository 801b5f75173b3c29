//! The keyring.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, perform, who};
use crate::admin::keys::{self, KeyAdded, KeyRemoved, KeyReport, KeyRequest};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<KeyReport>> {
    perform(&operator, keys::list).await
}

pub(super) async fn add(
    operator: Data<Operator>,
    request: HttpRequest,
    key: Json<KeyRequest>,
) -> Answer<KeyAdded> {
    let who = who(&request);
    let limits = operator.limits.clone();
    perform(&operator, move |store| {
        keys::add(store, &who, &key, &limits)
    })
    .await
}

pub(super) async fn remove(
    operator: Data<Operator>,
    request: HttpRequest,
    end: Path<String>,
) -> Answer<KeyRemoved> {
    let (who, limits) = (who(&request), operator.limits.clone());
    perform(&operator, move |store| {
        keys::remove(store, &who, &end, &limits)
    })
    .await
}

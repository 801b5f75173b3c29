//! The keyring.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::refusal::Refusal;
use super::work::{Worked, work};
use super::{Answer, Operator, perform, who};
use crate::admin::jobs::JobKind;
use crate::admin::keys::{self, KeyAdded, KeyRemoved, KeyReport, KeyRequest};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<KeyReport>> {
    perform(&operator, keys::list).await
}

pub(super) async fn add(
    operator: Data<Operator>,
    request: HttpRequest,
    key: Json<KeyRequest>,
) -> Result<Worked<KeyAdded>, Refusal> {
    let who = who(&request);
    let limits = operator.limits.clone();
    let subject = key.fingerprint.chars().take(64).collect();
    work(&operator, &request, JobKind::Keys, subject, move |store| {
        keys::add(store, &who, &key, &limits)
    })
    .await
}

pub(super) async fn remove(
    operator: Data<Operator>,
    request: HttpRequest,
    end: Path<String>,
) -> Result<Worked<KeyRemoved>, Refusal> {
    let (who, limits) = (who(&request), operator.limits.clone());
    let subject = end.chars().take(64).collect();
    work(&operator, &request, JobKind::Keys, subject, move |store| {
        keys::remove(store, &who, &end, &limits)
    })
    .await
}

//! Keeping house: what the store takes, what is deleted, what is freed.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, change, parse_name, perform, who};
use crate::admin::collection::{self, Collected, CollectionRequest, Readers};
use crate::admin::deletion::{self, Deleted, DeletionRequest};
use crate::admin::sizes::{self, SizesReport};

pub(super) async fn sizes(operator: Data<Operator>) -> Answer<SizesReport> {
    perform(&operator, sizes::measure).await
}

pub(super) async fn delete_release(
    operator: Data<Operator>,
    request: HttpRequest,
    release: Path<String>,
    deletion: Json<DeletionRequest>,
) -> Answer<Deleted> {
    let who = who(&request);
    let release = parse_name(&release)?;
    change(&operator, move |store| {
        deletion::delete_release(store, &who, &release, &deletion)
    })
    .await
}

pub(super) async fn collect(
    operator: Data<Operator>,
    request: HttpRequest,
    how: Json<CollectionRequest>,
) -> Answer<Collected> {
    let who = who(&request);
    perform(&operator, move |store| {
        collection::collect(store, &who, Readers::Some, *how)
    })
    .await
}

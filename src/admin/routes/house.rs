//! Keeping house: what the store takes, what is deleted, what is freed.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::refusal::Refusal;
use super::work::{Worked, work};
use super::{Answer, Operator, parse_name, perform, who};
use crate::admin::collection::{self, Collected, CollectionRequest, Readers};
use crate::admin::deletion::{self, Deleted, DeletionRequest};
use crate::admin::jobs::JobKind;
use crate::admin::sizes::{self, SizesReport};

pub(super) async fn sizes(operator: Data<Operator>) -> Answer<SizesReport> {
    perform(&operator, sizes::measure).await
}

pub(super) async fn delete_release(
    operator: Data<Operator>,
    request: HttpRequest,
    release: Path<String>,
    deletion: Json<DeletionRequest>,
) -> Result<Worked<Deleted>, Refusal> {
    let who = who(&request);
    let release = parse_name(&release)?;
    let subject = release.to_string();
    work(
        &operator,
        &request,
        JobKind::DeleteRelease,
        subject,
        move |store| deletion::delete_release(store, &who, &release, &deletion),
    )
    .await
}

pub(super) async fn collect(
    operator: Data<Operator>,
    request: HttpRequest,
    how: Json<CollectionRequest>,
) -> Result<Worked<Collected>, Refusal> {
    let who = who(&request);
    let subject = "the store".to_owned();
    work(&operator, &request, JobKind::Gc, subject, move |store| {
        collection::collect(store, &who, Readers::Some, *how)
    })
    .await
}

//! Packages that are added one by one.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload, Query};

use super::body::BodyReader;
use super::work::wait_fed;
use super::{Answer, Operator, who};
use crate::admin::addition::{self, Added, AdditionRequest};
use crate::admin::jobs::JobKind;

pub(super) async fn add(
    operator: Data<Operator>,
    request: HttpRequest,
    addition: Query<AdditionRequest>,
    body: Payload,
) -> Answer<Added> {
    let who = who(&request);
    let limits = operator.limits.clone();
    let (chunks, source) = BodyReader::channel();
    let subject = addition.source_name.clone();
    let begun = operator.begin(JobKind::Addition, subject, who.name.clone(), move |store| {
        addition::add(store, &who, Box::new(source), &addition, &limits)
    });
    wait_fed(begun?, body, chunks).await
}

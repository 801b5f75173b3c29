//! Packages that are added one by one.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload, Query};

use super::body::{BodyReader, feed};
use super::{Answer, Operator, change, who};
use crate::admin::addition::{self, Added, AdditionRequest};

pub(super) async fn add(
    operator: Data<Operator>,
    request: HttpRequest,
    addition: Query<AdditionRequest>,
    body: Payload,
) -> Answer<Added> {
    let who = who(&request);
    let limits = operator.limits.clone();
    let (chunks, source) = BodyReader::channel();
    let feed = actix_web::rt::spawn(feed(body, chunks));
    let answer = change(&operator, move |store| {
        addition::add(store, &who, Box::new(source), &addition, &limits)
    })
    .await;
    feed.abort();
    answer
}

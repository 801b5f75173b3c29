//! Sends what was found in the form that was selected: from memory, or block by block from the store.

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::body::{Announced, StoredBody};
use super::condition::Validators;
use super::encoding::Coding;
use super::error::ApiError;
use super::reply::{self, Caching, Kind};
use super::selection::{Forms, Selection, select};
use super::stored::Stored;
use super::{Asking, gzip};
use crate::catalog::Answer;
use crate::crypto::Digest;

/// What is sent, apart from its bytes.
pub(super) struct Sent<'a> {
    pub kind: Kind<'a>,
    pub caching: Caching,
    pub validators: Validators,
}

/// Returns the entity tag of what has this digest: its first half.
pub(super) fn tag(sha256: &Digest) -> u128 {
    let first = sha256.as_bytes().first_chunk();
    u128::from_be_bytes(*first.expect("a digest is longer than half of it"))
}

/// Sends an answer that is kept in memory.
pub(super) fn kept(asking: &Asking, answer: &Answer, caching: Caching) -> HttpResponse {
    let validators = Validators {
        tag: answer.tag,
        modified: None,
    };
    let sent = Sent {
        kind: Kind::Json,
        caching,
        validators,
    };
    let gzip = || answer.gzip(gzip::compress);
    from_memory(asking, &sent, &answer.plain, Some(&gzip))
}

/// Sends bytes that are in memory, in the form that the request selects. `gzip` makes the compressed form, where there
/// is to be one.
pub(super) fn from_memory(
    asking: &Asking,
    sent: &Sent<'_>,
    plain: &Bytes,
    gzip: Option<&dyn Fn() -> Bytes>,
) -> HttpResponse {
    let (mut answer, selection) = begin(asking, sent, gzip.is_some(), plain.len() as u64);
    let bytes = match (selection, gzip) {
        (Selection::Whole(Coding::Gzip), Some(gzip)) => gzip(),
        (Selection::Whole(_), _) => plain.clone(),
        (Selection::Part { start, length }, _) => {
            let end = plain.len().min((start + length) as usize);
            plain.slice(end.min(start as usize)..end)
        }
        (Selection::Unsatisfiable(error), _) => return reply::unsatisfiable(answer, error),
        (Selection::NotModified(_) | Selection::PreconditionFailed, _) => return answer.finish(),
    };
    if asking.request.method() == Method::HEAD {
        return answer.body(BoxBody::new(Announced(bytes.len() as u64)));
    }
    answer.body(bytes)
}

/// Sends bytes that are in the store, in the form that the request selects. `gzip` is the compressed form, where there
/// is one. Fails when not even the first of them can be read; what fails later cuts the connection.
pub(super) async fn from_store(
    asking: &Asking,
    sent: &Sent<'_>,
    plain: Stored,
    gzip: Option<Stored>,
) -> Result<HttpResponse, ApiError> {
    let (mut answer, selection) = begin(asking, sent, gzip.is_some(), plain.bytes());
    let (stored, start, length) = match (selection, gzip) {
        (Selection::Whole(Coding::Gzip), Some(gzip)) => {
            let bytes = gzip.bytes();
            (gzip, 0, bytes)
        }
        (Selection::Whole(_), _) => {
            let bytes = plain.bytes();
            (plain, 0, bytes)
        }
        (Selection::Part { start, length }, _) => (plain, start, length),
        (Selection::Unsatisfiable(error), _) => return Ok(reply::unsatisfiable(answer, error)),
        (Selection::NotModified(_) | Selection::PreconditionFailed, _) => {
            return Ok(answer.finish());
        }
    };
    if asking.request.method() == Method::HEAD {
        return Ok(answer.body(BoxBody::new(Announced(length))));
    }
    let body = StoredBody::begin(asking.state.clone(), stored, start, length).await;
    Ok(answer.body(BoxBody::new(body.map_err(ApiError::internal)?)))
}

/// Selects the form of an answer of `plain_bytes`, and begins it.
fn begin(
    asking: &Asking,
    sent: &Sent<'_>,
    has_gzip: bool,
    plain_bytes: u64,
) -> (HttpResponseBuilder, Selection) {
    let forms = match sent.kind {
        Kind::Zip | Kind::Tarball | Kind::Signature | Kind::Icon => Forms::PlainOnly,
        Kind::Json | Kind::File { .. } if has_gzip => Forms::PlainOrGzip,
        Kind::Json | Kind::File { .. } => Forms::Plain,
    };
    let max_ranges = if sent.kind.has_ranges() {
        asking.state.limits.ranges
    } else {
        0
    };
    let headers = asking.request.headers();
    let selection = select(headers, &sent.validators, forms, plain_bytes, max_ranges);
    let (caching, validators) = (sent.caching, &sent.validators);
    let answer = reply::begin(
        sent.kind,
        caching,
        validators,
        forms,
        selection,
        plain_bytes,
    );
    (answer, selection)
}

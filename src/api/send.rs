//! Sends what was found in the form that was selected: from memory, or piece by piece from the store.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::Method;
use bytes::Bytes;

use super::body::{Announced, StoredBody};
use super::condition::Validators;
use super::encoding::Coding;
use super::pieces::{Piece, PieceReader};
use super::reply::{self, Caching, Kind};
use super::selection::{Forms, Selection, select};
use super::{Asking, gzip};
use crate::catalog::Answer;
use crate::crypto::Digest;

/// Where the bytes of an answer are.
pub(super) enum Source<'a> {
    /// In memory, in each coding it can be had in.
    Memory {
        plain: &'a Bytes,
        gzip: Option<&'a dyn Fn() -> Bytes>,
    },
    /// In the store, in each coding it can be had in.
    Store {
        plain: &'a dyn Fn() -> Vec<Piece>,
        gzip: Option<&'a dyn Fn() -> Vec<Piece>>,
        plain_bytes: u64,
    },
}

/// What is sent, apart from its bytes.
pub(super) struct Sent<'a> {
    pub kind: Kind<'a>,
    pub caching: Caching,
    pub validators: Validators,
}

/// Returns the text of an entity tag: as much of a digest as makes two equal ones no accident.
pub(super) fn tag(sha256: &Digest) -> Box<str> {
    sha256.to_string()[..32].into()
}

/// Sends an answer that is kept in memory.
pub(super) fn kept(asking: &Asking, answer: &Answer, caching: Caching) -> HttpResponse {
    let validators = Validators {
        tag: tag(&answer.sha256),
        modified: None,
    };
    let compressed = || answer.gzip(gzip::compress);
    let source = Source::Memory {
        plain: &answer.plain,
        gzip: Some(&compressed),
    };
    send(
        asking,
        &Sent {
            kind: Kind::Json,
            caching,
            validators,
        },
        &source,
    )
}

/// Sends what `source` holds in the form that the request selects.
pub(super) fn send(asking: &Asking, sent: &Sent<'_>, source: &Source<'_>) -> HttpResponse {
    let request = &asking.request;
    let size = source.plain_bytes();
    let forms = source.forms(sent.kind);
    let max_ranges = if sent.kind.has_ranges() {
        asking.state.limits.ranges
    } else {
        0
    };
    let selection = select(request.headers(), &sent.validators, forms, size, max_ranges);
    let mut answer = reply::begin(
        sent.kind,
        sent.caching,
        &sent.validators,
        forms,
        selection,
        size,
    );
    let (coding, start, length) = match selection {
        Selection::Whole(coding) => (coding, 0, source.bytes(coding)),
        Selection::Part { start, length } => (Coding::Identity, start, length),
        Selection::Unsatisfiable(error) => return reply::unsatisfiable(answer, error),
        Selection::NotModified(_) | Selection::PreconditionFailed => return answer.finish(),
    };
    if request.method() == Method::HEAD {
        return answer.body(BoxBody::new(Announced(length)));
    }
    match source {
        Source::Memory { .. } => {
            let bytes = source.memory(coding);
            let (start, end) = (start as usize, (start + length) as usize);
            answer.body(bytes.slice(start.min(bytes.len())..end.min(bytes.len())))
        }
        Source::Store { .. } => {
            let store = asking.state.store.clone();
            let reader = PieceReader::new(store, source.pieces(coding), start, length);
            answer.body(BoxBody::new(StoredBody::new(reader)))
        }
    }
}

impl Source<'_> {
    fn plain_bytes(&self) -> u64 {
        match self {
            Self::Memory { plain, .. } => plain.len() as u64,
            Self::Store { plain_bytes, .. } => *plain_bytes,
        }
    }

    fn forms(&self, kind: Kind<'_>) -> Forms {
        let has_gzip = match self {
            Self::Memory { gzip, .. } => gzip.is_some(),
            Self::Store { gzip, .. } => gzip.is_some(),
        };
        match kind {
            Kind::Zip | Kind::Tarball | Kind::Signature | Kind::Icon => Forms::PlainOnly,
            Kind::Json | Kind::File { .. } if has_gzip => Forms::PlainOrGzip,
            Kind::Json | Kind::File { .. } => Forms::Plain,
        }
    }

    fn bytes(&self, coding: Coding) -> u64 {
        match (self, coding) {
            (Self::Memory { .. }, _) => self.memory(coding).len() as u64,
            (Self::Store { plain_bytes, .. }, Coding::Identity) => *plain_bytes,
            (Self::Store { .. }, Coding::Gzip) => {
                self.pieces(coding).iter().map(Piece::bytes).sum()
            }
        }
    }

    fn memory(&self, coding: Coding) -> Bytes {
        match self {
            Self::Memory {
                gzip: Some(gzip), ..
            } if coding == Coding::Gzip => gzip(),
            Self::Memory { plain, .. } => (*plain).clone(),
            Self::Store { .. } => Bytes::new(),
        }
    }

    fn pieces(&self, coding: Coding) -> Vec<Piece> {
        match self {
            Self::Store {
                gzip: Some(gzip), ..
            } if coding == Coding::Gzip => gzip(),
            Self::Store { plain, .. } => plain(),
            Self::Memory { .. } => Vec::new(),
        }
    }
}

//! The headers of every kind of answer, in one place.
//!
//! Contract: the table in `contract/registry-api.md#headers-by-kind-of-answer`. `Cache-Control` is two header lines, as
//! the reference registry sends it. Files come from packages that may be hostile, and browsers may open them: they go
//! out sandboxed and unsniffed. Knows nothing of where bytes come from.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::condition::Validators;
use super::encoding::Coding;
use super::error::ApiError;
use super::range::RangeError;
use super::selection::{Forms, Selection};

/// The methods that every route answers.
pub const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";

/// Whose answers these are: `Server`.
const SERVER: &str = concat!("airlock/", env!("CARGO_PKG_VERSION"));

/// Scripts, frames and requests of a file are nobody's business; its own styles and images make an SVG look right.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// What an answer says about keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// `max-age=…` and `public`.
    Public {
        /// Seconds it may be kept.
        max_age_seconds: u32,
    },
    /// `max-age=0` and `private, no-store`.
    Never,
    /// Nothing.
    Unsaid,
}

/// An answer that is not what was asked for, and how long it may be kept.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: ApiError,
    /// How long the refusal may be kept.
    pub caching: Caching,
}

impl From<ApiError> for Refused {
    /// What may be different in a moment is not kept.
    fn from(error: ApiError) -> Self {
        Self {
            error,
            caching: Caching::Never,
        }
    }
}

/// What an answer is, as far as its headers depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A JSON document.
    Json,
    /// A file of a package.
    File {
        /// Its `Content-Type`.
        content_type: &'a str,
    },
    /// A zip.
    Zip,
    /// A gzipped tar, of the oldest dialect.
    Tarball,
    /// A detached OpenPGP signature.
    Signature,
    /// The favicon.
    Icon,
}

impl Kind<'_> {
    fn content_type(&self) -> &str {
        match self {
            Self::Json => "application/json",
            Self::File { content_type } => content_type,
            Self::Zip => "application/zip",
            Self::Tarball => "application/gzip",
            Self::Signature => "application/pgp-signature",
            Self::Icon => "image/x-icon",
        }
    }

    /// Tells whether parts of it can be asked for.
    pub fn has_ranges(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Zip | Self::Tarball)
    }
}

/// Begins the answer to `selection` of something that is there: status and all headers but `Content-Length`.
///
/// `size` is that of the plain bytes. The body is the caller's, and none for 304, 412 and 416.
pub fn begin(
    kind: Kind<'_>,
    caching: Caching,
    validators: &Validators,
    forms: Forms,
    selection: Selection,
    size: u64,
) -> HttpResponseBuilder {
    let (status, coding) = match selection {
        Selection::Whole(coding) => (StatusCode::OK, coding),
        Selection::Part { .. } => (StatusCode::PARTIAL_CONTENT, Coding::Identity),
        Selection::NotModified(coding) => (StatusCode::NOT_MODIFIED, coding),
        Selection::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, Coding::Identity),
        Selection::Unsatisfiable(_) => (StatusCode::RANGE_NOT_SATISFIABLE, Coding::Identity),
    };
    let mut answer = known_route(status);
    if let Selection::Unsatisfiable(error) = selection {
        as_text(&mut answer);
        if error == RangeError::PastTheEnd {
            answer.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        }
        return answer;
    }
    add_caching(&mut answer, caching);
    answer.insert_header((header::ETAG, validators.etag(coding)));
    if let Some(date) = validators.last_modified() {
        answer.insert_header((header::LAST_MODIFIED, date));
    }
    if forms != Forms::PlainOnly {
        answer.insert_header((header::VARY, "Accept-Encoding"));
    }
    if matches!(
        status,
        StatusCode::NOT_MODIFIED | StatusCode::PRECONDITION_FAILED
    ) {
        return answer;
    }
    answer.insert_header((header::CONTENT_TYPE, kind.content_type()));
    if kind.has_ranges() {
        answer.insert_header((header::ACCEPT_RANGES, "bytes"));
    }
    if let Kind::File { .. } = kind {
        answer.insert_header((header::CONTENT_SECURITY_POLICY, SANDBOX));
        answer.insert_header(NOSNIFF);
    }
    if coding == Coding::Gzip {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    if let Selection::Part { start, length } = selection {
        let last = start.saturating_add(length).saturating_sub(1);
        answer.insert_header((
            header::CONTENT_RANGE,
            format!("bytes {start}-{last}/{size}"),
        ));
    }
    answer
}

/// Returns the answer to a range that cannot be had: 416 with its text.
pub fn unsatisfiable(mut answer: HttpResponseBuilder, error: RangeError) -> HttpResponse {
    answer.body(format!("{error}\n"))
}

/// Returns the answer of `/health`: 200 and nothing else, or one line of text.
pub fn health(line: Option<&str>) -> HttpResponse {
    let mut answer = known_route(StatusCode::OK);
    match line {
        None => answer.finish(),
        Some(line) => {
            as_text(&mut answer);
            answer.body(format!("{line}\n"))
        }
    }
}

/// Returns the answer to OPTIONS on any known route.
pub fn options() -> HttpResponse {
    known_route(StatusCode::NO_CONTENT)
        .insert_header((header::ALLOW, ALLOWED_METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .finish()
}

/// Returns the answer to a request that fails: one line of text.
pub fn error(error: &ApiError, caching: Caching) -> HttpResponse {
    let mut answer = match error {
        ApiError::UnknownPath => anywhere(error.status()),
        _ => known_route(error.status()),
    };
    as_text(&mut answer);
    add_caching(&mut answer, caching);
    match error {
        ApiError::MethodNotAllowed => {
            answer.insert_header((header::ALLOW, ALLOWED_METHODS));
        }
        ApiError::Unauthenticated => {
            answer.insert_header((header::WWW_AUTHENTICATE, CHALLENGE));
        }
        ApiError::Busy => {
            answer.insert_header((header::RETRY_AFTER, "1"));
        }
        _ => {}
    }
    answer.body(format!("{error}\n"))
}

/// Makes an answer its client's alone: a cache on the way would hand `public` ones to those who may not ask (RFC 9111, 3.5).
pub fn keep_from_others(answer: &mut HttpResponse) {
    let headers = answer.headers_mut();
    let said: Vec<_> = headers.remove(header::CACHE_CONTROL).collect();
    for value in said {
        let value = if value == "public" {
            HeaderValue::from_static("private")
        } else {
            value
        };
        headers.append(header::CACHE_CONTROL, value);
    }
}

/// What a client without a password is told to bring (RFC 7617).
const CHALLENGE: &str = "Basic realm=\"airlock\", charset=\"UTF-8\"";

const NOSNIFF: (header::HeaderName, HeaderValue) = (
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderValue::from_static("nosniff"),
);

fn anywhere(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::SERVER, SERVER));
    answer
}

fn known_route(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = anywhere(status);
    answer.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    answer
}

fn as_text(answer: &mut HttpResponseBuilder) {
    answer
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header(NOSNIFF);
}

fn add_caching(answer: &mut HttpResponseBuilder, caching: Caching) {
    match caching {
        Caching::Public { max_age_seconds } => {
            answer.append_header((header::CACHE_CONTROL, format!("max-age={max_age_seconds}")));
            answer.append_header((header::CACHE_CONTROL, "public"));
        }
        Caching::Never => {
            answer.append_header((header::CACHE_CONTROL, "max-age=0"));
            answer.append_header((header::CACHE_CONTROL, "private, no-store"));
        }
        Caching::Unsaid => {}
    }
}

//! How an operation's failure is answered.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};

use crate::admin::error::{Failure, OperationError};

/// A [`Failure`] as an HTTP answer, and after how many seconds it is worth asking again, where that is known.
#[derive(Debug)]
pub(in crate::admin) struct Refusal(Failure, Option<u64>);

impl Refusal {
    /// Returns the answer to a failure that was told already.
    pub(in crate::admin) fn from_failure(failure: Failure) -> Self {
        Self(failure, None)
    }
}

impl<E: Into<OperationError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error = error.into();
        let wait = match &error {
            OperationError::TooManyLogins { seconds } => Some(*seconds),
            _ => None,
        };
        Self(Failure::from(error), wait)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.error)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self.0.kind.as_str() {
            "invalid-request" | "not-typed" | "weak-password" | "reserved-name"
            | "named-like-release" => StatusCode::BAD_REQUEST,
            "needs-role"
            | "needs-second-person"
            | "wrong-password"
            | "token-above-owner"
            | "by-token"
            | "other-origin"
            | "not-yours"
            | "bad-csrf"
            | "needs-tls"
            | "not-from-there"
            | "unknown-user" => StatusCode::FORBIDDEN,
            "not-signed-in" | "wrong-login" => StatusCode::UNAUTHORIZED,
            "other-host" => StatusCode::MISDIRECTED_REQUEST,
            "too-many-logins" => StatusCode::TOO_MANY_REQUESTS,
            "no-such-plan"
            | "no-such-branch"
            | "no-such-job"
            | "no-such-upload"
            | "no-such-key"
            | "no-such-user"
            | "no-such-token"
            | "no-such-link"
            | "no-such-change-set"
            | "no-such-hold"
            | "no-such-distribution"
            | "no-such-package"
            | "no-such-page"
            | "no-such-version" => StatusCode::NOT_FOUND,
            "length-required" => StatusCode::LENGTH_REQUIRED,
            "chunk-too-large" | "more-than-announced" => StatusCode::PAYLOAD_TOO_LARGE,
            "stopping" => StatusCode::SERVICE_UNAVAILABLE,
            "store" | "damaged" | "data-folder" | "no-thread" => StatusCode::INTERNAL_SERVER_ERROR,
            "disk-full" | "upload-too-large" => StatusCode::INSUFFICIENT_STORAGE,
            "too-many-imports" | "too-many-jobs" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::CONFLICT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.1 {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        answer.json(&self.0)
    }
}

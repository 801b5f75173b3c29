//! What goes wrong while a request is answered, and what its sender reads.
//!
//! The layers below say what happened (`StoreError`, `InvalidPackageId`) and know no status codes: absence is an
//! `Option` there, and only here does it become a 404, of one of several texts that clients of the reference registry
//! have always read. Clients get the fixed text of `Display` and nothing more; what caused a failure of ours is logged
//! once, with its whole chain, where it becomes an answer. Texts and statuses: `contract/registry-api.md` and its
//! recordings.

use std::error::Error;

use actix_web::http::StatusCode;

use super::access::RequestId;
use crate::package::InvalidQuery;

/// Why a request is not answered with what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No route of the API is like the path, or its distribution is not there.
    #[error("404 page not found")]
    UnknownPath,
    /// The distribution never offered the package version.
    #[error("package revision not found")]
    PackageNotFound,
    /// The package version has no such file.
    #[error("resource not found")]
    FileNotFound,
    /// The distribution never offered the artifact.
    #[error("artifact not found")]
    ArtifactNotFound,
    /// The package version has no signature to show, or is not there.
    #[error("signature file not found")]
    SignatureNotFound,
    /// The version in the path is not semver.
    #[error("invalid package version")]
    InvalidVersion,
    /// A parameter of the query cannot be read; the text names it.
    #[error(transparent)]
    InvalidQuery(#[from] InvalidQuery),
    /// A method that could change something.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The host that is asked for is none of those that are answered for.
    #[error("this registry does not answer for that host")]
    OtherHost,
    /// The client is in none of the networks that may ask.
    #[error("not allowed from this address")]
    NotFromThere,
    /// A script, frame or style of a page at the registry's own host.
    #[error("what packages hold is no part of a page")]
    PartOfAPage,
    /// No password, or not the right one; which of both is nobody's business.
    #[error("authentication required")]
    Unauthenticated,
    /// Too many passwords are being verified.
    #[error("too many requests to authenticate, try again")]
    Busy,
    /// A failure of ours.
    #[error("internal server error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ApiError {
    /// Returns the failure of ours that `cause` is.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(cause))
    }

    /// Returns the status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath
            | Self::PackageNotFound
            | Self::FileNotFound
            | Self::ArtifactNotFound
            | Self::SignatureNotFound => StatusCode::NOT_FOUND,
            Self::InvalidQuery(InvalidQuery::TooLong { .. }) => StatusCode::URI_TOO_LONG,
            Self::InvalidVersion | Self::InvalidQuery(_) => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFromThere | Self::PartOfAPage => StatusCode::FORBIDDEN,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Writes a failure of ours to the log, cause by cause; what a client did wrong is no news.
    pub fn log(&self, path: &str, id: impl FnOnce() -> RequestId) {
        let Self::Internal(first) = self else { return };
        let mut causes = vec![first.to_string()];
        let mut next = first.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        let (cause, id) = (causes.join(": "), id());
        tracing::error!(path, cause, id = id.as_str(), "cannot answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_tells_the_client_nothing() {
        let error = ApiError::Internal("/var/lib/airlock/airlock.db: disk I/O error".into());
        assert_eq!(error.to_string(), "internal server error");
        assert_eq!(error.status(), 500);
    }
}

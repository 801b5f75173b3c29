//! `/epr/{name}/{name}-{version}.zip` and its `.sig`.

use actix_web::HttpResponse;

use super::Asking;
use super::condition::Validators;
use super::error::ApiError;
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent};
use super::stored::Stored;

/// Answers with the zip of a package version, put together from the store as it is sent. 400 when the version is not
/// semver, 404 when the distribution never offered it. Reads one block at a time.
pub(super) async fn show(asking: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    let package = asked.package_id(ApiError::ArtifactNotFound)?;
    let element = asking
        .catalog
        .find(&package)
        .ok_or(ApiError::ArtifactNotFound)?;
    let modified = u64::try_from(element.artifact.modified).ok();
    let validators = Validators {
        tag: send::tag(&element.artifact.sha256),
        modified,
    };
    let sent = Sent {
        kind: Kind::Zip,
        caching: asking.catch_all(),
        validators,
    };
    let zip = Stored::Zip(element.artifact.clone());
    Ok(send::from_store(asking, &sent, zip, None).await?)
}

/// Answers for the signature of a package version: 404, since what came as a tree is not signed.
pub(super) fn signature(_: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    asked.package_id(ApiError::SignatureNotFound)?;
    Err(ApiError::SignatureNotFound.into())
}

//! `/epr/{name}/{name}-{version}.zip` and its `.sig`.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::Asking;
use super::condition::Validators;
use super::error::ApiError;
use super::file::plain_piece;
use super::pieces::Piece;
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent, Source};
use crate::package::canonical_zip::{self, Entry};
use crate::store::artifacts::{self, Artifact};
use crate::store::{Store, StoreError};

/// Answers with the zip of a package version, put together from the store as it is sent. 400 when the version is not
/// semver, 404 when the distribution never offered it. Reads the list of its files, then one chunk at a time.
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
    let (store, artifact) = (Arc::clone(&asking.state.store), element.artifact.clone());
    let pieces = web::block(move || pieces(&store, &artifact))
        .await
        .map_err(ApiError::internal)?;
    let pieces = pieces.map_err(ApiError::internal)?;
    let source = Source::Store {
        plain: &|| pieces.clone(),
        gzip: None,
        plain_bytes: element.artifact.bytes,
    };
    Ok(send::send(
        asking,
        &Sent {
            kind: Kind::Zip,
            caching: asking.catch_all(),
            validators,
        },
        &source,
    ))
}

/// Answers for the signature of a package version: 404, since what came as a tree is not signed.
pub(super) fn signature(_: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    asked.package_id(ApiError::SignatureNotFound)?;
    Err(ApiError::SignatureNotFound.into())
}

/// Returns the zip of an artifact as pieces. Blocks.
fn pieces(store: &Store, artifact: &Artifact) -> Result<Vec<Piece>, StoreError> {
    let files = store.snapshot(|conn| artifacts::streamed_files(conn, artifact.id))?;
    let damaged = || StoreError::Invalid {
        what: "artifact",
        value: artifact.id.0.to_string(),
    };
    let entries = files
        .iter()
        .map(|(file, _)| {
            let bytes = u32::try_from(file.content.bytes).map_err(|_| damaged())?;
            Ok(Entry {
                path: &file.path,
                bytes,
                crc32: file.content.crc32,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let (layout, bytes) =
        canonical_zip::layout(&artifact.package, &entries).map_err(|_| damaged())?;
    if u64::from(bytes) != artifact.bytes {
        return Err(damaged());
    }
    let piece = |piece| match piece {
        canonical_zip::Piece::Literal(bytes) => Piece::Literal(bytes.into()),
        canonical_zip::Piece::Entry(index) => plain_piece(&files[index].0.content, &files[index].1),
    };
    Ok(layout.into_iter().map(piece).collect())
}

//! `/package/{name}/{version}/{file}`: one file out of a package.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web;
use bytes::Bytes;

use super::Asking;
use super::condition::Validators;
use super::content_type;
use super::error::ApiError;
use super::gzip;
use super::pieces::{Piece, PieceReader};
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent, Source};
use crate::store::artifacts::{self, ArtifactId};
use crate::store::contents::Content;
use crate::store::streams::{self, Coding, Stream};
use crate::store::{Store, StoreError};

/// Files up to this size are kept in memory whole, in both codings.
const SMALL_BYTES: u64 = 64 << 10;

/// A content of the store, and itself where it is small.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub content: Content,
    stream: Stream,
    content_type: &'static str,
    plain: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// Answers with one file as it lies in the package. 400 when the version is none, 404 when the distribution never
/// offered it or it has no such file. Small files that were asked for lately need no read of the store.
pub(super) async fn show(
    asking: &Asking,
    asked: &Asked,
    path: &str,
) -> Result<HttpResponse, Refused> {
    let package = asked.package_id(ApiError::PackageNotFound)?;
    let element = asking
        .catalog
        .find(&package)
        .ok_or(ApiError::PackageNotFound)?;
    let modified = u64::try_from(element.artifact.modified).ok();
    let file = find(asking, element.artifact.id, path).await?;
    let file = file.ok_or_else(|| Refused {
        error: ApiError::FileNotFound,
        caching: asking.catch_all(),
    })?;
    let validators = Validators {
        tag: send::tag(&file.content.sha256),
        modified,
    };
    let sent = Sent {
        kind: Kind::File {
            content_type: file.content_type,
        },
        caching: asking.catch_all(),
        validators,
    };
    Ok(file.send(asking, &sent))
}

async fn find(
    asking: &Asking,
    artifact: ArtifactId,
    path: &str,
) -> Result<Option<Arc<StoredFile>>, ApiError> {
    let key = (artifact, Box::from(path));
    if let Some(file) = asking.state.files.get(&key) {
        return Ok(Some(file));
    }
    let store = Arc::clone(&asking.state.store);
    let path = path.to_owned();
    let read = move || {
        let content = store
            .read(|conn| artifacts::file(conn, artifact, &path))
            .map_err(ApiError::internal)?;
        content
            .map(|content| StoredFile::read(&store, content, content_type::by_extension(&path)))
            .transpose()
    };
    let file = web::block(read)
        .await
        .map_err(ApiError::internal)??
        .map(Arc::new);
    if let Some(file) = &file {
        asking.state.files.insert(key, Arc::clone(file));
    }
    Ok(file)
}

impl StoredFile {
    /// Reads what is known of a content, and the content itself where it is small. Blocks.
    pub(super) fn read(
        store: &Arc<Store>,
        content: Content,
        content_type: Option<&'static str>,
    ) -> Result<Self, ApiError> {
        let missing = || StoreError::Invalid {
            what: "content",
            value: content.id.0.to_string(),
        };
        let stream = store
            .read(|conn| streams::of_content(conn, content.id))
            .and_then(|stream| stream.ok_or_else(missing))
            .map_err(ApiError::internal)?;
        let mut file = Self {
            content,
            stream,
            content_type: content_type.unwrap_or_default(),
            plain: None,
            gzip: None,
        };
        let whole = |pieces: Vec<Piece>| {
            PieceReader::new(Arc::clone(store), pieces, 0, u64::MAX)
                .read_all()
                .map_err(ApiError::internal)
        };
        if content.bytes <= SMALL_BYTES {
            file.plain = Some(whole(file.plain_pieces())?);
            file.gzip = file.gzip_pieces().map(whole).transpose()?;
        }
        if content_type.is_none() {
            let sniffed = content_type::SNIFFED_BYTES as u64;
            let first =
                PieceReader::new(Arc::clone(store), file.plain_pieces(), 0, sniffed).read_all();
            file.content_type = content_type::by_content(&first.map_err(ApiError::internal)?);
        }
        Ok(file)
    }

    /// Returns how much memory the kept bytes take.
    pub(super) fn memory_bytes(&self) -> u64 {
        [&self.plain, &self.gzip]
            .into_iter()
            .flatten()
            .map(|bytes| bytes.len() as u64)
            .sum()
    }

    /// Sends the file in the form that the request selects.
    pub(super) fn send(&self, asking: &Asking, sent: &Sent<'_>) -> HttpResponse {
        let (plain_pieces, gzip_pieces) = (
            || self.plain_pieces(),
            || self.gzip_pieces().unwrap_or_default(),
        );
        let kept_gzip = || self.gzip.clone().unwrap_or_default();
        let is_deflated = self.stream.coding == Coding::Deflate;
        let source = match &self.plain {
            Some(plain) => Source::Memory {
                plain,
                gzip: is_deflated.then_some(&kept_gzip as &dyn Fn() -> Bytes),
            },
            None => Source::Store {
                plain: &plain_pieces,
                gzip: is_deflated.then_some(&gzip_pieces as &dyn Fn() -> Vec<Piece>),
                plain_bytes: self.content.bytes,
            },
        };
        send::send(asking, sent, &source)
    }

    fn plain_pieces(&self) -> Vec<Piece> {
        vec![plain_piece(&self.content, &self.stream)]
    }

    /// The stream as it lies, with gzip's head and tail; `None` where it is not deflated.
    fn gzip_pieces(&self) -> Option<Vec<Piece>> {
        (self.stream.coding == Coding::Deflate).then(|| {
            let trailer = gzip::trailer(self.content.crc32, self.content.bytes);
            vec![
                Piece::Literal(Bytes::from_static(&gzip::HEADER)),
                Piece::Stored {
                    stream: self.stream.id,
                    bytes: self.stream.bytes,
                },
                Piece::Literal(Bytes::copy_from_slice(&trailer)),
            ]
        })
    }
}

/// Returns the plain bytes of a content as a piece of an answer.
pub(super) fn plain_piece(content: &Content, stream: &Stream) -> Piece {
    match stream.coding {
        Coding::Plain => Piece::Stored {
            stream: stream.id,
            bytes: stream.bytes,
        },
        Coding::Deflate => Piece::Inflated {
            stream: stream.id,
            bytes: content.bytes,
        },
    }
}

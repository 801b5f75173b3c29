//! `/package/{name}/{version}/{file}`: one file out of a package.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web;
use bytes::Bytes;

use super::Asking;
use super::condition::Validators;
use super::content_type;
use super::error::ApiError;
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent};
use super::stored::Stored;
use crate::store::Store;
use crate::store::artifacts::{self, ArtifactId};
use crate::store::contents::Content;
use crate::store::streams::{self, Coding, Stream};

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
    let fetched = asking.find(&package, ApiError::PackageNotFound).await?;
    let element = fetched.element;
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
    Ok(file.send(asking, &sent).await?)
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
        let stream = store
            .read(|conn| streams::of_content(conn, content.id))
            .map_err(ApiError::internal)?;
        let mut file = Self {
            content,
            stream,
            content_type: content_type.unwrap_or_default(),
            plain: None,
            gzip: None,
        };
        let first = |stored: Stored, bytes| stored.read(store, bytes).map_err(ApiError::internal);
        if content.bytes <= SMALL_BYTES {
            file.plain = Some(first(file.stored_plain(), u64::MAX)?);
            let gzip = file.stored_gzip();
            file.gzip = gzip.map(|gzip| first(gzip, u64::MAX)).transpose()?;
        }
        if content_type.is_none() {
            let sniffed = first(file.stored_plain(), content_type::SNIFFED_BYTES as u64)?;
            file.content_type = content_type::by_content(&sniffed);
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
    pub(super) async fn send(
        &self,
        asking: &Asking,
        sent: &Sent<'_>,
    ) -> Result<HttpResponse, ApiError> {
        let Some(plain) = &self.plain else {
            return send::from_store(asking, sent, self.stored_plain(), self.stored_gzip()).await;
        };
        let gzip = self.gzip.as_ref().map(|gzip| || gzip.clone());
        let gzip = gzip.as_ref().map(|gzip| gzip as &dyn Fn() -> Bytes);
        Ok(send::from_memory(asking, sent, plain, gzip))
    }

    fn stored_plain(&self) -> Stored {
        Stored::Plain(self.content, self.stream)
    }

    fn stored_gzip(&self) -> Option<Stored> {
        let is_deflated = self.stream.coding == Coding::Deflate;
        is_deflated.then_some(Stored::Gzip(self.content, self.stream))
    }
}

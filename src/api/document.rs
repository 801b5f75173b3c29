//! `/package/{name}/{version}/`: what one package version says about itself.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::Asking;
use super::condition::Validators;
use super::error::ApiError;
use super::file::StoredFile;
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent, kept};
use super::stored::Stored;
use crate::catalog::{Catalog, Element, Question};
use crate::package::Fill;
use crate::store::Store;
use crate::store::streams;

/// The key under which a document is kept among the files of its artifact: no file has an empty path.
const DOCUMENT: &str = "";

/// Answers with the document of one package version, as rendered at its import. 400 when the version is not semver, 404
/// when the distribution never offered it. A document that nothing is inserted into goes out as it lies in the store.
pub(super) async fn show(asking: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    let package = asked.package_id(ApiError::PackageNotFound)?;
    let fetched = asking.find(&package, ApiError::PackageNotFound).await?;
    let signature_path = fetched.signature_path();
    let element = fetched.element;
    if fill(&asking.catalog, &element, signature_path.as_deref()).is_empty() {
        let document = stored(asking, &element).await?;
        let validators = Validators {
            tag: send::tag(&element.document.sha256),
            modified: None,
        };
        let sent = Sent {
            kind: Kind::Json,
            caching: asking.index_caching(),
            validators,
        };
        return Ok(document.send(asking, &sent).await?);
    }
    let (store, catalog) = (Arc::clone(&asking.state.store), Arc::clone(&asking.catalog));
    let filled = move || {
        let path = signature_path.as_deref();
        let find = |_: &Question| filled(&store, &catalog, &element, path);
        catalog.answers().get(Question::Document(package), find)
    };
    let answer = web::block(filled).await.map_err(ApiError::internal)??;
    Ok(kept(asking, &answer, asking.index_caching()))
}

fn fill<'a>(catalog: &'a Catalog, element: &Element, signature_path: Option<&'a str>) -> Fill<'a> {
    Fill {
        signature_path,
        deprecated: catalog.notice(&element.facts.id.name),
        policy_templates: None,
    }
}

async fn stored(asking: &Asking, element: &Element) -> Result<Arc<StoredFile>, ApiError> {
    let key = (element.artifact.id, Box::from(DOCUMENT));
    if let Some(document) = asking.state.files.get(&key) {
        return Ok(document);
    }
    let (store, content) = (Arc::clone(&asking.state.store), element.document);
    let read = move || StoredFile::read(&store, content, Some("application/json"));
    let document = Arc::new(web::block(read).await.map_err(ApiError::internal)??);
    asking.state.files.insert(key, Arc::clone(&document));
    Ok(document)
}

/// Reads a document and inserts what this distribution says of it. Blocks.
fn filled(
    store: &Arc<Store>,
    catalog: &Catalog,
    element: &Element,
    signature_path: Option<&str>,
) -> Result<Vec<u8>, ApiError> {
    let content = element.document;
    let stream = store
        .read(|conn| streams::of_content(conn, content.id))
        .map_err(ApiError::internal)?;
    let text = Stored::Plain(content, stream)
        .read(store, u64::MAX)
        .map_err(ApiError::internal)?;
    let mut document = Vec::with_capacity(text.len() + 512);
    element
        .document_slots
        .write(
            &mut document,
            &text,
            &fill(catalog, element, signature_path),
        )
        .map_err(ApiError::internal)?;
    Ok(document)
}

//! A package's manifests and file list in; its `/search` element and its `/package/{name}/{version}/` document out.
//!
//! Made once, at import, as text that is served as it stands: see [`Template`] for what is joined when served. What the
//! reference registry could not load is a [`DocumentError`]. Knows no store and no request. Facts: package-registry
//! 1.40's `packages/package.go`, `datastream.go` and `releases.go`; the recordings are the authority.

mod complete;
mod facts;
mod files;
mod render;
mod template;

use super::constraint::InvalidConstraint;
use super::manifest::{self, Deprecated, KnownDataStreams, Manifest, ManifestError};
use super::{
    Categories, CategoryCount, Facts, IngestionMethods, InvalidPackageId, PackageId, json,
};
use crate::limits::Limits;

pub use files::FileList;
pub use template::{DamagedTemplate, Fill, Slots, Template};

/// The number of this renderer, kept with what it made: documents of another number are made again.
pub const RENDERER: u32 = 1;

/// What a package version is rendered from.
#[derive(Debug, Clone, Copy)]
pub struct PackageSource<'a> {
    /// All its files.
    pub files: &'a FileList<'a>,
    /// The bytes of `manifest.yml`.
    pub manifest: &'a [u8],
    /// Of each `data_stream/{folder}/manifest.yml` the folder and the bytes: of a tree by folder, of a zip as they lie in it.
    pub data_streams: &'a [(String, &'a [u8])],
}

/// What is known beyond the package.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// The known categories.
    pub categories: &'a Categories,
    /// The ingestion methods of inputs.
    pub ingestion_methods: &'a IngestionMethods,
}

/// What is kept and served of a package version.
#[derive(Debug)]
pub struct Rendered {
    /// What queries look at.
    pub facts: Facts,
    /// The element of `/search`, indented as it stands there: elements are joined with `,\n` between `[\n` and `\n]\n`.
    pub element: Template,
    /// The document, whole.
    pub document: Template,
    /// This version's own notice of deprecation, compact JSON; not part of the templates.
    pub deprecated: Option<String>,
    /// What was left out or looks wrong, one line each, for people.
    pub warnings: Vec<String>,
}

/// A package that the reference registry could not load.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// `manifest.yml` cannot be read.
    #[error("manifest.yml cannot be read")]
    Manifest(#[source] ManifestError),
    /// A data stream's manifest cannot be read.
    #[error("manifest.yml of data stream {folder:?} cannot be read")]
    DataStream {
        /// Its folder.
        folder: String,
        /// Why.
        source: ManifestError,
    },
    /// The name or version in the manifest is none.
    #[error("manifest.yml names no package version")]
    Id(#[from] InvalidPackageId),
    /// A condition that is no constraint.
    #[error("condition on {product} is no version constraint")]
    Constraint {
        /// `kibana` or `agent`.
        product: &'static str,
        /// Why.
        source: InvalidConstraint,
    },
    /// A `format_version` that is no version.
    #[error("format_version {0:?} is no version")]
    FormatVersion(String),
    /// A release that is none of `ga`, `beta`, `experimental`.
    #[error("release {release:?} of {of} is not known")]
    Release {
        /// The release.
        release: String,
        /// What states it.
        of: String,
    },
    /// No `docs/README.md`.
    #[error("docs/README.md is missing")]
    NoReadme,
    /// A folder with a dash.
    #[error("folder {0:?} has a `-` in its name")]
    FolderName(String),
    /// A data stream stated in the package's manifest itself, without its dataset.
    #[error("manifest.yml has a data stream without a dataset")]
    NoDataset,
    /// Ingest pipelines that nothing refers to.
    #[error("data stream {0:?} has ingest pipelines but uses none")]
    UnusedPipelines(String),
    /// Rendered to more bytes than 32 bits count.
    #[error("document is too large")]
    TooLarge,
}

/// Renders a package version.
///
/// Parses all its manifests but those that are `known`; takes time and memory in proportion to them, bounded by `limits` for
/// all of them together.
pub fn render(
    source: &PackageSource,
    tables: Tables,
    known: &KnownDataStreams,
    limits: &Limits,
) -> Result<Rendered, DocumentError> {
    let mut left = limits.clone();
    let mut manifest: Manifest =
        manifest::read(source.manifest, &mut left).map_err(DocumentError::Manifest)?;
    let id = PackageId::parse(&manifest.name, &manifest.version)?;
    let mut warnings = Vec::new();
    drop_unknown_categories(&mut manifest, tables.categories, &mut warnings);
    complete::manifest(&mut manifest, &id, source.files, tables.ingestion_methods)?;
    let facts = facts::of(&manifest, &id, limits)?;

    let stated = manifest.data_streams.len();
    for (folder, text) in source.data_streams {
        let read = known.read(text, &mut left);
        let mut data_stream = read.map_err(|source| DocumentError::DataStream {
            folder: folder.clone(),
            source,
        })?;
        complete::data_stream(
            &mut data_stream,
            folder,
            &manifest,
            source.files,
            tables.ingestion_methods,
        )?;
        manifest.data_streams.push(data_stream);
    }
    Ok(Rendered {
        element: render::element(&manifest, stated)?,
        document: render::document(&manifest, source.files)?,
        deprecated: manifest
            .deprecated
            .as_ref()
            .map(json::compact::<Deprecated>),
        facts,
        warnings,
    })
}

/// Returns the answer to `/categories`.
pub fn categories_document(counts: &[CategoryCount]) -> Vec<u8> {
    let mut text = Vec::new();
    json::write_pretty(&mut text, counts, 0);
    text.push(b'\n');
    text
}

fn drop_unknown_categories(
    manifest: &mut Manifest,
    categories: &Categories,
    warnings: &mut Vec<String>,
) {
    manifest.categories.retain(|category| {
        let is_known = categories.get(category).is_some();
        if !is_known {
            warnings.push(format!("category {category:?} is not known, left out"));
        }
        is_known
    });
}

#[cfg(test)]
mod tests;

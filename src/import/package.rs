//! One collected package to an artifact in the store: checked, rendered, encoded, written in short transactions.

use rusqlite::Transaction;

use super::collect::{Collected, Collecting, Held, data_stream_of_manifest};
use super::encode::Encoder;
use super::error::{ImportError, PackageError};
use super::known::Known;
use super::leaf_pages::LeafPages;
use super::new_contents;
use super::paths;
use super::recent::Recent;
use super::stored::read_content;
use crate::archive::Inflater;
use crate::crypto::openpgp::Certificate;
use crate::crypto::{Digest, Hasher};
use crate::limits::Limits;
use crate::package::canonical_zip::{self, Piece};
use crate::package::{
    self, DocumentError, FileList, KnownDataStreams, PackageId, PackageSource, RENDERER, Rendered,
    Tables,
};
use crate::store::artifacts::{self, ArtifactId, NewArtifact};
use crate::store::contents::{self, ContentId};
use crate::store::recipes::{self, Packed};
use crate::store::stages::{self, StageId};
use crate::store::{Store, StoreError, documents};

/// What became of a package that can be taken.
pub(super) struct Made {
    pub package: PackageId,
    pub artifact: ArtifactId,
    /// Whether the store did not hold it before.
    pub is_new: bool,
}

/// Makes packages into artifacts, one after another.
pub(super) struct Maker<'a> {
    pub store: &'a Store,
    pub limits: &'a Limits,
    pub stage: StageId,
    pub tables: Tables<'a>,
    pub data_streams: &'a KnownDataStreams,
    pub encoder: Encoder,
    /// Whose signatures are believed.
    pub keyring: &'a [Certificate],
    pub pages: &'a LeafPages,
    pub known: &'a Known,
    pub recent: &'a Recent,
    pub inflater: Inflater,
}

impl Maker<'_> {
    /// Makes `collected` an artifact of the store, last changed at `modified` (seconds since 1970). The inner error
    /// refuses the package, the outer one stops the import.
    pub(super) fn make(
        &mut self,
        collected: &mut Collecting,
        modified: i64,
    ) -> Result<Result<Made, PackageError>, ImportError> {
        if let Some(why) = collected.refused.take() {
            return Ok(Err(why));
        }
        if let Some(zip) = collected.zip.take() {
            return self.make_zip(collected, &zip, modified);
        }
        collected
            .files
            .sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
        let files = &collected.files;
        if let Err(why) = paths::check(files.iter().map(|file| file.path.as_str())) {
            return Ok(Err(why));
        }
        let rendered = match self.render_tree(files) {
            Ok(rendered) => rendered,
            Err(why) => return Ok(Err(why)),
        };
        let package = rendered.facts.id.clone();
        let tree_sha256 = tree_digest(files.iter().map(|file| (file.path.as_str(), &file.sha256)));
        let known = self
            .store
            .read(|conn| artifacts::find_canonical(conn, &package, &tree_sha256))?;
        if let Some(artifact) = known {
            self.store
                .write(|conn| stages::add(conn, self.stage, artifact))?;
            return Ok(Ok(Made {
                package,
                artifact,
                is_new: false,
            }));
        }
        let entries: Option<Vec<_>> = files
            .iter()
            .map(|file| {
                Some(canonical_zip::Entry {
                    path: &file.path,
                    bytes: u32::try_from(file.bytes).ok()?,
                    crc32: file.crc32,
                })
            })
            .collect();
        let layout = entries
            .and_then(|entries| canonical_zip::layout(&package, &entries).ok())
            .filter(|(_, bytes)| u64::from(*bytes) <= self.limits.artifact_bytes);
        let Some((pieces, bytes)) = layout else {
            return Ok(Err(PackageError::TooLarge {
                limit_bytes: self.limits.artifact_bytes,
            }));
        };
        let sha256 = self.digest(&pieces, files)?;
        let artifact = NewArtifact {
            package: &package,
            sha256,
            bytes: u64::from(bytes),
            tree_sha256,
            modified,
        };
        let artifact = self.write(&artifact, files, &rendered)?;
        Ok(Ok(Made {
            package,
            artifact,
            is_new: true,
        }))
    }

    fn render_tree(&self, files: &[Collected]) -> Result<Rendered, PackageError> {
        let list = FileList::of_tree(files.iter().map(|file| file.path.as_str()))?;
        let texts = files.iter();
        let texts = texts.map(|file| (file.path.as_str(), in_memory(file)));
        self.render(&list, texts)
    }

    /// Renders the documents of a package of which each file's path is given, in the order that data streams are shown in,
    /// and the bytes of its manifests.
    pub(super) fn render<'f>(
        &self,
        list: &FileList<'_>,
        files: impl Iterator<Item = (&'f str, Option<&'f [u8]>)> + Clone,
    ) -> Result<Rendered, PackageError> {
        let manifest = files
            .clone()
            .find(|(path, _)| *path == "manifest.yml")
            .and_then(|(_, text)| text)
            .ok_or(PackageError::NoManifest)?;
        let data_streams: Vec<_> = files
            .filter_map(|(path, text)| Some((data_stream_of_manifest(path)?.to_owned(), text?)))
            .collect();
        let source = PackageSource {
            files: list,
            manifest,
            data_streams: &data_streams,
        };
        Ok(package::render(
            &source,
            self.tables,
            self.data_streams,
            self.limits,
        )?)
    }

    /// Returns the digest of the zip that `pieces` make.
    fn digest(&self, pieces: &[Piece], files: &[Collected]) -> Result<Digest, ImportError> {
        let mut hasher = Hasher::default();
        for piece in pieces {
            match piece {
                Piece::Literal(bytes) => hasher.update(bytes),
                Piece::Entry(index) => {
                    let file = &files[*index];
                    match &file.held {
                        Held::Memory(bytes) => hasher.update(bytes),
                        Held::Store(content) => {
                            read_content(self.store, *content, file.bytes, |plain| {
                                hasher.update(plain);
                            })?;
                        }
                    }
                }
            }
        }
        Ok(hasher.finish())
    }

    /// Writes an artifact that came as a tree, with what is new of its contents.
    fn write(
        &mut self,
        artifact: &NewArtifact<'_>,
        files: &[Collected],
        rendered: &Rendered,
    ) -> Result<ArtifactId, ImportError> {
        let document = document(rendered);
        let contents = files.iter().chain([&document]);
        let new = new_contents::encode_new(self.store, &mut self.encoder, contents)?;
        new_contents::write(self.store, self.pages, self.known, &new)?;
        let row = self.row(rendered, document.sha256);
        let (begun, rest) = self.begin(artifact, files)?;
        let artifact = self
            .store
            .write_within_space(|conn| self.finish(conn, artifact, begun, rest, &row, None))?;
        Ok(artifact)
    }

    /// Returns what is kept of a rendering; its package document, a content like others, has this digest.
    pub(super) fn row(
        &mut self,
        rendered: &Rendered,
        document: Digest,
    ) -> documents::Document<Digest> {
        documents::Document {
            renderer: RENDERER,
            facts: json(&rendered.facts),
            deprecated: rendered.deprecated.clone(),
            element_slots: json(&rendered.element.slots),
            element_bytes: rendered.element.text.len() as u32,
            element: self.encoder.deflate(rendered.element.text.as_bytes()),
            document_slots: json(&rendered.document.slots),
            document,
        }
    }

    /// Begins an artifact of more files than one transaction adds; returns it, and the files that are left for the last.
    pub(super) fn begin<'f>(
        &self,
        artifact: &NewArtifact<'_>,
        files: &'f [Collected],
    ) -> Result<(Option<ArtifactId>, &'f [Collected]), ImportError> {
        let mut begun = None;
        let mut batches = files.chunks(TRANSACTION_FILES).peekable();
        while let Some(batch) = batches.next_if(|batch| batch.len() == TRANSACTION_FILES) {
            begun = Some(self.store.write_within_space(|conn| {
                let id = begun.map_or_else(|| artifacts::begin(conn, artifact), Ok)?;
                add_files(conn, id, batch)?;
                Ok::<_, StoreError>(id)
            })?);
        }
        Ok((begun, batches.next().unwrap_or_default()))
    }

    /// Writes the last rows of an artifact, and stages it: the first moment that anybody finds it.
    pub(super) fn finish(
        &self,
        conn: &Transaction<'_>,
        artifact: &NewArtifact<'_>,
        begun: Option<ArtifactId>,
        files: &[Collected],
        rendering: &documents::Document<Digest>,
        recipe: Option<&Packed>,
    ) -> Result<ArtifactId, StoreError> {
        if let Some(known) = artifacts::find(conn, &artifact.sha256)? {
            begun.map_or(Ok(()), |id| artifacts::abandon(conn, id))?;
            stages::add(conn, self.stage, known)?;
            return Ok(known);
        }
        let id = begun.map_or_else(|| artifacts::begin(conn, artifact), Ok)?;
        add_files(conn, id, files)?;
        let document = known_content(conn, &rendering.document)?;
        documents::put(conn, id, documents::NEWEST_DIALECT, rendering, document)?;
        recipe.map_or(Ok(()), |recipe| recipes::put(conn, id, recipe))?;
        artifacts::finish(conn, id, artifact)?;
        stages::add(conn, self.stage, id)?;
        Ok(id)
    }
}

/// Returns a rendered document as a content, which it is kept as.
pub(super) fn document(rendered: &Rendered) -> Collected {
    Collected::in_memory(String::new(), rendered.document.text.clone().into_bytes())
}

/// Files that one transaction adds to an artifact at most, so that no other write waits long for it.
pub(super) const TRANSACTION_FILES: usize = 2048;

fn add_files(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    files: &[Collected],
) -> Result<(), StoreError> {
    files.iter().try_for_each(|file| {
        let content = match file.held {
            Held::Store(content) => content,
            Held::Memory(_) => known_content(conn, &file.sha256)?,
        };
        artifacts::add_file(conn, artifact, &file.path, content)
    })
}

/// Returns the bytes of a file that is held in memory, as collecting holds every manifest.
fn in_memory(file: &Collected) -> Option<&[u8]> {
    match &file.held {
        Held::Memory(bytes) => Some(bytes),
        Held::Store(_) => None,
    }
}

fn known_content(conn: &Transaction<'_>, sha256: &Digest) -> Result<ContentId, StoreError> {
    contents::find(conn, sha256)?
        .map(|content| content.id)
        .ok_or_else(|| StoreError::Invalid {
            what: "content",
            value: sha256.to_string(),
        })
}

/// Returns the digest of a tree: of its sorted files' lines as `sha256sum` prints them, `{digest}  {path}`.
pub(super) fn tree_digest<'f>(files: impl Iterator<Item = (&'f str, &'f Digest)>) -> Digest {
    let mut hasher = Hasher::default();
    for (path, sha256) in files {
        hasher.update(format!("{sha256}  {path}\n").as_bytes());
    }
    hasher.finish()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("facts and slots are plain data with string keys")
}

impl From<DocumentError> for PackageError {
    fn from(error: DocumentError) -> Self {
        Self::Document(with_causes(&error))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

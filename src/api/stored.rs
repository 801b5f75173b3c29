//! What lies in the store and goes out as bytes: the zip of an artifact, or a content in one of its codings.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;

use super::gzip;
use super::pieces::{Piece, PieceReader, ReadError};
use crate::package::canonical_zip::{self, Entry};
use crate::store::artifacts::{self, Artifact, ArtifactId};
use crate::store::contents::{Content, ContentId};
use crate::store::streams::{self, Coding, Stream, StreamId};
use crate::store::{Store, StoreError, recipes};

/// Bytes of the store, named. What a name stands for never changes.
#[derive(Debug, Clone)]
pub enum Stored {
    /// The zip of an artifact.
    Zip(Artifact),
    /// The plain bytes of a content.
    Plain(Content, Stream),
    /// A content as a gzip file: its stream as it lies, with gzip's head and tail. Only what is deflated has this form.
    Gzip(Content, Stream),
}

/// What tells two of them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredId {
    /// Of a [`Stored::Zip`].
    Zip(ArtifactId),
    /// Of a [`Stored::Plain`].
    Plain(ContentId),
    /// Of a [`Stored::Gzip`]: another stream of the same content has other bytes.
    Gzip(StreamId),
}

impl Stored {
    /// Returns what tells it from all others.
    pub fn id(&self) -> StoredId {
        match self {
            Self::Zip(artifact) => StoredId::Zip(artifact.id),
            Self::Plain(content, _) => StoredId::Plain(content.id),
            Self::Gzip(_, stream) => StoredId::Gzip(stream.id),
        }
    }

    /// Returns how many bytes it has.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Zip(artifact) => artifact.bytes,
            Self::Plain(content, _) => content.bytes,
            Self::Gzip(_, stream) => stream.bytes + gzip::OVERHEAD_BYTES,
        }
    }

    /// Returns the pieces it is made of. Reads the list of files of a zip; blocks.
    ///
    /// Fails when the store does, or when the files do not make up the zip that was announced.
    pub fn pieces(&self, store: &Store) -> Result<Vec<Piece>, ReadError> {
        Ok(match self {
            Self::Zip(artifact) => zip_pieces(store, artifact)?,
            Self::Plain(content, stream) => vec![plain_piece(content.bytes, stream)],
            Self::Gzip(content, stream) => {
                let trailer = gzip::trailer(content.crc32, content.bytes);
                vec![
                    Piece::Literal(Bytes::from_static(&gzip::HEADER)),
                    Piece::Stored {
                        stream: stream.id,
                        bytes: stream.bytes,
                    },
                    Piece::Literal(Bytes::copy_from_slice(&trailer)),
                ]
            }
        })
    }

    /// Reads the first `most_bytes` of it into memory; only for what is known to be small. Blocks.
    pub fn read(&self, store: &Arc<Store>, most_bytes: u64) -> Result<Bytes, ReadError> {
        let pieces = self.pieces(store)?;
        PieceReader::new(Arc::clone(store), pieces, 0, most_bytes).read_all()
    }
}

fn zip_pieces(store: &Store, artifact: &Artifact) -> Result<Vec<Piece>, StoreError> {
    match store.snapshot(|conn| recipe_pieces(conn, artifact))? {
        Some(pieces) => Ok(pieces),
        None => canonical_pieces(store, artifact),
    }
}

/// Returns the pieces of an artifact that came as a zip; `None` for one that came as a tree.
fn recipe_pieces(conn: &Connection, artifact: &Artifact) -> Result<Option<Vec<Piece>>, StoreError> {
    let Some(recipe) = recipes::get(conn, artifact.id)? else {
        return Ok(None);
    };
    if recipe.iter().map(recipes::Piece::bytes).sum::<u64>() != artifact.bytes {
        return Err(StoreError::Invalid {
            what: "recipe",
            value: artifact.id.0.to_string(),
        });
    }
    let piece = |piece| {
        Ok(match piece {
            recipes::Piece::Literal(bytes) => Piece::Literal(bytes.into()),
            recipes::Piece::Stream { stream, bytes } => Piece::Stored { stream, bytes },
            recipes::Piece::Content { content, bytes } => {
                plain_piece(bytes, &streams::of_content(conn, content)?)
            }
        })
    };
    recipe
        .into_iter()
        .map(piece)
        .collect::<Result<_, _>>()
        .map(Some)
}

fn canonical_pieces(store: &Store, artifact: &Artifact) -> Result<Vec<Piece>, StoreError> {
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
        canonical_zip::Piece::Entry(index) => {
            plain_piece(files[index].0.content.bytes, &files[index].1)
        }
    };
    Ok(layout.into_iter().map(piece).collect())
}

fn plain_piece(plain_bytes: u64, stream: &Stream) -> Piece {
    match stream.coding {
        Coding::Plain => Piece::Stored {
            stream: stream.id,
            bytes: stream.bytes,
        },
        Coding::Deflate => Piece::Inflated {
            stream: stream.id,
            bytes: plain_bytes,
        },
    }
}

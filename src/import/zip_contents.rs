//! What the files of a package's zip add to the store, and how the zip is put together from it again.
//!
//! A deflated entry is kept as its encoder made it, a stored one as any content. Each is read from the zip when it is
//! written, so that no more of it is in memory than one transaction takes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;

use super::encode::Encoder;
use super::error::ImportError;
use super::known::{Found, Known, Sought};
use super::leaf_pages::LeafPages;
use super::new_contents::{self, Encoded, TRANSACTION_BYTES};
use super::stored;
use super::stream_writer::{self, Encoding};
use crate::archive::{ExactEntry, ExactZip};
use crate::crypto::Digest;
use crate::store::contents::ContentId;
use crate::store::recipes::Piece;
use crate::store::streams::Coding;
use crate::store::{Store, StoreError};

/// A file of a zip whose content was read and found to be what the zip says.
pub(super) struct ZipFile<'z> {
    pub entry: &'z ExactEntry,
    /// The digest of its content.
    pub sha256: Digest,
    /// What the store is to hold of it: its stream where it is deflated, else its content.
    pub sought: Sought,
    /// What the store held of it before.
    pub known: Option<Found>,
    /// The bytes of a manifest.
    pub manifest: Option<Vec<u8>>,
}

/// Stores `batch` and what the store does not hold of `files`, in short transactions.
pub(super) fn store_new<'z>(
    store: &Store,
    encoder: &mut Encoder,
    (pages, known): (&LeafPages, &Known),
    zip: &'z ExactZip,
    files: &[ZipFile<'_>],
    mut batch: Vec<Encoded<'z>>,
) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    let mut batch_bytes = batch.iter().map(Encoded::weight).sum();
    for file in files {
        if file.known.is_some() || !seen.insert(file.sought) {
            continue;
        }
        let packed = zip.packed(file.entry, TRANSACTION_BYTES);
        let Some(packed) = packed.map_err(ImportError::source)? else {
            store_large(store, zip, file)?;
            continue;
        };
        let new = encoded(encoder, packed, file);
        batch_bytes += new.weight();
        batch.push(new);
        if batch_bytes >= TRANSACTION_BYTES {
            new_contents::write(store, pages, known, &batch)?;
            batch.clear();
            batch_bytes = 0;
        }
    }
    new_contents::write(store, pages, known, &batch)?;
    Ok(())
}

fn encoded<'z>(encoder: &mut Encoder, packed: Cow<'z, [u8]>, file: &ZipFile<'_>) -> Encoded<'z> {
    let entry = file.entry;
    let Sought::Stream(stream_sha256) = file.sought else {
        return Encoded::of_plain(encoder, packed, file.sha256, entry.crc32);
    };
    Encoded {
        sha256: file.sha256,
        crc32: entry.crc32,
        plain_bytes: entry.size_bytes,
        coding: Coding::Deflate,
        at_rest: packed,
        exact: Some(stream_sha256),
    }
}

fn store_large(store: &Store, zip: &ExactZip, file: &ZipFile<'_>) -> Result<(), ImportError> {
    let entry = file.entry;
    let mut packed = zip.raw(entry.data.clone());
    if !entry.is_deflated {
        return stream_writer::store_file(&entry.path, &mut packed, store).map(|_| ());
    }
    let encoding = Encoding {
        sha256: file.sha256,
        bytes: entry.size_bytes,
        crc32: entry.crc32,
    };
    stream_writer::store_deflated(&mut packed, &encoding, store)
}

/// Returns how the zip is put together from the store, which holds all of its `files`, and the contents of these, in their
/// order.
pub(super) fn recipe(
    store: &Store,
    known: &Known,
    zip: &ExactZip,
    files: &[ZipFile<'_>],
) -> Result<(Vec<Piece>, Vec<ContentId>), ImportError> {
    let new = files.iter().filter(|file| file.known.is_none());
    let new: Vec<_> = new.map(|file| file.sought).collect();
    let mut new = known.find(store, &new)?.into_iter();
    let mut pieces = Vec::with_capacity(2 * files.len() + 1);
    let mut contents = Vec::with_capacity(files.len());
    let mut literal_start = 0;
    for file in files {
        let data = &file.entry.data;
        push_literal(&mut pieces, zip, literal_start..data.start)?;
        literal_start = data.end;
        let found = file.known.or_else(|| new.next().flatten());
        let Found { content, stream } = found.ok_or_else(|| StoreError::Invalid {
            what: "content",
            value: file.sha256.to_string(),
        })?;
        contents.push(content.id);
        pieces.push(match stream {
            Some(stream) => Piece::Stream {
                stream: stream.id,
                bytes: stream.bytes,
            },
            None => Piece::Content {
                content: content.id,
                bytes: content.bytes,
            },
        });
    }
    push_literal(&mut pieces, zip, literal_start..zip.bytes())?;
    Ok((pieces, contents))
}

/// Tells whether `pieces` give `zip` back: see the head of `zip_package.rs`.
pub(super) fn is_exact(
    store: &Store,
    pieces: &[Piece],
    zip: &ExactZip,
    files: &[ZipFile<'_>],
) -> Result<bool, ImportError> {
    let mut literals = literals(zip)?.into_iter();
    let mut files = files.iter();
    let mut read_back = HashSet::new();
    let mut position = 0;
    for piece in pieces {
        let start = position;
        position += piece.bytes();
        if let Piece::Literal(_) = piece {
            if literals.next().as_ref() != Some(piece) {
                return Ok(false);
            }
            continue;
        }
        let Some(file) = files.next() else {
            return Ok(false);
        };
        if file.entry.data != (start..position) {
            return Ok(false);
        }
        if file.known.is_some() || !read_back.insert(file.sought) {
            continue;
        }
        let there = match *piece {
            Piece::Stream { stream, .. } => Sought::Stream(stored::stream_digest(store, stream)?),
            Piece::Content { content, bytes } => {
                Sought::Content(stored::content_digest(store, content, bytes)?)
            }
            Piece::Literal(_) => return Ok(false),
        };
        if there != file.sought {
            return Ok(false);
        }
    }
    Ok(position == zip.bytes() && files.next().is_none() && literals.next().is_none())
}

/// Returns all bytes of a zip that are no content of a file, as a recipe's pieces.
pub(super) fn literals(zip: &ExactZip) -> Result<Vec<Piece>, ImportError> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for entry in zip.entries() {
        push_literal(&mut pieces, zip, start..entry.data.start)?;
        start = entry.data.end;
    }
    push_literal(&mut pieces, zip, start..zip.bytes())?;
    Ok(pieces)
}

fn push_literal(
    pieces: &mut Vec<Piece>,
    zip: &ExactZip,
    range: std::ops::Range<u64>,
) -> Result<(), ImportError> {
    let mut bytes = Vec::new();
    zip.raw(range)
        .read_to_end(&mut bytes)
        .map_err(ImportError::source)?;
    if !bytes.is_empty() {
        pieces.push(Piece::Literal(bytes));
    }
    Ok(())
}

//! What the files of a package's zip add to the store, and how the zip is put together from it again.
//!
//! A deflated entry is kept as its encoder made it, a stored one as any content. Each is read from the zip when it is
//! written, so that no more of it is in memory than one transaction takes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::collect::{Collected, Held};
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

impl ZipFile<'_> {
    /// Returns it as a file whose content the store holds.
    pub(super) fn collected(&self, held: Held) -> Collected {
        Collected {
            path: self.entry.path.clone(),
            sha256: self.sha256,
            bytes: self.entry.size_bytes,
            crc32: self.entry.crc32,
            held,
        }
    }
}

/// Stores `batch` and what the store does not hold of `files`, in short transactions, but what the last of them is to write:
/// returns that.
pub(super) fn store_most<'z>(
    store: &Store,
    encoder: &mut Encoder,
    (pages, known): (&LeafPages, &Known),
    zip: &'z ExactZip,
    files: &[ZipFile<'_>],
    mut batch: Vec<Encoded<'z>>,
) -> Result<Vec<Encoded<'z>>, ImportError> {
    let mut seen = HashSet::new();
    let mut batch_bytes = batch.iter().map(Encoded::weight).sum::<usize>();
    for file in files {
        if file.known.is_some() || !seen.insert(file.sought) {
            continue;
        }
        let packed = zip.packed(file.entry, TRANSACTION_BYTES);
        let Some(packed) = packed.map_err(ImportError::source)? else {
            store_large(store, zip, file)?;
            continue;
        };
        if batch_bytes >= TRANSACTION_BYTES {
            new_contents::write(store, pages, known, &batch)?;
            batch.clear();
            batch_bytes = 0;
        }
        let new = encoded(encoder, packed, file);
        batch_bytes += new.weight();
        batch.push(new);
    }
    Ok(batch)
}

fn encoded<'z>(encoder: &mut Encoder, packed: Cow<'z, [u8]>, file: &ZipFile<'_>) -> Encoded<'z> {
    let entry = file.entry;
    let Sought::Stream(stream_sha256) = file.sought else {
        let deflated = encoder.encode_proven(&packed);
        return Encoded::of_plain(packed, deflated, file.sha256, entry.crc32);
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

/// Returns how the zip is put together from the store, and the contents of its `files`, in their order. `stored` is what the
/// store holds of those that were not known.
pub(super) fn recipe(
    zip: &ExactZip,
    files: &[ZipFile<'_>],
    stored: &HashMap<Sought, Found>,
) -> Result<(Vec<Piece>, Vec<ContentId>), ImportError> {
    let mut pieces = Vec::with_capacity(2 * files.len() + 1);
    let mut contents = Vec::with_capacity(files.len());
    let mut literal_start = 0;
    for file in files {
        let data = &file.entry.data;
        push_literal(&mut pieces, zip, literal_start..data.start)?;
        literal_start = data.end;
        let found = file.known.or_else(|| stored.get(&file.sought).copied());
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

/// Tells whether `pieces` lie as `zip` and its `files` do: see the head of `zip_package.rs`.
pub(super) fn is_laid_alike(
    pieces: &[Piece],
    zip: &ExactZip,
    files: &[ZipFile<'_>],
) -> Result<bool, ImportError> {
    let mut literals = literals(zip)?.into_iter();
    let mut files = files.iter();
    let mut position = 0;
    for piece in pieces {
        let start = position;
        position += piece.bytes();
        let is_alike = match piece {
            Piece::Literal(_) => literals.next().as_ref() == Some(piece),
            _ => files
                .next()
                .is_some_and(|file| file.entry.data == (start..position)),
        };
        if !is_alike {
            return Ok(false);
        }
    }
    Ok(position == zip.bytes() && files.next().is_none() && literals.next().is_none())
}

/// Tells whether the store gives back what was stored in it by transactions that were committed.
pub(super) fn are_given_back(
    store: &Store,
    stored: &HashMap<Sought, Found>,
) -> Result<bool, ImportError> {
    for (sought, found) in stored {
        let (Sought::Stream(digest) | Sought::Content(digest)) = sought;
        if stored::digest(store, found)? != *digest {
            return Ok(false);
        }
    }
    Ok(true)
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

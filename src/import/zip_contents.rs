//! What the files of a package's zip add to the store, and how the zip is put together from it again.
//!
//! A deflated entry is kept as its encoder made it, a stored one as any content. Each is read from the zip when it is
//! written, so that no more of it is in memory than one transaction takes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;

use super::encode::Encoder;
use super::error::ImportError;
use super::new_contents::{self, Encoded, TRANSACTION_BYTES};
use super::stream_writer::{self, Encoding};
use crate::archive::{ExactEntry, ExactZip};
use crate::crypto::Digest;
use crate::store::contents::{self, ContentId};
use crate::store::recipes::Piece;
use crate::store::streams::{self, Coding};
use crate::store::{Store, StoreError};

/// A file of a zip whose content was read and found to be what the zip says.
pub(super) struct ZipFile<'z> {
    pub entry: &'z ExactEntry,
    /// The digest of its content.
    pub sha256: Digest,
    /// The digest of its deflate stream, where it is deflated.
    pub stream_sha256: Option<Digest>,
    /// The bytes of a manifest.
    pub manifest: Option<Vec<u8>>,
}

/// Stores what the store does not hold of `files`, in short transactions.
pub(super) fn store_new(
    store: &Store,
    encoder: &mut Encoder,
    zip: &ExactZip,
    files: &[ZipFile<'_>],
) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    let mut batch = Vec::new();
    let mut batch_bytes = 0;
    for file in files {
        if !seen.insert((file.sha256, file.stream_sha256)) || is_known(store, file)? {
            continue;
        }
        if file.entry.packed_bytes() > TRANSACTION_BYTES as u64 {
            store_large(store, zip, file)?;
            continue;
        }
        let new = encoded(encoder, zip, file)?;
        batch_bytes += new.weight();
        batch.push(new);
        if batch_bytes >= TRANSACTION_BYTES {
            new_contents::write(store, &batch)?;
            batch.clear();
            batch_bytes = 0;
        }
    }
    new_contents::write(store, &batch)?;
    Ok(())
}

fn is_known(store: &Store, file: &ZipFile<'_>) -> Result<bool, StoreError> {
    store.read(|conn| match &file.stream_sha256 {
        Some(stream) => Ok(streams::find_deflated(conn, stream)?.is_some()),
        None => Ok(contents::find(conn, &file.sha256)?.is_some()),
    })
}

fn encoded(
    encoder: &mut Encoder,
    zip: &ExactZip,
    file: &ZipFile<'_>,
) -> Result<Encoded<'static>, ImportError> {
    let entry = file.entry;
    let mut packed = Vec::new();
    zip.raw(entry.data.clone())
        .read_to_end(&mut packed)
        .map_err(ImportError::source)?;
    if file.stream_sha256.is_none() {
        let plain = Cow::Owned(packed);
        return Ok(Encoded::of_plain(encoder, plain, file.sha256, entry.crc32));
    }
    Ok(Encoded {
        sha256: file.sha256,
        crc32: entry.crc32,
        plain_bytes: entry.size_bytes,
        coding: Coding::Deflate,
        at_rest: Cow::Owned(packed),
        exact: file.stream_sha256,
    })
}

fn store_large(store: &Store, zip: &ExactZip, file: &ZipFile<'_>) -> Result<(), ImportError> {
    let entry = file.entry;
    let mut packed = zip.raw(entry.data.clone());
    if file.stream_sha256.is_none() {
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
    zip: &ExactZip,
    files: &[ZipFile<'_>],
) -> Result<(Vec<Piece>, Vec<ContentId>), ImportError> {
    let mut pieces = Vec::with_capacity(2 * files.len() + 1);
    let mut found = Vec::with_capacity(files.len());
    let mut literal_start = 0;
    for file in files {
        let data = &file.entry.data;
        push_literal(&mut pieces, zip, literal_start..data.start)?;
        literal_start = data.end;
        let missing = |digest: &Digest| StoreError::Invalid {
            what: "content",
            value: digest.to_string(),
        };
        let (content, stream) = store.read(|conn| {
            let content =
                contents::find(conn, &file.sha256)?.ok_or_else(|| missing(&file.sha256))?;
            let stream = match &file.stream_sha256 {
                None => None,
                Some(sha256) => {
                    let found = streams::find_deflated(conn, sha256)?;
                    Some(found.ok_or_else(|| missing(sha256))?.0)
                }
            };
            Ok::<_, StoreError>((content, stream))
        })?;
        found.push(content.id);
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
    Ok((pieces, found))
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

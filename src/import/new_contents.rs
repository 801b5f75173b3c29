//! The contents of a package that the store does not hold yet: encoded, then written in short transactions.

use std::collections::HashSet;

use rusqlite::Transaction;

use super::collect::{Collected, Held};
use super::encode::Encoder;
use super::error::ImportError;
use crate::crypto::Digest;
use crate::store::contents::{self, ContentId};
use crate::store::streams::{self, CHUNK_BYTES, Coding};
use crate::store::{Store, StoreError};

/// Bytes that one transaction writes at most, so that no other write waits long for it.
const TRANSACTION_BYTES: usize = 2 << 20;

/// What a content costs beyond its bytes, in bytes of [`TRANSACTION_BYTES`]: its rows. So one transaction writes at most
/// 2,048 contents, however small.
const CONTENT_BYTES: usize = 1 << 10;

/// A content that the store does not hold yet, encoded.
pub(super) struct Encoded<'a> {
    sha256: Digest,
    crc32: u32,
    plain: &'a [u8],
    deflated: Option<Vec<u8>>,
}

/// Encodes those contents in memory that the store does not hold, each once.
pub(super) fn encode_new<'f>(
    store: &Store,
    encoder: &mut Encoder,
    files: impl Iterator<Item = &'f Collected>,
) -> Result<Vec<Encoded<'f>>, ImportError> {
    let mut seen = HashSet::new();
    let mut new = Vec::new();
    for file in files {
        let Held::Memory(plain) = &file.held else {
            continue;
        };
        if !seen.insert(file.sha256)
            || store
                .read(|conn| contents::find(conn, &file.sha256))?
                .is_some()
        {
            continue;
        }
        let deflated = encoder.encode(plain);
        new.push(Encoded {
            sha256: file.sha256,
            crc32: file.crc32,
            plain,
            deflated,
        });
    }
    Ok(new)
}

/// Writes contents, in as many transactions as their bytes need.
pub(super) fn write(store: &Store, new: &[Encoded<'_>]) -> Result<(), StoreError> {
    batches(new).try_for_each(|batch| {
        store.write_within_space(|conn| {
            batch
                .iter()
                .try_for_each(|content| put(conn, content).map(|_| ()))
        })
    })
}

impl Encoded<'_> {
    fn at_rest(&self) -> &[u8] {
        self.deflated.as_deref().unwrap_or(self.plain)
    }
}

/// Cuts contents into runs that one transaction each may write.
fn batches<'a, 'b>(new: &'b [Encoded<'a>]) -> impl Iterator<Item = &'b [Encoded<'a>]> {
    let mut rest = new;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take_while(|content| {
                let is_first = bytes == 0;
                bytes += content.at_rest().len() + CONTENT_BYTES;
                is_first || bytes <= TRANSACTION_BYTES
            })
            .count();
        let (batch, after) = rest.split_at(fitting);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Writes a content and its stream, unless another package brought it meanwhile.
fn put(conn: &Transaction<'_>, content: &Encoded<'_>) -> Result<ContentId, StoreError> {
    if let Some(known) = contents::find(conn, &content.sha256)? {
        return Ok(known.id);
    }
    let id = contents::insert(
        conn,
        &content.sha256,
        content.plain.len() as u64,
        content.crc32,
    )?;
    let at_rest = content.at_rest();
    let (coding, sha256) = match &content.deflated {
        Some(deflated) => (Coding::Deflate, Digest::of(deflated)),
        None => (Coding::Plain, content.sha256),
    };
    let stream = streams::begin(conn, coding)?;
    for (number, chunk) in (0..).zip(at_rest.chunks(CHUNK_BYTES)) {
        streams::append(conn, stream, number, chunk)?;
    }
    streams::finish(conn, stream, id, &sha256, at_rest.len() as u64)?;
    Ok(id)
}

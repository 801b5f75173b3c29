//! The contents of a package that the store does not hold yet: encoded, then written in short transactions.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rusqlite::Transaction;

use super::collect::{Collected, Held};
use super::encode::Encoder;
use super::error::ImportError;
use super::known::{Found, Known, Sought};
use super::leaf_pages::LeafPages;
use super::stored;
use crate::crypto::Digest;
use crate::store::contents::{self, Content};
use crate::store::streams::{self, CHUNK_BYTES, Coding, Stream};
use crate::store::{Store, StoreError};

/// Bytes that one transaction writes at most, so that no other write waits long for it.
pub(super) const TRANSACTION_BYTES: usize = 2 << 20;

/// What a content costs beyond its bytes, in bytes of [`TRANSACTION_BYTES`]: its rows. So one transaction writes at most
/// 2,048 contents, however small.
const CONTENT_BYTES: usize = 1 << 10;

/// A content as it is to be kept.
pub(super) struct Encoded<'a> {
    pub sha256: Digest,
    pub crc32: u32,
    pub plain_bytes: u64,
    pub coding: Coding,
    pub at_rest: Cow<'a, [u8]>,
    /// The digest of a stream that is kept even where its content has another: a zip has to come back with it.
    pub exact: Option<Digest>,
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
        let plain = Cow::Borrowed(plain.as_slice());
        new.push(Encoded::of_plain(plain, deflated, file.sha256, file.crc32));
    }
    Ok(new)
}

/// Writes contents, in as many transactions as their bytes need; those of one in the order that wastes the least space.
pub(super) fn write(
    store: &Store,
    pages: &LeafPages,
    known: &Known,
    new: &[Encoded<'_>],
) -> Result<(), StoreError> {
    batches(new).try_for_each(|batch| {
        known.learn(store.write_within_space(|conn| put_all(conn, pages, batch))?);
        Ok(())
    })
}

/// Writes contents in the order that wastes the least space; returns what the store holds of each then.
pub(super) fn put_all(
    conn: &Transaction<'_>,
    pages: &LeafPages,
    batch: &[Encoded<'_>],
) -> Result<HashMap<Sought, Found>, StoreError> {
    let sizes = batch.iter().map(|content| content.at_rest.len());
    let order = pages.order(sizes).into_iter();
    let contents = order.filter_map(|index| batch.get(index));
    contents
        .map(|content| Ok((content.sought(), put(conn, content)?)))
        .collect()
}

/// Tells whether a transaction gives back what [`put_all`] made of `batch`: byte by byte as it was encoded, or the same
/// content where another package brought it meanwhile, encoded as it may be.
pub(super) fn are_given_back(
    conn: &Transaction<'_>,
    batch: &[Encoded<'_>],
    put: &HashMap<Sought, Found>,
) -> Result<bool, StoreError> {
    for new in batch {
        let Some(found) = put.get(&new.sought()) else {
            return Ok(false);
        };
        let stream = match found.stream {
            Some(stream) => stream,
            None => streams::of_content(conn, found.content.id)?,
        };
        let is_given_back = stored::is_stream(conn, &stream, &new.at_rest)?
            || new.exact.is_none() && stored::digest_within(conn, found)? == new.sha256;
        if !is_given_back {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'a> Encoded<'a> {
    /// Takes the content whose plain bytes these are, as an [`Encoder`] has `deflated` it or not.
    pub(super) fn of_plain(
        plain: Cow<'a, [u8]>,
        deflated: Option<Vec<u8>>,
        sha256: Digest,
        crc32: u32,
    ) -> Self {
        let plain_bytes = plain.len() as u64;
        let (coding, at_rest) = match deflated {
            Some(deflated) => (Coding::Deflate, Cow::Owned(deflated)),
            None => (Coding::Plain, plain),
        };
        Self {
            sha256,
            crc32,
            plain_bytes,
            coding,
            at_rest,
            exact: None,
        }
    }

    fn sought(&self) -> Sought {
        self.exact
            .map_or(Sought::Content(self.sha256), Sought::Stream)
    }

    /// Returns what it takes of [`TRANSACTION_BYTES`].
    pub(super) fn weight(&self) -> usize {
        self.at_rest.len() + CONTENT_BYTES
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
                bytes += content.weight();
                is_first || bytes <= TRANSACTION_BYTES
            })
            .count();
        let (batch, after) = rest.split_at(fitting);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Writes a content and its stream, unless another package brought it meanwhile; returns what the store holds then.
fn put(conn: &Transaction<'_>, new: &Encoded<'_>) -> Result<Found, StoreError> {
    let same_stream = match &new.exact {
        Some(exact) => streams::find_deflated(conn, exact)?,
        None => None,
    };
    if let Some((stream, content)) = same_stream {
        let stream = Some(stream);
        return Ok(Found { content, stream });
    }
    let known = contents::find(conn, &new.sha256)?;
    if let (Some(content), None) = (known, new.exact) {
        let stream = None;
        return Ok(Found { content, stream });
    }
    let content = match known {
        Some(known) => known,
        None => Content {
            id: contents::insert(conn, &new.sha256, new.plain_bytes, new.crc32)?,
            sha256: new.sha256,
            bytes: new.plain_bytes,
            crc32: new.crc32,
        },
    };
    let (exact, bytes) = (new.exact.as_ref(), new.at_rest.len() as u64);
    let id = streams::add(conn, content.id, new.coding, exact, bytes)?;
    for (number, chunk) in (0..).zip(new.at_rest.chunks(CHUNK_BYTES)) {
        streams::append(conn, id, number, chunk)?;
    }
    if known.is_some() && exact.is_some() {
        streams::drop_replaced(conn, content.id)?;
    }
    let stream = exact.map(|_| Stream {
        id,
        coding: new.coding,
        bytes,
    });
    Ok(Found { content, stream })
}

//! Reading the store back, a chunk at a time: a content, plain, and a stream as it lies.

use flate2::{Decompress, FlushDecompress, Status};
use rusqlite::Connection;

use super::error::ImportError;
use super::known::Found;
use crate::crypto::{Digest, Hasher};
use crate::store::contents::ContentId;
use crate::store::recipes::Piece;
use crate::store::streams::{self, CHUNK_BYTES, Coding, Stream, StreamId};
use crate::store::{Store, StoreError};

/// Hands the `bytes` plain bytes of a content to `each`, piece by piece; at most one chunk and its plain form are in
/// memory.
///
/// Fails with [`StoreError::Damaged`] when what is stored is not that many bytes, after `each` has seen some of them.
pub(super) fn read_content(
    store: &Store,
    content: ContentId,
    bytes: u64,
    mut each: impl FnMut(&[u8]),
) -> Result<(), ImportError> {
    // In one transaction: meanwhile another maker may put a zip's stream in its place. Not so where it is large.
    let large = store.snapshot(|conn| {
        let stream = streams::of_content(conn, content)?;
        if stream.bytes > streams::REPLACED_BYTES {
            return Ok(Some(stream));
        }
        let chunk = |number| streams::chunk(conn, stream.id, number);
        read_stream(&stream, bytes, chunk, &mut each).map(|()| None)
    })?;
    if let Some(stream) = large {
        let chunk = |number| store.read(|conn| streams::chunk(conn, stream.id, number));
        read_stream(&stream, bytes, chunk, &mut each)?;
    }
    Ok(())
}

fn read_stream(
    stream: &Stream,
    bytes: u64,
    read_chunk: impl Fn(u32) -> Result<Option<Vec<u8>>, StoreError>,
    each: &mut impl FnMut(&[u8]),
) -> Result<(), StoreError> {
    let mut read_bytes = 0;
    let mut each = |plain: &[u8]| {
        read_bytes += plain.len() as u64;
        each(plain);
    };
    let mut inflate = Inflate::new();
    for number in 0..stream.chunks() {
        let chunk = read_chunk(number)?.ok_or_else(|| damaged(stream, number))?;
        match stream.coding {
            Coding::Plain => each(&chunk),
            Coding::Deflate => inflate
                .chunk(&chunk, &mut each)
                .ok_or_else(|| damaged(stream, number))?,
        }
    }
    if read_bytes != bytes {
        return Err(damaged(stream, stream.chunks().saturating_sub(1)));
    }
    Ok(())
}

/// Returns the digest of what was found, read from the store: of a stream as it lies, else of a content's plain bytes.
pub(super) fn digest(store: &Store, found: &Found) -> Result<Digest, ImportError> {
    let mut hasher = Hasher::default();
    let update = |bytes: &[u8]| hasher.update(bytes);
    match found.stream {
        Some(stream) => read_chunks(store, stream.id, update)?,
        None => read_content(store, found.content.id, found.content.bytes, update)?,
    }
    Ok(hasher.finish())
}

/// Returns the digest of a content's plain bytes, which a transaction has written, and few.
pub(super) fn digest_within(conn: &Connection, found: &Found) -> Result<Digest, StoreError> {
    let mut hasher = Hasher::default();
    let stream = streams::of_content(conn, found.content.id)?;
    let chunk = |number| streams::chunk(conn, stream.id, number);
    read_stream(&stream, found.content.bytes, chunk, &mut |plain| {
        hasher.update(plain)
    })?;
    Ok(hasher.finish())
}

/// Tells whether a stream that a transaction has written lies as `bytes`.
pub(super) fn is_stream(
    conn: &Connection,
    stream: &Stream,
    bytes: &[u8],
) -> Result<bool, StoreError> {
    for (number, bytes) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
        let chunk = streams::chunk(conn, stream.id, number)?;
        if chunk.as_deref() != Some(bytes) {
            return Ok(false);
        }
    }
    Ok(stream.bytes == bytes.len() as u64)
}

/// Hands the bytes of the artifact that `pieces` make to `each`, read from the store.
pub(super) fn read_pieces(
    store: &Store,
    pieces: &[Piece],
    mut each: impl FnMut(&[u8]),
) -> Result<(), ImportError> {
    for piece in pieces {
        match piece {
            Piece::Literal(bytes) => each(bytes),
            Piece::Content { content, bytes } => {
                read_content(store, *content, *bytes, &mut each)?;
            }
            Piece::Stream { stream, .. } => read_chunks(store, *stream, &mut each)?,
        }
    }
    Ok(())
}

/// Hands a stream as it lies to `each`.
fn read_chunks(
    store: &Store,
    stream: StreamId,
    mut each: impl FnMut(&[u8]),
) -> Result<(), ImportError> {
    let mut number = 0;
    while let Some(bytes) = store.read(|conn| streams::chunk(conn, stream, number))? {
        each(&bytes);
        number += 1;
    }
    Ok(())
}

fn damaged(stream: &Stream, number: u32) -> StoreError {
    StoreError::Damaged {
        stream: stream.id.0,
        number,
    }
}

/// A deflate stream on its way back.
struct Inflate {
    inflate: Decompress,
    plain: Vec<u8>,
}

impl Inflate {
    fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            plain: Vec::with_capacity(CHUNK_BYTES),
        }
    }

    /// Hands over what `chunk` adds; `None` when it is no part of a deflate stream, or goes on after its end.
    fn chunk(&mut self, mut chunk: &[u8], each: &mut impl FnMut(&[u8])) -> Option<()> {
        loop {
            self.plain.clear();
            let before = self.inflate.total_in();
            let status = self
                .inflate
                .decompress_vec(chunk, &mut self.plain, FlushDecompress::None)
                .ok()?;
            let taken = usize::try_from(self.inflate.total_in() - before).ok()?;
            chunk = chunk.get(taken..)?;
            each(&self.plain);
            // Output that filled its buffer may have more behind it, though all input was taken.
            let may_have_more = self.plain.len() == self.plain.capacity();
            match status {
                Status::StreamEnd => return chunk.is_empty().then_some(()),
                _ if may_have_more => {}
                _ if chunk.is_empty() => return Some(()),
                _ if taken == 0 => return None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::encode::Encoder;

    /// Inflates `deflated` in pieces of `piece_bytes`.
    fn inflated(deflated: &[u8], piece_bytes: usize) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        let mut inflate = Inflate::new();
        for piece in deflated.chunks(piece_bytes) {
            inflate.chunk(piece, &mut |bytes| plain.extend_from_slice(bytes))?;
        }
        Some(plain)
    }

    #[test]
    fn a_deflate_stream_comes_back_however_it_is_cut_and_whatever_it_expands_to() {
        let capacity = Inflate::new().plain.capacity();
        for bytes in [0, 1, capacity - 1, capacity, capacity + 1, 5 * capacity] {
            let plain = vec![7; bytes];
            let deflated = Encoder::new().deflate(&plain);
            for piece_bytes in [1, 7, deflated.len()] {
                let back = inflated(&deflated, piece_bytes).unwrap();
                assert!(back == plain, "{bytes} bytes in pieces of {piece_bytes}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_deflate_stream_or_follow_one_are_damage() {
        let deflated = Encoder::new().deflate(b"hello hello hello");
        assert_eq!(inflated(b"\xff\xff\xff\xff", 4), None);
        assert_eq!(inflated(&[&deflated[..], b"x"].concat(), 100), None);
    }
}

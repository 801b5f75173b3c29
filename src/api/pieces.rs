//! The bytes of an answer as pieces: some in memory, most in the store, in the order they go out.
//!
//! A file is one piece, its gzip three, a zip hundreds. They are read in blocks of at most [`BLOCK_BYTES`], each chunk of
//! the store by a statement of its own, so that a slow client never holds a transaction open. What is damaged ends in
//! an error: whoever sends the blocks has to cut the connection. Blocks; knows nothing of HTTP.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{DecompressionError, Decompressor};
use rusqlite::Connection;

use crate::store::streams::{self, CHUNK_BYTES, StreamId};
use crate::store::{Store, StoreError};

/// Bytes of the largest block.
pub const BLOCK_BYTES: usize = CHUNK_BYTES;

/// Blocks inflated at a time only to reach the first byte of a range: others want the thread too.
const MAX_SKIPPED_BLOCKS: usize = 16;

/// Some bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These.
    Literal(Bytes),
    /// Those of a stream, as they lie in the store.
    Stored {
        /// The stream.
        stream: StreamId,
        /// Its encoded bytes.
        bytes: u64,
    },
    /// Those that a stream of raw deflate decodes to.
    Inflated {
        /// The stream.
        stream: StreamId,
        /// The plain bytes.
        bytes: u64,
    },
}

/// What cannot be sent to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store has failed, or what it holds is damaged.
    #[error("cannot read the store")]
    Store(#[from] StoreError),
    /// A stream ends before it should, or goes on after.
    #[error("stream {0} does not have the bytes it should")]
    Length(i64),
    /// A stream is not raw deflate.
    #[error("stream {0} cannot be inflated")]
    Deflate(i64),
    /// The pieces are fewer bytes than were announced.
    #[error("there is nothing at byte {0}")]
    Short(u64),
    /// The thread that read has ended without a result.
    #[error("a read was lost: {0}")]
    Lost(String),
}

impl Piece {
    /// Returns how many bytes it adds to the answer.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Literal(bytes) => bytes.len() as u64,
            Self::Stored { bytes, .. } | Self::Inflated { bytes, .. } => *bytes,
        }
    }
}

/// Reads pieces in order, block by block.
pub struct PieceReader {
    store: Arc<Store>,
    parts: VecDeque<Part>,
    offset: u64,
    remaining: u64,
}

/// The part of a piece that is still to be read.
struct Part {
    piece: Piece,
    skip: u64,
    take: u64,
    /// The next chunk of the stream.
    chunk: u32,
    inflating: Option<Inflating>,
}

/// A stream on its way through a decoder, for what is not inflated at once.
struct Inflating {
    decoder: Decompress,
    encoded: Vec<u8>,
    used: usize,
}

impl Default for Inflating {
    fn default() -> Self {
        Self {
            decoder: Decompress::new(false),
            encoded: Vec::new(),
            used: 0,
        }
    }
}

impl PieceReader {
    /// Returns a reader of `length` bytes from offset `start` of `pieces`, or of fewer if they end before.
    pub fn new(
        store: Arc<Store>,
        pieces: impl IntoIterator<Item = Piece>,
        start: u64,
        length: u64,
    ) -> Self {
        let mut skip = start;
        let mut remaining = length;
        let mut parts = VecDeque::new();
        for piece in pieces {
            let bytes = piece.bytes();
            if bytes <= skip {
                skip -= bytes;
                continue;
            }
            let take = (bytes - skip).min(remaining);
            if take == 0 {
                break;
            }
            parts.push_back(Part::new(piece, skip, take));
            skip = 0;
            remaining -= take;
        }
        Self {
            store,
            parts,
            offset: start,
            remaining: length - remaining,
        }
    }

    /// Returns where in the whole the next block begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how many bytes are still to come.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Reads the next block: at most `most` bytes and at most [`BLOCK_BYTES`]; none only at the end or on the way to a
    /// range's first byte.
    ///
    /// Blocks; never call it on an async thread.
    pub fn next_block(&mut self, most: usize) -> Result<Bytes, ReadError> {
        let most = most.clamp(1, BLOCK_BYTES);
        let Self { store, parts, .. } = self;
        let block = store.read(|conn| {
            let mut block = Vec::new();
            while let Some(part) = parts.front_mut() {
                if !block.is_empty() && block.len() as u64 + part.next_bytes(most) > most as u64 {
                    break;
                }
                let room = most - block.len();
                let more = part.read(conn, room)?;
                if part.take == 0 {
                    parts.pop_front();
                }
                if block.is_empty() && (more.is_empty() || more.len() >= most / 2) {
                    return Ok::<_, ReadError>(more);
                }
                block.extend_from_slice(&more);
            }
            Ok(block.into())
        })?;
        self.offset += block.len() as u64;
        self.remaining -= block.len() as u64;
        Ok(block)
    }

    /// Reads everything that is left into one buffer; only for what is known to be small.
    pub fn read_all(mut self) -> Result<Bytes, ReadError> {
        let mut all = Vec::new();
        while self.remaining > 0 {
            all.extend_from_slice(&self.next_block(BLOCK_BYTES)?);
        }
        Ok(all.into())
    }
}

impl Part {
    fn new(piece: Piece, skip: u64, take: u64) -> Self {
        let mut part = Self {
            inflating: None,
            piece,
            skip,
            take,
            chunk: 0,
        };
        if let Piece::Stored { .. } = part.piece {
            let chunks = part.skip / CHUNK_BYTES as u64;
            part.chunk = u32::try_from(chunks).unwrap_or(u32::MAX);
            part.skip %= CHUNK_BYTES as u64;
        }
        part
    }

    /// Returns how many bytes the next read may bring, of at most `most`.
    fn next_bytes(&self, most: usize) -> u64 {
        self.take.min(most as u64)
    }

    /// Reads at most `room` bytes, where that is no less than [`Self::next_bytes`].
    fn read(&mut self, conn: &Connection, room: usize) -> Result<Bytes, ReadError> {
        match self.piece {
            Piece::Literal(ref bytes) => {
                let rest = bytes.slice(usize::try_from(self.skip).unwrap_or(bytes.len())..);
                let block = rest.slice(..rest.len().min(room).min(self.take_as_usize()));
                self.skip += block.len() as u64;
                self.take -= block.len() as u64;
                Ok(block)
            }
            Piece::Stored { stream, .. } => {
                let chunk = streams::chunk(conn, stream, self.chunk)?;
                let chunk = chunk.ok_or(ReadError::Length(stream.0))?;
                let first = usize::try_from(self.skip).unwrap_or(usize::MAX);
                if first >= chunk.len() {
                    return Err(ReadError::Length(stream.0));
                }
                let wanted = room.min(self.take_as_usize());
                let last = chunk.len().min(first.saturating_add(wanted));
                self.take -= (last - first) as u64;
                if last < chunk.len() {
                    // Read again for the next block: a client that waits holds no more than it was given.
                    self.skip = last as u64;
                    return Ok(Bytes::copy_from_slice(&chunk[first..last]));
                }
                self.chunk += 1;
                self.skip = 0;
                Ok(Bytes::from(chunk).slice(first..last))
            }
            Piece::Inflated { stream, bytes } => self.inflate(conn, stream, bytes, room),
        }
    }

    fn take_as_usize(&self) -> usize {
        usize::try_from(self.take).unwrap_or(usize::MAX)
    }

    fn inflate(
        &mut self,
        conn: &Connection,
        stream: StreamId,
        plain_bytes: u64,
        room: usize,
    ) -> Result<Bytes, ReadError> {
        let wanted = room.min(self.take_as_usize());
        if self.inflating.is_none() && plain_bytes <= BLOCK_BYTES as u64 {
            let chunk = streams::chunk(conn, stream, 0)?.ok_or(ReadError::Length(stream.0))?;
            if chunk.len() < CHUNK_BYTES {
                // Inflated again for the next block, where one is not enough: that is cheaper than to keep a decoder.
                let plain = whole(stream, &chunk, plain_bytes as usize)?;
                let first = self.skip as usize;
                let block = plain.get(first..first + wanted);
                let block = block.ok_or(ReadError::Length(stream.0))?;
                self.skip += wanted as u64;
                self.take -= wanted as u64;
                return Ok(if wanted == plain.len() {
                    plain
                } else {
                    Bytes::copy_from_slice(block)
                });
            }
        }
        let state = self.inflating.get_or_insert_with(Inflating::default);
        for _ in 0..MAX_SKIPPED_BLOCKS {
            let skipped = self.skip.min(BLOCK_BYTES as u64);
            // What comes before the range is inflated by itself, and thrown away.
            let capacity = match usize::try_from(skipped) {
                Ok(skipped) if skipped > 0 => skipped,
                _ => wanted,
            };
            let mut block = vec![0; capacity];
            let mut filled = 0;
            while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                let (read, written) = (state.decoder.total_in(), state.decoder.total_out());
                let encoded = state.encoded.get(state.used..).unwrap_or_default();
                let status = state
                    .decoder
                    .decompress(encoded, rest, FlushDecompress::None)
                    .map_err(|_| ReadError::Deflate(stream.0))?;
                let used = (state.decoder.total_in() - read) as usize;
                let inflated = (state.decoder.total_out() - written) as usize;
                state.used += used;
                filled += inflated;
                let is_done = state.decoder.total_out() == plain_bytes;
                if status == Status::StreamEnd && !is_done {
                    return Err(ReadError::Length(stream.0));
                }
                // A decoder that has taken all there is may still hold output: only one that gives none wants more.
                if used == 0 && inflated == 0 {
                    if state.used < state.encoded.len() {
                        return Err(ReadError::Deflate(stream.0));
                    }
                    let chunk = streams::chunk(conn, stream, self.chunk)?;
                    state.encoded = chunk.ok_or(ReadError::Length(stream.0))?;
                    state.used = 0;
                    self.chunk += 1;
                }
            }
            if skipped == 0 {
                self.take -= block.len() as u64;
                return Ok(block.into());
            }
            self.skip -= skipped;
        }
        Ok(Bytes::new())
    }
}

/// Inflates a stream that is one chunk, of `plain_bytes` plain bytes, at once: most files of packages are such.
fn whole(stream: StreamId, deflated: &[u8], plain_bytes: usize) -> Result<Bytes, ReadError> {
    let mut plain = vec![0; plain_bytes];
    match Decompressor::new().deflate_decompress(deflated, &mut plain) {
        Ok(bytes) if bytes == plain_bytes => Ok(plain.into()),
        Ok(_) | Err(DecompressionError::InsufficientSpace) => Err(ReadError::Length(stream.0)),
        Err(DecompressionError::BadData) => Err(ReadError::Deflate(stream.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;
    use crate::store::contents;
    use crate::store::streams::Coding;
    use std::io::Write;

    struct Fixture {
        store: Arc<Store>,
        _folder: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self {
                store: Arc::new(Store::open(folder.path()).unwrap()),
                _folder: folder,
            }
        }

        fn stored(&self, plain: &[u8], coding: Coding) -> Piece {
            let encoded = match coding {
                Coding::Plain => plain.to_vec(),
                Coding::Deflate => {
                    let level = flate2::Compression::new(1);
                    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                    encoder.write_all(plain).unwrap();
                    encoder.finish().unwrap()
                }
            };
            let stream = self.write(plain, &encoded, coding);
            match coding {
                Coding::Plain => Piece::Stored {
                    stream,
                    bytes: encoded.len() as u64,
                },
                Coding::Deflate => Piece::Inflated {
                    stream,
                    bytes: plain.len() as u64,
                },
            }
        }

        fn write(&self, plain: &[u8], encoded: &[u8], coding: Coding) -> StreamId {
            let write = |conn: &rusqlite::Transaction<'_>| {
                let stream = streams::begin(conn, coding)?;
                for (number, chunk) in encoded.chunks(CHUNK_BYTES).enumerate() {
                    streams::append(conn, stream, number as u32, chunk)?;
                }
                let digest = Digest::of(plain);
                let content = contents::insert(conn, &digest, plain.len() as u64, 0)?;
                streams::finish(conn, stream, content, None, encoded.len() as u64)?;
                Ok::<_, StoreError>(stream)
            };
            self.store.write(write).unwrap()
        }

        fn blocks(
            &self,
            pieces: &[Piece],
            start: u64,
            length: u64,
        ) -> Result<Vec<Bytes>, ReadError> {
            self.blocks_of(BLOCK_BYTES, pieces, start, length)
        }

        fn blocks_of(
            &self,
            most: usize,
            pieces: &[Piece],
            start: u64,
            length: u64,
        ) -> Result<Vec<Bytes>, ReadError> {
            let mut reader =
                PieceReader::new(Arc::clone(&self.store), pieces.to_vec(), start, length);
            let mut blocks = Vec::new();
            while reader.remaining() > 0 {
                blocks.push(reader.next_block(most)?);
            }
            Ok(blocks)
        }
    }

    /// Bytes that deflate gains little on, and that differ everywhere.
    fn noise(bytes: usize, seed: u32) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn any_range_of_any_pieces_is_the_range_of_their_bytes() {
        let fixture = Fixture::new();
        let (plain, packed) = (
            noise(CHUNK_BYTES * 2 + 11, 1),
            noise(CHUNK_BYTES * 3 + 7, 2),
        );
        // One chunk, and more than one small block.
        let small = b"all the same ".repeat(5_000);
        let pieces = [
            Piece::Literal(Bytes::from_static(b"local header")),
            fixture.stored(&packed, Coding::Deflate),
            Piece::Literal(Bytes::new()),
            fixture.stored(&plain, Coding::Plain),
            fixture.stored(&small, Coding::Deflate),
            Piece::Literal(Bytes::from_static(b"directory")),
        ];
        let whole = [&b"local header"[..], &packed, &plain, &small, b"directory"].concat();
        let size = whole.len() as u64;
        let chunk = CHUNK_BYTES as u64;
        for (start, length) in [
            (0, size),
            (0, 1),
            (5, 3),
            (11, 2),
            (12, 1),
            (12 + chunk - 1, 2),
            (12 + chunk * 3, chunk),
            (12 + chunk * 3 + 7, chunk * 2 + 11),
            (12 + chunk * 4 + 6, 2),
            (size - 1, 1),
            (size - 12, 12),
            (3, size - 6),
            (0, u64::MAX),
            (size, 1),
            (size + 1, u64::MAX),
        ] {
            let first = (start as usize).min(whole.len());
            let last = first + (length as usize).min(whole.len() - first);
            for most in [BLOCK_BYTES, 16 << 10, 9_999] {
                let blocks = fixture.blocks_of(most, &pieces, start, length).unwrap();
                let text = format!("{start} {length} by {most}");
                assert!(blocks.concat() == whole[first..last], "{text}");
                assert!(blocks.iter().all(|block| block.len() <= most), "{text}");
            }
        }
    }

    #[test]
    fn what_the_decoder_holds_back_comes_without_another_chunk() {
        let fixture = Fixture::new();
        // libdeflate ends in the middle of a byte, so all input is taken while output is still to come.
        for bytes in [BLOCK_BYTES + 1, BLOCK_BYTES * 2, BLOCK_BYTES * 3 + 777] {
            let plain = b"all the same ".repeat(bytes / 13 + 1);
            let level = libdeflater::CompressionLvl::default();
            let mut encoder = libdeflater::Compressor::new(level);
            let mut encoded = vec![0; encoder.deflate_compress_bound(plain.len())];
            let used = encoder.deflate_compress(&plain, &mut encoded).unwrap();
            let stream = fixture.write(&plain, &encoded[..used], Coding::Deflate);
            let size = plain.len();
            let piece = [Piece::Inflated {
                stream,
                bytes: size as u64,
            }];
            for start in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, size - 300, size - 1] {
                for length in [1, 200, size] {
                    let blocks = fixture.blocks(&piece, start as u64, length as u64).unwrap();
                    let end = size.min(start + length);
                    assert!(blocks.concat() == plain[start..end], "{start} {length}");
                }
            }
        }
    }

    #[test]
    fn many_small_pieces_are_few_blocks() {
        let fixture = Fixture::new();
        let pieces: Vec<_> = (0..300)
            .flat_map(|seed| {
                let header = Piece::Literal(Bytes::from_static(&[0; 60]));
                [header, fixture.stored(&noise(1000, seed), Coding::Plain)]
            })
            .collect();
        let blocks = fixture.blocks(&pieces, 0, u64::MAX).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks.concat().len(), 300 * 1060);
    }

    #[test]
    fn the_end_of_a_large_file_is_reached_in_steps() {
        let fixture = Fixture::new();
        let plain = vec![b'a'; BLOCK_BYTES * (MAX_SKIPPED_BLOCKS * 2 + 1)];
        let piece = fixture.stored(&plain, Coding::Deflate);
        let blocks = fixture.blocks(&[piece], plain.len() as u64 - 5, 5).unwrap();
        let lengths: Vec<_> = blocks.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [0, 0, 5]);
    }

    #[test]
    fn what_is_damaged_or_of_another_length_ends_in_an_error() {
        let fixture = Fixture::new();
        let text = b"some text, some text, some text";
        let Piece::Inflated { stream, .. } = fixture.stored(text, Coding::Deflate) else {
            panic!();
        };
        let not_deflate = fixture.write(b"?", &[0xff; 64], Coding::Deflate);
        let plain = fixture.write(b"plain", b"plain", Coding::Plain);
        for (piece, expected) in [
            (
                Piece::Inflated { stream, bytes: 30 },
                Some(ReadError::Length(stream.0)),
            ),
            (Piece::Inflated { stream, bytes: 31 }, None),
            (
                Piece::Inflated { stream, bytes: 32 },
                Some(ReadError::Length(stream.0)),
            ),
            (
                Piece::Inflated {
                    stream: not_deflate,
                    bytes: 9,
                },
                Some(ReadError::Deflate(not_deflate.0)),
            ),
            (
                Piece::Stored {
                    stream: plain,
                    bytes: 6,
                },
                Some(ReadError::Length(plain.0)),
            ),
            (
                Piece::Stored {
                    stream: StreamId(99),
                    bytes: 1,
                },
                Some(ReadError::Length(99)),
            ),
        ] {
            let result = fixture.blocks(std::slice::from_ref(&piece), 0, u64::MAX);
            let error = result.err().map(|e| e.to_string());
            assert_eq!(error, expected.map(|e| e.to_string()), "{piece:?}");
        }
    }
}

//! A file too large for memory, written to the store as it is read: a chunk a transaction.

use std::io::Read;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::collect::{Collected, Held};
use super::encode;
use super::error::ImportError;
use crate::crypto::{Digest, Hasher};
use crate::store::contents::{self, ContentId};
use crate::store::streams::{self, CHUNK_BYTES, Coding, StreamId};
use crate::store::{Store, StoreError};

/// Writes all of `reader` to the store as one content. At most two chunks are in memory.
pub(super) fn store_file(
    path: &str,
    reader: &mut impl Read,
    store: &Store,
) -> Result<Collected, ImportError> {
    let mut plain = Vec::with_capacity(CHUNK_BYTES);
    read_chunk(reader, &mut plain)?;
    // How it is kept is decided by what deflate makes of its first bytes.
    let deflated_bytes = encode::Encoder::new().deflate(&plain).len() as u64;
    let coding = if encode::is_worth_it(plain.len() as u64, deflated_bytes) {
        Coding::Deflate
    } else {
        Coding::Plain
    };
    let mut writer = StreamWriter::begin(store, coding)?;
    let written = writer.write_all(reader, &mut plain);
    let (sha256, bytes, crc32) = written.inspect_err(|_| writer.abandon())?;
    let content = writer.finish(&sha256, bytes, crc32)?;
    Ok(Collected {
        path: path.to_owned(),
        sha256,
        bytes,
        crc32,
        held: Held::Store(content),
    })
}

/// Writes the deflate stream `packed` of a content as it is, unless the store holds it: the zip it came in has to come back
/// with it. At most two chunks are in memory.
pub(super) fn store_deflated(
    packed: &mut impl Read,
    content: &Encoding,
    store: &Store,
) -> Result<(), ImportError> {
    let mut writer = StreamWriter::begin(store, Coding::Deflate)?;
    writer.deflate = None;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    read_chunk(packed, &mut chunk)?;
    let written = writer.write_all(packed, &mut chunk);
    let (stream_sha256, _, _) = written.inspect_err(|_| writer.abandon())?;
    writer.flush()?;
    store.write(|conn| {
        if streams::find_deflated(conn, &stream_sha256)?.is_some() {
            return streams::abandon(conn, writer.stream);
        }
        let id = match contents::find(conn, &content.sha256)? {
            Some(known) => known.id,
            None => contents::insert(conn, &content.sha256, content.bytes, content.crc32)?,
        };
        streams::finish(conn, writer.stream, id, Some(&stream_sha256), writer.bytes)?;
        streams::drop_replaced(conn, id)
    })?;
    Ok(())
}

/// What a deflate stream encodes.
pub(super) struct Encoding {
    pub sha256: Digest,
    pub bytes: u64,
    pub crc32: u32,
}

/// Fills `chunk` with the next bytes; it is short only at the end.
fn read_chunk(reader: &mut impl Read, chunk: &mut Vec<u8>) -> Result<(), ImportError> {
    chunk.clear();
    reader
        .by_ref()
        .take(CHUNK_BYTES as u64)
        .read_to_end(chunk)
        .map_err(ImportError::source)?;
    Ok(())
}

/// Writes one stream of the store, chunk by chunk, each in a transaction of its own.
struct StreamWriter<'a> {
    store: &'a Store,
    stream: StreamId,
    deflate: Option<Compress>,
    pending: Vec<u8>,
    chunks: u32,
    bytes: u64,
}

impl<'a> StreamWriter<'a> {
    fn begin(store: &'a Store, coding: Coding) -> Result<Self, ImportError> {
        let is_deflated = coding == Coding::Deflate;
        Ok(Self {
            store,
            stream: store.write(|conn| streams::begin(conn, coding))?,
            deflate: is_deflated.then(|| Compress::new(Compression::new(6), false)),
            pending: Vec::with_capacity(2 * CHUNK_BYTES),
            chunks: 0,
            bytes: 0,
        })
    }

    /// Writes `chunk` and what follows it in `reader`; returns the digest, the size and the CRC-32 of the plain bytes.
    fn write_all(
        &mut self,
        reader: &mut impl Read,
        chunk: &mut Vec<u8>,
    ) -> Result<(Digest, u64, u32), ImportError> {
        let (mut sha256, mut crc32) = (Hasher::default(), crc32fast::Hasher::new());
        let mut bytes = 0;
        while !chunk.is_empty() {
            sha256.update(chunk);
            crc32.update(chunk);
            bytes += chunk.len() as u64;
            self.write(chunk)?;
            read_chunk(reader, chunk)?;
        }
        Ok((sha256.finish(), bytes, crc32.finalize()))
    }

    /// Removes what was written. Should that fail too, the next opening of the store does it.
    fn abandon(&self) {
        let _ = self.store.write(|conn| streams::abandon(conn, self.stream));
    }

    fn write(&mut self, plain: &[u8]) -> Result<(), ImportError> {
        if self.deflate.is_some() {
            self.compress(plain, FlushCompress::None)
        } else {
            self.pending.extend_from_slice(plain);
            self.store_whole_chunks()
        }
    }

    fn compress(&mut self, mut plain: &[u8], flush: FlushCompress) -> Result<(), ImportError> {
        loop {
            let Some(deflate) = &mut self.deflate else {
                return Ok(());
            };
            self.pending.reserve(64 << 10);
            let before = deflate.total_in();
            let status = deflate
                .compress_vec(plain, &mut self.pending, flush)
                .expect("compressing into memory cannot fail");
            plain = &plain[(deflate.total_in() - before) as usize..];
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => plain.is_empty(),
            };
            self.store_whole_chunks()?;
            if is_done {
                return Ok(());
            }
        }
    }

    fn store_whole_chunks(&mut self) -> Result<(), ImportError> {
        while self.pending.len() >= CHUNK_BYTES {
            self.store_chunk(CHUNK_BYTES)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ImportError> {
        match self.pending.len() {
            0 => Ok(()),
            bytes => self.store_chunk(bytes),
        }
    }

    fn store_chunk(&mut self, bytes: usize) -> Result<(), ImportError> {
        let chunk = &self.pending[..bytes];
        self.store
            .write_within_space(|conn| streams::append(conn, self.stream, self.chunks, chunk))?;
        self.bytes += bytes as u64;
        self.chunks += 1;
        self.pending.drain(..bytes);
        Ok(())
    }

    /// Ends the stream and makes it the content of this digest; the content that is here already where there is one.
    fn finish(mut self, sha256: &Digest, bytes: u64, crc32: u32) -> Result<ContentId, ImportError> {
        self.compress(&[], FlushCompress::Finish)?;
        self.flush()?;
        let content = self.store.write(|conn| {
            if let Some(known) = contents::find(conn, sha256)? {
                streams::abandon(conn, self.stream)?;
                return Ok::<_, StoreError>(known.id);
            }
            let content = contents::insert(conn, sha256, bytes, crc32)?;
            streams::finish(conn, self.stream, content, None, self.bytes)?;
            Ok(content)
        })?;
        Ok(content)
    }
}

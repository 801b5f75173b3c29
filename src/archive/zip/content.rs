//! The content of one entry of a zip, checked against what the zip announces.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::{Decompress, FlushDecompress, Status};

use super::medium::Window;
use super::record::Facts;
use crate::archive::error::{ArchiveError, Place};

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

const BUFFER_BYTES: usize = 64 << 10;

/// The content of an entry; its size and CRC-32 are checked before its last byte is handed out.
pub(in crate::archive) struct Content {
    data: Data,
    path: String,
    size_bytes: u64,
    bytes_out: u64,
    packed_bytes: u64,
    crc32: u32,
    hasher: crc32fast::Hasher,
    bytes_read: Arc<AtomicU64>,
}

enum Data {
    Stored(Window),
    Deflated(Box<Deflated>),
}

/// A deflate stream on its way back. flate2's own reader does not tell whether a stream has ended or was cut off.
struct Deflated {
    packed: BufReader<Window>,
    decoder: Decompress,
    has_ended: bool,
}

impl Deflated {
    /// Reads plain bytes; 0 at the end of the stream, and where it is cut off.
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.has_ended {
                return Ok(0);
            }
            let packed = self.packed.fill_buf()?;
            let is_last = packed.is_empty();
            let (taken, given) = (self.decoder.total_in(), self.decoder.total_out());
            let status = self
                .decoder
                .decompress(packed, target, FlushDecompress::None)
                .map_err(|_| io::Error::other("corrupt deflate stream"))?;
            let taken = (self.decoder.total_in() - taken) as usize;
            let given = (self.decoder.total_out() - given) as usize;
            self.packed.consume(taken);
            self.has_ended = status == Status::StreamEnd;
            if given > 0 || (is_last && taken == 0) {
                return Ok(given);
            }
        }
    }
}

impl Content {
    pub(super) fn new(data: Window, facts: &Facts, path: &str, bytes_read: Arc<AtomicU64>) -> Self {
        let data = if facts.method == DEFLATED {
            let capacity = usize::try_from(facts.packed_bytes).unwrap_or(BUFFER_BYTES);
            Data::Deflated(Box::new(Deflated {
                packed: BufReader::with_capacity(capacity.min(BUFFER_BYTES), data),
                decoder: Decompress::new(false),
                has_ended: false,
            }))
        } else {
            Data::Stored(data)
        };
        Self {
            data,
            path: path.to_owned(),
            size_bytes: facts.size_bytes,
            bytes_out: 0,
            packed_bytes: facts.packed_bytes,
            crc32: facts.crc32,
            hasher: crc32fast::Hasher::new(),
            bytes_read,
        }
    }

    /// Reads content; 0 at its end.
    pub(in crate::archive) fn read(&mut self, buf: &mut [u8]) -> Result<usize, ArchiveError> {
        let left = self.size_bytes - self.bytes_out;
        let wanted = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let count = match buf.get_mut(..wanted) {
            Some(target) if !target.is_empty() => {
                let count = self.expand(target)?;
                if count == 0 {
                    return Err(self.damaged("its content is shorter than announced"));
                }
                self.hasher.update(target.get(..count).unwrap_or_default());
                count
            }
            _ if left > 0 => return Ok(0),
            _ => 0,
        };
        self.bytes_out += count as u64;
        // Here and not at the next call: who reads exactly the announced bytes does not call again.
        if self.bytes_out == self.size_bytes {
            self.check_end()?;
        }
        Ok(count)
    }

    fn check_end(&mut self) -> Result<(), ArchiveError> {
        if self.expand(&mut [0])? != 0 {
            return Err(self.damaged("its content is longer than announced"));
        }
        if self.hasher.clone().finalize() != self.crc32 {
            return Err(self.damaged("its content does not match its CRC-32"));
        }
        if let Data::Deflated(deflated) = &self.data {
            if !deflated.has_ended {
                return Err(self.damaged("its compressed content has no end"));
            }
            if deflated.decoder.total_in() != self.packed_bytes {
                return Err(self.damaged("bytes follow its compressed content"));
            }
        }
        Ok(())
    }

    fn expand(&mut self, target: &mut [u8]) -> Result<usize, ArchiveError> {
        let before = self.position();
        let outcome = match &mut self.data {
            Data::Stored(window) => window.read(target),
            Data::Deflated(deflated) => deflated.read(target),
        };
        let taken = self.position().saturating_sub(before);
        self.bytes_read.fetch_add(taken, Ordering::Relaxed);
        outcome.map_err(|error| match error.downcast::<ArchiveError>() {
            Ok(of_the_source) => of_the_source,
            Err(of_the_decoder) => self.damaged(&format!("deflate says: {of_the_decoder}")),
        })
    }

    fn position(&self) -> u64 {
        match &self.data {
            Data::Stored(window) => window.position,
            Data::Deflated(deflated) => deflated.decoder.total_in(),
        }
    }

    fn damaged(&self, why: &str) -> ArchiveError {
        ArchiveError::Damaged {
            place: Place::In(self.path.clone()),
            why: why.to_owned(),
        }
    }
}

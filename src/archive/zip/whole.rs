//! Small entries of an [`ExactZip`] at once: without a buffer between, and with one decoder for all.
//!
//! It takes what is as announced and nothing else; what is wrong with the rest [`ExactZip::content`] tells.

use std::borrow::Cow;
use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};

use super::exact::{ExactEntry, ExactZip};
use super::medium::Medium;
use crate::archive::error::ArchiveError;

/// Bytes of a content that is taken at once.
const WHOLE_BYTES: u64 = 2 << 20;

/// A decoder that is used again and again, and where it puts what it decodes.
///
/// Not libdeflate's, which is faster but does not say where a stream ended, and takes codes that zlib refuses.
#[derive(Debug)]
pub struct Inflater {
    decoder: Decompress,
    plain: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            decoder: Decompress::new(false),
            plain: Vec::new(),
        }
    }
}

impl ExactZip {
    /// Returns the bytes of an entry as they are packed; `None` for one of more than `most_bytes`.
    pub fn packed(
        &self,
        entry: &ExactEntry,
        most_bytes: usize,
    ) -> Result<Option<Cow<'_, [u8]>>, ArchiveError> {
        if entry.packed_bytes() > most_bytes as u64 {
            return Ok(None);
        }
        if let Medium::Memory(bytes) = &*self.medium {
            let range = [entry.data.start, entry.data.end].map(|at| at as usize);
            return Ok(bytes.get(range[0]..range[1]).map(Cow::Borrowed));
        }
        let mut packed = Vec::with_capacity(entry.packed_bytes() as usize);
        self.raw(entry.data.clone()).read_to_end(&mut packed)?;
        Ok(Some(Cow::Owned(packed)))
    }
}

impl Inflater {
    /// Returns the content of an entry that is packed as `packed`; `None` where it is large, or not what is announced.
    pub fn content<'a>(&'a mut self, entry: &ExactEntry, packed: &'a [u8]) -> Option<&'a [u8]> {
        let plain = if entry.is_deflated {
            self.inflate(packed, entry.size_bytes)?
        } else {
            packed
        };
        let is_announced = plain.len() as u64 == entry.size_bytes;
        (is_announced && crc32fast::hash(plain) == entry.crc32).then_some(plain)
    }

    fn inflate(&mut self, packed: &[u8], size_bytes: u64) -> Option<&[u8]> {
        if size_bytes > WHOLE_BYTES {
            return None;
        }
        // One byte more: a stream that goes on shows it.
        let room = usize::try_from(size_bytes).ok()? + 1;
        if self.plain.len() < room {
            self.plain.resize(room, 0);
        }
        self.decoder.reset(false);
        let target = self.plain.get_mut(..room)?;
        let status = self
            .decoder
            .decompress(packed, target, FlushDecompress::Finish);
        let has_ended = matches!(status, Ok(Status::StreamEnd));
        if !has_ended || self.decoder.total_in() != packed.len() as u64 {
            return None;
        }
        self.plain
            .get(..usize::try_from(self.decoder.total_out()).ok()?)
    }
}

//! The expanded bytes of a tar, and where in it they are.

use std::io::{BufRead, BufReader, Read};

use crate::archive::error::{ArchiveError, Place};
use crate::archive::expand::Expanded;

/// Bytes expanded at once: what a few packages' manifests take, so that headers cost no call of the decoder.
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes of padding read after the end mark: GNU tar fills up a record, of 10 KiB unless told otherwise.
const MAX_PADDING_BYTES: u64 = 16 << 20;

/// The bytes of a tar from here on; an error of it names the place.
pub(super) struct Input {
    expanded: BufReader<Expanded>,
    /// Where the bytes read next belong.
    pub(super) place: Place,
    /// How many bytes were passed.
    pub(super) position: u64,
}

impl Input {
    pub(super) fn new(expanded: Expanded) -> Self {
        Self {
            expanded: BufReader::with_capacity(BUFFER_BYTES, expanded),
            place: Place::Start,
            position: 0,
        }
    }

    /// Returns the first bytes, as many as there are up to `limit`.
    pub(super) fn head(&mut self, limit: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut head = Vec::with_capacity(limit);
        self.expanded
            .by_ref()
            .take(limit as u64)
            .read_to_end(&mut head)?;
        self.position += head.len() as u64;
        Ok(head)
    }

    /// Reads some bytes, at least one; `buf` must not be empty.
    pub(super) fn read_some(&mut self, buf: &mut [u8]) -> Result<usize, ArchiveError> {
        match self.expanded.read(buf) {
            Ok(0) => Err(self.truncated()),
            Ok(count) => {
                self.position += count as u64;
                Ok(count)
            }
            Err(error) => Err(ArchiveError::from(error).at(&self.place)),
        }
    }

    /// Fills `buf`.
    pub(super) fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), ArchiveError> {
        // Not `Read::read_exact`: it tells an end of file by an error of its own.
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += self.read_some(rest)?;
        }
        Ok(())
    }

    /// Skips bytes without copying them, and without reading them where a source can be read from anywhere: whether they
    /// are there is then seen by what is read next.
    pub(super) fn skip(&mut self, mut bytes: u64) -> Result<(), ArchiveError> {
        let ready = self.expanded.buffer().len() as u64;
        if let Some(beyond) = bytes.checked_sub(ready)
            && self.expanded.get_mut().pass_over(beyond)
        {
            self.expanded.consume(self.expanded.buffer().len());
            self.position = self.position.saturating_add(bytes);
            return Ok(());
        }
        while bytes > 0 {
            bytes -= self.skip_some(bytes)?;
        }
        Ok(())
    }

    /// Skips some bytes, at least one and at most `limit`, without copying them.
    pub(super) fn skip_some(&mut self, limit: u64) -> Result<u64, ArchiveError> {
        let ready = match self.expanded.fill_buf() {
            Ok([]) => return Err(self.truncated()),
            Ok(ready) => ready.len(),
            Err(error) => return Err(ArchiveError::from(error).at(&self.place)),
        };
        let count = usize::try_from(limit).map_or(ready, |limit| limit.min(ready));
        self.expanded.consume(count);
        self.position += count as u64;
        Ok(count as u64)
    }

    /// Reads what a record is filled up with, so that a fault behind the end mark is seen and a digest covers it all.
    pub(super) fn read_padding_to_the_end(&mut self) -> Result<(), ArchiveError> {
        let mut padding = 0_u64;
        loop {
            let ready = self
                .expanded
                .fill_buf()
                .map_err(|error| ArchiveError::from(error).at(&self.place))?;
            if ready.is_empty() {
                return Ok(());
            }
            if ready.iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::TrailingData);
            }
            let count = ready.len();
            self.expanded.consume(count);
            padding += count as u64;
            if padding > MAX_PADDING_BYTES {
                return Err(ArchiveError::TooMuchPadding {
                    limit: MAX_PADDING_BYTES,
                });
            }
        }
    }

    /// Tells whether there are no more bytes.
    pub(super) fn is_at_end(&mut self) -> Result<bool, ArchiveError> {
        match self.expanded.fill_buf() {
            Ok(ready) => Ok(ready.is_empty()),
            Err(error) => Err(ArchiveError::from(error).at(&self.place)),
        }
    }

    /// Returns the bytes read of the source and those of the tar.
    pub(super) fn traffic(&self) -> (u64, u64) {
        self.expanded.get_ref().traffic()
    }

    pub(super) fn truncated(&self) -> ArchiveError {
        ArchiveError::Truncated {
            place: self.place.clone(),
        }
    }

    pub(super) fn damaged(&self, why: &str) -> ArchiveError {
        ArchiveError::Damaged {
            place: self.place.clone(),
            why: why.to_owned(),
        }
    }
}

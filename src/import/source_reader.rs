//! The bytes of a source on their way in: counted for the progress, hashed for the record.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::progress::Progress;
use crate::crypto::{Digest, Hasher};
use crate::store::Disk;

/// Reads a source and keeps its [`Totals`].
pub(super) struct SourceReader {
    inner: Box<dyn Read + Send>,
    progress: Arc<Progress>,
    totals: Totals,
    disk: Disk,
}

/// The digest and the size of what was read.
#[derive(Clone, Default)]
pub(super) struct Totals(Arc<Mutex<(Hasher, u64)>>);

impl SourceReader {
    /// Returns a reader of `inner`, which is no longer read once it has no package yet and `disk` is short of space: a zip
    /// is copied there before anything of it is stored.
    pub(super) fn new(
        inner: Box<dyn Read + Send>,
        progress: Arc<Progress>,
        disk: Disk,
    ) -> (Self, Totals) {
        let totals = Totals::default();
        (
            Self {
                inner,
                progress,
                totals: totals.clone(),
                disk,
            },
            totals,
        )
    }
}

impl Totals {
    /// Returns the size of all that was read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Returns the digest and the size of all that was read so far.
    pub(super) fn finish(&self) -> (Digest, u64) {
        let (hasher, bytes) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (hasher.clone().finish(), *bytes)
    }
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_stopped() {
            // A large file would else be read to its end first.
            return Err(io::Error::other("the import was stopped"));
        }
        if !self.progress.has_begun() {
            let short = |error| io::Error::new(io::ErrorKind::StorageFull, error);
            self.disk.check().map_err(short)?;
        }
        let read = self.inner.read(buffer)?;
        self.progress.read(read as u64);
        let mut totals = self.totals.0.lock().unwrap_or_else(PoisonError::into_inner);
        totals.0.update(&buffer[..read]);
        totals.1 += read as u64;
        Ok(read)
    }
}

//! Memory for whole files, used again: fresh memory costs as much as reading a file into it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers that nobody uses at the moment.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// The bytes of a file. Their memory goes back to where it came from.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// Returns what `fill` puts into an empty buffer with room for `bytes`.
    pub(super) fn filled<E>(
        &self,
        bytes: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Buffer, E> {
        let mut buffer = Buffer {
            bytes: self.free().pop().unwrap_or_default(),
            home: self.clone(),
        };
        buffer.bytes.clear();
        buffer.bytes.reserve_exact(bytes);
        fill(&mut buffer.bytes)?;
        Ok(buffer)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.home.free().push(bytes);
    }
}

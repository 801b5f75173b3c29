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

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(buffers: &Buffers, bytes: &[u8]) -> Buffer {
        let fill = |buffer: &mut Vec<u8>| {
            buffer.extend_from_slice(bytes);
            Ok::<_, ()>(())
        };
        buffers.filled(bytes.len(), fill).unwrap()
    }

    #[test]
    fn a_buffer_is_used_again_and_never_shows_the_file_before_it() {
        let buffers = Buffers::default();
        let first = filled(&buffers, b"a long file");
        let place = first.as_ptr();
        drop(first);
        let second = filled(&buffers, b"short");
        assert_eq!((&*second, second.as_ptr()), (&b"short"[..], place));
        // One that is in use is nobody else's.
        let third = filled(&buffers, b"third");
        assert_ne!(third.as_ptr(), second.as_ptr());
        assert_eq!(&*second, b"short");
    }

    #[test]
    fn a_buffer_that_could_not_be_filled_comes_back_empty() {
        let buffers = Buffers::default();
        let failed = buffers.filled(4, |buffer| {
            buffer.extend_from_slice(b"half");
            Err::<(), _>("the disk failed")
        });
        assert_eq!(failed.unwrap_err(), "the disk failed");
        assert_eq!(buffers.free().len(), 1);
        assert_eq!(&*filled(&buffers, b""), b"");
    }
}

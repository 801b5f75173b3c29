//! Memory for whole files, used again: fresh memory costs as much as reading a file into it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers that nobody uses at the moment.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// The bytes of a file. Their memory goes back to where it came from.
#[derive(Debug)]
pub(super) struct Buffer {
    /// The file, and behind it what is left of larger ones.
    memory: Vec<u8>,
    bytes: usize,
    home: Buffers,
}

impl Buffers {
    /// Returns `bytes` that `fill` overwrites, all of them or it fails.
    pub(super) fn filled<E>(
        &self,
        bytes: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Buffer, E> {
        let mut buffer = Buffer {
            memory: self.free().pop().unwrap_or_default(),
            bytes,
            home: self.clone(),
        };
        // What was there before needs no zeros.
        if let Some(more) = bytes.checked_sub(buffer.memory.len()) {
            buffer.memory.reserve_exact(more);
            buffer.memory.resize(bytes, 0);
        }
        fill(buffer.memory.get_mut(..bytes).unwrap_or_default())?;
        Ok(buffer)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.bytes).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.home.free().push(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(buffers: &Buffers, bytes: &[u8]) -> Buffer {
        let fill = |buffer: &mut [u8]| {
            buffer.copy_from_slice(bytes);
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
    fn a_buffer_that_could_not_be_filled_comes_back() {
        let buffers = Buffers::default();
        let failed = buffers.filled(4, |buffer| {
            buffer[..2].copy_from_slice(b"ha");
            Err::<(), _>("the disk failed")
        });
        assert_eq!(failed.unwrap_err(), "the disk failed");
        assert_eq!(buffers.free().len(), 1);
        assert_eq!(&*filled(&buffers, b""), b"");
    }
}

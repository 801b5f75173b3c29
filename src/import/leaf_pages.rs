//! In which order chunks are written so that the pages they begin in get full.
//!
//! SQLite puts the first bytes of each row into the leaf page that the row before lies in, if they fit, else into a new one;
//! what is left of the page stays empty for ever, as rows come in the order of their numbers. So of the rows that are to be
//! written the largest goes next that still fits. Nothing but the size of the file hangs on it: a wrong guess is harmless.
//! Facts: the SQLite file format, "Cell Payload Overflow Pages".

use std::sync::{Mutex, PoisonError};

use crate::store::streams::CHUNK_BYTES;

/// Bytes of a page that rows can use, as `store/schema.rs` sets its size, and of its head.
const PAGE_BYTES: usize = 8192;
const PAGE_HEAD_BYTES: usize = 8;
/// What a row has in its leaf at most, and at least where the rest lies in pages of its own.
const MOST_LOCAL_BYTES: usize = PAGE_BYTES - 35;
const LEAST_LOCAL_BYTES: usize = (PAGE_BYTES - 12) * 32 / 255 - 23;
/// What a row of `chunk` has besides its blob; what its cell has besides the row, and where part of it lies elsewhere.
const ROW_BYTES: usize = 16;
const CELL_BYTES: usize = 8;
const SPILT_CELL_BYTES: usize = 12;

/// The leaf page that the last chunk of this import was written to.
#[derive(Debug, Default)]
pub(super) struct LeafPages {
    room_bytes: Mutex<usize>,
}

impl LeafPages {
    /// Returns the order in which to write streams of these sizes, as indexes.
    pub(super) fn order(&self, stream_bytes: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut room = self
            .room_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // By what the last chunk takes: those before it have one size.
        let mut left: Vec<_> = stream_bytes
            .map(|bytes| leaf_bytes(last_chunk_bytes(bytes)))
            .enumerate()
            .collect();
        left.sort_by_key(|(_, bytes)| *bytes);
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let fitting = left.partition_point(|(_, bytes)| *bytes <= *room);
            if fitting == 0 {
                *room = PAGE_BYTES - PAGE_HEAD_BYTES;
            }
            let largest = if fitting == 0 { left.len() } else { fitting } - 1;
            let (index, bytes) = left.remove(largest);
            *room = room.saturating_sub(bytes);
            order.push(index);
        }
        order
    }
}

fn last_chunk_bytes(stream_bytes: usize) -> usize {
    match stream_bytes % CHUNK_BYTES {
        0 => stream_bytes.min(CHUNK_BYTES),
        rest => rest,
    }
}

/// Returns what a chunk takes of the leaf page it begins in.
fn leaf_bytes(chunk_bytes: usize) -> usize {
    let row = chunk_bytes + ROW_BYTES;
    if row <= MOST_LOCAL_BYTES {
        return row + CELL_BYTES;
    }
    let local = LEAST_LOCAL_BYTES + (row - LEAST_LOCAL_BYTES) % (PAGE_BYTES - 4);
    let local = if local <= MOST_LOCAL_BYTES {
        local
    } else {
        LEAST_LOCAL_BYTES
    };
    local + SPILT_CELL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_is_written_once_and_the_largest_that_fits_goes_next() {
        let pages = LeafPages::default();
        assert_eq!(
            pages.order([3_000, 7_000, 900, 4_000].into_iter()),
            [1, 2, 3, 0]
        );
        // The page that the last of them began has room for one of these.
        assert_eq!(pages.order([5_000, 1_000].into_iter()), [1, 0]);
        assert_eq!(pages.order([].into_iter()), [0; 0]);
    }

    #[test]
    fn what_a_chunk_takes_of_its_leaf_always_fits_one() {
        for bytes in 0..=CHUNK_BYTES {
            assert!(leaf_bytes(bytes) <= PAGE_BYTES - PAGE_HEAD_BYTES, "{bytes}");
        }
        assert_eq!(last_chunk_bytes(0), 0);
        assert_eq!(last_chunk_bytes(2 * CHUNK_BYTES), CHUNK_BYTES);
        assert_eq!(last_chunk_bytes(CHUNK_BYTES + 7), 7);
    }
}

//! The blocks that answers from the store go out in: those sent lately, and the room that all may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::pieces::BLOCK_BYTES;
use super::stored::StoredId;

/// Bytes of all blocks that are kept.
const KEPT_BYTES: u64 = 12 << 20;
/// How many of them the cache expects: most are as large as a chunk of the store.
const EXPECTED_BLOCKS: usize = 128;

/// Bytes that all blocks on their way may have while each is as large as it can be. It is what slow clients hold.
const ROOM_BYTES: usize = 32 << 20;
/// Bytes of a block once there are more.
const SMALL_BLOCK_BYTES: usize = 16 << 10;

/// Blocks that were sent lately, by what they are of and where they begin: the Kibanas of a site install the same
/// packages, and what is inflated and checked once need not be so again.
#[derive(Debug)]
pub struct Blocks {
    kept: Cache<(StoredId, u64), Bytes, ByBytes>,
    held_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Clone)]
struct ByBytes;

/// What a block on its way takes of the room that all have, until it is dropped.
#[derive(Debug)]
pub struct Room {
    bytes: usize,
    held_bytes: Arc<AtomicUsize>,
}

impl Blocks {
    /// Returns the kept block of `stored` that begins at `start`.
    pub fn get(&self, stored: StoredId, start: u64) -> Option<Bytes> {
        self.kept.get(&(stored, start))
    }

    /// Keeps a block.
    pub fn keep(&self, stored: StoredId, start: u64, block: Bytes) {
        self.kept.insert((stored, start), block);
    }

    /// Takes room for the next block: small where clients that do not read hold much already.
    pub fn room(&self) -> Room {
        let held_bytes = Arc::clone(&self.held_bytes);
        let is_scarce = held_bytes.load(Ordering::Relaxed) + BLOCK_BYTES > ROOM_BYTES;
        let bytes = if is_scarce {
            SMALL_BLOCK_BYTES
        } else {
            BLOCK_BYTES
        };
        held_bytes.fetch_add(bytes, Ordering::Relaxed);
        Room { bytes, held_bytes }
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            kept: Cache::with_weighter(EXPECTED_BLOCKS, KEPT_BYTES, ByBytes),
            held_bytes: Arc::default(),
        }
    }
}

impl Room {
    /// Returns how many bytes the block may have.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Tells whether the block may be as large as any.
    pub fn is_ample(&self) -> bool {
        self.bytes == BLOCK_BYTES
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.held_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Weighter<(StoredId, u64), Bytes> for ByBytes {
    fn weight(&self, _: &(StoredId, u64), block: &Bytes) -> u64 {
        block.len() as u64 + 128
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::artifacts::ArtifactId;

    #[test]
    fn blocks_are_kept_within_a_bound_in_bytes() {
        let blocks = Blocks::default();
        let block = Bytes::from(vec![0; BLOCK_BYTES]);
        for number in 0..1000 {
            blocks.keep(StoredId::Zip(ArtifactId(number)), 0, block.clone());
        }
        let weight = blocks.kept.weight();
        assert!((KEPT_BYTES / 2..=KEPT_BYTES).contains(&weight), "{weight}");
    }

    #[test]
    fn blocks_are_small_while_room_is_scarce() {
        let blocks = Blocks::default();
        let mut held: Vec<_> = (0..ROOM_BYTES / BLOCK_BYTES)
            .map(|_| blocks.room())
            .collect();
        assert!(held.iter().all(Room::is_ample));
        assert_eq!(blocks.room().bytes(), SMALL_BLOCK_BYTES);
        held.pop();
        assert!(blocks.room().is_ample());
    }
}

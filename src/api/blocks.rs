//! The blocks that answers from the store go out in: those sent lately, and how much memory all take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, PlaceholderGuard};

use super::pieces::BLOCK_BYTES;
use super::stored::StoredId;

/// Bytes of all blocks that are kept.
const KEPT_BYTES: u64 = 12 << 20;
/// How many of them the cache expects: most are as large as a chunk of the store.
const EXPECTED_BLOCKS: usize = 128;

/// Bytes of all blocks in memory up to which new ones are as large as they can be. Slow clients hold the blocks they read.
const AMPLE_BYTES: usize = 32 << 20;
/// Bytes of a block once there are more.
const SMALL_BLOCK_BYTES: usize = 16 << 10;

/// What a kept block is of, and the offset at which it begins.
pub type BlockId = (StoredId, u64);

/// Blocks that were sent lately: the Kibanas of a site install the same packages, and what is inflated and checked once
/// need not be so again.
#[derive(Debug)]
pub struct Blocks {
    kept: Cache<BlockId, Bytes, ByBytes>,
    held_bytes: Arc<AtomicUsize>,
}

/// The duty of whoever is first to read a block: others who want it wait.
pub type ToRead<'a> = PlaceholderGuard<
    'a,
    BlockId,
    Bytes,
    ByBytes,
    quick_cache::DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<BlockId, Bytes>,
>;

/// Weighs a block by its bytes.
#[derive(Debug, Clone)]
pub struct ByBytes;

impl Blocks {
    /// Returns a kept block.
    pub fn get(&self, id: BlockId) -> Option<Bytes> {
        self.kept.get(&id)
    }

    /// Returns a kept block, once whoever reads it has; or lets the caller read it.
    pub async fn get_or_read(&self, id: BlockId) -> Result<Bytes, ToRead<'_>> {
        self.kept.get_value_or_guard_async(&id).await
    }

    /// Returns how many bytes the next block may have: few where clients that do not read hold much already.
    pub fn most_bytes(&self) -> usize {
        if self.held_bytes.load(Ordering::Relaxed) > AMPLE_BYTES {
            SMALL_BLOCK_BYTES
        } else {
            BLOCK_BYTES
        }
    }

    /// Returns `block`, counted as long as anybody holds it.
    pub fn counted(&self, block: Bytes) -> Bytes {
        self.held_bytes.fetch_add(block.len(), Ordering::Relaxed);
        Bytes::from_owner(Counted {
            block,
            held_bytes: Arc::clone(&self.held_bytes),
        })
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

impl Weighter<BlockId, Bytes> for ByBytes {
    fn weight(&self, _: &BlockId, block: &Bytes) -> u64 {
        block.len() as u64 + 128
    }
}

struct Counted {
    block: Bytes,
    held_bytes: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.block
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held_bytes
            .fetch_sub(self.block.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::artifacts::ArtifactId;

    fn block() -> Bytes {
        Bytes::from(vec![0; BLOCK_BYTES])
    }

    #[test]
    fn blocks_are_kept_within_a_bound_in_bytes() {
        let blocks = Blocks::default();
        for number in 0..1000 {
            let id = (StoredId::Zip(ArtifactId(number)), 0);
            blocks.kept.insert(id, blocks.counted(block()));
        }
        let held_bytes = blocks.held_bytes.load(Ordering::Relaxed) as u64;
        assert!(
            (KEPT_BYTES / 2..=KEPT_BYTES).contains(&held_bytes),
            "{held_bytes}"
        );
    }

    #[test]
    fn blocks_are_small_while_much_is_held() {
        let blocks = Blocks::default();
        let shared = blocks.counted(block());
        let _held_together: Vec<_> = (0..10_000).map(|_| shared.clone()).collect();
        assert_eq!(blocks.most_bytes(), BLOCK_BYTES);

        let held: Vec<_> = (0..AMPLE_BYTES / BLOCK_BYTES)
            .map(|_| blocks.counted(block()))
            .collect();
        assert_eq!(blocks.most_bytes(), SMALL_BLOCK_BYTES);
        drop(held);
        assert_eq!(blocks.most_bytes(), BLOCK_BYTES);
    }
}

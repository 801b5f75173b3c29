//! The bytes that zips held lately: the same entry in the next version of a package is known by its bytes, and need not be
//! hashed, which costs several times as much as comparing them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::archive::ExactEntry;
use crate::crypto::Digest;

/// Bytes of entries in a generation, of which there are two: those of a dozen packages.
const GENERATION_BYTES: usize = 8 << 20;
/// Bytes that an entry takes beside its own: small ones are bounded too.
const OVERHEAD_BYTES: usize = 256;
/// Bytes of an entry that is remembered.
const ENTRY_BYTES: usize = 2 << 20;

/// Entries of zips and their digests: of a deflated one that of its stream, of a stored one that of its content.
#[derive(Default)]
pub(super) struct Recent(Mutex<Generations>);

/// What was met since the last change of generations, and before. What is met again comes over to the new ones.
#[derive(Default)]
struct Generations {
    new: HashMap<Announced, Arc<Seen>>,
    new_bytes: usize,
    old: HashMap<Announced, Arc<Seen>>,
}

/// What the zip says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Announced {
    is_deflated: bool,
    crc32: u32,
    packed_bytes: u64,
    size_bytes: u64,
}

/// An entry.
pub(super) struct Seen {
    packed: Box<[u8]>,
    /// The digest of its stream where it is deflated, else of its content.
    pub sha256: Digest,
    /// The content of a manifest, and its digest.
    pub manifest: OnceLock<(Digest, Vec<u8>)>,
}

impl Recent {
    /// Returns what is remembered of an entry that is packed as `packed`, where the same bytes were announced alike lately.
    pub(super) fn find(&self, entry: &ExactEntry, packed: &[u8]) -> Option<Arc<Seen>> {
        let seen = self.generations().meet(&Announced::of(entry))?;
        (*seen.packed == *packed).then_some(seen)
    }

    /// Remembers an entry that was found to be as announced, as far as its digest says.
    pub(super) fn remember(
        &self,
        entry: &ExactEntry,
        packed: &[u8],
        sha256: Digest,
    ) -> Option<Arc<Seen>> {
        if packed.len() > ENTRY_BYTES {
            return None;
        }
        let seen = Arc::new(Seen {
            packed: packed.into(),
            sha256,
            manifest: OnceLock::new(),
        });
        self.generations()
            .add(Announced::of(entry), Arc::clone(&seen));
        Some(seen)
    }

    /// Remembers the content of a manifest with its entry.
    pub(super) fn remember_manifest(&self, seen: &Seen, content: (Digest, Vec<u8>)) {
        let bytes = content.1.len();
        if seen.manifest.set(content).is_ok() {
            self.generations().new_bytes += bytes;
        }
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn meet(&mut self, announced: &Announced) -> Option<Arc<Seen>> {
        if let Some(seen) = self.new.get(announced) {
            return Some(Arc::clone(seen));
        }
        let seen = self.old.remove(announced)?;
        self.add(*announced, Arc::clone(&seen));
        Some(seen)
    }

    fn add(&mut self, announced: Announced, seen: Arc<Seen>) {
        if self.new_bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.new);
            self.new_bytes = 0;
        }
        self.new_bytes += seen.bytes();
        self.new.insert(announced, seen);
    }
}

impl Seen {
    fn bytes(&self) -> usize {
        let manifest = self.manifest.get();
        OVERHEAD_BYTES + self.packed.len() + manifest.map_or(0, |(_, content)| content.len())
    }
}

impl Announced {
    fn of(entry: &ExactEntry) -> Self {
        Self {
            is_deflated: entry.is_deflated,
            crc32: entry.crc32,
            packed_bytes: entry.packed_bytes(),
            size_bytes: entry.size_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(crc32: u32) -> Announced {
        Announced {
            is_deflated: true,
            crc32,
            packed_bytes: 1,
            size_bytes: 1,
        }
    }

    fn seen(packed: &[u8]) -> Arc<Seen> {
        Arc::new(Seen {
            packed: packed.into(),
            sha256: Digest::of(packed),
            manifest: OnceLock::new(),
        })
    }

    fn remembered(generations: &Generations) -> usize {
        let all = generations.new.values().chain(generations.old.values());
        all.map(|it| it.bytes()).sum()
    }

    #[test]
    fn what_is_remembered_is_bounded_however_small_its_parts() {
        let most = 2 * GENERATION_BYTES + 2 * OVERHEAD_BYTES + 2;
        let mut generations = Generations::default();
        for crc32 in 0..200_000 {
            generations.add(announced(crc32), seen(b"x"));
        }
        assert!(remembered(&generations) <= most);
        assert!(generations.new.len() + generations.old.len() < 100_000);
        // What was met last is there, what was met first is not.
        assert!(generations.meet(&announced(199_999)).is_some());
        assert!(generations.meet(&announced(0)).is_none());
    }

    #[test]
    fn manifests_count_by_what_they_hold_and_not_by_what_they_are_packed_to() {
        let recent = Recent::default();
        for crc32 in 0..64 {
            let seen = seen(b"x");
            recent
                .generations()
                .add(announced(crc32), Arc::clone(&seen));
            recent.remember_manifest(&seen, (Digest::of(b"y"), vec![b'y'; 1 << 20]));
        }
        assert!(remembered(&recent.generations()) <= 2 * (GENERATION_BYTES + (2 << 20)));
    }
}

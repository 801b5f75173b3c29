//! What everything in the store takes, and what of it only one owner keeps: content that is shared counts once.
//!
//! Counted are the bytes at rest: streams, rendered documents, recipes and signatures. The rows that hold them together
//! take a few per cent more.

use std::collections::HashMap;

use rusqlite::Connection;

use super::StoreError;
use super::artifacts::ArtifactId;
use super::in_use::{self, Owner};

/// What one owner takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Artifacts that it keeps.
    pub artifacts: u64,
    /// Bytes of all it keeps, each content once.
    pub bytes: u64,
    /// Bytes of what nobody else keeps: what is free without it.
    pub own_bytes: u64,
}

/// What a store takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// What each owner takes.
    pub of: HashMap<Owner, Size>,
    /// What nobody keeps.
    pub unused: Size,
    /// Bytes of the file, free pages included.
    pub file_bytes: u64,
    /// Bytes of free pages.
    pub free_bytes: u64,
}

/// Returns what a store takes. What was deleted after `released_after` (RFC 3339) counts as kept. Reads a row for each file
/// of each artifact; run it in one read transaction.
pub fn measure(conn: &Connection, released_after: &str) -> Result<Sizes, StoreError> {
    let mut count = Count::of(in_use::owners(conn, released_after)?);
    count.artifacts(conn)?;
    count.contents(conn)?;
    let (file_bytes, free_bytes) = file(conn)?;
    let owners = count.owners.into_iter().zip(count.sizes);
    Ok(Sizes {
        of: owners.collect(),
        unused: count.unused,
        file_bytes,
        free_bytes,
    })
}

/// Returns the bytes of the file, free pages included, and of free pages.
pub fn file(conn: &Connection) -> Result<(u64, u64), StoreError> {
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let page_bytes = pragma("page_size")?;
    let bytes = |pages: i64| pages.saturating_mul(page_bytes).cast_unsigned();
    Ok((
        bytes(pragma("page_count")?),
        bytes(pragma("freelist_count")?),
    ))
}

/// Sets of owners, a bit each.
struct Count {
    owners: Vec<Owner>,
    words: usize,
    keepers: HashMap<ArtifactId, Vec<u64>>,
    sizes: Vec<Size>,
    unused: Size,
}

impl Count {
    fn of(keepers: HashMap<ArtifactId, Vec<Owner>>) -> Self {
        let mut numbers: HashMap<Owner, usize> = HashMap::new();
        for owner in keepers.values().flatten() {
            let next = numbers.len();
            numbers.entry(*owner).or_insert(next);
        }
        let words = numbers.len().div_ceil(64);
        let bits = |owners: Vec<Owner>| {
            let mut set = vec![0; words];
            for number in owners.iter().filter_map(|owner| numbers.get(owner)) {
                set[number / 64] |= 1 << (number % 64);
            }
            set
        };
        let keepers = keepers
            .into_iter()
            .map(|(id, owners)| (id, bits(owners)))
            .collect();
        let mut owners: Vec<_> = numbers.iter().collect();
        owners.sort_by_key(|(_, number)| **number);
        Self {
            owners: owners.into_iter().map(|(owner, _)| *owner).collect(),
            words,
            keepers,
            sizes: vec![Size::default(); numbers.len()],
            unused: Size::default(),
        }
    }

    /// Counts what an artifact has for itself.
    fn artifacts(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let mut query = conn.prepare(
            "SELECT a.id,
                    (SELECT coalesce(sum(length(element)), 0) FROM document WHERE artifact = a.id)
                  + (SELECT coalesce(sum(length(pieces)), 0) FROM recipe WHERE artifact = a.id)
                  + (SELECT coalesce(sum(length(bytes)), 0) FROM signature WHERE artifact = a.id)
               FROM artifact a",
        )?;
        let mut rows = query.query([])?;
        let none = vec![0; self.words];
        while let Some(row) = rows.next()? {
            let set = self.keepers.get(&row.get(0)?).unwrap_or(&none).clone();
            self.add(&set, row.get(1)?, 1);
        }
        Ok(())
    }

    /// Counts each content once, for all who keep an artifact with it.
    fn contents(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let mut keepers: HashMap<i64, Vec<u64>> = HashMap::new();
        for query in [
            "SELECT content, artifact FROM file",
            "SELECT document, artifact FROM document",
        ] {
            let mut query = conn.prepare(query)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let Some(set) = self.keepers.get(&row.get(1)?) else {
                    continue;
                };
                let of_content = keepers
                    .entry(row.get(0)?)
                    .or_insert_with(|| vec![0; self.words]);
                for (word, more) in of_content.iter_mut().zip(set) {
                    *word |= more;
                }
            }
        }
        let mut query = conn.prepare("SELECT coalesce(content, 0), bytes FROM stream")?;
        let mut rows = query.query([])?;
        let none = vec![0; self.words];
        while let Some(row) = rows.next()? {
            let set = keepers.get(&row.get(0)?).unwrap_or(&none);
            self.add(set, row.get(1)?, 0);
        }
        Ok(())
    }

    fn add(&mut self, set: &[u64], bytes: i64, artifacts: u64) {
        let bytes = bytes.cast_unsigned();
        let keepers = set.iter().map(|word| word.count_ones()).sum::<u32>();
        if keepers == 0 {
            self.unused.add(bytes, true, artifacts);
        }
        for (index, word) in set.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let number = index * 64 + left.trailing_zeros() as usize;
                if let Some(size) = self.sizes.get_mut(number) {
                    size.add(bytes, keepers == 1, artifacts);
                }
                left &= left - 1;
            }
        }
    }
}

impl Size {
    fn add(&mut self, bytes: u64, is_own: bool, artifacts: u64) {
        self.artifacts += artifacts;
        self.bytes += bytes;
        if is_own {
            self.own_bytes += bytes;
        }
    }
}

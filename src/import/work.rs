//! How much work a source may ask for, by its size.
//!
//! Compression makes a bomb of anything that costs more than its bytes: of a manifest, of a package, of a file without
//! content. So each is weighed by what it costs to take, in plain bytes of a large file, and the sum is held against the
//! bytes that were read. It knows no clock: the same source is refused, at the same member, on every machine. The weights
//! are from `benches/hostile_input.rs`, where a plain byte of a large file takes about 2.5 ns from the source to the store.

use super::error::ImportError;
use crate::limits::Limits;

/// What taking a package costs, whatever is in it: a document rendered, a few transactions.
const PACKAGE: u64 = 200_000;

/// What taking a file costs, whatever is in it: its row, its place in the package's document.
const FILE: u64 = 3_000;

/// What a byte of a manifest costs: parsing YAML of many small values takes fifty times as long as taking plain bytes.
const MANIFEST_BYTE: u64 = 50;

/// What any member costs, taken or not.
const MEMBER: u64 = 300;

/// The work that a source asked for so far.
#[derive(Debug, Default)]
pub(super) struct Work {
    plain_bytes: u64,
}

impl Work {
    pub(super) fn package(&mut self) {
        self.add(PACKAGE);
    }

    pub(super) fn member(&mut self) {
        self.add(MEMBER);
    }

    /// Adds a file that was read.
    pub(super) fn file(&mut self, bytes: u64, is_manifest: bool) {
        let weight = if is_manifest { MANIFEST_BYTE } else { 1 };
        self.add(FILE.saturating_add(bytes.saturating_mul(weight)));
    }

    /// Requires that the work is not too much for a source of which `source_bytes` were read.
    pub(super) fn check(
        &self,
        source_bytes: u64,
        member: &str,
        limits: &Limits,
    ) -> Result<(), ImportError> {
        let allowed = source_bytes
            .saturating_mul(limits.expansion_ratio)
            .saturating_add(limits.expansion_free_bytes);
        if self.plain_bytes <= allowed {
            return Ok(());
        }
        Err(ImportError::TooMuchWork {
            member: member.to_owned(),
            source_bytes,
            ratio: limits.expansion_ratio,
        })
    }

    fn add(&mut self, plain_bytes: u64) {
        self.plain_bytes = self.plain_bytes.saturating_add(plain_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_may_reach_what_the_size_of_the_source_allows_and_not_go_beyond() {
        let limits = Limits {
            expansion_free_bytes: 1_000,
            expansion_ratio: 10,
            ..Limits::default()
        };
        let mut work = Work::default();
        work.package();
        work.member();
        work.file(100, true);
        work.file(700, false);
        let all = PACKAGE + MEMBER + 2 * FILE + 100 * MANIFEST_BYTE + 700;
        let source_bytes = (all - 1_000) / 10;
        assert_eq!(all, 1_000 + 10 * source_bytes, "the numbers are round");
        assert!(work.check(source_bytes, "a/b", &limits).is_ok());
        let error = work.check(source_bytes - 1, "a/b", &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "at a/b the files, packages and manifests of the source weigh more than 10 times the {} bytes read so far",
                source_bytes - 1
            )
        );
        work.file(u64::MAX, true);
        assert!(
            work.check(u64::MAX, "a/b", &limits).is_ok(),
            "nothing overflows"
        );
    }
}

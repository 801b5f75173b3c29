//! An import that its disk has no room for: what it needs is told, and what it brought is taken out again.

use std::io;

use super::error::ImportError;
use super::progress::Progress;
use crate::store::garbage::{self, Mark, Step, Sweep};
use crate::store::{RESERVE_BYTES, Store, StoreError};

/// Bytes that the WAL of an import takes, and once more what its checkpoint takes in the file before it is emptied.
const WAL_BYTES: u64 = 40 << 20;

/// The store as it was before an import.
pub(super) struct Before {
    mark: Mark,
    taken_bytes: u64,
}

impl Before {
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            mark: store.snapshot(garbage::mark)?,
            taken_bytes: store.taken_bytes(),
        })
    }

    /// Returns why an import ended, whose stage is no more: where `error` says that its disk is full, after its space was
    /// given back and with what it needs, else as it came.
    pub(super) fn explain(
        &self,
        error: ImportError,
        store: &Store,
        progress: &Progress,
    ) -> ImportError {
        if !is_for_space(&error) {
            return error;
        }
        let grown_bytes = store.taken_bytes().saturating_sub(self.taken_bytes);
        self.clear(store);
        let free_bytes = match store.disk().free_bytes() {
            Ok(free_bytes) => free_bytes,
            Err(error) => return error.into(),
        };
        let report = progress.report();
        let total_bytes = progress.total_bytes();
        // What came in so far says what the whole will take, once some of it did.
        let estimate_bytes = match total_bytes {
            Some(total) if report.found > 0 && report.read_bytes < total => {
                let grown = u128::from(grown_bytes) * u128::from(total);
                u64::try_from(grown / u128::from(report.read_bytes.max(1))).ok()
            }
            _ => None,
        };
        let least_bytes = if report.found > 0 {
            grown_bytes
        } else {
            // Nothing was stored: it ended at once, or what was being copied into the data folder had no room.
            let known_bytes = total_bytes.unwrap_or(report.read_bytes);
            known_bytes.max(report.copied_bytes)
        };
        // One part in eight more: packages that were read and not stored yet were not counted.
        let stored_bytes =
            estimate_bytes.map_or(least_bytes, |bytes| bytes.saturating_add(bytes / 8));
        let needed_bytes = stored_bytes.saturating_add(RESERVE_BYTES + WAL_BYTES);
        ImportError::DiskFull {
            is_estimate: estimate_bytes.is_some() && needed_bytes > free_bytes,
            needed_bytes: needed_bytes.max(free_bytes),
            free_bytes,
            folder: store.folder().to_owned(),
        }
    }

    /// Takes out what the import stored. What cannot be taken out is in nobody's way but for its space.
    fn clear(&self, store: &Store) {
        let sweep = |mut sweep: Sweep| {
            while store
                .write(|conn| sweep.step(conn))
                .is_ok_and(|step| step == Step::More)
            {}
        };
        sweep(Sweep::after(self.mark));
        // The recipes of the import are gone, and with them all need of what only they referred to.
        let second_streams = || -> Result<Sweep, StoreError> {
            let found = store.read(|conn| garbage::second_streams(conn, self.mark))?;
            let mut sweep = Sweep::after(self.mark);
            store.write(|conn| sweep.take_streams(conn, found))?;
            Ok(sweep)
        };
        if let Ok(streams) = second_streams() {
            sweep(streams);
        }
        store.give_space_back();
    }
}

/// Tells whether it was for want of space that an import ended, in the store or where a zip is copied.
fn is_for_space(error: &ImportError) -> bool {
    let causes =
        std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| {
            cause.source()
        });
    let is_full = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::StorageFull)
    };
    matches!(
        error,
        ImportError::Store(StoreError::Short { .. } | StoreError::Full(_))
    ) || { causes }.any(is_full)
}

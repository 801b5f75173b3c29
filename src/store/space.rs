//! Room on the disk: what an import may take, and what it leaves to the service.
//!
//! The figures are the file system's (`statvfs`, what an unprivileged user may still take); it knows nothing of quotas,
//! which SQLite meets as a full disk.

use std::path::{Path, PathBuf};

use parking_lot::FairMutexGuard;
use rusqlite::{Connection, Transaction};
use rustix::fs::{StatVfs, StatVfsMountFlags};

use super::{Store, StoreError, locked, transact};

/// Bytes of the disk that no import takes: for a transaction and its checkpoint (about 24 MiB at their most), for the
/// change sets of the operator, for clearing away an import that stopped, and for the logs beside the store.
pub const RESERVE_BYTES: u64 = 32 << 20;

/// The disk that a store lies on.
#[derive(Debug, Clone)]
pub struct Disk(PathBuf);

impl Disk {
    /// Returns the bytes that are free.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let disk = self.stat()?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Tells whether its file system is read-only.
    pub fn is_read_only(&self) -> Result<bool, StoreError> {
        Ok(self.stat()?.f_flag.contains(StatVfsMountFlags::RDONLY))
    }

    fn stat(&self) -> Result<StatVfs, StoreError> {
        rustix::fs::statvfs(&self.0).map_err(|error| StoreError::Folder {
            path: self.0.clone(),
            source: error.into(),
        })
    }

    /// Fails with [`StoreError::Short`] where `bytes` more would not leave [`RESERVE_BYTES`] free.
    pub fn check_for(&self, bytes: u64) -> Result<(), StoreError> {
        enough(self.free_bytes()?, RESERVE_BYTES.saturating_add(bytes))
    }

    /// Fails with [`StoreError::Short`] where less than [`RESERVE_BYTES`] are free.
    pub fn check(&self) -> Result<(), StoreError> {
        enough(self.free_bytes()?, RESERVE_BYTES)
    }
}

impl Store {
    /// Returns the disk that the store lies on.
    pub fn disk(&self) -> Disk {
        Disk(self.folder.clone())
    }

    /// Returns the bytes that the store takes on its disk, what the WAL holds included.
    pub fn taken_bytes(&self) -> u64 {
        file_bytes(&self.folder.join("airlock.db")) + self.wal_bytes()
    }

    /// As [`Store::write`], for what an import adds: fails with [`StoreError::Short`] before it writes where the service
    /// would not be left its [`RESERVE_BYTES`].
    pub fn write_within_space<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.writer_with_space()?;
        let answer = transact(&mut writer, change);
        drop(writer);
        self.checkpoint();
        answer
    }

    /// What the WAL holds may be needed once more in the file before the WAL can begin anew, so it counts twice. It is
    /// emptied before an import is stopped for it.
    fn writer_with_space(&self) -> Result<FairMutexGuard<'_, Connection>, StoreError> {
        let needed_bytes = || RESERVE_BYTES + self.wal_bytes();
        let writer = self.writer.lock();
        if self.disk().free_bytes()? >= needed_bytes() {
            return Ok(writer);
        }
        drop(writer);
        let writer = self.empty_wal();
        enough(self.disk().free_bytes()?, needed_bytes())?;
        Ok(writer)
    }

    /// Moves what the WAL holds into the file and cuts it off, and returns the writer that did it. A failure leaves it as it
    /// was, and costs only its space.
    fn empty_wal(&self) -> FairMutexGuard<'_, Connection> {
        // SQLite waits for readers, but not for somebody who moves it already.
        let _alone = locked(&self.checkpointer);
        let writer = self.writer.lock();
        let _ = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        writer
    }

    /// Gives pages that nothing is in any more back to the file system, a few at a time so that other writes get their
    /// turn. Stops quietly where the disk is too full even for that.
    pub fn give_space_back(&self) {
        // At most 256 pages, 2 MiB, are moved in one transaction. Each is a row: the statement ends with its last.
        let give_some = |writer: &Connection| -> rusqlite::Result<()> {
            let mut query = writer.prepare("PRAGMA incremental_vacuum(256)")?;
            let mut pages = query.query([])?;
            while pages.next()?.is_some() {}
            Ok(())
        };
        let free_pages = |writer: &Connection| -> rusqlite::Result<i64> {
            writer.pragma_query_value(None, "freelist_count", |row| row.get(0))
        };
        loop {
            let writer = self.writer.lock();
            let Ok(before @ 1..) = free_pages(&writer) else {
                break;
            };
            let has_given = give_some(&writer).and_then(|()| free_pages(&writer));
            if !has_given.is_ok_and(|after| after < before) {
                break;
            }
        }
        drop(self.empty_wal());
    }

    fn wal_bytes(&self) -> u64 {
        file_bytes(&self.folder.join("airlock.db-wal"))
    }
}

fn enough(free_bytes: u64, needed_bytes: u64) -> Result<(), StoreError> {
    if free_bytes >= needed_bytes {
        Ok(())
    } else {
        Err(StoreError::Short {
            free_bytes,
            needed_bytes,
        })
    }
}

/// Returns a file's size; 0 where there is none.
fn file_bytes(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}

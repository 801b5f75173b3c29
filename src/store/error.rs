//! What can go wrong in the store.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// A failure of the store. `Display` is one line; the cause is in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be made, read or locked.
    #[error("cannot use the data folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the store open.
    #[error("the store in {} is in use by another airlock", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The store's file is something else.
    #[error("{} is not an airlock store", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The store was written by a later airlock.
    #[error("the store has schema {found}, this airlock knows up to {known}")]
    NewerSchema {
        /// The schema's number in the file.
        found: i64,
        /// The newest this binary knows.
        known: i64,
    },
    /// Bytes at rest are not those that were written.
    #[error("stream {stream} is damaged at chunk {number}")]
    Damaged {
        /// The stream.
        stream: i64,
        /// The chunk within it.
        number: u32,
    },
    /// A row holds what no code of ours writes.
    #[error("the store holds an invalid {what}: {value}")]
    Invalid {
        /// The kind of value.
        what: &'static str,
        /// The value found.
        value: String,
    },
    /// The disk is full.
    #[error("no space left for the store")]
    Full(#[source] rusqlite::Error),
    /// An import would take what the service needs.
    #[error("{free_bytes} bytes are free for the store, and {needed_bytes} have to be")]
    Short {
        /// Bytes free on the disk.
        free_bytes: u64,
        /// Bytes that have to be free.
        needed_bytes: u64,
    },
    /// Anything else that SQLite reports.
    #[error("the store failed")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // The file that connections share is too small and cannot grow: there is no other reason for it.
        let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull)
            || error
                .sqlite_error()
                .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        if is_full {
            Self::Full(error)
        } else {
            Self::Sqlite(error)
        }
    }
}

//! The one file everything lives in, and the only SQL.
//!
//! One file a noun; functions take the connection first, so that a transaction is just another caller. Absence is
//! `Option` here; what it means to a client is decided elsewhere. One process owns a store, by a lock beside it: one
//! writer, several readers, WAL. Callers keep every transaction under 100 ms.

/// Lets a row number be bound and read as its own type.
macro_rules! sql_id {
    ($name:ident) => {
        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    };
}
use sql_id;

pub mod addresses;
pub mod approvals;
pub mod artifacts;
pub mod audit;
pub mod branches;
pub mod change_sets;
pub mod contents;
pub mod disk_samples;
pub mod distributions;
pub mod documents;
mod error;
pub mod ever;
#[cfg(test)]
mod examples;
pub mod fetches;
pub mod former;
pub mod garbage;
pub mod history;
pub mod holds;
pub mod in_use;
pub mod keys;
pub mod prune;
pub mod quarantine;
pub mod recipes;
pub mod records;
mod schema;
pub mod sessions;
pub mod setup_links;
pub mod signatures;
pub mod sizes;
pub mod sources;
mod space;
pub mod stages;
pub mod streams;
mod times;
pub mod tokens;
pub mod users;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use parking_lot::FairMutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use error::StoreError;
pub use schema::SCHEMA_VERSION;
pub use space::{Disk, RESERVE_BYTES};

/// An open store: the lock, one connection that writes and a pool of connections that read.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    readers: Mutex<Vec<Connection>>,
    /// Moves the WAL into the file while others write; opened when there is something to move.
    /// Locked before the writer where both are.
    checkpointer: Mutex<Option<Connection>>,
    // Dropped after the readers: the last connection to close empties the WAL, and a reader cannot. Whoever waits
    // longest is next: an import, which writes again and again, keeps nobody out.
    writer: FairMutex<Connection>,
    /// Whether reads share the connection that writes, as the disk had no room for what more than one need.
    is_cramped: bool,
    _lock: Lock,
}

/// The lock on a folder.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a child that another thread is just starting may hold it open until it runs.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the lock of the store is kept until the process ends");
        }
    }
}

impl Store {
    /// Opens the store in `folder`, making both where they are missing, and brings its schema up to date.
    ///
    /// The folder and the files are closed to others (0750, 0640) from the moment they exist. What an import left that
    /// was killed is cleared: its stage and the streams it had not finished.
    ///
    /// On a full disk it opens all the same: for reading, and for what can be written in pages that are free.
    ///
    /// Fails with [`StoreError::InUse`] while another process has it, and with [`StoreError::NewerSchema`] on a store of
    /// a later airlock; neither changes a byte.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)
            .map_err(io)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o640)
            .open(folder.join("airlock.lock"))
            .map_err(io)?;
        let lock = match lock.try_lock() {
            Ok(()) => Lock(lock),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    path: folder.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        };
        let file = folder.join("airlock.db");
        // SQLite would make the file readable by everybody; its companions, -wal and -shm, take their mode from it.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o640)
            .open(&file)
            .map_err(io)?;
        let (writer, is_cramped) = match schema::open(&file) {
            Err(StoreError::Full(_)) => (schema::open_cramped(&file)?, true),
            writer => (writer?, false),
        };
        if is_cramped {
            tracing::warn!(folder = %folder.display(), "no space left on the disk of the store: it is read by one at a time until it is opened with room");
        }
        let store = Self {
            writer: FairMutex::new(writer),
            is_cramped,
            readers: Mutex::default(),
            checkpointer: Mutex::default(),
            folder: folder.to_owned(),
            _lock: lock,
        };
        // Nobody else has the lock, so whatever is open was left by a process that is no more.
        let cleared = store.write(|conn| {
            stages::end_open(conn)?;
            artifacts::remove_unfinished(conn)?;
            streams::abandon_unfinished(conn)?;
            sources::remove_unused(conn)
        });
        match cleared {
            // It is in nobody's way; the next opening clears it.
            Err(StoreError::Full(_)) => {}
            cleared => drop(cleared?),
        }
        Ok(store)
    }

    /// Returns the folder that holds the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `query` on a connection that cannot write, outside any transaction.
    ///
    /// Blocks; never call it on an async thread. Statements that must see one state belong in [`Self::snapshot`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_cramped {
            return query(&self.writer.lock());
        }
        let pooled = locked(&self.readers).pop();
        let reader = match pooled {
            Some(reader) => reader,
            None => schema::open_reader(&self.folder.join("airlock.db"))?,
        };
        let answer = query(&reader);
        locked(&self.readers).push(reader);
        answer
    }

    /// Runs `query` in one read transaction: all its statements see the same state. Keep it short, it pins the WAL.
    pub fn snapshot<T, E: From<StoreError>>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read(|conn| {
            let transaction = conn.unchecked_transaction().map_err(StoreError::from)?;
            query(&transaction)
        })
    }

    /// Runs `change` in one transaction that takes effect whole or not at all.
    ///
    /// A power cut may undo the last of these; what was there before is never harmed.
    pub fn write<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let answer = transact(&mut self.writer.lock(), change);
        self.checkpoint();
        answer
    }

    /// Moves the WAL into the file where that is due and nobody does it already: what it holds while others go on writing, then
    /// the little that they wrote meanwhile, so that the WAL begins anew.
    fn checkpoint(&self) {
        if !schema::is_checkpoint_due() || self.is_cramped {
            return;
        }
        let Ok(mut checkpointer) = self.checkpointer.try_lock() else {
            return;
        };
        if checkpointer.is_none() {
            *checkpointer = schema::open_checkpointer(&self.folder.join("airlock.db")).ok();
        }
        if let Some(conn) = &*checkpointer {
            schema::checkpoint_beside(conn, || self.writer.lock());
        }
    }

    /// As [`Self::write`], and on disk when it returns, with every write before it: what a change set is committed by.
    pub fn write_synced<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.writer.lock();
        writer
            .pragma_update(None, "synchronous", "FULL")
            .map_err(StoreError::from)?;
        let answer = transact(&mut writer, change);
        writer
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(StoreError::from)?;
        drop(writer);
        self.checkpoint();
        answer
    }

    /// Runs `change` as [`Self::write`] does, and takes it back: what it returns is what it would have done.
    pub fn rehearse<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.writer.lock();
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        // Dropped without a commit, it is rolled back.
        change(&transaction)
    }
}

fn transact<T, E: From<StoreError>>(
    writer: &mut Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = writer
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let answer = change(&transaction)?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(answer)
}

/// A panic elsewhere leaves no half-made state behind a store's locks: SQLite rolled its transaction back.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_closed_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let add = "INSERT INTO path (text) VALUES ('kept')";
        store
            .write(|conn| Ok::<_, StoreError>(conn.execute(add, [])?))
            .unwrap();
        store.read(change_sets::last).unwrap();
        assert!(folder.path().join("airlock.db-wal").exists());

        drop(store);
        assert!(!folder.path().join("airlock.db-wal").exists());
    }

    fn add(store: &Store, text: &str) {
        let add = |conn: &Transaction<'_>| {
            Ok::<_, StoreError>(conn.execute("INSERT INTO path (text) VALUES (?1)", [text])?)
        };
        store.write(add).unwrap();
    }

    #[test]
    fn who_writes_again_and_again_lets_the_one_that_waits_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let first = store.write(|conn| {
                scope.spawn(|| {
                    let thread = rustix::thread::gettid();
                    sender.send(thread.as_raw_nonzero()).unwrap();
                    add(&store, "waiting");
                });
                let waiting = receiver.recv().unwrap();
                // It has nothing to sleep on but the lock that is held here.
                let status = format!("/proc/self/task/{waiting}/stat");
                while !std::fs::read_to_string(&status).unwrap().contains(") S ") {
                    std::thread::yield_now();
                }
                let add = "INSERT INTO path (text) VALUES ('first')";
                Ok::<_, StoreError>(conn.execute(add, [])?)
            });
            first.unwrap();
            add(&store, "again");
        });
        let order = store.read(|conn| {
            let mut query = conn.prepare("SELECT text FROM path ORDER BY id")?;
            let texts = query.query_map([], |row| row.get::<_, String>(0))?;
            Ok::<_, StoreError>(texts.collect::<Result<Vec<_>, _>>()?)
        });
        assert_eq!(order.unwrap(), ["first", "waiting", "again"]);
    }

    #[test]
    fn the_wal_is_moved_into_the_file_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let wal = folder.path().join("airlock.db-wal");
        for number in 0..100 {
            add(&store, &format!("{number}{}", "x".repeat(1 << 20)));
            // What is moved at 32 MiB, the transaction that reached it, and what it takes besides.
            assert!(wal.metadata().unwrap().len() < 36 << 20);
        }
    }
}

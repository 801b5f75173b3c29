//! Opening the file: pragmas, identity, migrations.
//!
//! `PRAGMA user_version` is the only bookkeeping. A migration is named by the version it produces; all that are missing
//! run in one transaction, so a failed upgrade leaves the store as it was.

use std::cell::Cell;
use std::ffi::c_int;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;

/// The newest schema this binary knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_store.sql"),
    include_str!("../../migrations/0002_stream_digest.sql"),
    include_str!("../../migrations/0003_keys.sql"),
    include_str!("../../migrations/0004_signatures.sql"),
    include_str!("../../migrations/0005_holds.sql"),
    include_str!("../../migrations/0006_keeping.sql"),
    include_str!("../../migrations/0007_recipes_by_files.sql"),
    include_str!("../../migrations/0008_people.sql"),
    include_str!("../../migrations/0009_disk.sql"),
];

/// "ALCK", in the file's header: `file` and we can tell the store from other databases.
const APPLICATION_ID: i64 = 0x414c_434b;

/// Opens `file` for writing, makes it if it is missing and brings it up to date.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    set_up(connect(file)?, file)
}

/// As [`open`], where the disk has no room even for the few pages that connections share: the only connection to `file`.
pub(super) fn open_cramped(file: &Path) -> Result<Connection, StoreError> {
    let conn = connect(file)?;
    // Set before the first read, it keeps the index of the WAL in memory (<https://sqlite.org/wal.html>, "Use of WAL
    // Without Shared-Memory").
    conn.execute_batch("PRAGMA locking_mode = EXCLUSIVE;")?;
    set_up(conn, file)
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(file, flags)?)
}

fn set_up(mut conn: Connection, file: &Path) -> Result<Connection, StoreError> {
    if check_identity(&conn, file)? == 0 {
        // They hold only before the first table; later the second would write, which a full disk does not let it. 8 KiB
        // pages pack small streams without many overflow pages.
        conn.execute_batch(
            "PRAGMA page_size = 8192;
             PRAGMA auto_vacuum = INCREMENTAL;",
        )?;
    }
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -8192;",
    )?;
    prepare(&conn)?;
    upgrade(&mut conn, MIGRATIONS)?;
    conn.wal_hook(Some(checkpoint))?;
    Ok(conn)
}

/// Pages in the WAL from which on they are moved into the file, beside what others write: 32 MiB. Of a page
/// that was written several times only the last is moved, and an import writes those of the indexes again and again.
const CHECKPOINT_PAGES: c_int = 4096;

/// Pages in the WAL from which on a commit moves them itself, in case nobody else comes to it: 48 MiB.
const MOST_PAGES: c_int = 6144;

thread_local! {
    /// What the WAL held after the last commit of this thread; rusqlite's hook is a function without a state of its own.
    static WAL_PAGES: Cell<c_int> = const { Cell::new(0) };
}

/// Runs after each commit, with the pages that the WAL holds then.
fn checkpoint(wal: &mut Wal, pages: c_int) -> rusqlite::Result<()> {
    WAL_PAGES.set(pages);
    if pages >= MOST_PAGES {
        moved(pages, || wal.checkpoint());
        WAL_PAGES.set(0);
    }
    Ok(())
}

/// Tells whether the WAL that this thread wrote to is to be moved into the file.
pub(super) fn is_checkpoint_due() -> bool {
    WAL_PAGES.get() >= CHECKPOINT_PAGES
}

/// Moves the WAL into the file by a connection of [`open_checkpointer`]: what it holds while another one may write, then, for as
/// long as what `alone` returns keeps others from that, the little that was written meanwhile.
pub(super) fn checkpoint_beside<G>(conn: &Connection, alone: impl FnOnce() -> G) {
    let pages = WAL_PAGES.replace(0);
    let passive = || conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    moved(pages, || {
        passive()?;
        let _alone = alone();
        passive()
    });
}

fn moved(pages: c_int, checkpoint: impl FnOnce() -> rusqlite::Result<()>) {
    tracing::debug!(phase = "checkpoint", pages, "moving the WAL into the store");
    match checkpoint() {
        Ok(()) => tracing::debug!(phase = "checkpoint", "moved"),
        // The commit holds all the same; the next one tries again.
        Err(error) => tracing::debug!(phase = "checkpoint", %error, "not moved"),
    }
}

/// Opens `file`, which exists and is up to date, for moving the WAL into it.
pub(super) fn open_checkpointer(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.execute_batch("PRAGMA synchronous = NORMAL;")?;
    Ok(conn)
}

/// Opens `file`, which exists and is up to date, for reading.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.execute_batch("PRAGMA cache_size = -1024;")?;
    prepare(&conn)?;
    Ok(conn)
}

/// Sets what holds for every connection.
fn prepare(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;",
    )?;
    // A plan that depends on what is bound is made anew at each binding: for our statements that costs more than they do.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Refuses a file that is no store or that a later airlock wrote, before anything is written to it; returns how many
/// tables and indexes it has.
fn check_identity(conn: &Connection, file: &Path) -> Result<i64, StoreError> {
    let not_a_store = || StoreError::NotAStore {
        path: file.to_owned(),
    };
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => not_a_store(),
            _ => error.into(),
        })?;
    let application_id: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && application_id != APPLICATION_ID {
        return Err(not_a_store());
    }
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema {
            found,
            known: SCHEMA_VERSION,
        });
    }
    Ok(tables)
}

fn upgrade(conn: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).map_err(|_| StoreError::Invalid {
        what: "schema version",
        value: found.to_string(),
    })?;
    for migration in migrations.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if done < migrations.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Returns an empty store in memory, for tests of one noun.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    prepare(&conn).unwrap();
    upgrade(&mut conn, MIGRATIONS).unwrap();
    conn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_version(conn: &Connection) -> i64 {
        conn.pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_new_file_becomes_a_store_that_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("airlock.db");
        drop(open(&file).unwrap());

        let conn = open(&file).unwrap();
        assert_eq!(user_version(&conn), SCHEMA_VERSION);
        let pragma = |name| {
            conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(
            (
                pragma("page_size"),
                pragma("auto_vacuum"),
                pragma("foreign_keys")
            ),
            (8192, 2, 1)
        );
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("airlock.db");
        let conn = open(&file).unwrap();
        conn.pragma_update(None, "user_version", SCHEMA_VERSION + 1)
            .unwrap();
        drop(conn);
        let before = std::fs::read(&file).unwrap();

        let error = open(&file).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the store has schema {}, this airlock knows up to {SCHEMA_VERSION}",
                SCHEMA_VERSION + 1
            )
        );
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn another_database_and_another_file_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("other.db");
        Connection::open(&file)
            .unwrap()
            .execute_batch("CREATE TABLE theirs (a)")
            .unwrap();
        let before = std::fs::read(&file).unwrap();
        assert!(matches!(
            open(&file).unwrap_err(),
            StoreError::NotAStore { .. }
        ));
        assert_eq!(std::fs::read(&file).unwrap(), before);

        let text = folder.path().join("text.db");
        std::fs::write(
            &text,
            "no database at all, just some text that is long enough",
        )
        .unwrap();
        assert!(matches!(
            open(&text).unwrap_err(),
            StoreError::NotAStore { .. }
        ));
    }

    #[test]
    fn a_store_of_an_earlier_schema_keeps_what_it_has() {
        let newest: Vec<String> = tables(&in_memory());
        for schema in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("airlock.db");
            let mut earlier = Connection::open(&file).unwrap();
            upgrade(&mut earlier, &MIGRATIONS[..schema]).unwrap();
            earlier
                .execute("INSERT INTO path (text) VALUES ('kept')", [])
                .unwrap();
            drop(earlier);

            let conn = open(&file).unwrap();
            assert_eq!(user_version(&conn), SCHEMA_VERSION);
            assert_eq!(tables(&conn), newest);
            let kept: String = conn
                .query_row("SELECT text FROM path", [], |row| row.get(0))
                .unwrap();
            assert_eq!(kept, "kept");
        }
    }

    fn tables(conn: &Connection) -> Vec<String> {
        let mut query = conn
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_failed_upgrade_leaves_the_store_as_it_was() {
        let mut conn = in_memory();
        conn.execute("INSERT INTO path (text) VALUES ('kept')", [])
            .unwrap();
        let broken = [MIGRATIONS, &["CREATE TABLE half (a) STRICT;"]].concat();

        assert!(upgrade(&mut conn, &broken).is_err());
        assert_eq!(user_version(&conn), SCHEMA_VERSION);
        let kept: String = conn
            .query_row("SELECT text FROM path", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, "kept");
    }
}

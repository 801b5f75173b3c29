//! The store's files, and what a process that was killed left in them.

use std::os::unix::fs::PermissionsExt;

use airlock::store::streams::{self, Coding};
use airlock::store::{Store, StoreError, sources, stages};

use crate::trees::release;
use crate::{Ask, Place};

#[test]
fn the_folder_and_its_files_are_closed_to_others() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let store = Store::open(&folder).unwrap();
    store.read(|conn| sources::has_size(conn, 1)).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder) & !0o750, 0);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & !0o640, 0, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "airlock.db",
            "airlock.db-shm",
            "airlock.db-wal",
            "airlock.lock"
        ]
    );
}

#[test]
fn opening_clears_what_a_killed_import_left_and_nothing_else() {
    let Place {
        folder,
        store,
        limits,
    } = Place::new();
    let place = Place {
        folder,
        store,
        limits,
    };
    place.import(release("7.9.0").tar().bytes(), &Ask::default());
    place
        .stage(release("8.5.0").tar().bytes(), &Ask::default())
        .unwrap();
    let before = place.counts();
    place
        .store
        .write(|conn| {
            let source = sources::begin(conn, "killed")?;
            stages::begin(conn, source, "2026-11-22T12:00:00Z", "tester", None)?;
            let stream = streams::begin(conn, Coding::Plain)?;
            streams::append(conn, stream, 0, b"half")
        })
        .unwrap();
    assert_ne!(place.counts(), before);

    let Place {
        folder,
        store,
        limits,
    } = place;
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::InUse { .. })
    ));
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let place = Place {
        folder,
        store,
        limits,
    };
    assert_eq!(place.counts(), before);
    assert_eq!(place.count("stage"), 1, "the plan that waits");
}

//! The releases themselves: nothing in them is refused, and they are told right.

use std::path::PathBuf;
use std::sync::Arc;

use airlock::archive::{Archive, Entry, Format, Origin};
use airlock::limits::Limits;

/// Returns a file of the shared data; `None` where there is none.
fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AIRLOCK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join("data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("left out: {} is not there", path.display());
    None
}

/// Returns the files, their bytes, and the commit.
fn walk(path: PathBuf) -> (u64, u64, Option<String>) {
    let (mut files, mut bytes) = (0, 0);
    let spool = std::env::temp_dir();
    let origin = Origin::Path(path);
    let mut archive = Archive::open(origin, &spool, Arc::default(), &Limits::default()).unwrap();
    assert_eq!(archive.format(), Format::TarZstd);
    while let Some(entry) = archive.next().unwrap() {
        match entry {
            Entry::File(mut file) => {
                files += 1;
                bytes += std::io::copy(&mut file, &mut std::io::sink()).unwrap();
            }
            Entry::Directory(_) => {}
            Entry::Skipped { path, what } => panic!("{path} skipped: {what}"),
            Entry::Refused { path, why } => panic!("{path} refused: {why}"),
        }
    }
    (files, bytes, archive.comment().map(str::to_owned))
}

#[test]
fn the_releases_are_read_whole_and_nothing_in_them_is_refused() {
    let commits = [
        "ba39ee665882698e16448b3bf9842c01860a2183",
        "c1836cb784f2cc3e1b36d59fb63478d6006ec16f",
    ];
    if let Some(path) = shared("package-storage-7.9.0.tar.zst") {
        assert_eq!(walk(path), (3_152, 68_776_277, Some(commits[0].to_owned())));
    }
    if let Some(path) = shared("package-storage-8.5.0.tar.zst") {
        assert_eq!(
            walk(path),
            (126_375, 2_105_007_230, Some(commits[1].to_owned()))
        );
    }
    if let Some(path) = shared("fixtures.tar.zst") {
        assert_eq!(walk(path), (356, 6_127_719, None));
    }
}

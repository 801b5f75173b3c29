//! Directories on disk, walked and packed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use airlock::archive::{Origin, pack_directory};
use airlock::limits::Limits;

use crate::{Outcome, read, read_origin, read_within};

fn walk(path: &Path) -> Outcome {
    read_origin(Origin::Path(path.to_owned()), &Limits::default())
}

fn pack(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack_directory(path, "", &mut bytes, &Limits::default()).unwrap();
    bytes
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_directory_is_walked_in_the_order_of_its_names_and_links_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret", "not ours");
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "b/2", "two");
    write(root.path(), "b/1", "one");
    write(root.path(), "b.txt", "between b/ and c");
    write(root.path(), "a", "first");
    fs::create_dir(root.path().join("empty")).unwrap();
    symlink(outside.path(), root.path().join("way-out")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("file-link")).unwrap();
    symlink(".", root.path().join("b/loop")).unwrap();
    let _socket = UnixListener::bind(root.path().join("socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.path().join("pipe"), 0o600.into()).unwrap();

    assert_eq!(
        walk(root.path()).entries(),
        [
            "a = first",
            "b/",
            "b/1 = one",
            "b/2 = two",
            "b/loop skipped: symbolic link",
            "b.txt = between b/ and c",
            "empty/",
            "file-link skipped: symbolic link",
            "pipe skipped: named pipe",
            "socket skipped: member of an unknown type",
            "way-out skipped: symbolic link",
        ]
    );
    let mut walked = walk(root.path()).entries();
    walked.retain(|line| !line.ends_with('/'));
    assert_eq!(read(pack(root.path())).entries(), walked);
}

#[test]
fn a_prefix_stands_in_front_of_every_path() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/1", "one");
    symlink("1", root.path().join("a/link")).unwrap();
    let mut bytes = Vec::new();
    let files = pack_directory(root.path(), "lead", &mut bytes, &Limits::default()).unwrap();
    assert_eq!(files, 1);
    assert_eq!(
        read(bytes).entries(),
        ["lead/a/1 = one", "lead/a/link skipped: symbolic link"]
    );
}

#[test]
fn a_refused_name_is_refused_on_both_sides_of_the_tar() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "p/good", "1");
    write(root.path(), "p/back\\slash", "2");
    write(root.path(), "p/folder./inside", "3");
    fs::write(root.path().join(OsStr::from_bytes(b"p/\xff")), "4").unwrap();
    let long = format!("p/{}", ["n".repeat(200).as_str(); 3].join("/"));
    write(root.path(), &long, "5");

    let refused = |outcome: Outcome| -> Vec<String> {
        outcome
            .entries()
            .into_iter()
            .filter(|line| line.contains("refused"))
            .collect()
    };
    let of_the_walk = refused(walk(root.path()));
    assert_eq!(of_the_walk.len(), 4, "{of_the_walk:?}");
    assert_eq!(
        of_the_walk[0],
        "p/back\\\\slash refused: the path has a backslash"
    );
    assert_eq!(refused(read(pack(root.path()))), of_the_walk);
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    for name in ["z", "a/b", "a/c", "m"] {
        write(root.path(), name, name);
    }
    assert_eq!(pack(root.path()), pack(root.path()));
}

#[test]
fn long_paths_survive_packing() {
    let root = tempfile::tempdir().unwrap();
    let long = format!("{}/leaf", ["folder-with-a-name"; 12].join("/"));
    write(root.path(), &long, "deep");
    assert_eq!(
        read(pack(root.path())).entries(),
        [format!("{long} = deep")]
    );
}

#[test]
fn a_directory_is_bounded_like_an_archive() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(root.path(), name, "12345678901");
    }
    let limits = Limits {
        source_members: 2,
        ..Limits::default()
    };
    let origin = || Origin::Path(root.path().to_owned());
    assert_eq!(
        read_origin(origin(), &limits).error(),
        "more than 2 members"
    );
    let limits = Limits {
        entry_bytes: 10,
        ..Limits::default()
    };
    let expected =
        ["a", "b", "c"].map(|name| format!("{name} refused: the file has 11 bytes, more than 10"));
    assert_eq!(read_origin(origin(), &limits).entries(), expected);
    assert_eq!(
        read_within(pack(root.path()), &limits).entries(),
        expected,
        "packed all the same"
    );
}

#[test]
fn folders_nest_64_deep_and_no_deeper() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &format!("{}/leaf", ["d"; 64].join("/")),
        "too deep",
    );
    let entries = walk(root.path()).entries();
    assert_eq!(entries.len(), 65);
    assert_eq!(
        entries[64],
        format!(
            "{}/leaf refused: the path has more than 64 components",
            ["d"; 64].join("/")
        )
    );
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = walk(&missing).error();
    assert!(
        error.starts_with(&format!("cannot read {}: ", missing.display())),
        "{error}"
    );
}

#[test]
fn an_archive_on_disk_is_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no-ending");
    fs::write(&file, crate::archives::tar().file("a", "1").zst()).unwrap();
    assert_eq!(walk(&file).entries(), ["a = 1"]);
}

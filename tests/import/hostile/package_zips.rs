//! Zips of packages: one that is bad is put aside, with nothing stored of it, and the one beside it is taken.

use airlock::limits::Limits;

use super::{outcomes, outcomes_within};
use crate::archives::{Zip, ZipEntry, tar, zip, zip_extra};
use crate::trees::{manifest, noise};

fn package(name: &str) -> Zip {
    zip()
        .deflated(
            format!("{name}-1.0.0/docs/README.md"),
            format!("# {name}\n"),
        )
        .deflated(
            format!("{name}-1.0.0/manifest.yml"),
            manifest(name, "1.0.0"),
        )
}

fn bad() -> Zip {
    package("bad")
}

/// Returns the zip with one more stored file, changed.
fn bad_but(change: impl FnOnce(&mut ZipEntry)) -> Vec<u8> {
    bad().stored_but("bad-1.0.0/x", "1", change).bytes()
}

fn deflated_but(change: impl FnOnce(&mut ZipEntry)) -> Vec<u8> {
    bad().deflated_but("bad-1.0.0/x", "1", change).bytes()
}

/// Returns a source with a good package and this one.
fn beside_a_good_one(zip: Vec<u8>) -> Vec<u8> {
    tar()
        .file("bad-1.0.0.zip", zip)
        .file("good-1.0.0.zip", package("good").bytes())
        .bytes()
}

fn table<const N: usize>(limits: &Limits, zips: [(&'static str, Vec<u8>); N]) -> String {
    outcomes_within(
        limits,
        zips.map(|(name, zip)| (name, beside_a_good_one(zip))),
    )
    .replace(
        "takes good 1.0.0; bad-1.0.0.zip: its zip cannot be taken: ",
        "",
    )
    .replace("takes good 1.0.0; bad-1.0.0.zip: ", "")
    .replace(" [1 artifact, 3 content, 1 quarantine]", "")
}

/// Returns the bytes in front of the central directory of a zip with one stored file.
fn hidden_file() -> Vec<u8> {
    let zip = zip().stored("bad-1.0.0/hidden", "1").bytes();
    let directory = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02");
    zip[..directory.unwrap()].to_vec()
}

/// Returns a zip of which one file lies in another.
fn overlapping() -> Vec<u8> {
    let inside = hidden_file();
    let start = bad().last_gap("").bytes();
    let start = start.windows(4).position(|bytes| bytes == b"PK\x01\x02");
    let data_start = start.unwrap() + 30 + "bad-1.0.0/x".len();
    bad()
        .stored("bad-1.0.0/x", &inside)
        .stored_but("bad-1.0.0/hidden", "1", |entry| {
            entry.offset = Some(data_start as u32);
        })
        .bytes()
}

#[test]
fn zips_that_programs_read_in_different_ways_are_put_aside() {
    let seen = table(
        &Limits::default(),
        [
            ("encrypted", bad_but(|entry| entry.flags = 1)),
            ("masked", bad_but(|entry| entry.flags = 0x2000)),
            ("deflate64", bad_but(|entry| entry.method = 9)),
            ("bzip2", bad_but(|entry| entry.method = 12)),
            ("LZMA", bad_but(|entry| entry.method = 14)),
            ("zstd", bad_but(|entry| entry.method = 93)),
            ("AES", bad_but(|entry| entry.method = 99)),
            ("link", bad_but(|entry| entry.unix_mode = 0o120_777)),
            ("device", bad_but(|entry| entry.unix_mode = 0o020_666)),
            (
                "other local path",
                bad_but(|entry| entry.local_path = b"bad-1.0.0/y".to_vec()),
            ),
            ("other local size", bad_but(|entry| entry.local_size = 2)),
            ("CRC lie", bad_but(|entry| entry.crc32 ^= 1)),
            ("deflated CRC lie", deflated_but(|entry| entry.crc32 ^= 1)),
            (
                "too long",
                deflated_but(|entry| (entry.size, entry.local_size) = (0, 0)),
            ),
            (
                "too short",
                deflated_but(|entry| (entry.size, entry.local_size) = (2, 2)),
            ),
            (
                "bytes behind the stream",
                deflated_but(|entry| entry.packed.extend(b"more")),
            ),
            (
                "a stream without an end",
                deflated_but(|entry| entry.packed = b"\x00\x01\x00\xfe\xff1".to_vec()),
            ),
            (
                "no deflate",
                deflated_but(|entry| entry.packed = b"\xff\xff".to_vec()),
            ),
            (
                "other descriptor",
                bad_but(|entry| {
                    entry.flags = 8;
                    entry.descriptor = Some(b"PK\x07\x08aaaabbbbcccc".to_vec());
                }),
            ),
            (
                "no descriptor",
                bad_but(|entry| {
                    entry.flags = 8;
                    entry.descriptor = Some(Vec::new());
                }),
            ),
            ("overlapping", overlapping()),
            ("hidden file", bad().last_gap(hidden_file()).bytes()),
            (
                "hidden file in front",
                bad_but(|entry| entry.gap = hidden_file()),
            ),
            (
                "file behind the directory",
                bad_but(|entry| entry.offset = Some(1 << 30)),
            ),
            (
                "a zip in front",
                [package("good").bytes(), bad().bytes()].concat(),
            ),
            ("bytes behind", [bad().bytes(), b"more".to_vec()].concat()),
            (
                "5 GiB by zip64",
                bad_but(|entry| {
                    entry.flags = 8;
                    entry.size = u32::MAX;
                    entry.extra = zip_extra(1, &(5_u64 << 30).to_le_bytes());
                }),
            ),
            (
                "two zip64 fields",
                bad_but(|entry| entry.extra = [zip_extra(1, b""), zip_extra(1, b"")].concat()),
            ),
            (
                "two names",
                bad_but(|entry| entry.extra = zip_extra(0x7075, b"\x01\0\0\0\0bad-1.0.0/y")),
            ),
            ("cut", bad().bytes()[..200].to_vec()),
            ("empty", Vec::new()),
            ("text", b"<!DOCTYPE html>".to_vec()),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    encrypted: bad-1.0.0/x: the file is encrypted
    masked: bad-1.0.0/x: the file is encrypted
    deflate64: bad-1.0.0/x: the file is compressed by method 9, only 0 (stored) and 8 (deflated) are read
    bzip2: bad-1.0.0/x: the file is compressed by method 12, only 0 (stored) and 8 (deflated) are read
    LZMA: bad-1.0.0/x: the file is compressed by method 14, only 0 (stored) and 8 (deflated) are read
    zstd: bad-1.0.0/x: the file is compressed by method 93, only 0 (stored) and 8 (deflated) are read
    AES: bad-1.0.0/x: the file is compressed by method 99, only 0 (stored) and 8 (deflated) are read
    link: bad-1.0.0/x: symbolic link
    device: bad-1.0.0/x: device
    other local path: damaged in bad-1.0.0/x: its local header contradicts the central directory
    other local size: damaged in bad-1.0.0/x: its local header contradicts the central directory
    CRC lie: damaged in x: its content does not match its CRC-32
    deflated CRC lie: damaged in x: its content does not match its CRC-32
    too long: damaged in x: its content is longer than announced
    too short: damaged in x: its content is shorter than announced
    bytes behind the stream: damaged in x: bytes follow its compressed content
    a stream without an end: damaged in x: its compressed content has no end
    no deflate: damaged in x: deflate says: corrupt deflate stream
    other descriptor: damaged in bad-1.0.0/x: its data descriptor contradicts the central directory
    no descriptor: damaged in bad-1.0.0/x: its data descriptor contradicts the central directory
    overlapping: its entries overlap
    hidden file: it holds a file that its central directory does not list
    hidden file in front: it holds a file that its central directory does not list
    file behind the directory: damaged in bad-1.0.0/x: it has no local header
    a zip in front: damaged before its first member: its central directory does not end where its end record begins
    bytes behind: damaged before its first member: its end record is not the end of the file
    5 GiB by zip64: damaged in bad-1.0.0/x: its data descriptor contradicts the central directory
    two zip64 fields: damaged in bad-1.0.0/x: its extra fields are malformed
    two names: bad-1.0.0/x: the file has two different paths
    cut: truncated before its first member
    empty: truncated before its first member
    text: truncated before its first member
    ");
}

#[test]
fn what_a_zip_holds_has_to_be_the_package_it_is_called_and_nothing_else() {
    let seen = table(
        &Limits::default(),
        [
            ("another package", package("apache").bytes()),
            (
                "another package in its folder",
                zip()
                    .stored("bad-1.0.0/docs/README.md", "#")
                    .stored("bad-1.0.0/manifest.yml", manifest("apache", "1.0.0"))
                    .bytes(),
            ),
            (
                "another folder",
                zip()
                    .stored("bad-1.0.1/docs/README.md", "#")
                    .stored("bad-1.0.1/manifest.yml", manifest("bad", "1.0.0"))
                    .bytes(),
            ),
            ("two folders", bad().stored("other/x", "1").bytes()),
            ("an empty folder beside", bad().stored("other/", "").bytes()),
            ("a file beside", bad().stored("x", "1").bytes()),
            (
                "no folder",
                zip()
                    .stored("manifest.yml", manifest("bad", "1.0.0"))
                    .bytes(),
            ),
            ("no file", zip().bytes()),
            ("no manifest", zip().stored("bad-1.0.0/x", "1").bytes()),
            (
                "no YAML",
                zip().stored("bad-1.0.0/manifest.yml", "a: [").bytes(),
            ),
            (
                "same name",
                bad().stored("bad-1.0.0/manifest.yml", "2").bytes(),
            ),
            ("case", bad().stored("bad-1.0.0/Manifest.yml", "2").bytes()),
            (
                "file and folder",
                bad().stored("bad-1.0.0/docs", "2").bytes(),
            ),
            ("up", bad().stored("bad-1.0.0/../x", "1").bytes()),
            ("absolute", bad().stored("/bad-1.0.0/x", "1").bytes()),
            ("backslash", bad().stored("bad-1.0.0/..\\x", "1").bytes()),
            ("NUL", bad().stored("bad-1.0.0/x\0", "1").bytes()),
            (
                "folder with content",
                bad().stored("bad-1.0.0/x/", "1").bytes(),
            ),
            (
                "folder with packed content",
                bad()
                    .deflated_but("bad-1.0.0/x/", "", |entry| {
                        entry.packed = b"\x01\x00\x00\xff\xff".to_vec();
                    })
                    .bytes(),
            ),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    another package: its zip is called bad-1.0.0.zip with the folder apache-1.0.0, and holds apache 1.0.0
    another package in its folder: its zip is called bad-1.0.0.zip with the folder bad-1.0.0, and holds apache 1.0.0
    another folder: its zip is called bad-1.0.0.zip with the folder bad-1.0.1, and holds bad 1.0.0
    two folders: its files do not lie in one root folder
    an empty folder beside: its files do not lie in one root folder
    a file beside: its files do not lie in one root folder
    no folder: its files do not lie in one root folder
    no file: its files do not lie in one root folder
    no manifest: it has no manifest.yml
    no YAML: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: unclosed bracket '[' at char 3 line 1 column 4
    same name: it holds manifest.yml twice
    case: it holds Manifest.yml and manifest.yml, which are one name to some systems
    file and folder: it holds docs as a file and as a folder
    up: bad-1.0.0/../x: the path climbs with ..
    absolute: /bad-1.0.0/x: the path is absolute
    backslash: bad-1.0.0/..\\x: the path has a backslash
    NUL: bad-1.0.0/x\u{0}: the path has the control character '\0'
    folder with content: bad-1.0.0/x/: a directory has content
    folder with packed content: bad-1.0.0/x/: a directory has content
    ");
}

#[test]
fn every_bound_on_a_zip_is_named_before_anything_of_it_is_stored() {
    let limits = Limits {
        package_files: 4,
        entry_bytes: 100_000,
        artifact_bytes: 150_000,
        manifest_bytes: 1_000,
        zip_rest_bytes: 10_000,
        recipe_bytes: 2_000,
        expansion_ratio: 50,
        expansion_free_bytes: 1 << 20,
        ..Limits::default()
    };
    let many = |zip: Zip, count: usize, path: &str| {
        (0..count).fold(zip, |zip, number| {
            zip.stored(format!("bad-1.0.0/{number}{path}"), "")
        })
    };
    let zeros = |bytes| vec![0; bytes];
    let seen = table(
        &limits,
        [
            ("files", many(bad(), 3, "").bytes()),
            ("folders", many(bad(), 3, "/").bytes()),
            (
                "a file",
                bad().deflated("bad-1.0.0/x", zeros(100_001)).bytes(),
            ),
            ("a zip", bad().stored("bad-1.0.0/x", noise(150_000)).bytes()),
            (
                "its files",
                bad()
                    .deflated("bad-1.0.0/x", zeros(100_000))
                    .deflated("bad-1.0.0/y", zeros(60_000))
                    .bytes(),
            ),
            (
                "a manifest",
                bad()
                    .deflated("bad-1.0.0/data_stream/a/manifest.yml", zeros(1_001))
                    .bytes(),
            ),
            ("a gap", bad().last_gap(zeros(10_000)).bytes()),
            (
                "a gap without pattern",
                bad().last_gap(noise(5_000)).bytes(),
            ),
            ("a comment", bad().comment(zeros(10_000)).bytes()),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    files: it has more than 4 entries
    folders: it has more than 4 entries
    a file: bad-1.0.0/x: the file has 100001 bytes, more than 100000
    a zip: the file has 150513 bytes, more than 150000
    its files: it is larger than 150000 bytes
    a manifest: data_stream/a/manifest.yml is larger than 1000 bytes
    a gap: it has 10266 bytes outside its files, more than 10000
    a gap without pattern: what is between the files of its zip is larger than 2000 bytes compressed
    a comment: it has 10266 bytes outside its files, more than 10000
    ");
    let harmless = bad().last_gap(zeros(5_000)).bytes();
    assert_eq!(
        table(&limits, [("a gap that packs well", harmless)]),
        "a gap that packs well: takes bad 1.0.0, good 1.0.0 [2 artifact, 6 content]"
    );
    let bomb = bad().deflated("bad-1.0.0/x", vec![0; 3 << 20]).bytes();
    let limits = Limits {
        expansion_ratio: 50,
        expansion_free_bytes: 1 << 20,
        ..Limits::default()
    };
    insta::assert_snapshot!(table(&limits, [("a bomb", bomb)]), @r"a bomb: expands to more than 50 times its size in bad-1.0.0/x");
}

#[test]
fn many_bombs_that_are_each_within_bounds_end_the_import() {
    let limits = Limits {
        expansion_free_bytes: 4 << 20,
        ..Limits::default()
    };
    let zip = |number: usize| {
        zip()
            .deflated(
                format!("bad-1.0.{number}/manifest.yml"),
                manifest("bad", &format!("1.0.{number}")),
            )
            .deflated(format!("bad-1.0.{number}/x"), vec![0; 2 << 20])
            .bytes()
    };
    let tar = (0..20).fold(tar(), |tar, number| {
        tar.file(format!("bad-1.0.{number}.zip"), zip(number))
    });
    let seen = super::outcome(tar.zst(), &limits);
    let said = seen.split(" bytes read so far").next().unwrap();
    assert!(
        said.contains("the files, packages and manifests of the source weigh more than 250 times"),
        "{seen}"
    );
}

#[test]
fn a_zip_in_a_zip_is_a_file_and_is_not_opened() {
    let nested = bad().stored("bad-1.0.0/x-1.0.0.zip", package("x").bytes());
    assert_eq!(
        outcomes([("nested", beside_a_good_one(nested.bytes()))]),
        "nested: takes bad 1.0.0, good 1.0.0 [2 artifact, 7 content]"
    );
}

#[test]
fn a_zip_cut_anywhere_stores_nothing_of_it() {
    let whole = bad().bytes();
    for cut in (0..whole.len()).step_by(43) {
        let seen = table(&Limits::default(), [("cut", whole[..cut].to_vec())]);
        assert!(seen.starts_with("cut: truncated"), "at {cut}: {seen}");
        assert!(!seen.contains('['), "at {cut}: {seen}");
    }
}

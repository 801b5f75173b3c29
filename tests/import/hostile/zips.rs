//! Zips: they say everything twice, and programs believe one or the other.

use super::outcomes;
use crate::archives::{Zip, tar, zip, zip_extra};

fn good() -> Zip {
    zip().package("a/1.0.0")
}

/// Returns a zip whose end record has these bytes at this place.
fn with_end(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut zip = good().bytes();
    let start = zip.len() - 22 + at;
    zip[start..start + bytes.len()].copy_from_slice(bytes);
    zip
}

#[test]
fn what_is_wrong_with_one_entry_puts_its_package_aside() {
    let bad = || good().package("bad/1.0.0");
    let seen = outcomes(
        [
            (
                "encrypted",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.flags = 1),
            ),
            (
                "strongly encrypted",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.flags = 0x41),
            ),
            (
                "masked",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.flags = 0x2000),
            ),
            (
                "shrunk",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 1),
            ),
            (
                "imploded",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 6),
            ),
            (
                "deflate64",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 9),
            ),
            (
                "bzip2",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 12),
            ),
            (
                "LZMA",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 14),
            ),
            (
                "zstd",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 93),
            ),
            (
                "AES",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.method = 99),
            ),
            (
                "link",
                bad().stored_but("bad/1.0.0/x", "/etc", |entry| entry.unix_mode = 0o120_777),
            ),
            (
                "device",
                bad().stored_but("bad/1.0.0/x", "", |entry| entry.unix_mode = 0o020_666),
            ),
            (
                "block device",
                bad().stored_but("bad/1.0.0/x", "", |entry| entry.unix_mode = 0o060_666),
            ),
            (
                "pipe",
                bad().stored_but("bad/1.0.0/x", "", |entry| entry.unix_mode = 0o010_666),
            ),
            (
                "socket",
                bad().stored_but("bad/1.0.0/x", "", |entry| entry.unix_mode = 0o140_666),
            ),
            (
                "setuid",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.unix_mode = 0o104_755),
            ),
            ("folder with content", bad().stored("bad/1.0.0/x/", "1")),
            (
                "file that says folder",
                bad().stored_but("bad/1.0.0/x", "1", |entry| entry.unix_mode = 0o040_755),
            ),
            (
                "two names",
                bad().stored_but("bad/1.0.0/x", "1", |entry| {
                    entry.extra = zip_extra(0x7075, b"\x01\0\0\0\0a/1.0.0/x");
                }),
            ),
            ("up", bad().stored("bad/1.0.0/../x", "1")),
            ("absolute", bad().stored("/bad/1.0.0/x", "1")),
            ("backslash", bad().stored("bad/1.0.0/..\\x", "1")),
            ("cp437", bad().stored(b"bad/1.0.0/\x81", "1")),
            ("NUL", bad().stored("bad/1.0.0/x\0.yml", "1")),
            (
                "name of 60 kB",
                bad().stored(format!("bad/1.0.0/{}", "x".repeat(60_000)), "1"),
            ),
            (
                "same name",
                bad().stored("bad/1.0.0/x", "1").stored("bad/1.0.0/x", "2"),
            ),
            (
                "case",
                bad().stored("bad/1.0.0/x", "1").stored("bad/1.0.0/X", "2"),
            ),
            (
                "4 GiB announced by zip64",
                bad().stored_but("bad/1.0.0/x", "", |entry| {
                    entry.flags = 8;
                    entry.size = u32::MAX;
                    entry.extra = zip_extra(1, &(5_u64 << 30).to_le_bytes());
                }),
            ),
            (
                "a zip in a zip",
                good()
                    .stored("bad/1.0.0/x.zip", good().bytes())
                    .package("bad/1.0.0"),
            ),
            (
                "a quine, as far as it goes",
                good().stored("r/r.zip", good().stored("r/r.zip", good().bytes()).bytes()),
            ),
        ]
        .map(|(name, zip)| (name, zip.bytes())),
    );
    insta::assert_snapshot!(seen, @r"
    encrypted: takes a 1.0.0; bad/1.0.0: x: the file is encrypted [1 artifact, 3 content, 1 quarantine]
    strongly encrypted: takes a 1.0.0; bad/1.0.0: x: the file is encrypted [1 artifact, 3 content, 1 quarantine]
    masked: takes a 1.0.0; bad/1.0.0: x: the file is encrypted [1 artifact, 3 content, 1 quarantine]
    shrunk: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 1, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    imploded: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 6, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    deflate64: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 9, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    bzip2: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 12, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    LZMA: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 14, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    zstd: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 93, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    AES: takes a 1.0.0; bad/1.0.0: x: the file is compressed by method 99, only 0 (stored) and 8 (deflated) are read [1 artifact, 3 content, 1 quarantine]
    link: takes a 1.0.0; bad/1.0.0: x: symbolic link [1 artifact, 3 content, 1 quarantine]
    device: takes a 1.0.0; bad/1.0.0: x: device [1 artifact, 3 content, 1 quarantine]
    block device: takes a 1.0.0; bad/1.0.0: x: device [1 artifact, 3 content, 1 quarantine]
    pipe: takes a 1.0.0; bad/1.0.0: x: named pipe [1 artifact, 3 content, 1 quarantine]
    socket: takes a 1.0.0; bad/1.0.0: x: member of an unknown type [1 artifact, 3 content, 1 quarantine]
    setuid: takes a 1.0.0, bad 1.0.0 [2 artifact, 7 content]
    folder with content: takes a 1.0.0; bad/1.0.0: x/: a directory has content [1 artifact, 3 content, 1 quarantine]
    file that says folder: takes a 1.0.0; bad/1.0.0: x: member of an unknown type [1 artifact, 3 content, 1 quarantine]
    two names: takes a 1.0.0; bad/1.0.0: x: the file has two different paths [1 artifact, 3 content, 1 quarantine]
    up: takes a 1.0.0; bad/1.0.0: ../x: the path climbs with .. [1 artifact, 3 content, 1 quarantine]
    absolute: takes a 1.0.0, bad 1.0.0; /bad/1.0.0: x: the path is absolute [2 artifact, 6 content, 1 quarantine]
    backslash: takes a 1.0.0; bad/1.0.0: ..\\x: the path has a backslash [1 artifact, 3 content, 1 quarantine]
    cp437: takes a 1.0.0; bad/1.0.0: �: the path is not UTF-8 [1 artifact, 3 content, 1 quarantine]
    NUL: takes a 1.0.0; bad/1.0.0: x\u{0}.yml: the path has the control character '\0' [1 artifact, 3 content, 1 quarantine]
    name of 60 kB: takes a 1.0.0; bad/1.0.0: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: the path has 60010 bytes, more than 512 [1 artifact, 3 content, 1 quarantine]
    same name: takes a 1.0.0; bad/1.0.0: it holds x twice [1 artifact, 3 content, 1 quarantine]
    case: takes a 1.0.0; bad/1.0.0: it holds X and x, which are one name to some systems [1 artifact, 3 content, 1 quarantine]
    4 GiB announced by zip64: takes a 1.0.0; bad/1.0.0: x: the file has 5368709120 bytes, more than 2147483648 [1 artifact, 3 content, 1 quarantine]
    a zip in a zip: takes a 1.0.0, bad 1.0.0 [2 artifact, 7 content]
    a quine, as far as it goes: takes a 1.0.0 [1 artifact, 3 content]
    ");
}

#[test]
fn a_zip_that_contradicts_itself_ends_the_import() {
    let seen = outcomes([
        (
            "another local name",
            good()
                .stored_but("b", "1", |entry| entry.local_path = b"c".to_vec())
                .bytes(),
        ),
        (
            "another local size",
            good()
                .stored_but("b", "1", |entry| entry.local_size = 2)
                .bytes(),
        ),
        (
            "CRC-32",
            good()
                .stored_but("a/1.0.0/x", "1", |entry| entry.crc32 ^= 1)
                .bytes(),
        ),
        (
            "CRC-32 of a deflated file",
            good()
                .deflated_but("a/1.0.0/x", "1", |entry| entry.crc32 ^= 1)
                .bytes(),
        ),
        (
            "shorter than it says",
            good()
                .deflated_but("a/1.0.0/x", "123", |entry| {
                    entry.size = 4;
                    entry.local_size = 4;
                })
                .bytes(),
        ),
        (
            "longer than it says",
            good()
                .deflated_but("a/1.0.0/x", "123", |entry| {
                    entry.size = 2;
                    entry.local_size = 2;
                })
                .bytes(),
        ),
        (
            "bytes behind deflate",
            good()
                .deflated_but("a/1.0.0/x", "1", |entry| entry.packed.push(0))
                .bytes(),
        ),
        (
            "no deflate",
            good()
                .deflated_but("a/1.0.0/x", "1", |entry| entry.packed[0] = 0xff)
                .bytes(),
        ),
        (
            "overlapping, as zbsm does",
            good()
                .deflated("k", vec![0; 1 << 20])
                .stored_but("l", "", |entry| entry.offset = Some(0))
                .bytes(),
        ),
        (
            "out of order",
            good()
                .stored("b", "1")
                .stored_but("c", "1", |entry| entry.offset = Some(40))
                .bytes(),
        ),
        (
            "hidden entry",
            good()
                .stored_but("b", "1", |entry| entry.gap = zip().stored("h", "1").bytes())
                .bytes(),
        ),
        (
            "data in front",
            zip()
                .stored_but("b", "1", |entry| entry.gap = b"PK\x03\x04 MZ".to_vec())
                .bytes(),
        ),
        ("data behind", [good().bytes(), b"more".to_vec()].concat()),
        (
            "tar behind",
            [good().bytes(), tar().package("b/1.0.0").bytes()].concat(),
        ),
        (
            "zip behind",
            [good().bytes(), zip().package("b/1.0.0").bytes()].concat(),
        ),
        (
            "zip in the comment",
            good().comment(zip().package("b/1.0.0").bytes()).bytes(),
        ),
        (
            "header beyond the file",
            good()
                .stored_but("b", "1", |entry| entry.offset = Some(u32::MAX - 1))
                .bytes(),
        ),
        (
            "zip64 field missing",
            good()
                .stored_but("b", "1", |entry| entry.size = u32::MAX)
                .bytes(),
        ),
        (
            "zip64 offset",
            good()
                .stored_but("b", "1", |entry| {
                    entry.offset = Some(u32::MAX);
                    entry.extra = zip_extra(1, &u64::MAX.to_le_bytes());
                })
                .bytes(),
        ),
        (
            "extra fields cut",
            good()
                .stored_but("b", "1", |entry| entry.extra = vec![1, 0, 9, 0])
                .bytes(),
        ),
        (
            "extra field twice",
            good()
                .stored_but("b", "1", |entry| {
                    entry.extra = [zip_extra(1, b""), zip_extra(1, b"")].concat()
                })
                .bytes(),
        ),
        ("fewer entries than counted", with_end(8, &[9, 0, 9, 0])),
        ("more entries than counted", with_end(8, &[1, 0, 1, 0])),
        ("disk 1 of several", with_end(4, &[1])),
        ("directory on another disk", with_end(6, &[1])),
        ("entries on other disks", with_end(8, &[1])),
        ("directory elsewhere", with_end(16, &[0, 0, 0, 0])),
        (
            "directory beyond the file",
            with_end(16, &[0xf0, 0xff, 0xff, 0xff]),
        ),
        ("directory of 4 GB", with_end(12, &[0xf0, 0xff, 0xff, 0xff])),
        ("comment beyond the file", with_end(20, &[1, 0])),
        ("zip64 contradicted", {
            let mut zip = good().zip64().bytes();
            let end = zip.len() - 22;
            zip[end + 8..end + 12].copy_from_slice(&[7, 0, 7, 0]);
            zip
        }),
        ("zip64 of all entries there could be", {
            let mut zip = good().zip64().bytes();
            let end64 = zip.len() - 22 - 20 - 56;
            zip[end64 + 24..end64 + 40].fill(0xff);
            zip
        }),
        ("no end record", b"PK\x03\x04 and so on".repeat(9).to_vec()),
        ("an end record alone", zip().bytes()),
    ]);
    insta::assert_snapshot!(seen, @r"
    another local name: cannot read the source: damaged in b: its local header contradicts the central directory
    another local size: cannot read the source: damaged in b: its local header contradicts the central directory
    CRC-32: cannot read the source: damaged in a/1.0.0/x: its content does not match its CRC-32
    CRC-32 of a deflated file: cannot read the source: damaged in a/1.0.0/x: its content does not match its CRC-32
    shorter than it says: cannot read the source: damaged in a/1.0.0/x: its content is shorter than announced
    longer than it says: cannot read the source: damaged in a/1.0.0/x: its content is longer than announced
    bytes behind deflate: cannot read the source: damaged in a/1.0.0/x: bytes follow its compressed content
    no deflate: cannot read the source: damaged in a/1.0.0/x: deflate says: corrupt deflate stream
    overlapping, as zbsm does: cannot read the source: damaged in l: it overlaps another entry, or is listed out of order
    out of order: cannot read the source: damaged in c: it overlaps another entry, or is listed out of order
    hidden entry: cannot read the source: damaged in b: 101 bytes in front belong to no entry
    data in front: cannot read the source: damaged in b: 7 bytes in front belong to no entry
    data behind: cannot read the source: damaged before its first member: its end record is not the end of the file
    tar behind: cannot read the source: damaged before its first member: its end record is not the end of the file
    zip behind: cannot read the source: damaged before its first member: its central directory does not end where its end record begins
    zip in the comment: cannot read the source: damaged before its first member: its central directory does not end where its end record begins
    header beyond the file: cannot read the source: damaged in b: 4294967049 bytes in front belong to no entry
    zip64 field missing: cannot read the source: damaged in b: its extra fields are malformed
    zip64 offset: cannot read the source: damaged in b: 18446744073709551370 bytes in front belong to no entry
    extra fields cut: cannot read the source: damaged in b: its extra fields are malformed
    extra field twice: cannot read the source: damaged in b: its extra fields are malformed
    fewer entries than counted: cannot read the source: damaged after a/1.0.0/manifest.yml: the central directory is cut off
    more entries than counted: cannot read the source: damaged after a/1.0.0/docs/README.md: its central directory has more entries than its end record counts
    disk 1 of several: cannot read the source: damaged before its first member: it is one of several parts
    directory on another disk: cannot read the source: damaged before its first member: it is one of several parts
    entries on other disks: cannot read the source: damaged before its first member: it is one of several parts
    directory elsewhere: cannot read the source: damaged before its first member: its central directory does not end where its end record begins
    directory beyond the file: cannot read the source: damaged before its first member: its central directory does not end where its end record begins
    directory of 4 GB: cannot read the source: damaged before its first member: its central directory does not end where its end record begins
    comment beyond the file: cannot read the source: damaged before its first member: its end record is not the end of the file
    zip64 contradicted: cannot read the source: damaged before its first member: its zip64 end record contradicts its end record
    zip64 of all entries there could be: cannot read the source: more than 10000000 members
    no end record: cannot read the source: truncated before its first member
    an end record alone: no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip
    ");
}

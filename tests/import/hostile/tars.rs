//! Tars whose headers lie or contradict each other: where the next member begins is in doubt, so the import ends.

use super::{Fault, outcomes};
use crate::archives::{pax_record, tar};

/// Each fault comes behind a good package, and before another.
fn behind_a_good_one(cases: Vec<Fault>) -> String {
    outcomes(cases.into_iter().map(|(name, bad)| {
        let tar = bad(tar().package("a/1.0.0")).package("z/1.0.0");
        (name, tar.bytes())
    }))
}

#[test]
fn headers_that_leave_the_next_member_in_doubt_end_the_import() {
    let seen = behind_a_good_one(vec![
        ("checksum", |tar| {
            tar.raw_header(|header| header.as_old_mut().cksum[0] = b'7')
        }),
        ("no checksum", |tar| {
            tar.raw_header(|header| header.as_old_mut().cksum = [0; 8])
        }),
        ("negative size", |tar| {
            tar.header(|header| header.as_old_mut().size = [0xff; 12])
        }),
        ("size beyond 64 bits", |tar| {
            tar.header(|header| header.as_old_mut().size = *b"\x80\0\0\x01\0\0\0\0\0\0\0\0")
        }),
        ("size of all 64 bits", |tar| {
            tar.header(|header| {
                header.as_old_mut().size = *b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
            })
        }),
        ("size with a sign", |tar| {
            tar.header(|header| header.as_old_mut().size = *b"-0000000001\0")
        }),
        ("size in decimal", |tar| {
            tar.header(|header| header.as_old_mut().size = *b"00000000009\0")
        }),
        ("size of spaces", |tar| {
            tar.header(|header| header.as_old_mut().size = *b"            ")
        }),
        ("5 GB that are not there", |tar| {
            tar.header(|header| header.set_size(5_000_000_000))
        }),
        ("5 GB in a package that are not there", |tar| {
            tar.header(|header| {
                header.set_path("bad/1.0.0/x").unwrap();
                header.set_size(5_000_000_000);
            })
        }),
        ("folder of 512 bytes", |tar| {
            tar.extension("bad/1.0.0/", b'5', &[0; 512])
        }),
        ("link of 512 bytes", |tar| {
            tar.extension("bad/1.0.0/x", b'2', &[0; 512])
        }),
        ("device of 512 bytes", |tar| {
            tar.extension("bad/1.0.0/x", b'3', &[0; 512])
        }),
        ("end mark in the middle", |tar| tar.raw(&[0; 1024])),
        ("half an end mark in the middle", |tar| tar.raw(&[0; 512])),
        ("a block of text", |tar| tar.padded(b"hello")),
        ("a zip in the middle", |tar| tar.padded(b"PK\x03\x04")),
    ]);
    insta::assert_snapshot!(seen, @r"
    checksum: cannot read the source: damaged after a/1.0.0/manifest.yml: the checksum of a header does not hold
    no checksum: cannot read the source: damaged after a/1.0.0/manifest.yml: the checksum of a header does not hold
    negative size: cannot read the source: damaged in x: a number is negative
    size beyond 64 bits: cannot read the source: damaged in x: a number does not fit in 64 bits
    size of all 64 bits: cannot read the source: truncated in x
    size with a sign: cannot read the source: damaged in x: a number is not octal
    size in decimal: cannot read the source: damaged in x: a number is not octal
    size of spaces: cannot read the source: damaged in x: a number is not octal
    5 GB that are not there: cannot read the source: truncated in x
    5 GB in a package that are not there: cannot read the source: truncated in bad/1.0.0/x [1 artifact, 3 content]
    folder of 512 bytes: cannot read the source: damaged in bad/1.0.0/: it is no file but announces 512 bytes
    link of 512 bytes: cannot read the source: damaged in bad/1.0.0/x: it is no file but announces 512 bytes
    device of 512 bytes: cannot read the source: damaged in bad/1.0.0/x: it is no file but announces 512 bytes
    end mark in the middle: cannot read the source: the tar goes on after its end mark
    half an end mark in the middle: cannot read the source: the tar goes on after its end mark
    a block of text: cannot read the source: damaged after a/1.0.0/manifest.yml: the checksum of a header does not hold
    a zip in the middle: cannot read the source: damaged after a/1.0.0/manifest.yml: the checksum of a header does not hold
    ");
}

#[test]
fn pax_and_gnu_headers_that_programs_read_differently_end_the_import() {
    let seen = behind_a_good_one(vec![
        ("PAX size above the ustar size", |tar| {
            let hidden = crate::archives::tar().package("hidden/1.0.0").open_ended();
            tar.pax(&[("size", &hidden.len().to_string())])
                .file("x", "")
                .raw(&hidden)
        }),
        ("PAX size below the ustar size", |tar| {
            tar.pax(&[("size", "0")]).file(
                "x",
                crate::archives::tar().package("hidden/1.0.0").open_ended(),
            )
        }),
        ("PAX size of 5 GB", |tar| {
            tar.pax(&[("size", "5000000000")]).file("x", "")
        }),
        ("PAX size of 20 GB that are not there", |tar| {
            tar.pax(&[("size", "20000000000")]).file("x", "")
        }),
        ("PAX size with a sign", |tar| {
            tar.pax(&[("size", "+1")]).file("x", "1")
        }),
        ("PAX size beyond 64 bits", |tar| {
            tar.pax(&[("size", "18446744073709551616")]).file("x", "1")
        }),
        ("PAX size twice", |tar| {
            tar.pax(&[("size", "1"), ("size", "1")]).file("x", "1")
        }),
        ("PAX path twice", |tar| {
            tar.pax(&[("path", "b"), ("path", "c")]).file("x", "1")
        }),
        ("PAX header twice", |tar| {
            tar.pax(&[("a", "b")]).pax(&[("a", "b")]).file("x", "1")
        }),
        ("PAX header before a PAX header's member ends", |tar| {
            tar.pax(&[("size", "1")])
                .global(&[("a", "b")])
                .file("x", "12")
        }),
        ("global path", |tar| tar.global(&[("path", "b")])),
        ("global size", |tar| tar.global(&[("size", "0")])),
        ("global sparse", |tar| {
            tar.global(&[("GNU.sparse.major", "1")])
        }),
        ("record shorter than it says", |tar| {
            tar.extension("x", b'x', b"99 path=a\n").file("x", "")
        }),
        ("record longer than it says", |tar| {
            tar.extension("x", b'x', b"9 path=ab\n").file("x", "")
        }),
        ("record without a length", |tar| {
            tar.extension("x", b'x', b" path=a\n").file("x", "")
        }),
        ("record without a key", |tar| {
            tar.extension("x", b'x', b"5 =a\n").file("x", "")
        }),
        ("record of no bytes", |tar| {
            tar.extension("x", b'x', b"0 \n").file("x", "")
        }),
        ("record of all 64 bits", |tar| {
            tar.extension("x", b'x', b"18446744073709551615 path=a\n")
                .file("x", "")
        }),
        ("NULs behind the records", |tar| {
            tar.extension("x", b'x', &[&pax_record(b"a", b"b")[..], &[0; 9]].concat())
                .file("x", "")
        }),
        ("PAX header of 2 MiB", |tar| {
            tar.pax(&[("comment", &"x".repeat(2 << 20))]).file("x", "")
        }),
        ("PAX header of 5 GB that is not there", |tar| {
            tar.header(|header| {
                header.as_old_mut().linkflag[0] = b'x';
                header.set_size(5_000_000_000);
            })
        }),
        ("long name twice", |tar| {
            tar.long_name("b").long_name("c").file("x", "")
        }),
        ("long name of 2 MiB", |tar| {
            tar.long_name("x".repeat(2 << 20)).file("x", "")
        }),
        ("long links without end", |tar| {
            (0..20)
                .fold(tar, |tar, _| tar.extension("x", b'K', &[b'x'; 60_000]))
                .file("x", "")
        }),
        ("long name of nothing", |tar| {
            tar.long_name("b").raw(&[0; 1024])
        }),
        ("PAX header of nothing", |tar| {
            tar.pax(&[("path", "b")]).raw(&[0; 1024])
        }),
        ("sparse map without end", |tar| {
            let mut map = [0; 512];
            map[504] = 1;
            tar.header(|header| {
                *header = ::tar::Header::new_gnu();
                header.as_old_mut().name[0] = b'x';
                header.set_entry_type(::tar::EntryType::GNUSparse);
                header.set_size(0);
                header.as_gnu_mut().unwrap().isextended[0] = 1;
            })
            .raw(&map.repeat(100))
        }),
    ]);
    insta::assert_snapshot!(seen, @r"
    PAX size above the ustar size: cannot read the source: damaged in x: its PAX header says 2048 bytes, its ustar header 0
    PAX size below the ustar size: cannot read the source: damaged in x: its PAX header says 0 bytes, its ustar header 2048
    PAX size of 5 GB: cannot read the source: damaged in x: its PAX header says 5000000000 bytes, its ustar header 0
    PAX size of 20 GB that are not there: cannot read the source: truncated in x
    PAX size with a sign: cannot read the source: damaged after a/1.0.0/manifest.yml: the PAX size is no number
    PAX size beyond 64 bits: cannot read the source: damaged after a/1.0.0/manifest.yml: the PAX size is no number
    PAX size twice: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX header gives the same key twice
    PAX path twice: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX header gives the same key twice
    PAX header twice: cannot read the source: damaged after a/1.0.0/manifest.yml: two PAX headers describe one member
    PAX header before a PAX header's member ends: cannot read the source: damaged in x: its PAX header says 1 bytes, its ustar header 2
    global path: cannot read the source: damaged after a/1.0.0/manifest.yml: a global header gives all members one path or size
    global size: cannot read the source: damaged after a/1.0.0/manifest.yml: a global header gives all members one path or size
    global sparse: cannot read the source: damaged after a/1.0.0/manifest.yml: a global header gives all members one path or size
    record shorter than it says: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    record longer than it says: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    record without a length: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    record without a key: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    record of no bytes: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    record of all 64 bits: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    NULs behind the records: cannot read the source: damaged after a/1.0.0/manifest.yml: a PAX record is malformed
    PAX header of 2 MiB: cannot read the source: 2097169 bytes of extension headers after a/1.0.0/manifest.yml, more than 1048576
    PAX header of 5 GB that is not there: cannot read the source: 5000000000 bytes of extension headers after a/1.0.0/manifest.yml, more than 1048576
    long name twice: cannot read the source: damaged after a/1.0.0/manifest.yml: two long names describe one member
    long name of 2 MiB: cannot read the source: 2097153 bytes of extension headers after a/1.0.0/manifest.yml, more than 1048576
    long links without end: cannot read the source: 1080000 bytes of extension headers after a/1.0.0/manifest.yml, more than 1048576
    long name of nothing: cannot read the source: damaged after a/1.0.0/manifest.yml: an extension header has no member behind it
    PAX header of nothing: cannot read the source: damaged after a/1.0.0/manifest.yml: an extension header has no member behind it
    sparse map without end: cannot read the source: damaged after x: the checksum of a header does not hold
    ");
}

//! Tars: what is taken, left out, refused, and what ends the reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use airlock::archive::{Archive, Entry, Format, Origin};
use airlock::limits::Limits;

use crate::archives::{pax_record, tar};
use crate::{read, read_within};

#[test]
fn files_and_directories_come_in_order_with_their_content() {
    let long = format!("{}/leaf", ["deep"; 40].join("/"));
    let bytes = tar()
        .directory("./")
        .directory("a/")
        .file("./a/b", "one")
        .file("a/empty", "")
        .file(&long, "two")
        .file("a/b", "twice")
        .bytes();
    assert_eq!(
        read(bytes).entries(),
        [
            "a/",
            "a/b = one",
            "a/empty = ",
            &format!("{long} = two"),
            "a/b = twice"
        ]
    );
}

#[test]
fn a_tar_without_members_is_one() {
    assert!(read(tar().bytes()).entries().is_empty());
    assert!(read([0; 10_240]).entries().is_empty());
}

#[test]
fn the_global_comment_of_git_is_known_after_the_first_entry() {
    let commit = "c1836cb784f2cc3e1b36d59fb63478d6006ec16f";
    let bytes = tar().global(&[("comment", commit)]).file("a", "1").bytes();
    let origin = Origin::Stream(Box::new(std::io::Cursor::new(bytes)));
    let mut archive = Archive::open(
        origin,
        &std::env::temp_dir(),
        Arc::default(),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(archive.format(), Format::Tar);
    assert_eq!(archive.comment(), None);
    let Some(Entry::File(file)) = archive.next().unwrap() else {
        panic!("a file comes first");
    };
    assert_eq!(
        (file.path.as_str(), file.modified_seconds),
        ("a", Some(1_667_289_600))
    );
    assert_eq!(archive.comment(), Some(commit));
    assert!(archive.next().unwrap().is_none());
}

#[test]
fn links_devices_and_the_like_are_left_out_and_counted() {
    let bytes = tar()
        .symlink("link", "/etc/passwd")
        .hardlink("hard", "../../etc/shadow")
        .special("char", b'3')
        .special("block", b'4')
        .special("pipe", b'6')
        .special("volume", b'V')
        .pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "real")])
        .file("GNUSparseFile.0/real", "map and pieces")
        .file("link/under", "not through the link")
        .bytes();
    assert_eq!(
        read(bytes).entries(),
        [
            "link skipped: symbolic link",
            "hard skipped: hard link",
            "char skipped: device",
            "block skipped: device",
            "pipe skipped: named pipe",
            "volume skipped: member of an unknown type",
            "real skipped: sparse file",
            "link/under = not through the link",
        ]
    );
}

#[test]
fn a_gnu_sparse_file_is_skipped_with_the_blocks_of_its_map() {
    let mut map = [0; 1024];
    map[504] = 1;
    let bytes = tar()
        .header(|header| {
            *header = ::tar::Header::new_gnu();
            header.as_old_mut().name[..6].copy_from_slice(b"sparse");
            header.set_entry_type(::tar::EntryType::GNUSparse);
            header.set_size(5);
            header.as_gnu_mut().unwrap().isextended[0] = 1;
        })
        .raw(&map)
        .padded(b"12345")
        .file("next", "1")
        .bytes();
    assert_eq!(
        read(bytes).entries(),
        ["sparse skipped: sparse file", "next = 1"]
    );
}

#[test]
fn what_gnu_tar_writes_for_labels_and_incremental_dumps_is_read() {
    let bytes = tar()
        .header(|header| {
            header.as_old_mut().linkflag[0] = b'V';
            header.as_old_mut().size = [0; 12];
        })
        .extension("./", b'D', b"Ya\0\0")
        .extension("dumped/", b'D', b"Yb\0\0")
        .file("dumped/b", "1")
        .bytes();
    assert_eq!(
        read(bytes).entries(),
        [
            "x skipped: member of an unknown type",
            "dumped/",
            "dumped/b = 1"
        ]
    );
}

#[test]
fn a_member_with_a_bad_path_is_refused_and_the_others_are_read() {
    let table: &[(&[u8], &str)] = &[
        (b"../x", "../x refused: the path climbs with .."),
        (b"a/../../x", "a/../../x refused: the path climbs with .."),
        (b"/etc/passwd", "/etc/passwd refused: the path is absolute"),
        (b"a\\b", "a\\\\b refused: the path has a backslash"),
        (b"C:/x", "C:/x refused: the path names a drive"),
        (b"a//b", "a//b refused: the path has an empty component"),
        (b"a/./b", "a/./b refused: the path has a . component"),
        (
            b"a\nb",
            "a\\nb refused: the path has the control character '\\n'",
        ),
        (b"a\xff", "a\u{fffd} refused: the path is not UTF-8"),
        (
            b"a.",
            "a. refused: the path has a component that ends in a dot or a space",
        ),
        (
            b"a\xe2\x80\xaeb",
            "a\\u{202e}b refused: the path has the invisible character '\\u{202e}'",
        ),
        (b"", " refused: the path has an empty component"),
    ];
    for (path, expected) in table {
        let bytes = tar()
            .file("before", "1")
            .file(path, "bad")
            .file("after", "2")
            .bytes();
        assert_eq!(read(bytes).entries(), ["before = 1", expected, "after = 2"]);
    }
}

#[test]
fn a_nul_is_refused_where_a_longer_name_can_hold_one() {
    let sound = tar().long_name("ends with one").file("short", "1").bytes();
    assert_eq!(read(sound).entries(), ["ends with one = 1"]);
    for bytes in [
        tar().long_name("a\0b").file("short", "1").bytes(),
        tar().pax(&[("path", "a\0b")]).file("short", "1").bytes(),
    ] {
        assert_eq!(
            read(bytes).entries(),
            ["a\\u{0}b refused: the path has the control character '\\0'"]
        );
    }
}

#[test]
fn a_path_of_64_kib_is_refused_and_shown_short() {
    let entries = read(tar().file(vec![b'a'; 65_536], "1").bytes()).entries();
    assert_eq!(
        entries,
        [format!(
            "{}… refused: the path has 65536 bytes, more than 512",
            "a".repeat(512)
        )]
    );
}

#[test]
fn two_names_for_one_member_are_refused_unless_they_agree() {
    let differ = tar()
        .long_name("gnu")
        .pax(&[("path", "pax")])
        .file("ustar", "1")
        .bytes();
    assert_eq!(
        read(differ).entries(),
        ["pax refused: the file has two different paths"]
    );
    let agree = tar()
        .pax(&[("path", "same")])
        .long_name("same")
        .file("ustar", "1")
        .bytes();
    assert_eq!(read(agree).entries(), ["same = 1"]);
}

#[test]
fn a_size_that_pax_and_ustar_tell_differently_is_damage() {
    // CVE-2025-62518: who takes the ustar size sees a member inside the content.
    let inner = tar().file("hidden", "1").open_ended();
    let size = inner.len().to_string();
    let bytes = tar()
        .file("a", "1")
        .pax(&[("size", &size)])
        .file("outer", "")
        .raw(&inner)
        .bytes();
    let outcome = read(bytes);
    assert_eq!(outcome.entries, ["a = 1"]);
    assert_eq!(
        outcome.error(),
        "damaged in outer: its PAX header says 1024 bytes, its ustar header 0"
    );
    let agree = tar().pax(&[("size", "3")]).file("a", "123").bytes();
    assert_eq!(read(agree).entries(), ["a = 123"]);
}

#[test]
fn a_size_only_pax_can_say_counts() {
    let size = (1_u64 << 33).to_string();
    let outcome = read(tar().pax(&[("size", &size)]).file("huge", "").bytes());
    assert_eq!(
        outcome.entries,
        ["huge refused: the file has 8589934592 bytes, more than 2147483648"]
    );
    assert_eq!(outcome.error(), "truncated in huge");
}

#[test]
fn sizes_that_are_no_numbers_are_damage() {
    let fields: &[(&[u8], &str)] = &[
        (
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "a number is negative",
        ),
        (b"-0000000001\0", "a number is not octal"),
        (
            b"\x80\0\0\x01\0\0\0\0\0\0\0\0",
            "a number does not fit in 64 bits",
        ),
        (b"\x0000000000001", "a number is not octal"),
    ];
    for (field, why) in fields {
        for flag in [b'0', b'x', b'L', b'g', b'S'] {
            let bytes = tar()
                .header(|header| {
                    header.as_old_mut().size.copy_from_slice(field);
                    header.as_old_mut().linkflag[0] = flag;
                })
                .bytes();
            let error = read(bytes).error();
            assert!(error.ends_with(why), "{error}");
        }
    }
}

#[test]
fn the_largest_sizes_neither_overflow_nor_allocate() {
    let base_256 = |flag: u8, size: u64| {
        tar().file("a", "1").header(|header| {
            header.as_old_mut().size[..4].copy_from_slice(&[0x80, 0, 0, 0]);
            header.as_old_mut().size[4..].copy_from_slice(&size.to_be_bytes());
            header.as_old_mut().linkflag[0] = flag;
        })
    };
    for size in [5 << 30, u64::MAX, u64::MAX - 511, i64::MAX as u64] {
        let file = read(base_256(b'0', size).bytes());
        assert!(
            file.entries[1].starts_with("x refused: the file has "),
            "{file:?}"
        );
        assert_eq!(file.error(), "truncated in x");
        for flag in [b'x', b'L', b'K', b'g'] {
            let extension = read(base_256(flag, size).bytes()).error();
            assert_eq!(
                extension,
                format!("{size} bytes of extension headers after a, more than 1048576")
            );
        }
    }
}

#[test]
fn an_announced_5_gb_that_is_not_there_names_the_member() {
    let limits = Limits {
        entry_bytes: u64::MAX,
        ..Limits::default()
    };
    let bytes = tar()
        .header(|header| header.set_size(5 << 30))
        .padded(b"little")
        .open_ended();
    assert_eq!(read_within(bytes, &limits).error(), "truncated in x");
}

#[test]
fn a_member_that_has_no_content_must_not_announce_any() {
    for flag in *b"123456" {
        let bytes = tar()
            .header(|header| {
                header.set_size(512);
                header.as_old_mut().linkflag[0] = flag;
            })
            .file("inside or next", "1")
            .bytes();
        assert_eq!(
            read(bytes).error(),
            "damaged in x: it is no file but announces 512 bytes"
        );
    }
}

#[test]
fn a_slash_behind_an_empty_file_makes_a_directory_and_behind_content_is_refused() {
    assert_eq!(read(tar().file("old/", "").bytes()).entries(), ["old/"]);
    assert_eq!(
        read(tar().file("old/", "1").file("b", "2").bytes()).entries(),
        ["old/ refused: a directory has content", "b = 2"]
    );
}

#[test]
fn a_header_whose_checksum_does_not_hold_is_damage() {
    let first = tar()
        .raw_header(|header| header.as_old_mut().name[0] = b'y')
        .bytes();
    assert_eq!(
        read(first).error(),
        "damaged before its first member: the checksum of a header does not hold"
    );
    let second = tar()
        .file("a", "1")
        .raw_header(|header| header.as_old_mut().mode[0] ^= 1)
        .bytes();
    assert_eq!(
        read(second).error(),
        "damaged after a: the checksum of a header does not hold"
    );
}

#[test]
fn a_flipped_byte_never_panics_and_never_makes_another_member() {
    let bytes = tar()
        .directory("a/")
        .file("a/b", "12345")
        .symlink("a/l", "b")
        .file("c", "")
        .bytes();
    let known = ["a/", "a/b = ", "a/l skipped", "c = "];
    for position in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[position] ^= mask;
            for line in read(flipped).entries {
                let is_known = known.iter().any(|start| line.starts_with(start));
                assert!(is_known, "at {position}: {line}");
            }
        }
    }
}

#[test]
fn extension_headers_are_bounded_together_and_before_they_are_read() {
    let limits = Limits {
        tar_extension_bytes: 1_000,
        ..Limits::default()
    };
    let outcome = |bytes: Vec<u8>| read_within(bytes, &limits);
    let fits = tar()
        .extension("k", b'K', &[b'l'; 900])
        .file("a", "1")
        .bytes();
    assert_eq!(outcome(fits.clone()).entries(), ["a = 1"]);
    let per_member = tar()
        .extension("k", b'K', &[b'l'; 900])
        .file("a", "1")
        .extension("k", b'K', &[b'l'; 900])
        .file("b", "1")
        .bytes();
    assert_eq!(outcome(per_member).entries(), ["a = 1", "b = 1"]);
    let together = tar()
        .extension("k", b'K', &[b'l'; 900])
        .long_name(vec![b'n'; 100])
        .file("a", "1")
        .bytes();
    assert_eq!(
        outcome(together).error(),
        "1001 bytes of extension headers before its first member, more than 1000"
    );
}

#[test]
fn extension_headers_without_a_member_or_twice_are_damage() {
    let record = pax_record(b"path", b"p");
    for (bytes, why) in [
        (
            tar().pax(&[("path", "p")]).bytes(),
            "an extension header has no member behind it",
        ),
        (
            tar().long_name("n").bytes(),
            "an extension header has no member behind it",
        ),
        (
            tar()
                .pax(&[("path", "p")])
                .pax(&[("mtime", "1")])
                .file("a", "1")
                .bytes(),
            "two PAX headers describe one member",
        ),
        (
            tar().long_name("n").long_name("n").file("a", "1").bytes(),
            "two long names describe one member",
        ),
        (
            tar()
                .extension("x", b'x', &[record.clone(), record].concat())
                .file("a", "")
                .bytes(),
            "a PAX header gives the same key twice",
        ),
        (
            tar()
                .extension("x", b'x', b"10 path=a")
                .file("a", "")
                .bytes(),
            "a PAX record is malformed",
        ),
        (
            tar()
                .global(&[("path", "everything")])
                .file("a", "")
                .bytes(),
            "a global header gives all members one path or size",
        ),
        (
            tar().global(&[("size", "0")]).file("a", "").bytes(),
            "a global header gives all members one path or size",
        ),
    ] {
        assert_eq!(
            read(bytes).error(),
            format!("damaged before its first member: {why}")
        );
    }
}

#[test]
fn members_are_counted_with_their_extension_headers_and_whatever_they_are() {
    let limits = Limits {
        source_members: 3,
        ..Limits::default()
    };
    let three = tar().long_name("a").file("x", "1").symlink("b", "c");
    assert_eq!(read_within(three.bytes(), &limits).entries().len(), 2);
    for four in [
        three.clone().file("d", ""),
        three.clone().file("../d", ""),
        three.clone().directory("./"),
        three.global(&[("comment", "d")]),
    ] {
        assert_eq!(
            read_within(four.bytes(), &limits).error(),
            "more than 3 members"
        );
    }
}

#[test]
fn nothing_but_padding_may_follow_the_end_mark() {
    let one = tar().file("a", "1");
    let padded = [one.bytes(), vec![0; 100_000]].concat();
    assert_eq!(read(padded).entries(), ["a = 1"]);
    let two = [one.bytes(), tar().file("b", "2").bytes()].concat();
    assert_eq!(read(two).error(), "the tar goes on after its end mark");
    let lone_zero_block = [one.open_ended(), vec![0; 512], tar().file("b", "2").bytes()].concat();
    assert_eq!(
        read(lone_zero_block).error(),
        "the tar goes on after its end mark"
    );
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    for (bytes, expected) in [
        (&b""[..], "empty: there is nothing in it"),
        (b"x", "not an archive: the source begins with \"x\""),
        (
            b"<!DOCTYPE html><title>Log in</title>",
            "not an archive: the source begins with \"<!DOCTYPE html><\"",
        ),
        (
            b"BZh91AY&SY\x01\x02\x03",
            "not an archive: the source begins with 42 5a 68 39 31 41 59 26 53 59 01 02 03",
        ),
    ] {
        assert_eq!(read(bytes).error(), expected);
    }
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert!(
        read(noise)
            .error()
            .starts_with("not an archive: the source begins with 00 9e")
    );
}

#[test]
fn a_source_that_fails_is_told_from_damage() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable was pulled"))
        }
    }
    for bytes in [
        tar().file("a", [7; 2_000]).bytes(),
        tar().file("a", [7; 2_000]).gz(),
    ] {
        let half = bytes.len() / 2;
        let stream = std::io::Read::chain(std::io::Cursor::new(bytes[..half].to_vec()), Broken);
        let outcome = crate::read_origin(Origin::Stream(Box::new(stream)), &Limits::default());
        assert_eq!(
            outcome.error(),
            "cannot read the stream: the cable was pulled"
        );
    }
}

/// The counter runs ahead of what was asked for by the two buffers at most, however large the entry.
#[test]
fn no_entry_is_held_in_memory_whole() {
    const CONTENT_BYTES: u64 = 1 << 30;
    let head = tar()
        .header(|header| header.set_size(CONTENT_BYTES))
        .open_ended();
    let tail = tar().file("next", "1").bytes();
    let stream = std::io::Read::chain(
        std::io::Read::chain(
            std::io::Cursor::new(head),
            std::io::Read::take(std::io::repeat(7), CONTENT_BYTES),
        ),
        std::io::Cursor::new(tail),
    );
    let bytes_read = Arc::new(AtomicU64::new(0));
    let mut archive = Archive::open(
        Origin::Stream(Box::new(stream)),
        &std::env::temp_dir(),
        Arc::clone(&bytes_read),
        &Limits::default(),
    )
    .unwrap();
    let mut handed_out = 0;
    let Some(Entry::File(mut file)) = archive.next().unwrap() else {
        panic!("a file comes first");
    };
    let mut buffer = vec![0; 100_000];
    for _ in 0..100 {
        handed_out += std::io::Read::read(&mut file, &mut buffer).unwrap() as u64;
        let ahead = bytes_read.load(Ordering::Relaxed) - handed_out;
        assert!(ahead < 2 << 20, "{ahead} bytes ahead");
    }
    let Some(Entry::File(next)) = archive.next().unwrap() else {
        panic!("a file comes next");
    };
    assert_eq!(next.path.as_str(), "next");
    assert!(bytes_read.load(Ordering::Relaxed) > CONTENT_BYTES);
}

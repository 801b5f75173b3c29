//! Zips: as code hosts write them, and as attackers do.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use airlock::archive::{Archive, Entry, Format, Origin};
use airlock::limits::Limits;

use crate::archives::{tar, zip, zip_extra};
use crate::{read, read_origin, read_within};

const COMMIT: &str = "c1836cb784f2cc3e1b36d59fb63478d6006ec16f";

#[test]
fn entries_come_in_the_order_of_the_directory() {
    let bytes = zip()
        .stored("root/", "")
        .stored("root/a", "stored")
        .deflated("root/b", vec![b'x'; 100_000])
        .deflated_but("root/c", "later", |entry| entry.flags = 8)
        .stored("root/empty", "")
        .bytes();
    assert_eq!(
        read(&bytes).entries(),
        [
            "root/",
            "root/a = stored",
            "root/b : 100000 bytes",
            "root/c = later",
            "root/empty = "
        ]
    );
    assert_eq!(
        zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len(),
        5,
        "a second opinion"
    );
}

#[test]
fn a_zip_of_another_writer_is_read_from_disk_and_from_a_stream() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = zip::ZipWriter::new(file.as_file_mut());
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    writer.add_directory("root", options).unwrap();
    writer.start_file("root/a", options).unwrap();
    writer.write_all(&[b'y'; 70_000]).unwrap();
    writer
        .add_symlink("root/link", "/etc/passwd", options)
        .unwrap();
    writer.set_comment(COMMIT).unwrap();
    writer.finish().unwrap();

    let expected = [
        "root/",
        "root/a : 70000 bytes",
        "root/link skipped: symbolic link",
    ];
    let bytes = std::fs::read(file.path()).unwrap();
    assert_eq!(read(bytes).entries(), expected);
    let on_disk = Origin::Path(file.path().to_owned());
    assert_eq!(read_origin(on_disk, &Limits::default()).entries(), expected);
}

#[test]
fn the_comment_and_the_time_in_utc_are_handed_on() {
    let stamp = zip_extra(0x5455, &[1, 0x80, 0x24, 0x60, 0x63]);
    let bytes = zip()
        .stored_but("a", "1", |entry| entry.extra = stamp)
        .stored("b", "2")
        .comment(COMMIT)
        .bytes();
    let origin = Origin::Stream(Box::new(Cursor::new(bytes)));
    let mut archive = Archive::open(
        origin,
        &std::env::temp_dir(),
        Arc::default(),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        (archive.format(), archive.comment()),
        (Format::Zip, Some(COMMIT))
    );
    let mut times = Vec::new();
    while let Some(Entry::File(file)) = archive.next().unwrap() {
        times.push(file.modified_seconds);
    }
    assert_eq!(times, [Some(0x6360_2480), None], "DOS time has no zone");
}

#[test]
fn an_empty_zip_is_one() {
    assert!(read(zip().bytes()).entries().is_empty());
}

#[test]
fn zip64_is_read_and_may_not_contradict() {
    let bytes = zip().stored("a", "1").zip64().comment("c").bytes();
    assert_eq!(read(&bytes).entries(), ["a = 1"]);
    let wide = zip_extra(1, &[1_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    let huge = zip_extra(1, &[u64::MAX.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    let entry = |extra: Vec<u8>| {
        zip().stored_but("a", "1", |entry| {
            entry.size = u32::MAX;
            entry.flags = 8;
            entry.extra = extra;
        })
    };
    assert_eq!(read(entry(wide).bytes()).entries(), ["a = 1"]);
    assert_eq!(
        read(entry(huge).bytes()).entries(),
        [format!(
            "a refused: the file has {} bytes, more than 2147483648",
            u64::MAX
        )]
    );
    assert_eq!(
        read(entry(Vec::new()).bytes()).error(),
        "damaged in a: its extra fields are malformed"
    );
    let mut contradicting = zip().stored("a", "1").zip64().bytes();
    let end = contradicting.len() - 22;
    contradicting[end + 8..end + 12].copy_from_slice(&[2, 0, 2, 0]);
    assert_eq!(
        read(contradicting).error(),
        "damaged before its first member: its zip64 end record contradicts its end record"
    );
}

#[test]
fn what_is_wrong_with_one_entry_leaves_the_others() {
    let limits = Limits {
        entry_bytes: 10,
        ..Limits::default()
    };
    let bytes = zip()
        .stored("before", "1")
        .stored("../up", "1")
        .stored("/abs", "1")
        .stored("a\\b", "1")
        .stored("nul\0", "1")
        .stored(b"cp437\x81", "1")
        .stored_but("secret", "1", |entry| entry.flags = 1)
        .stored_but("lzma", "1", |entry| entry.method = 14)
        .stored("large", "12345678901")
        .stored("full/", "1")
        .stored_but("two", "1", |entry| {
            entry.extra = zip_extra(0x7075, b"\x01\0\0\0\0names");
        })
        .stored_but("link", "/etc/passwd", |entry| entry.unix_mode = 0o120_777)
        .stored_but("device", "", |entry| entry.unix_mode = 0o020_666)
        .stored_but("pipe", "", |entry| entry.unix_mode = 0o010_666)
        .stored_but("setuid", "1", |entry| entry.unix_mode = 0o104_755)
        .stored("before", "again")
        .bytes();
    assert_eq!(
        read_within(bytes, &limits).entries(),
        [
            "before = 1",
            "../up refused: the path climbs with ..",
            "/abs refused: the path is absolute",
            "a\\\\b refused: the path has a backslash",
            "nul\\u{0} refused: the path has the control character '\\0'",
            "cp437\u{fffd} refused: the path is not UTF-8",
            "secret refused: the file is encrypted",
            "lzma refused: the file is compressed by method 14, only 0 (stored) and 8 (deflated) are read",
            "large refused: the file has 11 bytes, more than 10",
            "full/ refused: a directory has content",
            "two refused: the file has two different paths",
            "link skipped: symbolic link",
            "device skipped: device",
            "pipe skipped: named pipe",
            "setuid = 1",
            "before = again",
        ]
    );
}

#[test]
fn a_content_that_is_not_what_was_announced_is_damage() {
    let sound = vec![b'x'; 1_000];
    for (bytes, why) in [
        (
            zip()
                .deflated_but("a", &sound, |entry| entry.crc32 ^= 1)
                .bytes(),
            "its content does not match its CRC-32",
        ),
        (
            zip().stored_but("a", "1", |entry| entry.crc32 ^= 1).bytes(),
            "its content does not match its CRC-32",
        ),
        (
            zip().stored_but("a", "", |entry| entry.crc32 = 1).bytes(),
            "its content does not match its CRC-32",
        ),
        (
            zip()
                .deflated_but("a", &sound, |entry| {
                    entry.size = 999;
                    entry.local_size = 999;
                })
                .bytes(),
            "its content is longer than announced",
        ),
        (
            zip()
                .deflated_but("a", &sound, |entry| {
                    entry.size = 1_001;
                    entry.local_size = 1_001;
                })
                .bytes(),
            "its content is shorter than announced",
        ),
        (
            zip()
                .stored_but("a", "123", |entry| {
                    entry.size = 2;
                    entry.local_size = 2;
                })
                .bytes(),
            "its content is longer than announced",
        ),
        (
            zip()
                .deflated_but("a", &sound, |entry| entry.packed.push(0))
                .bytes(),
            "bytes follow its compressed content",
        ),
        (
            zip()
                .deflated_but("a", &sound, |entry| entry.packed[0] = 0xff)
                .bytes(),
            "deflate says: corrupt deflate stream",
        ),
    ] {
        assert_eq!(read(bytes).error(), format!("damaged in a: {why}"));
    }
}

#[test]
fn who_reads_exactly_the_announced_bytes_learns_of_a_bad_checksum_too() {
    let bytes = zip()
        .deflated_but("a", "12345", |entry| entry.crc32 ^= 1)
        .bytes();
    let origin = Origin::Stream(Box::new(Cursor::new(bytes)));
    let mut archive = Archive::open(
        origin,
        &std::env::temp_dir(),
        Arc::default(),
        &Limits::default(),
    )
    .unwrap();
    let Some(Entry::File(mut file)) = archive.next().unwrap() else {
        panic!("a file comes first");
    };
    assert!(file.read_exact(&mut [0; 5]).is_err());
}

#[test]
fn two_headers_that_disagree_are_damage() {
    let contradiction = "damaged in a: its local header contradicts the central directory";
    for bytes in [
        zip()
            .stored_but("a", "1", |entry| entry.local_path = b"b".to_vec())
            .bytes(),
        zip()
            .stored_but("a", "1", |entry| entry.local_size = 2)
            .bytes(),
    ] {
        assert_eq!(read(bytes).error(), contradiction);
    }
    let no_header = zip()
        .stored_but("a", "1", |entry| entry.packed = vec![0; 30])
        .bytes();
    let mut no_header = no_header;
    no_header[0..4].copy_from_slice(b"PK\x05\x06");
    assert!(read(no_header).error().ends_with("it has no local header"));
}

#[test]
fn entries_that_overlap_hide_or_leave_bytes_over_are_damage() {
    let overlapping = zip()
        .deflated("kernel", vec![0; 1 << 20])
        .stored_but("again", "", |entry| entry.offset = Some(0))
        .bytes();
    assert_eq!(
        read(overlapping).error(),
        "damaged in again: it overlaps another entry, or is listed out of order"
    );
    let hidden = zip()
        .stored("a", "1")
        .stored_but("b", "2", |entry| {
            entry.gap = zip().stored("hidden", "3").bytes()
        })
        .bytes();
    assert!(
        read(hidden)
            .error()
            .ends_with("bytes in front belong to no entry")
    );
    let in_front = zip().stored_but("a", "1", |entry| {
        entry.gap = b"PK\x03\x04#!/bin/sh".to_vec()
    });
    assert_eq!(
        read(in_front.bytes()).error(),
        "damaged in a: 13 bytes in front belong to no entry"
    );
    let out_of_bounds = zip().stored_but("a", "1", |entry| entry.offset = Some(u32::MAX - 1));
    assert!(
        read(out_of_bounds.bytes())
            .error()
            .starts_with("damaged in a: ")
    );
}

#[test]
fn the_end_record_is_the_end_and_counts_right() {
    let sound = zip().stored("a", "1").stored("b", "2").bytes();
    let behind = [sound.clone(), b"more".to_vec()].concat();
    assert_eq!(
        read(behind).error(),
        "damaged before its first member: its end record is not the end of the file"
    );
    let with_count = |count: u8| {
        let mut bytes = sound.clone();
        let end = bytes.len() - 22;
        bytes[end + 8..end + 12].copy_from_slice(&[count, 0, count, 0]);
        bytes
    };
    assert_eq!(
        read(with_count(1)).error(),
        "damaged after a: its central directory has more entries than its end record counts"
    );
    assert_eq!(
        read(with_count(3)).error(),
        "damaged after b: the central directory is cut off"
    );
    let mut parts = sound.clone();
    let end = parts.len() - 22;
    parts[end + 4] = 1;
    assert_eq!(
        read(parts).error(),
        "damaged before its first member: it is one of several parts"
    );
    let fake = zip().stored("real", "1").comment(zip().bytes()).bytes();
    assert!(
        read(fake).error().contains("central directory"),
        "an end record in the comment"
    );
}

#[test]
fn entries_are_counted_before_the_first_is_read() {
    let limits = Limits {
        source_members: 2,
        ..Limits::default()
    };
    let three = zip()
        .stored("a", "")
        .stored("b", "")
        .stored("c", "")
        .bytes();
    let outcome = read_within(three, &limits);
    assert_eq!(outcome.entries, Vec::<String>::new());
    assert_eq!(outcome.error(), "more than 2 members");
}

#[test]
fn a_flipped_byte_never_panics_and_never_changes_a_content() {
    let contents = ["12345", "abcabcabcabc"];
    let bytes = zip()
        .stored("a", contents[0])
        .deflated("b", contents[1])
        .zip64()
        .bytes();
    for position in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[position] ^= mask;
            for line in read(flipped).entries {
                if let Some((_, content)) = line.split_once(" = ") {
                    assert!(contents.contains(&content), "at {position}: {line}");
                }
            }
        }
    }
}

#[test]
fn a_spool_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let open = |bytes: Vec<u8>| {
        let origin = Origin::Stream(Box::new(Cursor::new(bytes)));
        Archive::open(origin, &missing, Arc::default(), &Limits::default())
    };
    let error = open(zip().stored("a", "1").bytes()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot keep a temporary copy of the zip in {}",
            missing.display()
        )
    );
    assert!(
        open(tar().file("a", "1").bytes()).is_ok(),
        "a tar needs none"
    );
}

#[test]
fn the_temporary_copy_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::Stream(Box::new(Cursor::new(zip().stored("a", "1").bytes())));
    let archive = Archive::open(origin, folder.path(), Arc::default(), &Limits::default()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    drop(archive);
}

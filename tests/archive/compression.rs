//! The one layer of compression: told by its bytes, undone within bounds, never twice.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use airlock::archive::{Origin, ReadCounter};
use airlock::limits::Limits;

use crate::archives::{Tar, gz, tar, xz, zip, zst, zst_of_zeros};
use crate::{read, read_origin, read_within};

fn two_files() -> Tar {
    tar().file("a", "1").file("b", vec![b'x'; 5_000])
}

#[test]
fn each_compression_gives_the_same_entries() {
    let expected = read(two_files().bytes()).entries();
    assert_eq!(expected, ["a = 1", "b : 5000 bytes"]);
    for bytes in [
        two_files().gz(),
        two_files().zst(),
        two_files().xz(),
        two_files().zst_with_window(27),
    ] {
        assert_eq!(read(bytes).entries(), expected);
    }
}

#[test]
fn a_slow_source_that_is_interrupted_gives_the_same_entries() {
    struct Stuttering(Cursor<Vec<u8>>, bool);
    impl Read for Stuttering {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.by_ref().take(1).read(buf)
        }
    }
    let zip = zip().stored("a", "1").deflated("b", vec![b'x'; 5_000]);
    for bytes in [
        two_files().bytes(),
        two_files().gz(),
        two_files().zst(),
        two_files().xz(),
        zip.bytes(),
    ] {
        let origin = Origin::Stream(Box::new(Stuttering(Cursor::new(bytes), false)));
        let outcome = read_origin(origin, &Limits::default());
        assert_eq!(outcome.entries(), ["a = 1", "b : 5000 bytes"]);
    }
}

#[test]
fn a_compressed_tar_may_come_in_several_pieces() {
    let bytes = two_files().bytes();
    let (head, tail) = bytes.split_at(700);
    let skippable_frame = b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec();
    for pieces in [
        [gz(head), gz(tail), gz(b"")].concat(),
        [zst(head), zst(tail)].concat(),
        [skippable_frame, zst(head), zst(tail)].concat(),
        [xz(head), xz(tail), vec![0; 8]].concat(),
    ] {
        assert_eq!(read(pieces).entries(), ["a = 1", "b : 5000 bytes"]);
    }
}

#[test]
fn a_second_layer_is_not_undone() {
    for (bytes, expected) in [
        (
            zst(&two_files().gz()),
            "the content of the zstd begins with 1f 8b 08",
        ),
        (
            gz(&two_files().zst()),
            "the content of the gzip begins with 28 b5 2f fd",
        ),
        (
            xz(&two_files().xz()),
            "the content of the xz begins with fd 37 7a 58 5a 00",
        ),
        (
            gz(b"PK\x03\x04 a zip"),
            "the content of the gzip begins with 50 4b 03 04",
        ),
        (
            zst(b"just text"),
            "the content of the zstd begins with \"just text\"",
        ),
    ] {
        let error = read(bytes).error();
        assert!(
            error.starts_with(&format!("not an archive: {expected}")),
            "{error}"
        );
    }
}

#[test]
fn nothing_inside_the_layer_is_empty() {
    for bytes in [gz(b""), zst(b""), xz(b"")] {
        assert_eq!(read(bytes).error(), "empty: there is nothing in it");
    }
}

#[test]
fn a_window_above_the_limit_is_refused_by_name_in_whichever_frame() {
    let large = two_files().zst_with_window(28);
    let expected = "the zstd window is larger than 128 MiB (2^27 bytes)";
    assert_eq!(read(&large).error(), expected);
    let first_frame = zst(&two_files().bytes()[..512]);
    assert_eq!(
        read([first_frame, large.clone()].concat()).error(),
        expected
    );
    let limits = Limits {
        zstd_window_log: 28,
        ..Limits::default()
    };
    assert_eq!(read_within(large, &limits).entries().len(), 2);
}

#[test]
fn an_xz_that_wants_more_memory_than_the_limit_is_refused_by_name() {
    let limits = Limits {
        xz_memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let mut packed = Vec::new();
    let bytes = two_files().bytes();
    std::io::Read::read_to_end(
        &mut liblzma::read::XzEncoder::new(&bytes[..], 6),
        &mut packed,
    )
    .unwrap();
    assert_eq!(
        read_within(&packed, &limits).error(),
        "the xz decoder needs more than 1 MiB of memory"
    );
    assert_eq!(read(packed).entries().len(), 2);
}

#[test]
fn a_flipped_byte_is_never_read_as_something_else() {
    let expected = read(two_files().bytes()).entries;
    for bytes in [two_files().gz(), two_files().zst(), two_files().xz()] {
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x10;
            let outcome = read(flipped);
            // What a header says of names, times and systems may change without changing the content.
            assert!(
                outcome.error.is_some() || outcome.entries == expected,
                "at {position}: {outcome:?}"
            );
        }
    }
}

#[test]
fn bytes_behind_the_compressed_stream_are_an_error() {
    for bytes in [two_files().gz(), two_files().zst(), two_files().xz()] {
        let error = read([bytes, b"more".to_vec()].concat()).error();
        assert!(
            error.starts_with("damaged after b: ") || error == "truncated after b",
            "{error}"
        );
    }
}

#[test]
fn padding_without_end_is_given_up() {
    let bytes = [zst(&two_files().bytes()), zst_of_zeros(17 << 20)].concat();
    assert_eq!(
        read(bytes).error(),
        "more than 16777216 bytes of padding after the end of the tar"
    );
    let bounded = [zst(&two_files().bytes()), zst_of_zeros(10 << 20)].concat();
    assert_eq!(read(bounded).entries().len(), 2);
}

#[test]
fn a_bomb_is_given_up_by_its_ratio_not_by_its_end() {
    // 256 GiB of content in a few megabytes.
    let head = tar()
        .header(|header| header.set_size(256 << 30))
        .open_ended();
    let frame = zst_of_zeros(1 << 30);
    let mut bomb = zst(&head);
    for _ in 0..256 {
        bomb.extend_from_slice(&frame);
    }
    assert!(bomb.len() > 4 << 20);
    let bytes_read = Arc::new(AtomicU64::new(0));
    let stream = Cursor::new(bomb);
    let counted = ReadCounter::new(stream, Arc::clone(&bytes_read));
    let outcome = read_origin(Origin::Stream(Box::new(counted)), &Limits::default());
    assert_eq!(
        outcome.entries,
        ["x refused: the file has 274877906944 bytes, more than 2147483648"]
    );
    assert_eq!(
        outcome.error(),
        "expands to more than 250 times its size in x"
    );
    assert!(bytes_read.load(Ordering::Relaxed) < 2 << 20);
}

#[test]
fn xz_is_allowed_less_because_it_takes_longer() {
    let bomb = tar().file("zeros", vec![0; 64 << 20]).xz();
    assert!(bomb.len() < 100_000);
    assert_eq!(
        read(bomb).error(),
        "expands to more than 128 times its size in zeros"
    );
}

#[test]
fn a_high_ratio_alone_is_no_bomb() {
    let zeros = vec![0; 8 << 20];
    for bytes in [
        tar().file("zeros", &zeros).zst(),
        tar().file("zeros", &zeros).xz(),
    ] {
        assert!(bytes.len() < 8_000);
        assert_eq!(read(bytes).entries(), ["zeros : 8388608 bytes"]);
    }
}

//! Every archive cut at every byte: an error, or nothing was lost.

use crate::archives::{tar, zip, zst};
use crate::{Outcome, read};

/// Cuts at every byte; what was listed must be the beginning of what lies in the whole.
///
/// Returns the cuts after which nothing was found missing.
fn unnoticed_cuts(bytes: &[u8]) -> Vec<usize> {
    let whole = read(bytes).entries();
    assert!(whole.len() >= 3);
    let mut unnoticed = Vec::new();
    for cut in 0..bytes.len() {
        let Outcome { entries, error } = read(&bytes[..cut]);
        assert!(whole.starts_with(&entries), "cut at {cut}: {entries:?}");
        if error.is_none() {
            assert_eq!(entries, whole, "cut at {cut}");
            unnoticed.push(cut);
        }
    }
    unnoticed
}

fn small() -> crate::archives::Tar {
    tar()
        .global(&[("comment", "c1836cb784f2cc3e1b36d59fb63478d6006ec16f")])
        .directory("a/")
        .file("a/b", "some content")
        .file(format!("a/{}", "long".repeat(40)), vec![b'x'; 600])
        .file("last", "")
}

#[test]
fn a_plain_tar_hides_a_cut_in_its_last_padding_only() {
    let bytes = small().bytes();
    let end_mark = bytes.len() - 1024;
    let unnoticed = unnoticed_cuts(&bytes);
    assert_eq!(unnoticed, Vec::from_iter(end_mark + 512..bytes.len()));
}

#[test]
fn a_tar_without_its_end_mark_is_truncated_after_its_last_member() {
    assert_eq!(read(small().open_ended()).error(), "truncated after last");
}

#[test]
fn a_compressed_tar_hides_no_cut() {
    for bytes in [small().gz(), small().zst(), small().xz()] {
        assert_eq!(unnoticed_cuts(&bytes), Vec::<usize>::new());
    }
}

#[test]
fn a_cut_between_two_frames_is_found_by_what_is_missing_inside() {
    let bytes = small().bytes();
    let frames: Vec<Vec<u8>> = bytes.chunks(512).map(zst).collect();
    let whole = frames.concat();
    let last_frame = whole.len() - frames[frames.len() - 1].len();
    assert_eq!(
        unnoticed_cuts(&whole),
        [last_frame],
        "before the second block of the end mark"
    );
}

#[test]
fn a_zip_hides_no_cut() {
    let bytes = zip()
        .stored("a/b", "some content")
        .deflated("a/c", vec![b'x'; 600])
        .deflated_but("a/d", "later", |entry| entry.flags = 8)
        .comment("c1836cb784f2cc3e1b36d59fb63478d6006ec16f")
        .bytes();
    assert_eq!(unnoticed_cuts(&bytes), Vec::<usize>::new());
}

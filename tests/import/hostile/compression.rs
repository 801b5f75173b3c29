//! Compression: bombs, windows, pieces, and what is no archive at all.

use std::io::Read;

use airlock::limits::Limits;

use super::{outcomes, outcomes_within};
use crate::archives::{Layer, Tar, gz, tar, xz, zip, zst, zst_of_zeros};

fn good() -> Tar {
    tar().package("a/1.0.0")
}

#[test]
fn what_is_no_archive_says_so() {
    let seen = outcomes([
        ("nothing", vec![]),
        ("one byte", vec![b'x']),
        ("text", b"hello\n".repeat(200)),
        (
            "HTML of a login page",
            b"<!DOCTYPE html><title>Log in</title>".to_vec(),
        ),
        ("JSON", b"{\"message\":\"Not Found\"}".to_vec()),
        ("program", b"\x7fELF\x02\x01\x01".repeat(99)),
        ("picture", b"\x89PNG\r\n\x1a\n".repeat(99)),
        ("bzip2", b"BZh91AY&SY".repeat(99)),
        ("7z", b"7z\xbc\xaf\x27\x1c".repeat(99)),
        ("rar", b"Rar!\x1a\x07\x01\0".repeat(99)),
        ("lz4", b"\x04\x22\x4d\x18".repeat(199)),
        ("LZMA alone", b"\x5d\0\0\x80\0".repeat(199)),
        ("Unix compress", b"\x1f\x9d\x90".repeat(199)),
        ("SQLite", b"SQLite format 3\0".repeat(99)),
        ("cpio", b"070701".repeat(99)),
        ("zeros", vec![0; 4096]),
        ("an empty tar", tar().bytes()),
        ("gzip of nothing", gz(b"")),
        ("zstd of nothing", zst(b"")),
        ("xz of nothing", xz(b"")),
        ("gzip of text", gz(b"hello")),
        ("two layers", gz(&good().gz())),
        ("two kinds of layers", zst(&good().xz())),
        ("a zip under gzip", gz(&zip().package("a/1.0.0").bytes())),
        (
            "a zip in a tar",
            tar()
                .file("a-1.0.0.zip", zip().package("a/1.0.0").bytes())
                .bytes(),
        ),
        (
            "a tar in a tar",
            tar().file("a.tar", good().bytes()).bytes(),
        ),
    ]);
    insta::assert_snapshot!(seen, @r#"
    nothing: cannot read the source: empty: there is nothing in it
    one byte: cannot read the source: not an archive: the source begins with "x"
    text: cannot read the source: not an archive: the source begins with 68 65 6c 6c 6f 0a 68 65 6c 6c 6f 0a 68 65 6c 6c
    HTML of a login page: cannot read the source: not an archive: the source begins with "<!DOCTYPE html><"
    JSON: cannot read the source: not an archive: the source begins with "{"message":"Not "
    program: cannot read the source: not an archive: the source begins with 7f 45 4c 46 02 01 01 7f 45 4c 46 02 01 01 7f 45
    picture: cannot read the source: not an archive: the source begins with 89 50 4e 47 0d 0a 1a 0a 89 50 4e 47 0d 0a 1a 0a
    bzip2: cannot read the source: not an archive: the source begins with "BZh91AY&SYBZh91A"
    7z: cannot read the source: not an archive: the source begins with 37 7a bc af 27 1c 37 7a bc af 27 1c 37 7a bc af
    rar: cannot read the source: not an archive: the source begins with 52 61 72 21 1a 07 01 00 52 61 72 21 1a 07 01 00
    lz4: cannot read the source: not an archive: the source begins with 04 22 4d 18 04 22 4d 18 04 22 4d 18 04 22 4d 18
    LZMA alone: cannot read the source: not an archive: the source begins with 5d 00 00 80 00 5d 00 00 80 00 5d 00 00 80 00 5d
    Unix compress: cannot read the source: not an archive: the source begins with 1f 9d 90 1f 9d 90 1f 9d 90 1f 9d 90 1f 9d 90 1f
    SQLite: cannot read the source: not an archive: the source begins with 53 51 4c 69 74 65 20 66 6f 72 6d 61 74 20 33 00
    cpio: cannot read the source: not an archive: the source begins with "0707010707010707"
    zeros: no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip
    an empty tar: no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip
    gzip of nothing: cannot read the source: empty: there is nothing in it
    zstd of nothing: cannot read the source: empty: there is nothing in it
    xz of nothing: cannot read the source: empty: there is nothing in it
    gzip of text: cannot read the source: not an archive: the content of the gzip begins with "hello"
    two layers: cannot read the source: not an archive: the content of the gzip begins with 1f 8b 08 00 00 00 00 00 02 ff ed 94 b1 6e c3 20
    two kinds of layers: cannot read the source: not an archive: the content of the zstd begins with fd 37 7a 58 5a 00 00 04 e6 d6 b4 46 02 00 21 01
    a zip under gzip: cannot read the source: not an archive: the content of the gzip begins with 50 4b 03 04 14 00 00 00 08 00 00 00 21 00 d4 2a
    a zip in a tar: none of the packages can be taken (1 refused); the first is a-1.0.0.zip: it has no manifest.yml
    a tar in a tar: no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip
    "#);
}

#[test]
fn damage_behind_a_good_package_ends_the_import() {
    let flipped = |mut bytes: Vec<u8>, from_end: usize| {
        let at = bytes.len() - from_end;
        bytes[at] ^= 0xff;
        bytes
    };
    let more = |bytes: Vec<u8>| [bytes, b"more".to_vec()].concat();
    let seen = outcomes([
        ("gzip checksum", flipped(good().gz(), 5)),
        ("gzip length", flipped(good().gz(), 1)),
        ("zstd checksum", flipped(good().zst(), 1)),
        ("xz footer", flipped(good().xz(), 1)),
        ("xz index", flipped(good().xz(), 14)),
        ("bytes behind gzip", more(good().gz())),
        ("bytes behind zstd", more(good().zst())),
        ("bytes behind xz", more(good().xz())),
        ("tar behind gzip", [good().gz(), good().bytes()].concat()),
        (
            "tar in the next gzip member",
            [good().gz(), good().gz()].concat(),
        ),
        (
            "tar in the next zstd frame",
            [good().zst(), good().zst()].concat(),
        ),
        ("zstd behind gzip", [good().gz(), zst(&[0; 512])].concat()),
        (
            "gzip with a name without end",
            [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'x'; 100_000]].concat(),
        ),
        (
            "gzip with reserved flags",
            [&[0x1f, 0x8b, 8, 0xe0, 0, 0, 0, 0, 0, 3][..], &[0; 600]].concat(),
        ),
        (
            "gzip of another method",
            [&[0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3][..], &[0; 600]].concat(),
        ),
        (
            "zstd with a dictionary",
            [&[0x28, 0xb5, 0x2f, 0xfd, 1, 0x58, 7][..], &[0; 600]].concat(),
        ),
        (
            "zstd with a reserved bit",
            [&[0x28, 0xb5, 0x2f, 0xfd, 8, 0x58][..], &[0; 600]].concat(),
        ),
        (
            "zstd with a reserved block",
            [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 7, 0, 0][..], &[0; 600]].concat(),
        ),
        (
            "skippable frame of 4 GiB",
            [
                &[0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff][..],
                &[0; 600],
            ]
            .concat(),
        ),
        (
            "xz without a check it knows",
            flipped(good().xz(), good().xz().len() - 7),
        ),
    ]);
    insta::assert_snapshot!(seen, @r"
    gzip checksum: cannot read the source: damaged after a/1.0.0/manifest.yml: gzip says: corrupt gzip stream does not have a matching checksum
    gzip length: cannot read the source: damaged after a/1.0.0/manifest.yml: gzip says: corrupt gzip stream does not have a matching checksum
    zstd checksum: cannot read the source: damaged before its first member: zstd says: Restored data doesn't match checksum
    xz footer: cannot read the source: damaged before its first member: xz says: lzma data error
    xz index: cannot read the source: damaged before its first member: xz says: lzma data error
    bytes behind gzip: cannot read the source: truncated after a/1.0.0/manifest.yml
    bytes behind zstd: cannot read the source: damaged after a/1.0.0/manifest.yml: zstd says: Unknown frame descriptor
    bytes behind xz: cannot read the source: truncated after a/1.0.0/manifest.yml
    tar behind gzip: cannot read the source: damaged after a/1.0.0/manifest.yml: gzip says: invalid gzip header
    tar in the next gzip member: cannot read the source: the tar goes on after its end mark
    tar in the next zstd frame: cannot read the source: the tar goes on after its end mark
    zstd behind gzip: cannot read the source: damaged after a/1.0.0/manifest.yml: gzip says: invalid gzip header
    gzip with a name without end: cannot read the source: damaged before its first member: gzip says: gzip header field too long
    gzip with reserved flags: cannot read the source: damaged before its first member: gzip says: invalid gzip header
    gzip of another method: cannot read the source: damaged before its first member: gzip says: invalid gzip header
    zstd with a dictionary: cannot read the source: damaged before its first member: zstd says: Dictionary mismatch
    zstd with a reserved bit: cannot read the source: damaged before its first member: zstd says: Unsupported frame parameter
    zstd with a reserved block: cannot read the source: damaged before its first member: zstd says: Data corruption detected
    skippable frame of 4 GiB: cannot read the source: truncated before its first member
    xz without a check it knows: cannot read the source: damaged before its first member: xz says: lzma data error
    ");
}

#[test]
fn a_window_or_a_dictionary_above_the_limit_is_refused_by_name() {
    let bytes = good().bytes();
    let mut xz_6 = Vec::new();
    liblzma::read::XzEncoder::new(&bytes[..], 6)
        .read_to_end(&mut xz_6)
        .unwrap();
    let mut xz_9 = Vec::new();
    liblzma::read::XzEncoder::new(&bytes[..], 9)
        .read_to_end(&mut xz_9)
        .unwrap();
    let limits = Limits {
        xz_memory_bytes: 32 << 20,
        zstd_window_log: 20,
        ..Limits::default()
    };
    let seen = outcomes_within(
        &limits,
        [
            ("zstd 2^20", good().zst_with_window(20)),
            ("zstd 2^21", good().zst_with_window(21)),
            ("zstd 2^31", good().zst_with_window(31)),
            (
                "zstd 2^41",
                [&[0x28, 0xb5, 0x2f, 0xfd, 0, 31 << 3][..], &[0; 600]].concat(),
            ),
            (
                "zstd 2^27 in the second frame",
                [zst(&bytes[..512]), good().zst_with_window(27)].concat(),
            ),
            ("xz of 8 MiB", xz_6),
            ("xz of 64 MiB", xz_9),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    zstd 2^20: takes a 1.0.0 [1 artifact, 3 content]
    zstd 2^21: cannot read the source: the zstd window is larger than 1 MiB (2^20 bytes)
    zstd 2^31: cannot read the source: the zstd window is larger than 1 MiB (2^20 bytes)
    zstd 2^41: cannot read the source: the zstd window is larger than 1 MiB (2^20 bytes)
    zstd 2^27 in the second frame: cannot read the source: the zstd window is larger than 1 MiB (2^20 bytes)
    xz of 8 MiB: takes a 1.0.0 [1 artifact, 3 content]
    xz of 64 MiB: cannot read the source: the xz decoder needs more than 32 MiB of memory
    ");
}

#[test]
fn bombs_are_given_up_at_their_ratio() {
    let limits = Limits {
        expansion_free_bytes: 1 << 20,
        ..Limits::default()
    };
    let zeros = vec![0; 8 << 20];
    let in_package = good().file("bad/1.0.0/x", &zeros);
    let beside = good().file("x", &zeros);
    let behind = |layer: Layer| [layer.of(&good().bytes()), layer.of(&zeros)].concat();
    let seen = outcomes_within(
        &limits,
        [
            ("plain", in_package.bytes()),
            ("gzip", in_package.gz()),
            ("zstd", in_package.zst()),
            ("xz", in_package.xz()),
            (
                "zip",
                zip()
                    .package("a/1.0.0")
                    .deflated("bad/1.0.0/x", &zeros)
                    .bytes(),
            ),
            ("gzip beside packages", beside.gz()),
            ("zstd beside packages", beside.zst()),
            ("xz beside packages", beside.xz()),
            (
                "zip beside packages",
                zip().package("a/1.0.0").deflated("x", &zeros).bytes(),
            ),
            ("gzip behind the end mark", behind(Layer::Gzip)),
            ("zstd behind the end mark", behind(Layer::Zstd)),
            ("5 GB of zeros announced and there", {
                let head = good().header(|header| header.set_size(5_000_000_000));
                [zst(&head.open_ended()), zst_of_zeros(64 << 20).repeat(80)].concat()
            }),
            ("many entries of one bomb", {
                (0..4)
                    .fold(zip().package("a/1.0.0"), |zip, n| {
                        zip.deflated(format!("bad/1.0.0/{n}"), vec![0; 2 << 20])
                    })
                    .bytes()
            }),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    plain: takes a 1.0.0; bad/1.0.0: it has no manifest.yml [1 artifact, 3 content, 1 quarantine]
    gzip: cannot read the source: expands to more than 250 times its size in bad/1.0.0/x [1 artifact, 3 content]
    zstd: cannot read the source: expands to more than 250 times its size in bad/1.0.0/x [1 artifact, 3 content]
    xz: cannot read the source: expands to more than 128 times its size in bad/1.0.0/x [1 artifact, 3 content]
    zip: cannot read the source: expands to more than 250 times its size in bad/1.0.0/x
    gzip beside packages: cannot read the source: expands to more than 250 times its size in x
    zstd beside packages: cannot read the source: expands to more than 250 times its size in x
    xz beside packages: cannot read the source: expands to more than 128 times its size in x
    zip beside packages: cannot read the source: expands to more than 250 times its size in x
    gzip behind the end mark: cannot read the source: expands to more than 250 times its size after a/1.0.0/manifest.yml
    zstd behind the end mark: cannot read the source: expands to more than 250 times its size after a/1.0.0/manifest.yml
    5 GB of zeros announced and there: cannot read the source: expands to more than 250 times its size in x
    many entries of one bomb: cannot read the source: expands to more than 250 times its size in bad/1.0.0/1 [1 artifact, 3 content]
    ");
}

#[test]
fn many_pieces_are_one_tar() {
    let bytes = good().bytes();
    let by_piece = |layer: Layer, piece: usize| -> Vec<u8> {
        bytes
            .chunks(piece)
            .flat_map(|piece| layer.of(piece))
            .collect()
    };
    let seen = outcomes([
        ("gzip members of 7 bytes", by_piece(Layer::Gzip, 7)),
        (
            "gzip members of nothing",
            [good().gz(), gz(b"").repeat(1000)].concat(),
        ),
        ("zstd frames of 7 bytes", by_piece(Layer::Zstd, 7)),
        (
            "zstd frames that are skipped",
            [b"\x50\x2a\x4d\x18\0\0\0\0".repeat(1000), good().zst()].concat(),
        ),
        ("xz streams of 99 bytes", by_piece(Layer::Xz, 99)),
        (
            "xz streams of nothing",
            [good().xz(), xz(b"").repeat(1000)].concat(),
        ),
    ]);
    insta::assert_snapshot!(seen, @r"
    gzip members of 7 bytes: takes a 1.0.0 [1 artifact, 3 content]
    gzip members of nothing: takes a 1.0.0 [1 artifact, 3 content]
    zstd frames of 7 bytes: takes a 1.0.0 [1 artifact, 3 content]
    zstd frames that are skipped: takes a 1.0.0 [1 artifact, 3 content]
    xz streams of 99 bytes: takes a 1.0.0 [1 artifact, 3 content]
    xz streams of nothing: takes a 1.0.0 [1 artifact, 3 content]
    ");
}

//! Members that are no files of a package: they put their package aside, and no other.

use super::{Fault, outcomes};
use crate::archives::tar;

/// Each package stands between two good ones.
fn between_good_ones(cases: Vec<Fault>) -> String {
    outcomes(cases.into_iter().map(|(name, bad)| {
        let tar = bad(tar().package("a/1.0.0").package("bad/1.0.0")).package("z/1.0.0");
        (name, tar.bytes())
    }))
}

#[test]
fn links_devices_and_the_like_put_their_package_aside() {
    let seen = between_good_ones(vec![
        ("link out", |tar| tar.symlink("bad/1.0.0/x", "/etc/passwd")),
        ("link up", |tar| {
            tar.symlink("bad/1.0.0/x", "../../a/1.0.0/manifest.yml")
        }),
        ("link to itself", |tar| tar.symlink("bad/1.0.0/x", "x")),
        ("link, then a file below it", |tar| {
            tar.symlink("bad/1.0.0/x", "/tmp")
                .file("bad/1.0.0/x/y", "through")
        }),
        ("file, then a link in its place", |tar| {
            tar.file("bad/1.0.0/x", "1").symlink("bad/1.0.0/x", "/tmp")
        }),
        ("hard link out", |tar| {
            tar.hardlink("bad/1.0.0/x", "/etc/shadow")
        }),
        ("hard link to a neighbour", |tar| {
            tar.hardlink("bad/1.0.0/x", "a/1.0.0/manifest.yml")
        }),
        ("character device", |tar| tar.special("bad/1.0.0/x", b'3')),
        ("block device", |tar| tar.special("bad/1.0.0/x", b'4')),
        ("named pipe", |tar| tar.special("bad/1.0.0/x", b'6')),
        ("contiguous file", |tar| tar.special("bad/1.0.0/x", b'7')),
        ("second volume", |tar| tar.special("bad/1.0.0/x", b'M')),
        ("volume label", |tar| tar.special("bad/1.0.0/x", b'V')),
        ("Solaris ACL", |tar| tar.special("bad/1.0.0/x", b'A')),
        ("sparse file", |tar| tar.special("bad/1.0.0/x", b'S')),
        ("sparse file by PAX", |tar| {
            tar.pax(&[
                ("GNU.sparse.major", "1"),
                ("GNU.sparse.name", "bad/1.0.0/x"),
            ])
            .file("bad/1.0.0/GNUSparseFile.0/x", "1")
        }),
        ("setuid", |tar| {
            tar.raw_header(|header| {
                header.set_path("bad/1.0.0/x").unwrap();
                header.set_mode(0o6755);
                header.set_cksum();
            })
        }),
        ("folder with content", |tar| tar.file("bad/1.0.0/x/", "1")),
        ("two paths", |tar| {
            tar.pax(&[("path", "bad/1.0.0/x")])
                .long_name("a/1.0.0/x")
                .file("x", "1")
        }),
        ("link in place of the manifest", |tar| {
            tar.symlink("bad/1.0.0/manifest.yml", "../../a/1.0.0/manifest.yml")
        }),
        ("link in place of the package", |tar| {
            tar.symlink("bad/1.0.0", "../a/1.0.0")
        }),
        ("link beside packages", |tar| tar.symlink("etc", "/etc")),
        ("device beside packages", |tar| tar.special("null", b'3')),
    ]);
    insta::assert_snapshot!(seen, @r"
    link out: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: symbolic link [2 artifact, 6 content, 1 quarantine]
    link up: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: symbolic link [2 artifact, 6 content, 1 quarantine]
    link to itself: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: symbolic link [2 artifact, 6 content, 1 quarantine]
    link, then a file below it: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: symbolic link [2 artifact, 6 content, 1 quarantine]
    file, then a link in its place: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: symbolic link [2 artifact, 6 content, 1 quarantine]
    hard link out: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: hard link [2 artifact, 6 content, 1 quarantine]
    hard link to a neighbour: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: hard link [2 artifact, 6 content, 1 quarantine]
    character device: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: device [2 artifact, 6 content, 1 quarantine]
    block device: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: device [2 artifact, 6 content, 1 quarantine]
    named pipe: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: named pipe [2 artifact, 6 content, 1 quarantine]
    contiguous file: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    second volume: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: member of an unknown type [2 artifact, 6 content, 1 quarantine]
    volume label: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: member of an unknown type [2 artifact, 6 content, 1 quarantine]
    Solaris ACL: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: member of an unknown type [2 artifact, 6 content, 1 quarantine]
    sparse file: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: sparse file [2 artifact, 6 content, 1 quarantine]
    sparse file by PAX: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: sparse file [2 artifact, 6 content, 1 quarantine]
    setuid: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    folder with content: takes a 1.0.0, z 1.0.0; bad/1.0.0: x/: a directory has content [2 artifact, 6 content, 1 quarantine]
    two paths: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: the file has two different paths [2 artifact, 6 content, 1 quarantine]
    link in place of the manifest: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml: symbolic link [2 artifact, 6 content, 1 quarantine]
    link in place of the package: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    link beside packages: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    device beside packages: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    ");
}

#[test]
fn paths_that_climb_or_mean_something_else_somewhere_put_their_package_aside() {
    let seen = between_good_ones(vec![
        ("up", |tar| tar.file("bad/1.0.0/../x", "1")),
        ("up and out", |tar| {
            tar.file("bad/1.0.0/../../../../etc/cron.d/x", "1")
        }),
        ("up and in again", |tar| {
            tar.file("bad/1.0.0/docs/../x", "1")
        }),
        ("up into another package", |tar| {
            tar.file("bad/1.0.0/../../a/1.0.0/x", "1")
        }),
        ("here", |tar| tar.file("bad/1.0.0/./x", "1")),
        ("two slashes", |tar| tar.file("bad/1.0.0//x", "1")),
        ("backslash", |tar| tar.file("bad/1.0.0/..\\x", "1")),
        ("trailing dot", |tar| {
            tar.file("bad/1.0.0/manifest.yml.", "1")
        }),
        ("trailing space", |tar| {
            tar.file("bad/1.0.0/manifest.yml ", "1")
        }),
        ("three dots", |tar| tar.file("bad/1.0.0/.../x", "1")),
        ("NUL by PAX", |tar| {
            tar.pax(&[("path", "bad/1.0.0/x\0y")]).file("x", "1")
        }),
        ("line end", |tar| tar.file("bad/1.0.0/x\ny", "1")),
        ("escape sequence", |tar| {
            tar.file("bad/1.0.0/\x1b[31mx", "1")
        }),
        ("delete", |tar| tar.file("bad/1.0.0/x\x7f", "1")),
        ("C1 control", |tar| tar.file("bad/1.0.0/x\u{85}", "1")),
        ("right to left override", |tar| {
            tar.file("bad/1.0.0/x\u{202e}gpj.exe", "1")
        }),
        ("right to left isolate", |tar| {
            tar.file("bad/1.0.0/\u{2067}x", "1")
        }),
        ("zero width", |tar| tar.file("bad/1.0.0/x\u{200b}", "1")),
        ("byte order mark", |tar| {
            tar.file("bad/1.0.0/\u{feff}x", "1")
        }),
        ("soft hyphen", |tar| tar.file("bad/1.0.0/x\u{ad}y", "1")),
        ("tag characters", |tar| {
            tar.file("bad/1.0.0/x\u{e0041}", "1")
        }),
        ("not UTF-8", |tar| tar.file(b"bad/1.0.0/x\xff", "1")),
        ("overlong UTF-8", |tar| {
            tar.file(b"bad/1.0.0/\xc0\xae\xc0\xae/x", "1")
        }),
        ("half a surrogate", |tar| {
            tar.file(b"bad/1.0.0/\xed\xa0\x80", "1")
        }),
        ("513 bytes", |tar| {
            tar.file(format!("bad/1.0.0/{}", "x".repeat(503)), "1")
        }),
        ("64 KiB", |tar| {
            tar.long_name(format!("bad/1.0.0/{}", "x".repeat(65_526)))
                .file("x", "1")
        }),
        ("65 folders", |tar| {
            tar.file(format!("bad/1.0.0/{}", ["x"; 63].join("/")), "1")
        }),
        ("absolute", |tar| tar.file("/bad/1.0.0/x", "1")),
        ("drive", |tar| tar.file("C:/bad/1.0.0/x", "1")),
        ("drive below", |tar| tar.file("bad/1.0.0/C:", "1")),
        ("up in front", |tar| tar.file("../bad/1.0.0/x", "1")),
        ("no name at all", |tar| tar.file("", "1")),
    ]);
    // A path of which even the package cannot be told belongs to none, and is left out.
    insta::assert_snapshot!(seen, @r"
    up: takes a 1.0.0, z 1.0.0; bad/1.0.0: ../x: the path climbs with .. [2 artifact, 6 content, 1 quarantine]
    up and out: takes a 1.0.0, z 1.0.0; bad/1.0.0: ../../../../etc/cron.d/x: the path climbs with .. [2 artifact, 6 content, 1 quarantine]
    up and in again: takes a 1.0.0, z 1.0.0; bad/1.0.0: docs/../x: the path climbs with .. [2 artifact, 6 content, 1 quarantine]
    up into another package: takes a 1.0.0, z 1.0.0; bad/1.0.0: ../../a/1.0.0/x: the path climbs with .. [2 artifact, 6 content, 1 quarantine]
    here: takes a 1.0.0, z 1.0.0; bad/1.0.0: ./x: the path has a . component [2 artifact, 6 content, 1 quarantine]
    two slashes: takes a 1.0.0, z 1.0.0; bad/1.0.0: /x: the path has an empty component [2 artifact, 6 content, 1 quarantine]
    backslash: takes a 1.0.0, z 1.0.0; bad/1.0.0: ..\\x: the path has a backslash [2 artifact, 6 content, 1 quarantine]
    trailing dot: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml.: the path has a component that ends in a dot or a space [2 artifact, 6 content, 1 quarantine]
    trailing space: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml : the path has a component that ends in a dot or a space [2 artifact, 6 content, 1 quarantine]
    three dots: takes a 1.0.0, z 1.0.0; bad/1.0.0: .../x: the path has a component that ends in a dot or a space [2 artifact, 6 content, 1 quarantine]
    NUL by PAX: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{0}y: the path has the control character '\0' [2 artifact, 6 content, 1 quarantine]
    line end: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\ny: the path has the control character '\n' [2 artifact, 6 content, 1 quarantine]
    escape sequence: takes a 1.0.0, z 1.0.0; bad/1.0.0: \u{1b}[31mx: the path has the control character '\u{1b}' [2 artifact, 6 content, 1 quarantine]
    delete: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{7f}: the path has the control character '\u{7f}' [2 artifact, 6 content, 1 quarantine]
    C1 control: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{85}: the path has the control character '\u{85}' [2 artifact, 6 content, 1 quarantine]
    right to left override: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{202e}gpj.exe: the path has the invisible character '\u{202e}' [2 artifact, 6 content, 1 quarantine]
    right to left isolate: takes a 1.0.0, z 1.0.0; bad/1.0.0: \u{2067}x: the path has the invisible character '\u{2067}' [2 artifact, 6 content, 1 quarantine]
    zero width: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{200b}: the path has the invisible character '\u{200b}' [2 artifact, 6 content, 1 quarantine]
    byte order mark: takes a 1.0.0, z 1.0.0; bad/1.0.0: \u{feff}x: the path has the invisible character '\u{feff}' [2 artifact, 6 content, 1 quarantine]
    soft hyphen: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{ad}y: the path has the invisible character '\u{ad}' [2 artifact, 6 content, 1 quarantine]
    tag characters: takes a 1.0.0, z 1.0.0; bad/1.0.0: x\u{e0041}: the path has the invisible character '\u{e0041}' [2 artifact, 6 content, 1 quarantine]
    not UTF-8: takes a 1.0.0, z 1.0.0; bad/1.0.0: x�: the path is not UTF-8 [2 artifact, 6 content, 1 quarantine]
    overlong UTF-8: takes a 1.0.0, z 1.0.0; bad/1.0.0: ����/x: the path is not UTF-8 [2 artifact, 6 content, 1 quarantine]
    half a surrogate: takes a 1.0.0, z 1.0.0; bad/1.0.0: ���: the path is not UTF-8 [2 artifact, 6 content, 1 quarantine]
    513 bytes: takes a 1.0.0, z 1.0.0; bad/1.0.0: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: the path has 513 bytes, more than 512 [2 artifact, 6 content, 1 quarantine]
    64 KiB: takes a 1.0.0, z 1.0.0; bad/1.0.0: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: the path has 65536 bytes, more than 512 [2 artifact, 6 content, 1 quarantine]
    65 folders: takes a 1.0.0, z 1.0.0; bad/1.0.0: x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x: the path has more than 64 components [2 artifact, 6 content, 1 quarantine]
    absolute: takes a 1.0.0, bad 1.0.0, z 1.0.0; /bad/1.0.0: x: the path is absolute [3 artifact, 9 content, 1 quarantine]
    drive: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    drive below: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    up in front: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    no name at all: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    ");
}

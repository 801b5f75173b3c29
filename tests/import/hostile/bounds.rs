//! The bounds, each made small: what goes beyond is refused by name, what reaches it is taken.

use airlock::limits::Limits;

use super::outcomes_within;
use crate::archives::{Tar, tar, zip};
use crate::trees::manifest;

fn good() -> Tar {
    tar().package("a/1.0.0").package("bad/1.0.0")
}

fn files(count: usize) -> Tar {
    (0..count).fold(good(), |tar, n| tar.file(format!("bad/1.0.0/{n}"), ""))
}

#[test]
fn a_package_beyond_a_bound_is_put_aside_and_the_others_are_taken() {
    let limits = Limits {
        package_files: 9,
        entry_bytes: 3_000,
        artifact_bytes: 9_000,
        manifest_bytes: 1_000,
        package_manifests_bytes: 1_500,
        package_memory_bytes: 500,
        known_file_bytes: 500,
        path_bytes: 60,
        ..Limits::default()
    };
    let streams = |count: usize, bytes: usize| {
        (0..count).fold(good(), |tar, n| {
            tar.file(
                format!("bad/1.0.0/data_stream/{n}/manifest.yml"),
                [b' '].repeat(bytes),
            )
        })
    };
    let seen = outcomes_within(
        &limits,
        [
            ("9 files", files(7)),
            ("10 files", files(8)),
            (
                "10 files, one of them twice",
                files(7).file("bad/1.0.0/1", ""),
            ),
            ("3,000 bytes", good().file("bad/1.0.0/x", [1; 3_000])),
            ("3,001 bytes", good().file("bad/1.0.0/x", [1; 3_001])),
            ("9,001 bytes in all", {
                (0..4).fold(good(), |tar, n| {
                    tar.file(format!("bad/1.0.0/{n}"), [1; 2_400])
                })
            }),
            (
                "manifest of 1,001 bytes",
                good().file("bad/1.0.0/data_stream/d/manifest.yml", [b' '; 1_001]),
            ),
            ("three manifests of 600 bytes", streams(3, 600)),
            (
                "path of 60 bytes",
                good().file(format!("bad/1.0.0/{}", "x".repeat(50)), ""),
            ),
            (
                "path of 61 bytes",
                good().file(format!("bad/1.0.0/{}", "x".repeat(51)), ""),
            ),
            ("large beside packages", good().file("x", [1; 3_001])),
        ]
        .map(|(name, tar)| (name, tar.package("z/1.0.0").bytes())),
    );
    insta::assert_snapshot!(seen, @r"
    9 files: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    10 files: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds more than 9 files [2 artifact, 6 content, 1 quarantine]
    10 files, one of them twice: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds more than 9 files [2 artifact, 6 content, 1 quarantine]
    3,000 bytes: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    3,001 bytes: takes a 1.0.0, z 1.0.0; bad/1.0.0: x: the file has 3001 bytes, more than 3000 [2 artifact, 6 content, 1 quarantine]
    9,001 bytes in all: takes a 1.0.0, z 1.0.0; bad/1.0.0: it is larger than 9000 bytes [2 artifact, 7 content, 1 quarantine]
    manifest of 1,001 bytes: takes a 1.0.0, z 1.0.0; bad/1.0.0: data_stream/d/manifest.yml is larger than 1000 bytes [2 artifact, 6 content, 1 quarantine]
    three manifests of 600 bytes: takes a 1.0.0, z 1.0.0; bad/1.0.0: its manifests are larger than 1500 bytes together [2 artifact, 6 content, 1 quarantine]
    path of 60 bytes: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    path of 61 bytes: takes a 1.0.0, z 1.0.0; bad/1.0.0: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: the path has 61 bytes, more than 60 [2 artifact, 6 content, 1 quarantine]
    large beside packages: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    ");
}

#[test]
fn a_source_beyond_a_bound_ends_the_import() {
    let limits = Limits {
        source_members: 20,
        source_packages: 3,
        tar_extension_bytes: 100,
        ..Limits::default()
    };
    let beside = |count: usize| (0..count).fold(good(), |tar, n| tar.file(format!("{n}"), ""));
    let packages =
        |count: usize| (0..count).fold(tar(), |tar, n| tar.package(&format!("p/1.0.{n}")));
    let seen = outcomes_within(
        &limits,
        [
            ("20 members", beside(16).bytes()),
            ("21 members", beside(17).bytes()),
            ("21 members in a package", files(17).bytes()),
            (
                "21 members that are links",
                (0..17)
                    .fold(good(), |tar, n| tar.symlink(&format!("{n}"), "x"))
                    .bytes(),
            ),
            (
                "21 members that are refused",
                (0..17).fold(good(), |tar, _| tar.file("../x", "")).bytes(),
            ),
            (
                "21 members with their headers",
                (0..9)
                    .fold(good(), |tar, n| {
                        tar.pax(&[("a", "b")]).file(format!("{n}"), "")
                    })
                    .bytes(),
            ),
            (
                "21 entries of a zip",
                (0..19)
                    .fold(zip().package("a/1.0.0"), |zip, n| {
                        zip.stored(format!("{n}"), "")
                    })
                    .bytes(),
            ),
            ("3 packages", packages(3).bytes()),
            ("4 packages", packages(4).bytes()),
            (
                "4 packages in different roots",
                packages(2)
                    .package("x/p/1.0.0")
                    .package("y/p/1.0.0")
                    .bytes(),
            ),
            (
                "4 packages without a manifest",
                (0..4)
                    .fold(tar(), |tar, n| tar.file(format!("p/1.0.{n}/x"), ""))
                    .bytes(),
            ),
            (
                "PAX header of 101 bytes",
                good()
                    .pax(&[("comment", &"x".repeat(89))])
                    .file("x", "")
                    .bytes(),
            ),
        ],
    );
    insta::assert_snapshot!(seen, @r"
    20 members: takes a 1.0.0, bad 1.0.0 [2 artifact, 6 content]
    21 members: cannot read the source: more than 20 members [1 artifact, 3 content]
    21 members in a package: cannot read the source: more than 20 members [1 artifact, 3 content]
    21 members that are links: cannot read the source: more than 20 members [1 artifact, 3 content]
    21 members that are refused: cannot read the source: more than 20 members [1 artifact, 3 content]
    21 members with their headers: cannot read the source: more than 20 members [1 artifact, 3 content]
    21 entries of a zip: cannot read the source: more than 20 members
    3 packages: takes p 1.0.0, p 1.0.1, p 1.0.2 [3 artifact, 7 content]
    4 packages: the source holds more than 3 packages [3 artifact, 7 content]
    4 packages in different roots: the source holds more than 3 packages [2 artifact, 5 content]
    4 packages without a manifest: the source holds more than 3 packages
    PAX header of 101 bytes: cannot read the source: 102 bytes of extension headers after bad/1.0.0/manifest.yml, more than 100 [1 artifact, 3 content]
    ");
}

#[test]
fn more_work_than_the_size_of_a_source_allows_ends_the_import() {
    let limits = Limits {
        expansion_free_bytes: 400_000,
        expansion_ratio: 200,
        xz_expansion_ratio: 200,
        source_members: 1_000_000,
        ..Limits::default()
    };
    let many = |count: usize, add: fn(Tar, usize) -> Tar| (0..count).fold(good(), add);
    let seen = outcomes_within(
        &limits,
        [
            (
                "packages, plain",
                many(30, |tar, n| tar.package(&format!("p/1.0.{n}"))).bytes(),
            ),
            (
                "packages",
                many(30, |tar, n| tar.package(&format!("p/1.0.{n}"))).zst(),
            ),
            (
                "packages without a manifest",
                many(30, |tar, n| tar.file(format!("p/1.0.{n}/x"), "")).zst(),
            ),
            (
                "empty files in a package, plain",
                many(900, |tar, n| tar.file(format!("bad/1.0.0/{n}"), "")).bytes(),
            ),
            (
                "empty files in a package",
                many(2_000, |tar, n| tar.file(format!("bad/1.0.0/{n}"), "")).zst(),
            ),
            (
                "links in a package",
                many(9_000, |tar, _| tar.symlink("bad/1.0.0/x", "y")).zst(),
            ),
            (
                "empty files beside packages",
                many(9_000, |tar, _| tar.file("x", "")).zst(),
            ),
            (
                "a long manifest, plain",
                good()
                    .file("p/1.0.0/manifest.yml", " ".repeat(50_000))
                    .bytes(),
            ),
            (
                "a long manifest",
                good()
                    .file("p/1.0.0/manifest.yml", " ".repeat(50_000))
                    .zst(),
            ),
            ("manifests in a zip", {
                (0..30)
                    .fold(zip().package("a/1.0.0"), |zip, n| {
                        zip.deflated(
                            format!("a/1.0.0/data_stream/{n}/manifest.yml"),
                            manifest("x", "1.0.0").repeat(20),
                        )
                    })
                    .bytes()
            }),
        ],
    );
    // Where exactly it ends depends on the compressor.
    let seen: Vec<_> = seen
        .lines()
        .map(|line| match line.split_once(": at ") {
            Some((name, error)) if error.contains(" weigh more than 200 times the ") => {
                let left = error.split_once(" [").map_or("nothing]", |(_, left)| left);
                format!("{name}: too much work [{left}")
            }
            _ => line.to_owned(),
        })
        .collect();
    let seen = seen.join("\n");
    insta::assert_snapshot!(seen, @r#"
    packages, plain: takes a 1.0.0, bad 1.0.0, p 1.0.0, p 1.0.1, p 1.0.2, p 1.0.3, p 1.0.4, p 1.0.5, p 1.0.6, p 1.0.7, p 1.0.8, p 1.0.9, p 1.0.10, p 1.0.11, p 1.0.12, p 1.0.13, p 1.0.14, p 1.0.15, p 1.0.16, p 1.0.17, p 1.0.18, p 1.0.19, p 1.0.20, p 1.0.21, p 1.0.22, p 1.0.23, p 1.0.24, p 1.0.25, p 1.0.26, p 1.0.27, p 1.0.28, p 1.0.29 [32 artifact, 67 content]
    packages: too much work [2 artifact, 6 content]
    packages without a manifest: too much work [2 artifact, 6 content]
    empty files in a package, plain: takes a 1.0.0, bad 1.0.0 [2 artifact, 7 content]
    empty files in a package: too much work [1 artifact, 3 content]
    links in a package: too much work [1 artifact, 3 content]
    empty files beside packages: too much work [1 artifact, 3 content]
    a long manifest, plain: takes a 1.0.0, bad 1.0.0; p/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    a long manifest: too much work [2 artifact, 6 content]
    manifests in a zip: too much work [nothing]
    "#);
}

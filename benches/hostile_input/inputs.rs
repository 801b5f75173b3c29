//! The inputs: about a megabyte each, which ask for as much work or memory as their kind can.

use std::iter;

use crate::archives::{Layer, Tar, Zip, tar, zip, zst};
use crate::trees::{manifest, noise};

/// A source and how it is made.
pub struct Input {
    pub name: &'static str,
    /// MiB that the decompressor must hold to undo it.
    pub window_mib: f64,
    pub build: Box<dyn Fn() -> Vec<u8>>,
}

const MIB: usize = 1 << 20;

pub fn inputs() -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut add = |name, window_mib, build: fn() -> Vec<u8>| {
        inputs.push(Input {
            name,
            window_mib,
            build: Box::new(build),
        });
    };
    add("noise in a package, plain tar", 0.0, || {
        sound().file("p/1.0.0/noise", noise(8 * MIB)).bytes()
    });
    add("zeros in a package, gzip", 0.0, || {
        zeros(Layer::Gzip, "p/1.0.0/z")
    });
    add("zeros in a package, zstd", 8.0, || {
        zeros(Layer::Zstd, "p/1.0.0/z")
    });
    add("zeros in a package, xz", 0.5, || {
        zeros(Layer::Xz, "p/1.0.0/z")
    });
    add("zeros in a package, zip", 0.0, || zip_of_zeros("p/1.0.0/z"));
    add("zeros beside packages, gzip", 0.0, || {
        zeros(Layer::Gzip, "z")
    });
    add("zeros beside packages, zstd", 8.0, || {
        zeros(Layer::Zstd, "z")
    });
    add("zeros beside packages, xz", 0.5, || zeros(Layer::Xz, "z"));
    add("zeros beside packages, zip", 0.0, || zip_of_zeros("z"));
    add("zeros after the end mark, zstd", 8.0, || {
        let frame = zst(&vec![0; 8 * MIB]);
        [zst(&sound().bytes()), frame.repeat(100)].concat()
    });

    add("empty files beside packages, plain tar", 0.0, || {
        tars(Layer::Plain, 8, |tar, n| tar.file(format!("{n}"), ""))
    });
    add("empty files beside packages, gzip", 0.0, || {
        tars(Layer::Gzip, 600, |tar, n| tar.file(format!("{n}"), ""))
    });
    add("empty files beside packages, zstd", 2.0, || {
        tars(Layer::Zstd, 600, |tar, n| tar.file(format!("{n}"), ""))
    });
    add("one empty file again and again, zstd", 2.0, || {
        again(sound(), tar().file("x", ""), 2048)
    });
    add("PAX headers of one record, zstd", 2.0, || {
        again(sound(), tar().pax(&[("a", "b")]).file("x", ""), 1024)
    });
    add("PAX headers of many records, zstd", 2.0, || {
        let records = b"6 a=b\n".repeat(170_000);
        again(
            sound(),
            tar().extension("x", b'x', &records).file("x", ""),
            1,
        )
    });
    add("GNU long links, zstd", 2.0, || {
        again(sound(), tar().extension("x", b'K', &[b'a'; 500]), 1000)
    });
    add("sparse maps, zstd", 2.0, || {
        let mut map = [0; 512];
        map[504] = 1;
        let head = tar().header(|header| {
            *header = ::tar::Header::new_gnu();
            header.as_old_mut().name[0] = b'x';
            header.set_entry_type(::tar::EntryType::GNUSparse);
            header.set_size(0);
            header.as_gnu_mut().unwrap().isextended[0] = 1;
        });
        let maps = tar().raw(&map.repeat(2048));
        [
            zst(&sound().raw(&head.open_ended()).open_ended()),
            zst(&maps.open_ended()).repeat(5000),
        ]
        .concat()
    });
    add("links in one package, zstd", 2.0, || {
        again(sound(), tar().symlink("p/1.0.0/x", "/etc/passwd"), 2048)
    });
    add("one file of a package again and again, zstd", 2.0, || {
        again(sound(), tar().file("p/1.0.0/x", ""), 2048)
    });

    add("empty files in packages, plain tar", 0.0, || {
        tars(Layer::Plain, 8, in_packages)
    });
    add("empty files in packages, gzip", 0.0, || {
        tars(Layer::Gzip, 400, in_packages)
    });
    add("empty files in packages, zstd", 2.0, || {
        tars(Layer::Zstd, 400, in_packages)
    });
    add("empty files in packages, zip", 0.0, || {
        let zip = (0..30_000).fold(zip(), |zip, n| match n % 30_000 {
            0 => zip_package(zip, "p", "1.0.0"),
            n => zip.stored(format!("p/1.0.0/{n}"), ""),
        });
        zip.bytes()
    });
    add("tiny contents in packages, zstd", 2.0, || {
        tars(Layer::Zstd, 400, |tar, n| match n % 50_000 {
            0 => in_packages(tar, n),
            _ => tar.file(format!("p/1.0.{}/{n}", n / 50_000), format!("{n}")),
        })
    });
    add("tiny contents in packages, plain tar", 0.0, || {
        tars(Layer::Plain, 8, |tar, n| match n % 50_000 {
            0 => in_packages(tar, n),
            _ => tar.file(format!("p/1.0.{}/{n}", n / 50_000), format!("{n}")),
        })
    });
    add("packages, plain tar", 0.0, || {
        tars(Layer::Plain, 4, a_package)
    });
    add("packages, gzip", 0.0, || tars(Layer::Gzip, 100, a_package));
    add("packages, zstd", 2.0, || tars(Layer::Zstd, 100, a_package));
    add("packages, zip", 0.0, || {
        let zip = (0..3_000).fold(zip(), |zip, n| zip_package(zip, "p", &format!("1.0.{n}")));
        zip.bytes()
    });
    add("refused packages, zstd", 2.0, || {
        tars(Layer::Zstd, 100, |tar, n| {
            tar.file(format!("p/1.0.{n}/x"), "")
        })
    });
    add("refused packages, zip", 0.0, || {
        let zip = (0..10_000).fold(zip(), |zip, n| zip.stored(format!("p/1.0.{n}/x"), ""));
        zip.bytes()
    });

    add("gzip members without content", 0.0, || {
        [sound().gz(), crate::archives::gz(b"").repeat(50_000)].concat()
    });
    add("gzip members of a byte", 0.0, || {
        let one = |byte: &u8| crate::archives::gz(&[*byte]);
        sound()
            .file("x", noise(40_000))
            .bytes()
            .iter()
            .flat_map(one)
            .collect()
    });
    add("skippable zstd frames", 0.0, || {
        [sound().zst(), b"\x50\x2a\x4d\x18\0\0\0\0".repeat(130_000)].concat()
    });
    add(
        "zstd frames of a byte, each with a window of 128 MiB",
        128.0,
        || {
            // RFC 8878: magic, no content size, a window of 2^27, one last raw block.
            let one = |byte: &u8| [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 0x09, 0, 0, *byte];
            sound()
                .file("x", noise(90_000))
                .bytes()
                .iter()
                .flat_map(one)
                .collect()
        },
    );
    add("xz streams without content", 0.0, || {
        [sound().xz(), crate::archives::xz(b"").repeat(31_000)].concat()
    });
    add("xz streams of a byte", 0.5, || {
        let one = |byte: &u8| crate::archives::xz(&[*byte]);
        sound()
            .file("x", noise(10_000))
            .bytes()
            .iter()
            .flat_map(one)
            .collect()
    });
    add("5 GB announced and not there", 0.0, || {
        let head = sound().header(|header| header.set_size(5_000_000_000));
        [head.open_ended(), noise(MIB)].concat()
    });
    add("text that is no archive", 0.0, || {
        b"no archive ".repeat(100_000)
    });

    for (name, yaml) in manifests() {
        inputs.push(Input {
            name,
            window_mib: 8.0,
            build: Box::new(move || {
                // Behind as many bytes as allow most work; the frame is the same for each package.
                let frame = zst(&tar().padded(&yaml).open_ended());
                let packages = (0..60).map(|n| {
                    let head = tar().header(|header| {
                        header.set_path(format!("p/1.0.{n}/manifest.yml")).unwrap();
                        header.set_size(yaml.len() as u64);
                    });
                    [zst(&head.open_ended()), frame.clone()].concat()
                });
                iter::once(zst(&sound().file("noise", noise(MIB)).open_ended()))
                    .chain(packages)
                    .chain([zst(&[0; 1024])])
                    .flatten()
                    .collect()
            }),
        });
    }
    inputs
}

/// A tar with one sound package in front, so that an import does not fail for want of one.
fn sound() -> Tar {
    package(tar(), "first", "1.0.0")
}

fn package(tar: Tar, name: &str, version: &str) -> Tar {
    tar.file(format!("{name}/{version}/docs/README.md"), "")
        .file(
            format!("{name}/{version}/manifest.yml"),
            manifest(name, version),
        )
}

fn zip_package(zip: Zip, name: &str, version: &str) -> Zip {
    zip.stored(format!("{name}/{version}/docs/README.md"), "")
        .deflated(
            format!("{name}/{version}/manifest.yml"),
            manifest(name, version),
        )
}

/// A member numbered over all of a source, packages of 50,000 of them.
fn in_packages(tar: Tar, n: usize) -> Tar {
    let version = format!("1.0.{}", n / 50_000);
    match n % 50_000 {
        0 => package(tar, "p", &version),
        _ => tar.file(format!("p/{version}/{n}"), ""),
    }
}

fn a_package(tar: Tar, n: usize) -> Tar {
    let version = format!("1.0.{n}");
    package(tar, "p", &version)
}

/// Returns a tar of about `mib` MiB, made member by member and compressed in pieces.
fn tars(layer: Layer, mib: usize, member: fn(Tar, usize) -> Tar) -> Vec<u8> {
    let mut out = layer.of(&sound().open_ended());
    let (mut n, mut bytes) = (0, 0);
    while bytes < mib * MIB {
        let mut piece = tar();
        for _ in 0..4096 {
            piece = member(piece, n);
            n += 1;
        }
        bytes += piece.open_ended().len();
        out.extend(layer.of(&piece.open_ended()));
    }
    out.extend(layer.of(&[0; 1024]));
    out
}

/// Returns `head`, then frames of `members` written `times` times each, a megabyte in all.
fn again(head: Tar, members: Tar, times: usize) -> Vec<u8> {
    let frame = zst(&members.open_ended().repeat(times));
    let count = 1_000_000 / frame.len();
    [
        zst(&head.open_ended()),
        frame.repeat(count),
        zst(&[0; 1024]),
    ]
    .concat()
}

/// Returns files of 1 GiB of zeros, a megabyte of them in all.
fn zeros(layer: Layer, path: &str) -> Vec<u8> {
    const PIECE: usize = 16 * MIB;
    let frame = layer.of(&vec![0; PIECE]);
    let mut out = layer.of(&sound().open_ended());
    for n in 0.. {
        let head = tar().header(|header| {
            header.set_path(format!("{path}{n}")).unwrap();
            header.set_size(1 << 30);
        });
        out.extend(layer.of(&head.open_ended()));
        for _ in 0..(1 << 30) / PIECE {
            if out.len() > 1_000_000 {
                return out;
            }
            out.extend(&frame);
        }
    }
    out
}

fn zip_of_zeros(path: &str) -> Vec<u8> {
    let content = vec![0; 64 * MIB];
    let one = zip().deflated("x", &content);
    let sound = zip_package(zip(), "first", "1.0.0");
    (0..16)
        .fold(sound, |zip, n| {
            zip.entry(crate::archives::ZipEntry {
                path: format!("{path}{n}").into_bytes(),
                local_path: format!("{path}{n}").into_bytes(),
                ..one.first().clone()
            })
        })
        .bytes()
}

/// Bytes of each: what five manifests may have in a source of a megabyte.
const MANIFEST_BYTES: usize = MIB;

/// Manifests that ask for much.
fn manifests() -> Vec<(&'static str, Vec<u8>)> {
    let filled = |part: &str| part.repeat(MANIFEST_BYTES / part.len()).into_bytes();
    let after = |head: &str, part: &str| [head.as_bytes(), &filled(part)].concat();
    let numbered =
        |line: fn(usize) -> String, count| (0..count).map(line).collect::<String>().into_bytes();
    vec![
        ("manifest: a long list", after("name: [", "a,")),
        ("manifest: a long list of lists", after("name: [", "[],")),
        ("manifest: a block list", after("name:\n", "- a\n")),
        ("manifest: a list in lists", filled("- - - - - - - - - -\n")),
        ("manifest: one key again and again", filled("a: b\n")),
        (
            "manifest: many keys",
            numbered(|n| format!("k{n}: v\n"), 90_000),
        ),
        ("manifest: long text", after("name: ", "aaaaaaaaa ")),
        (
            "manifest: text of short lines",
            after("name: >\n", " a\n\n"),
        ),
        ("manifest: quoted escapes", after("name: \"", "\\u00e9")),
        ("manifest: quoted lines", after("name: \"", "a\n \n")),
        ("manifest: comments", filled("#\n")),
        ("manifest: blank lines", filled(" \n")),
        ("manifest: brackets", filled("[")),
        ("manifest: braces", filled("{a: ")),
        ("manifest: question marks", filled("? ")),
        ("manifest: keys without an end", filled("\"a\" ")),
        ("manifest: directives", filled("%TAG !a! tag:a\n")),
        ("manifest: anchors", after("name: [", "&a a,")),
        ("manifest: tags", after("name: [", "!!str a,")),
        ("manifest: documents", filled("---\n")),
        ("manifest: long text by aliases", {
            let text = "<".repeat(60_000);
            let one = format!(
                "{}policy_templates: [{{name: a, title: &a \"{text}\"",
                manifest("p", "1.0.0")
            );
            [
                one.into_bytes(),
                b"}, {name: a, title: *a".repeat(200),
                b"}]\n".to_vec(),
            ]
            .concat()
        }),
        ("manifest: merged mappings", {
            let map: String = (0..900).map(|n| format!("k{n}: v, ")).collect();
            let one = format!("a: &a {{{map}}}\n");
            [one.into_bytes(), b"b: {<<: *a}\n".repeat(990)].concat()
        }),
    ]
}

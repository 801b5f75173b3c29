//! Packages that came as zips: what goes in comes out, to the byte.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::io::{Cursor, Read, Seek, Write};
use std::path::PathBuf;

use actix_web::http::Method;
use airlock::archive::{Archive, Entry, Origin};
use airlock::crypto::Digest;
use airlock::distribution::BranchKind;
use airlock::limits::Limits;
use support::archives::{Zip, ZipEntry, tar, zip_extra};
use support::packages::large_text;
use support::{Package, RELEASE, TestRegistry, package};
use zip::write::SimpleFileOptions;

const PATH: &str = "/epr/nginx/nginx-1.20.0.zip";

fn nginx() -> Package {
    package("nginx", "1.20.0")
        .with_file("docs/twice.md", "# nginx\n")
        .with_file("docs/long.md", large_text())
        .with_file("empty", "")
        .with_file("img/schön.png", b"\x89PNG\r\n\x1a\n")
        .with_file(
            "data_stream/access/manifest.yml",
            "title: Access\ntype: logs\n",
        )
}

/// Returns a registry that imported this source into a release.
fn holding(source: &[u8]) -> TestRegistry {
    let registry = TestRegistry::empty();
    registry.commit(RELEASE, BranchKind::Release, source);
    registry.reload();
    registry
}

/// Returns the zip of a package with every entry changed.
fn each(change: fn(&mut ZipEntry)) -> Zip {
    nginx().zip_by(|zip, path, content| zip.deflated_but(path, content, change))
}

fn descriptor(entry: &ZipEntry, is_signed: bool, is_wide: bool) -> Vec<u8> {
    let mut bytes = if is_signed {
        b"PK\x07\x08".to_vec()
    } else {
        Vec::new()
    };
    bytes.extend(entry.crc32.to_le_bytes());
    for size in [entry.packed.len() as u32, entry.size] {
        match is_wide {
            true => bytes.extend(u64::from(size).to_le_bytes()),
            false => bytes.extend(size.to_le_bytes()),
        }
    }
    bytes
}

/// Returns the package's zip as the crate `zip` writes it to a file, with zip64 fields, or to a stream.
fn by_another_writer(method: zip::CompressionMethod, is_streamed: bool) -> Vec<u8> {
    fn fill<W: Write + Seek>(mut zip: zip::ZipWriter<W>, options: SimpleFileOptions) -> W {
        zip.add_directory("nginx-1.20.0", options).unwrap();
        for (path, content) in nginx().files() {
            let path = format!("nginx-1.20.0/{path}");
            zip.start_file(path, options).unwrap();
            zip.write_all(&content).unwrap();
        }
        zip.finish().unwrap()
    }
    let options = SimpleFileOptions::default().compression_method(method);
    if is_streamed {
        return fill(zip::ZipWriter::new_stream(Vec::new()), options).into_inner();
    }
    let file = Cursor::new(Vec::new());
    fill(zip::ZipWriter::new(file), options.large_file(true)).into_inner()
}

/// Zips of one package in every form that is taken.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let stored = || nginx().zip_by(Zip::stored);
    let mixed = nginx().zip_by(|zip, path, content| match path.len() % 2 {
        0 => zip.stored(path, content),
        _ => zip.deflated(path, content),
    });
    let told_later = |is_signed, is_wide| {
        nginx().zip_by(|zip, path, content| {
            zip.deflated_but(path, content, |entry| {
                entry.flags = 8;
                entry.descriptor = Some(descriptor(entry, is_signed, is_wide));
            })
        })
    };
    let with_folders = ["", "docs/", "img/"]
        .iter()
        .fold(nginx().zip(), |zip, folder| {
            zip.stored(format!("nginx-1.20.0/{folder}"), "")
        });
    vec![
        ("deflated", nginx().zip().bytes()),
        ("stored", stored().bytes()),
        ("mixed", mixed.bytes()),
        ("zip64 end", nginx().zip().zip64().bytes()),
        ("zip64 entries", each(|entry| entry.zip64 = true).bytes()),
        ("descriptors", told_later(true, false).bytes()),
        ("unsigned descriptors", told_later(false, false).bytes()),
        ("wide descriptors", told_later(true, true).bytes()),
        ("wide unsigned descriptors", told_later(false, true).bytes()),
        ("a comment", stored().comment("made by hand").bytes()),
        (
            "comments of entries",
            each(|entry| entry.comment = b"good".to_vec()).bytes(),
        ),
        (
            "extra fields",
            each(|entry| {
                entry.extra = zip_extra(0xcafe, b"central");
                entry.local_extra = zip_extra(0xbeef, b"and local");
            })
            .bytes(),
        ),
        (
            "gaps",
            each(|entry| entry.gap = vec![0; 100])
                .last_gap("gap")
                .bytes(),
        ),
        (
            "data in front",
            stored()
                .stored_but("nginx-1.20.0/z", "z", |entry| {
                    entry.gap = b"#!/bin/sh\n".to_vec()
                })
                .bytes(),
        ),
        ("directory entries", with_folders.bytes()),
        (
            "a deflated directory entry",
            nginx().zip().deflated("nginx-1.20.0/docs/", "").bytes(),
        ),
        ("listed backwards", nginx().zip().listed_backwards()),
        (
            "Unix modes",
            each(|entry| entry.unix_mode = 0o100_600).bytes(),
        ),
        (
            "stored by another writer",
            by_another_writer(zip::CompressionMethod::Stored, false),
        ),
        (
            "deflated by another writer",
            by_another_writer(zip::CompressionMethod::Deflated, false),
        ),
        (
            "streamed by another writer",
            by_another_writer(zip::CompressionMethod::Deflated, true),
        ),
    ]
}

#[actix_web::test]
async fn a_zip_in_any_form_comes_back_to_the_byte_whole_and_in_ranges() {
    for (form, zip) in forms() {
        let registry = holding(&tar().file("nginx-1.20.0.zip", &zip).bytes());
        let (status, back) = registry.body(PATH, &[]).await;
        assert_eq!(status, 200, "{form}");
        assert_eq!(Digest::of(&back), Digest::of(&zip), "{form}");
        for (first, last) in [
            (0, 0),
            (1, 99),
            (zip.len() / 3, zip.len() / 2),
            (zip.len() - 30, zip.len() - 1),
        ] {
            let range = format!("bytes={first}-{last}");
            let (status, part) = registry.body(PATH, &[("range", &range)]).await;
            assert_eq!(status, 206, "{form} {range}");
            assert!(part == zip[first..=last], "{form} {range}");
        }
    }
}

#[actix_web::test]
async fn the_documents_of_a_zip_list_by_depth_then_as_it_lies_in_the_zip() {
    let files = [
        ("img/logo.svg", "<svg/>"),
        ("manifest.yml", ""),
        ("data_stream/b/manifest.yml", "title: B\ntype: logs\n"),
        ("docs/README.md", "# nginx\n"),
        ("data_stream/a/manifest.yml", "title: A\ntype: logs\n"),
        ("kibana/with-dash/x/y.json", "{}"),
    ];
    let manifest = nginx().files();
    let (_, manifest) = manifest
        .iter()
        .find(|(path, _)| path == "manifest.yml")
        .unwrap();
    let zip = files
        .iter()
        .fold(support::archives::zip(), |zip, (path, content)| {
            let content = match *path {
                "manifest.yml" => manifest.as_slice(),
                _ => content.as_bytes(),
            };
            zip.stored(format!("nginx-1.20.0/{path}"), content)
        });
    let registry = holding(&tar().file("nginx-1.20.0.zip", zip.bytes()).bytes());
    let (status, document) = registry.body("/package/nginx/1.20.0/", &[]).await;
    assert_eq!(status, 200);
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let texts = |list: &serde_json::Value, of: fn(&serde_json::Value) -> &serde_json::Value| {
        let list = list.as_array().unwrap().iter();
        list.map(|one| of(one).as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts(&document["assets"], |path| path),
        [
            "manifest.yml",
            "img/logo.svg",
            "docs/README.md",
            "data_stream/b/manifest.yml",
            "data_stream/a/manifest.yml",
            "kibana/with-dash/x/y.json"
        ]
        .map(|path| format!("/package/nginx/1.20.0/{path}"))
    );
    assert_eq!(
        texts(&document["data_streams"], |stream| &stream["title"]),
        ["B", "A"]
    );
}

#[actix_web::test]
async fn a_registry_in_proxy_mode_may_send_its_clients_to_the_folder_package() {
    let zip = nginx().zip().bytes();
    let registry = holding(&tar().file("nginx-1.20.0.zip", &zip).bytes());
    let path = "/epr/package/nginx-1.20.0.zip";
    assert_eq!(registry.get(path).await, registry.get(PATH).await);
    assert!(registry.body(path, &[]).await == registry.body(PATH, &[]).await);
    assert_eq!(
        registry.body("/epr/packages/nginx-1.20.0.zip", &[]).await.0,
        404
    );
    assert_eq!(
        registry.body("/epr/package/nginx-1.20.1.zip", &[]).await.0,
        404
    );
}

#[actix_web::test]
async fn the_files_of_a_zip_are_served_plain_and_under_gzip() {
    for (form, zip) in forms() {
        let registry = holding(&tar().file("nginx-1.20.0.zip", &zip).bytes());
        for (path, content) in nginx().files() {
            let path = path.replace('ö', "%C3%B6");
            let path = format!("/package/nginx/1.20.0/{path}");
            let (status, plain) = registry.body(&path, &[]).await;
            assert_eq!(status, 200, "{form} {path}");
            assert!(plain == content, "{form} {path}");
            let gzip = [("accept-encoding", "gzip")];
            let answer = registry.answer(Method::GET, &path, &gzip).await;
            let is_gzip = support::header(&answer, "content-encoding") == "gzip";
            let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
            let mut back = body.to_vec();
            if is_gzip {
                back.clear();
                let mut decoder = flate2::read::GzDecoder::new(&body[..]);
                decoder.read_to_end(&mut back).unwrap();
            }
            assert!(back == content, "{form} {path} under gzip");
        }
    }
}

#[actix_web::test]
async fn a_package_says_the_same_as_a_zip_and_as_a_tree() {
    let as_tree = TestRegistry::holding([nginx()]).await;
    let as_zip = holding(&nginx().zip().bytes());
    for path in ["/search", "/package/nginx/1.20.0/", "/categories"] {
        assert_eq!(
            as_zip.body(path, &[]).await,
            as_tree.body(path, &[]).await,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn zips_in_a_tar_under_any_layer_come_back_and_what_lies_beside_them_is_passed_over() {
    let other = package("apache", "1.0.0-rc.1").zip_by(Zip::stored).bytes();
    let zip = nginx().zip().bytes();
    let tar = tar()
        .file("packages/nginx-1.20.0.zip", &zip)
        .file("packages/nginx-1.20.0.zip.sig", "a signature")
        .file("packages/apache-1.0.0-rc.1.zip", &other);
    for source in [tar.bytes(), tar.gz(), tar.zst(), tar.xz()] {
        let registry = holding(&source);
        assert_eq!(registry.body(PATH, &[]).await.1, zip);
        let path = "/epr/apache/apache-1.0.0-rc.1.zip";
        assert_eq!(registry.body(path, &[]).await.1, other);
    }
}

#[actix_web::test]
async fn a_zip_too_large_for_memory_comes_back_to_the_byte() {
    let limits = Limits::default();
    let text = large_text();
    let text = text.repeat(1 + (3 << 20) / text.len());
    let noise: Vec<u8> = (0..limits.zip_memory_bytes as u32 / 4)
        .flat_map(|number| {
            number
                .wrapping_mul(0x9e37_79b9)
                .rotate_left(7)
                .to_le_bytes()
        })
        .collect();
    let package = package("nginx", "1.20.0")
        .with_file("model", &noise)
        .with_file("text", &text);
    for zip in [package.zip().bytes(), package.zip_by(Zip::stored).bytes()] {
        let inside = tar().file("nginx-1.20.0.zip", &zip).bytes();
        for source in [&zip, &inside] {
            let registry = holding(source);
            let (_, back) = registry.body(PATH, &[]).await;
            assert_eq!(Digest::of(&back), Digest::of(&zip));
            let (_, back) = registry.body("/package/nginx/1.20.0/text", &[]).await;
            assert!(back == text.as_bytes());
        }
    }
}

#[actix_web::test]
async fn the_zip_of_a_tree_that_comes_back_in_is_the_same_artifact() {
    let registry = TestRegistry::holding([nginx()]).await;
    let (_, canonical) = registry.body(PATH, &[]).await;
    let again = registry.commit("9.3.0", BranchKind::Release, &canonical);
    assert_eq!(again.added, 1);
    registry.reload();
    assert_eq!(
        registry.body(&format!("/d/9.3.0{PATH}"), &[]).await.1,
        canonical
    );
    let recipes = |conn: &rusqlite::Connection| {
        let count = conn.query_row("SELECT count(*) FROM recipe", [], |row| {
            row.get::<_, i64>(0)
        });
        count.map_err(airlock::store::StoreError::from)
    };
    assert_eq!(registry.store.read(recipes).unwrap(), 0);
}

/// The zips of published packages among the fixtures, by file name.
fn published() -> Vec<(String, Vec<u8>)> {
    let root = std::env::var_os("AIRLOCK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join("data/fixtures.tar.zst");
    if !path.exists() {
        println!("left out: {} is not there", path.display());
        return Vec::new();
    }
    let spool = std::env::temp_dir();
    let (origin, limits) = (Origin::Path(path), Limits::default());
    let mut archive = Archive::open(origin, &spool, Default::default(), &limits).unwrap();
    let mut zips = Vec::new();
    while let Some(entry) = archive.next().unwrap() {
        if let Entry::File(mut file) = entry
            && file.path.as_str().ends_with(".zip")
        {
            let name = file.path.components().last().unwrap().to_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            zips.push((name, bytes));
        }
    }
    assert_eq!(zips.len(), 2);
    zips
}

#[actix_web::test]
async fn published_zips_come_back_to_the_byte() {
    for (name, zip) in published() {
        for source in [zip.clone(), tar().file(&name, &zip).gz()] {
            let registry = holding(&source);
            let (package, _) = name.split_once('-').unwrap();
            let (status, back) = registry.body(&format!("/epr/{package}/{name}"), &[]).await;
            assert_eq!(
                (status, Digest::of(&back)),
                (200, Digest::of(&zip)),
                "{name}"
            );
        }
    }
}

//! Files that are larger than memory may hold: written as they are read, and nobody can tell.

use std::io::Read;

use airlock::limits::Limits;
use airlock::store::artifacts;
use airlock::store::streams::{self, CHUNK_BYTES, Coding};

use crate::trees::{Tree, noise};
use crate::{Ask, Place};

fn small_memory() -> Limits {
    Limits {
        package_memory_bytes: 1000,
        known_file_bytes: 0,
        ..Limits::default()
    }
}

/// Returns a file of the only package of a branch as it comes back, and how it is kept.
fn read_back(place: &Place, path: &str) -> (Vec<u8>, Coding) {
    let artifact = place.artifacts("8.5.0").remove(0);
    place
        .store
        .snapshot(|conn| {
            let files = artifacts::streamed_files(conn, artifact.id)?;
            let (_, stream) = files
                .into_iter()
                .find(|(file, _)| file.path == path)
                .unwrap();
            let mut bytes = Vec::new();
            for number in 0..stream.chunks() {
                let chunk = streams::chunk(conn, stream.id, number)?.unwrap();
                let is_last = number + 1 == stream.chunks();
                assert!(
                    chunk.len() == CHUNK_BYTES || is_last,
                    "chunk {number} of {path}"
                );
                bytes.extend(chunk);
            }
            assert_eq!(streams::chunk(conn, stream.id, stream.chunks())?, None);
            if stream.coding == Coding::Deflate {
                let mut plain = Vec::new();
                flate2::read::DeflateDecoder::new(&bytes[..])
                    .read_to_end(&mut plain)
                    .unwrap();
                bytes = plain;
            }
            Ok::<_, airlock::store::StoreError>((bytes, stream.coding))
        })
        .unwrap()
}

#[test]
fn a_large_file_comes_back_byte_for_byte_whatever_its_size() {
    for bytes in [
        1001,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        2 * CHUNK_BYTES,
        9 * CHUNK_BYTES + 7,
    ] {
        let text: Vec<u8> = (0..)
            .flat_map(|n: u32| format!("line {n}\n").into_bytes())
            .take(bytes)
            .collect();
        let zeros = vec![0; bytes];
        let noise = noise(bytes);
        let mixed: Vec<u8> = noise[..bytes / 2]
            .iter()
            .chain(&text[..bytes - bytes / 2])
            .copied()
            .collect();
        let files = [
            ("text", text),
            ("zeros", zeros),
            ("noise", noise),
            ("mixed", mixed),
        ];
        let tree = files.iter().fold(
            Tree::default().package("p/1.0.0"),
            |tree, (name, content)| tree.file(&format!("p/1.0.0/{name}"), content),
        );
        let source = tree.tar().zst();
        let streamed = Place::within(small_memory());
        streamed.import(source.clone(), &Ask::release("8.5.0"));
        for (name, content) in &files {
            let (back, coding) = read_back(&streamed, name);
            assert!(back == *content, "{name} of {bytes} bytes");
            match *name {
                "text" | "zeros" => assert_eq!(coding, Coding::Deflate, "{name}"),
                "noise" => assert_eq!(coding, Coding::Plain),
                _ => {}
            }
        }
        let in_memory = Place::within(Limits {
            package_memory_bytes: 1 << 30,
            ..Limits::default()
        });
        in_memory.import(source, &Ask::release("8.5.0"));
        assert_eq!(
            streamed.digests("8.5.0"),
            in_memory.digests("8.5.0"),
            "{bytes} bytes"
        );
    }
}

#[test]
fn the_same_large_content_is_kept_once() {
    for known_file_bytes in [0, 2 << 20] {
        kept_once(&Place::within(Limits {
            known_file_bytes,
            ..small_memory()
        }));
    }
}

fn kept_once(place: &Place) {
    let large = noise(2 * CHUNK_BYTES);
    let tree = Tree::default()
        .package("p/1.0.0")
        .file("p/1.0.0/a", &large)
        .file("p/1.0.0/b", &large)
        .package("p/1.1.0")
        .file("p/1.1.0/a", &large);
    place.import(tree.tar().bytes(), &Ask::release("8.5.0"));
    assert_eq!(place.count("content"), place.count("stream"));
    assert_eq!(place.count("chunk WHERE length(bytes) > 100000"), 2);
    assert_eq!(place.count("stream WHERE content IS NULL"), 0);
}

#[test]
fn a_large_file_that_is_cut_off_leaves_no_stream_behind() {
    let place = Place::within(small_memory());
    let tar = Tree::default()
        .file("p/1.0.0/large", noise(3 * CHUNK_BYTES))
        .tar()
        .open_ended();
    let before = place.counts();
    let error = place
        .stage(&tar[..2 * CHUNK_BYTES], &Ask::release("8.5.0"))
        .unwrap_err();
    assert_eq!(
        crate::with_causes(&error),
        "cannot read the source: truncated in p/1.0.0/large"
    );
    assert_eq!(place.counts(), before);
    assert_eq!(place.count("chunk"), 0);
}

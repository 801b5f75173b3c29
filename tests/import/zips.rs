//! Packages that come as zips: what is kept of them, and what a plan makes of them.

use airlock::store::StoreError;

use crate::archives::{Tar, Zip, tar, zip};
use crate::trees::{Tree, manifest, release};
use crate::{Ask, Place, with_causes};

/// A file that two encoders pack in different ways.
fn text() -> Vec<u8> {
    (0..2_000_u32)
        .flat_map(|number| format!("{} of {number}\n", number.wrapping_mul(7_919)).into_bytes())
        .collect()
}

fn deflated_fast(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the zip of a version of nginx, its large file added by `add`.
fn nginx(version: &str, add: impl FnOnce(Zip, String) -> Zip) -> Zip {
    let root = format!("nginx-{version}");
    let zip = zip()
        .deflated(format!("{root}/manifest.yml"), manifest("nginx", version))
        .deflated(format!("{root}/docs/README.md"), "# nginx\n");
    add(zip, format!("{root}/text"))
}

/// Returns the packages of [`release`] as zips, deflated by `add`.
fn zips(add: impl Fn(Zip, String, Vec<u8>) -> Zip) -> Tar {
    ["apache-1.0.0", "nginx-1.5.0"]
        .iter()
        .fold(tar(), |tar, package| {
            let (name, version) = package.split_once('-').unwrap();
            let tree = Tree::default().package(&format!("{name}/{version}"));
            let zip = tree.0.into_iter().fold(zip(), |zip, (path, content)| {
                let path = path.replace(&format!("{name}/{version}"), package);
                add(zip, path, content)
            });
            tar.file(format!("{package}.zip"), zip.bytes())
        })
}

/// Returns how the content with this many bytes lies in the store.
fn streams_of(place: &Place, bytes: usize) -> Vec<(String, i64)> {
    let read = |conn: &rusqlite::Connection| {
        let mut query = conn.prepare(
            "SELECT s.coding, s.bytes FROM stream s JOIN content c ON c.id = s.content
              WHERE c.bytes = ? ORDER BY s.id",
        )?;
        let rows = query.query_map([bytes as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<Vec<_>, _>>()
            .map_err(StoreError::from)
    };
    place.store.read(read).unwrap()
}

#[test]
fn a_content_is_kept_once_and_each_of_its_deflate_streams_once() {
    let text = text();
    let fast = deflated_fast(&text);
    let place = Place::new();
    let mut kept = Vec::new();
    for zip in [
        nginx("1.0.0", |zip, path| zip.stored(path, &text)),
        nginx("1.1.0", |zip, path| zip.stored(path, &text)),
        nginx("1.2.0", |zip, path| zip.deflated(path, &text)),
        nginx("1.3.0", |zip, path| zip.deflated(path, &text)),
        nginx("1.4.0", |zip, path| {
            zip.deflated_but(path, &text, |entry| entry.packed.clone_from(&fast))
        }),
        nginx("1.5.0", |zip, path| zip.stored(path, &text)),
    ] {
        let plan = place.import(zip.bytes(), &Ask::branch("production"));
        assert_eq!(plan.quarantined, []);
        assert_eq!(
            place.count(&format!("content WHERE bytes = {}", text.len())),
            1
        );
        let streams = streams_of(&place, text.len());
        assert!(streams.iter().all(|(coding, _)| coding == "deflate"));
        kept.push(streams.len());
    }
    assert_eq!(kept, [1, 1, 2, 2, 3, 3]);
    assert_eq!(streams_of(&place, text.len())[2].1, fast.len() as i64);
    assert_eq!(place.count("recipe"), 6);
}

#[test]
fn a_new_content_of_a_deflated_entry_has_no_other_stream_than_its_own() {
    let text = text();
    let fast = deflated_fast(&text);
    let place = Place::new();
    let zip = nginx("1.0.0", |zip, path| {
        zip.deflated_but(path, &text, |entry| entry.packed.clone_from(&fast))
    });
    place.import(zip.bytes(), &Ask::release("9.2.0"));
    let expected = ("deflate".to_owned(), fast.len() as i64);
    assert_eq!(streams_of(&place, text.len()), [expected]);
}

#[test]
fn the_stream_encoded_here_gives_way_to_one_that_a_zip_brings_before_it_is_offered() {
    let text = text();
    let fast = deflated_fast(&text);
    let stored = nginx("1.0.0", |zip, path| zip.stored(path, &text));
    let deflated = nginx("1.1.0", |zip, path| {
        zip.deflated_but(path, &text, |entry| entry.packed.clone_from(&fast))
    });
    let source = tar()
        .file("nginx-1.0.0.zip", stored.bytes())
        .file("nginx-1.1.0.zip", deflated.bytes());
    let place = Place::new();
    place.import(source.bytes(), &Ask::release("9.2.0"));
    let expected = ("deflate".to_owned(), fast.len() as i64);
    assert_eq!(streams_of(&place, text.len()), [expected]);
    assert_eq!(place.count("recipe"), 2);
}

#[test]
fn a_zip_that_is_here_is_found_by_its_bytes_and_nothing_more_is_kept() {
    let place = Place::new();
    place.import(zips(Zip::deflated).bytes(), &Ask::release("9.2.0"));
    let before = place.counts();
    let again = place.stage(zips(Zip::deflated).zst(), &Ask::release("9.3.0"));
    let again = again.unwrap();
    assert_eq!((again.packages, again.new), (2, 0));
    place.commit(again.stage).unwrap();
    assert_eq!(place.digests("9.2.0"), place.digests("9.3.0"));
    let kept = |counts: Vec<(&'static str, i64)>| {
        let is_kept = |(table, _): &(&str, i64)| crate::KEPT.contains(table);
        counts.into_iter().filter(is_kept).collect::<Vec<_>>()
    };
    assert_eq!(kept(place.counts()), kept(before));
}

#[test]
fn the_zip_of_a_package_is_another_artifact_of_an_equal_tree() {
    for target in ["8.5.0", "production", "snapshot", "local"] {
        let ask = match target {
            "8.5.0" => Ask::release(target),
            branch => Ask::branch(branch),
        };
        let place = Place::new();
        place.import(release("8.5.0").tar().bytes(), &ask);
        let trees = place.artifacts(target);
        for source in [zips(Zip::deflated), zips(Zip::stored)] {
            let plan = place.import(source.bytes(), &ask);
            let differences = (plan.added.len(), plan.replaced.len(), plan.refused.len());
            assert_eq!((differences, plan.unchanged), ((0, 0, 0), 2), "{target}");
        }
        assert_eq!(place.artifacts(target), trees, "{target}");
        // And the other way round, where there are only zips.
        let place = Place::new();
        place.import(zips(Zip::deflated).bytes(), &ask);
        let zips = place.artifacts(target);
        assert_eq!(
            place.import(release("8.5.0").tar().bytes(), &ask).unchanged,
            2
        );
        assert_eq!(place.artifacts(target), zips, "{target}");
        for (tree, zip) in trees.iter().zip(&zips) {
            assert_eq!(
                (&tree.package, tree.tree_sha256),
                (&zip.package, zip.tree_sha256)
            );
            assert_ne!(tree.sha256, zip.sha256);
        }
    }
}

#[test]
fn a_zip_with_other_files_is_other_content() {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let other = nginx("1.5.0", |zip, path| zip.stored(path, "more"));
    let plan = place.import(other.bytes(), &Ask::release("8.5.0"));
    let edition = plan.edition.unwrap();
    assert_eq!(edition.changed, ["nginx 1.5.0"]);
    assert_eq!(edition.removed, ["apache 1.0.0"]);
}

#[test]
fn other_files_beside_zips_are_counted_and_passed_over_and_signatures_are_not() {
    let place = Place::new();
    let source = zips(Zip::deflated)
        .file("nginx-1.5.0.zip.sig", "-----BEGIN PGP SIGNATURE-----")
        .file("notes.txt", "x");
    let plan = place.import(source.bytes(), &Ask::release("9.2.0"));
    assert_eq!((plan.added.len(), plan.ignored_files), (2, 1));
    assert_eq!(plan.quarantined, []);
}

#[test]
fn a_tar_with_two_zips_of_one_path_has_none_of_them() {
    let place = Place::new();
    let first = nginx("1.5.0", |zip, path| zip.stored(path, "first"));
    let second = nginx("1.5.0", |zip, path| zip.stored(path, "second"));
    let source = tar()
        .file("a/nginx-1.5.0.zip", first.bytes())
        .file("a/b/nginx-1.5.0.zip", second.bytes())
        .file("a/nginx-1.5.0.zip", second.bytes())
        .file("a/apache-1.0.0.zip", "no zip");
    let plan = place.stage(source.bytes(), &Ask::release("9.2.0"));
    // Two files of one path: programs that unpack the tar keep the last.
    assert_eq!(
        with_causes(&plan.unwrap_err()),
        "none of the packages can be taken (2 refused); the first is a/nginx-1.5.0.zip: its files do not lie together in the source"
    );
}

#[test]
fn a_zip_that_comes_twice_in_a_row_is_put_aside_with_its_signature() {
    let place = Place::new();
    let [first, second] =
        ["first", "second"].map(|text| nginx("1.5.0", |zip, path| zip.stored(path, text)).bytes());
    for between in [Some("first"), None] {
        let source = tar().file("nginx-1.5.0.zip", &first);
        let source = match between {
            Some(text) => source.file("nginx-1.5.0.zip.sig", text),
            None => source,
        };
        let source = source
            .file("nginx-1.5.0.zip", &second)
            .file("nginx-1.6.0.zip", nginx("1.6.0", |zip, _| zip).bytes());
        let plan = place.import(source.bytes(), &Ask::branch("mine"));
        let [problem] = plan.quarantined.try_into().unwrap();
        assert_eq!(problem.why, "its files do not lie together in the source");
        assert_eq!((place.count("artifact"), place.count("signature")), (1, 0));
    }
}

#[test]
fn a_release_that_is_asked_for_nowhere_is_asked_for() {
    let place = Place::new();
    let zip = nginx("1.5.0", |zip, _| zip).bytes();
    let error = place.stage(zip.clone(), &Ask::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the source does not say which release it is"
    );
    let may_ask = Ask {
        may_ask: true,
        ..Ask::default()
    };
    assert_eq!(place.stage(zip, &may_ask).unwrap().target, None);
}

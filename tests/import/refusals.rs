//! What cannot be imported at all, and that nothing stays of it.

use airlock::limits::Limits;
use airlock::people::Actor;

use crate::archives::{tar, zst};
use crate::trees::{Tree, manifest, release};
use crate::{Ask, Place, with_causes};

/// Stages what must be refused; asserts that nothing of it is offered, waits or is remembered.
fn refusal(place: &Place, source: impl Into<Vec<u8>>, ask: &Ask) -> String {
    let before = place.offered();
    let error = place.stage(source, ask).unwrap_err();
    assert_eq!(place.offered(), before);
    with_causes(&error)
}

#[test]
fn a_source_that_cannot_be_read_says_why_and_leaves_nothing() {
    let whole = release("8.5.0").tar().bytes();
    let place = Place::new();
    let before = place.counts();
    let mut seen = String::new();
    for (source, bytes) in [
        ("empty", Vec::new()),
        ("text", b"<!DOCTYPE html>\n<html>".to_vec()),
        ("text under zstd", zst(b"hello, this is no tar")),
        ("cut in its first header", whole[..300].to_vec()),
        ("cut zstd", release("8.5.0").tar().zst()[..90].to_vec()),
    ] {
        let error = refusal(&place, bytes, &Ask::default());
        seen.push_str(&format!("{source}: {error}\n"));
        assert_eq!(place.counts(), before, "{source}");
    }
    insta::assert_snapshot!(seen, @r#"
    empty: cannot read the source: empty: there is nothing in it
    text: cannot read the source: not an archive: the source begins with 3c 21 44 4f 43 54 59 50 45 20 68 74 6d 6c 3e 0a
    text under zstd: cannot read the source: not an archive: the content of the zstd begins with "hello, this is n"
    cut in its first header: cannot read the source: truncated before its first member
    cut zstd: cannot read the source: truncated before its first member
    "#);
}

#[test]
fn a_source_that_is_cut_off_behind_whole_packages_leaves_nothing_on_offer() {
    let place = Place::new();
    let whole = release("8.5.0").tar().open_ended();
    let error = refusal(&place, &whole[..whole.len() - 100], &Ask::default());
    assert_eq!(
        error,
        "cannot read the source: truncated in package-storage-8.5.0/packages/nginx/1.5.0/manifest.yml"
    );
    // What was stored by then makes the next import quicker, and is offered to nobody.
    assert_eq!(place.count("artifact"), 1);
    let staged = place.stage(release("8.5.0").tar().bytes(), &Ask::default());
    let staged = staged.unwrap();
    assert_eq!((staged.packages, staged.new), (2, 1));
}

#[test]
fn a_source_without_packages_or_with_bad_ones_only_is_refused() {
    let place = Place::new();
    let before = place.counts();
    let stray = tar().file("main.go", "package main").file("a/b/c.txt", "");
    assert_eq!(
        refusal(&place, stray.bytes(), &Ask::release("8.5.0")),
        "no package found: a package is a folder {name}/{version} with a manifest.yml, or {name}-{version}.zip"
    );
    let bad = tar()
        .file("packages/nginx/1.5.0/manifest.yml", "")
        .file("packages/nginx/1.6.0/docs/README.md", "");
    let error = refusal(&place, bad.bytes(), &Ask::release("8.5.0"));
    assert!(
        error.starts_with(
            "none of the packages can be taken (2 refused); the first is packages/nginx/1.5.0: "
        ),
        "{error}"
    );
    assert_eq!(place.counts(), before);
}

#[test]
fn a_source_that_does_not_say_its_release_is_not_read_on() {
    let place = Place::new();
    let before = place.counts();
    let unnamed = Tree::default().package("packages/nginx/1.5.0").tar();
    assert_eq!(
        refusal(&place, unnamed.open_ended(), &Ask::default()),
        "the source does not say which release it is"
    );
    assert_eq!(place.counts(), before);

    let may_ask = Ask {
        may_ask: true,
        ..Ask::default()
    };
    let staged = place.stage(unnamed.bytes(), &may_ask).unwrap();
    assert_eq!(staged.target, None);
    assert_eq!(
        place.commit(staged.stage).unwrap_err().to_string(),
        "the source does not say which release it is"
    );
}

#[test]
fn each_bound_on_a_package_refuses_it_by_name() {
    let limits = Limits {
        package_files: 4,
        entry_bytes: 3000,
        artifact_bytes: 5000,
        manifest_bytes: 1000,
        package_manifests_bytes: 1200,
        ..Limits::default()
    };
    let place = Place::within(limits);
    let data_stream = |name: &str| format!("p/1.0.0/data_stream/{name}/manifest.yml");
    let package = || tar().file("p/1.0.0/manifest.yml", manifest("p", "1.0.0"));
    let mut seen = String::new();
    for source in [
        ["a", "b", "c", "d"].iter().fold(package(), |tar, name| {
            tar.file(format!("p/1.0.0/{name}"), "")
        }),
        package().file("p/1.0.0/large", [0; 3001]),
        package()
            .file("p/1.0.0/a", [0; 2900])
            .file("p/1.0.0/b", [0; 2900]),
        tar().file("p/1.0.0/manifest.yml", [b' '; 1001]),
        package()
            .file(data_stream("a"), [b' '; 500])
            .file(data_stream("b"), [b' '; 600]),
    ] {
        let error = refusal(&place, source.bytes(), &Ask::release("8.5.0"));
        seen.push_str(error.split_once("first is ").unwrap().1);
        seen.push('\n');
    }
    insta::assert_snapshot!(seen, @r"
    p/1.0.0: it holds more than 4 files
    p/1.0.0: large: the file has 3001 bytes, more than 3000
    p/1.0.0: it is larger than 5000 bytes
    p/1.0.0: manifest.yml is larger than 1000 bytes
    p/1.0.0: its manifests are larger than 1200 bytes together
    ");
}

#[test]
fn a_source_may_not_hold_packages_without_end() {
    let place = Place::within(Limits {
        source_packages: 1,
        ..Limits::default()
    });
    assert_eq!(
        refusal(&place, release("8.5.0").tar().bytes(), &Ask::default()),
        "the source holds more than 1 packages"
    );
}

#[test]
fn a_store_that_fails_while_packages_are_made_ends_the_import_with_its_reason() {
    let place = Place::new();
    place
        .store
        .write(|conn| {
            conn.execute_batch("ALTER TABLE artifact RENAME TO gone")
                .map_err(airlock::store::StoreError::from)
        })
        .unwrap();
    let versions = (0..50).fold(Tree::default(), |tree, patch| {
        tree.package(&format!("packages/nginx/1.0.{patch}"))
    });
    let error = refusal(&place, versions.tar().bytes(), &Ask::release("8.5.0"));
    assert!(
        error.starts_with("the store failed: no such table: "),
        "{error}"
    );
}

#[test]
fn an_import_that_is_stopped_leaves_nothing() {
    use airlock::import::{Progress, StageRequest, stage};
    let place = Place::new();
    let before = place.counts();
    let progress = std::sync::Arc::new(Progress::default());
    progress.stop();
    let request = StageRequest {
        source_name: "source".to_owned(),
        who: Actor::here("tester"),
        target: None,
        may_ask: false,
        signatures: None,
        image: None,
    };
    let source = Box::new(std::io::Cursor::new(release("8.5.0").tar().bytes()));
    let error = stage(&place.store, source, &request, &progress, &place.limits).unwrap_err();
    assert_eq!(error.to_string(), "the import was stopped");
    assert_eq!(place.counts(), before);
}

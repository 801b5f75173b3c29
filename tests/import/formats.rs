//! The same tree in every form people have it in: the same artifacts.

use airlock::archive::pack_directory;
use airlock::limits::Limits;

use crate::trees::{COMMIT, COMMITTED_AT, Tree, release};
use crate::{Ask, Place};

fn packed(tree: &Tree) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    tree.write(folder.path());
    let mut tar = Vec::new();
    pack_directory(folder.path(), "", &mut tar, &Limits::default()).unwrap();
    tar
}

#[test]
fn one_tree_gives_the_same_artifacts_in_every_form() {
    let tree = release("8.5.0");
    let mut without_lead = tree.clone();
    for (path, _) in &mut without_lead.0 {
        *path = path.split_once('/').unwrap().1.to_owned();
    }
    let mut backwards = tree.clone();
    backwards.0.reverse();
    let forms = [
        ("tar", tree.tar().bytes()),
        ("tar.gz", tree.git_tar().gz()),
        ("tar.zst", tree.git_tar().zst_with_window(27)),
        ("tar.xz", tree.git_tar().xz()),
        ("zip", tree.git_zip().bytes()),
        ("folder", packed(&tree)),
        ("without leading folder", without_lead.tar().zst()),
        ("in another order", backwards.tar().bytes()),
    ];
    let digests = forms.map(|(form, source)| {
        let place = Place::new();
        let plan = place.import(source, &Ask::release("8.5.0"));
        assert_eq!(plan.quarantined, [], "{form}");
        assert_eq!(plan.ignored_files, 1, "{form}: main.go");
        assert_eq!(
            plan.source.registry_version.as_deref(),
            Some("1.15.0"),
            "{form}"
        );
        (form, place.digests("8.5.0"))
    });
    let expected = &digests[0].1;
    assert_eq!(expected.len(), 2);
    for (form, found) in &digests {
        assert_eq!(found, expected, "{form}");
    }
}

#[test]
fn the_commit_and_its_time_come_from_what_git_wrote() {
    let tree = release("8.5.0");
    for (form, source) in [
        ("tar", tree.git_tar().bytes()),
        ("tar.zst", tree.git_tar().zst()),
        ("zip", tree.git_zip().bytes()),
    ] {
        let place = Place::new();
        let plan = place.import(source, &Ask::default());
        assert_eq!(plan.source.commit.as_deref(), Some(COMMIT), "{form}");
        for artifact in place.artifacts("8.5.0") {
            assert_eq!(
                artifact.modified, COMMITTED_AT,
                "{form} {}",
                artifact.package
            );
        }
    }
}

#[test]
fn without_a_commit_packages_are_as_old_as_their_import() {
    let before = jiff::Timestamp::now().as_second();
    let tree = release("8.5.0");
    let with_another_comment = tree.git_zip().comment("made by hand").bytes();
    for source in [tree.tar().bytes(), with_another_comment] {
        let place = Place::new();
        let plan = place.import(source, &Ask::default());
        assert_eq!(plan.source.commit, None);
        let artifacts = place.artifacts("8.5.0");
        assert!(artifacts.iter().all(|artifact| artifact.modified >= before));
    }
}

#[test]
fn the_source_is_remembered_with_its_size_and_digest() {
    let source = release("8.5.0").git_tar().gz();
    let plan = Place::new().import(source.clone(), &Ask::default());
    assert_eq!(plan.source.bytes, Some(source.len() as u64));
    let digest = airlock::crypto::Digest::of(&source).to_string();
    assert_eq!(plan.source.sha256, Some(digest));
}

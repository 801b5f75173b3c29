//! Where packages may lie, and what lies beside them.

use airlock::distribution::DistributionName;
use airlock::store::branches;

use crate::trees::{Tree, manifest, release};
use crate::{Ask, Place};

fn taken(tree: &Tree) -> (Vec<String>, u64) {
    let plan = Place::new().import(tree.tar().bytes(), &Ask::release("8.5.0"));
    (plan.added, plan.ignored_files)
}

#[test]
fn packages_are_found_with_and_without_folders_around_them() {
    for folder in ["", "packages/", "lead/", "lead/packages/"] {
        let tree = Tree::default()
            .package(&format!("{folder}apache/1.0.0"))
            .package(&format!("{folder}nginx/1.5.0"));
        assert_eq!(
            taken(&tree),
            (vec!["apache 1.0.0".to_owned(), "nginx 1.5.0".to_owned()], 0),
            "{folder:?}"
        );
    }
}

#[test]
fn what_lies_beside_packages_is_ignored_and_counted() {
    let tree = Tree::default()
        .file("go.mod", "module x\n")
        .file("packages/README.md", "read me")
        .package("packages/nginx/1.5.0")
        .package("testdata/broken/0.0.1")
        .package("testdata/packages/broken/0.0.1")
        .package("vendor/example.org/broken/0.0.1")
        .file("testdata/worse/0.0.1/manifest.yml", "no manifest");
    let ignored = 1 + 1 + 2 + 2 + 2 + 1;
    assert_eq!(taken(&tree), (vec!["nginx 1.5.0".to_owned()], ignored));
}

#[test]
fn the_fullest_folder_is_meant_where_none_is_called_packages() {
    let tree = Tree::default()
        .package("testdata/broken/0.0.1")
        .package("nginx/1.5.0")
        .package("nginx/1.6.0");
    let (added, ignored) = taken(&tree);
    assert_eq!(added, ["nginx 1.5.0", "nginx 1.6.0"]);
    assert_eq!(ignored, 2);
}

#[test]
fn the_older_layout_of_datasets_is_taken() {
    let tree = Tree::default()
        .package("packages/nginx/0.1.0")
        .file(
            "packages/nginx/0.1.0/dataset/access/manifest.yml",
            "title: Access\ntype: logs\nstreams:\n  - input: logfile\n",
        )
        .file(
            "packages/nginx/0.1.0/dataset/access/fields/fields.yml",
            "[]",
        );
    assert_eq!(taken(&tree).0, ["nginx 0.1.0"]);
}

#[test]
fn the_repository_that_holds_the_packages_sets_registry_version_and_cache_times() {
    let place = Place::new();
    let tree = release("8.5.0")
        .file(
            "package-storage-8.5.0/dev/Dockerfile",
            "ARG PACKAGE_REGISTRY=v9.9.9\n",
        )
        .file("zzz/Dockerfile", "ARG PACKAGE_REGISTRY=v8.8.8\n")
        .file("Dockerfile", "FROM scratch\n");
    place.import(tree.tar().bytes(), &Ask::default());
    let name = DistributionName::parse("8.5.0").unwrap();
    let branch = place
        .store
        .read(|conn| branches::find(conn, &name))
        .unwrap();
    let settings = branch.unwrap().settings;
    assert_eq!(settings.registry_version.as_deref(), Some("1.15.0"));
    assert_eq!(
        (
            settings.search_cache_seconds,
            settings.categories_cache_seconds,
            settings.catch_all_cache_seconds
        ),
        (Some(60), Some(120), Some(180))
    );
}

#[test]
fn one_bad_package_is_put_aside_with_its_reason_and_the_rest_is_committed() {
    let place = Place::new();
    let good = Tree::default().package("packages/apache/1.0.0");
    let twice = Tree::default().package("packages/again/1.0.0").0;
    let tar = good
        .tar()
        .file("packages/a/1.0.0/docs/README.md", "no manifest")
        .file("packages/b/1.0.0/manifest.yml", "name: [")
        .file("packages/c/1.0.0/docs/README.md", "")
        .file("packages/c/1.0.0/manifest.yml", manifest("c", "1.0.0"))
        .symlink("packages/c/1.0.0/link", "/etc/passwd")
        .file("packages/d/1.0.0/docs/README.md", "")
        .file("packages/d/1.0.0/manifest.yml", manifest("d", "1.0.0"))
        .file("packages/d/1.0.0/../../../etc/passwd", "out")
        .file("packages/d/1.0.0/back\\slash", "odd")
        .file("packages/e/1.0.0/docs/README.md", "")
        .file("packages/e/1.0.0/manifest.yml", manifest("e", "1.0.0"))
        .file("packages/e/1.0.0/x", "a file")
        .file("packages/e/1.0.0/x/y", "and a folder")
        .file("packages/f/1.0.0/docs/README.md", "")
        .file("packages/f/1.0.0/manifest.yml", manifest("f", "1.0.0"))
        .file("packages/f/1.0.0/manifest.yml", manifest("f", "1.0.0"))
        .file("packages/g/1.0.0/docs/README.md", "")
        .file("packages/g/1.0.0/manifest.yml", manifest("apache", "1.0.0"))
        .file(&twice[0].0, &twice[0].1)
        .file("packages/h/1.0.0/docs/README.md", "")
        .file("packages/h/1.0.0/manifest.yml", manifest("h", "1.0.0"))
        .file(&twice[1].0, &twice[1].1);

    let plan = place.import(tar.bytes(), &Ask::release("8.5.0"));
    let reasons: Vec<_> = plan
        .quarantined
        .iter()
        .map(|problem| format!("{}: {}", problem.package, problem.why))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    packages/a/1.0.0: it has no manifest.yml
    packages/b/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: unclosed bracket '[' at char 6 line 1 column 7
    packages/c/1.0.0: link: symbolic link
    packages/d/1.0.0: ../../../etc/passwd: the path climbs with ..
    packages/e/1.0.0: it holds x as a file and as a folder
    packages/f/1.0.0: it holds manifest.yml twice
    packages/g/1.0.0: apache 1.0.0 was in this source before, at packages/apache/1.0.0
    packages/again/1.0.0: its files do not lie together in the source
    ");
    assert_eq!(plan.added, ["apache 1.0.0", "h 1.0.0"]);
    assert_eq!(place.artifacts("8.5.0").len(), 2);
    assert_eq!(place.count("quarantine"), 8);
}

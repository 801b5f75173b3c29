//! The releases themselves: every zip, unpacked, is its tree byte for byte.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use airlock::archive::{Archive, Entry, Origin};
use airlock::crypto::Digest;
use airlock::limits::Limits;

use crate::server::Server;
use crate::{Site, text};

/// The files of all packages of a source: by package folder, then path, their digests.
type Trees = BTreeMap<String, BTreeMap<String, Digest>>;

fn trees(source: PathBuf) -> Trees {
    let mut trees = Trees::new();
    let spool = std::env::temp_dir();
    let limits = Limits::default();
    let mut archive =
        Archive::open(Origin::Path(source), &spool, Default::default(), &limits).unwrap();
    while let Some(entry) = archive.next().unwrap() {
        let Entry::File(mut file) = entry else {
            continue;
        };
        let path = file.path.to_string();
        let Some((_, path)) = path.split_once("/packages/") else {
            continue;
        };
        let parts: Vec<_> = path.splitn(3, '/').collect();
        let [name, version, path] = parts[..] else {
            continue;
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let tree = trees.entry(format!("{name}-{version}")).or_default();
        tree.insert(path.to_owned(), Digest::of(&bytes));
    }
    trees
}

fn every_zip_is_its_tree(release: &str, versions: usize) {
    let shared = std::env::var_os("AIRLOCK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let source = shared.join(format!("data/package-storage-{release}.tar.zst"));
    if !source.exists() {
        println!("left out: {} is not there", source.display());
        return;
    }
    let site = Site::new();
    let said = site.run(&["import", "--quiet", text(&source)]);
    assert_eq!(said, "exit 0");
    let server = Server::start(&site);
    let trees = trees(source);
    assert_eq!(trees.len(), versions);
    for (package, tree) in trees {
        let name = package.split_once('-').unwrap().0;
        let answer = server.get(&format!("/epr/{name}/{package}.zip"));
        assert_eq!(answer.status, 200, "{package}");
        let mut zip = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
        let mut unpacked = BTreeMap::new();
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).unwrap();
            let path = file.name().unwrap();
            let path = path
                .strip_prefix(&format!("{package}/"))
                .unwrap()
                .to_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert_eq!(unpacked.insert(path, Digest::of(&bytes)), None);
        }
        assert!(unpacked == tree, "{package}");
    }
}

#[test]
fn every_zip_of_7_9_0_is_its_tree() {
    every_zip_is_its_tree("7.9.0", 62);
}

#[test]
fn every_zip_of_8_5_0_is_its_tree() {
    if std::env::var_os("AIRLOCK_FULL").is_none() {
        println!("left out: AIRLOCK_FULL is not set");
        return;
    }
    every_zip_is_its_tree("8.5.0", 1912);
}

//! What the domain does once for each package version, over and over in an import or a search.

#![expect(clippy::unwrap_used, reason = "the input is our own")]

use std::path::Path;

use airlock::limits::Limits;
use airlock::package::canonical_zip::{self, Entry};
use airlock::package::{
    Categories, Constraint, FileList, IngestionMethods, KnownDataStreams, PackageId, PackageSource,
    Tables, parse_loose_version, render,
};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// Parses a constraint as manifests have them; once a package version, when its facts are loaded.
#[divan::bench(args = ["^8.0.0", "^7.17.0 || ^8.5.0", ">=8.0.0, <9.1.2"])]
fn parse_constraint(bencher: Bencher, text: &str) {
    let limits = Limits::default();
    bencher.bench(|| Constraint::parse(divan::black_box(text), &limits));
}

/// Asks a constraint about a version; a search with `kibana.version` does it for each package version there is.
#[divan::bench(args = ["^8.0.0", "^7.17.0 || ^8.5.0", ">=8.0.0, <9.1.2"])]
fn match_constraint(bencher: Bencher, text: &str) {
    let constraint = Constraint::parse(text, &Limits::default()).unwrap();
    let version = parse_loose_version("8.5.0").unwrap();
    bencher.bench(|| constraint.admits(divan::black_box(&version)));
}

/// Lays out the canonical zip of a tree: at import for its digest, and for each answer with it.
#[divan::bench(args = [10, 100, 1000])]
fn lay_out_zip(bencher: Bencher, files: usize) {
    let package = PackageId::parse("lighthouse", "1.1.0").unwrap();
    let paths: Vec<_> = (0..files)
        .map(|number| format!("kibana/dashboard/lighthouse-{number:04}.json"))
        .collect();
    let entries: Vec<_> = paths
        .iter()
        .map(|path| Entry {
            path,
            bytes: 10_000,
            crc32: 0x1234_5678,
        })
        .collect();
    bencher
        .counter(ItemsCount::new(files))
        .bench(|| canonical_zip::layout(&package, divan::black_box(&entries)));
}

/// Parses the manifests of a package of the sample and renders its element and its document.
#[divan::bench(args = ["lighthouse/1.1.0", "tide_table/0.1.0", "harbour_dashboards/1.0.0"])]
fn render_documents(bencher: Bencher, folder: &str) {
    let files = files_of(folder);
    let list = FileList::of_tree(files.iter().map(|(path, _)| path.as_str())).unwrap();
    let data_streams: Vec<_> = files
        .iter()
        .filter_map(|(path, bytes)| {
            let rest = path.strip_prefix("data_stream/")?;
            let folder = rest.strip_suffix("/manifest.yml")?;
            Some((folder.to_owned(), bytes.as_slice()))
        })
        .collect();
    let manifest = files.iter().find(|(path, _)| path == "manifest.yml");
    let source = PackageSource {
        files: &list,
        manifest: &manifest.unwrap().1,
        data_streams: &data_streams,
    };
    let (categories, ingestion_methods) = (Categories::built_in(), IngestionMethods::built_in());
    let tables = Tables {
        categories: &categories,
        ingestion_methods: &ingestion_methods,
    };
    let limits = Limits::default();
    // With none of its manifests known.
    bencher
        .with_inputs(KnownDataStreams::default)
        .bench_refs(|known| render(divan::black_box(&source), tables, known, &limits).unwrap());
}

/// Returns the files of a package of the sample, by their paths in it.
fn files_of(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sample/packages")
        .join(folder);
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                files.push((name.to_owned(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files
}

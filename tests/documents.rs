//! Renders every package of the recorded trees and compares with what the reference registry answered, to the byte.
//!
//! Our text is ASCII where the reference's is UTF-8: both are compared with `\uXXXX` undone. Needs the shared data
//! (`AIRLOCK_SHARED`); without it the tests say so and pass.

#![expect(
    clippy::unwrap_used,
    reason = "any failure of the tools around the comparison is a finding"
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use airlock::limits::Limits;
use airlock::package::{
    Categories, FileList, Fill, IngestionMethods, KnownDataStreams, PackageSource, Rendered,
    Tables, render,
};

/// What was compared with a recording.
#[derive(Debug, PartialEq, Eq)]
struct Compared {
    documents: usize,
    /// Package versions whose element of `/search` was compared whole.
    versions: usize,
    /// Elements with all their policy templates, of all distinct answers.
    elements: usize,
    /// Elements with some of their policy templates.
    partial_elements: usize,
}

#[test]
fn the_release_8_5_0_is_rendered_as_recorded() {
    let roots = ["package-storage-8.5.0/packages/"];
    check("package-storage-8.5.0", &roots, "8.5.0", |compared| {
        assert_eq!(compared.documents, 1425);
        assert_eq!(compared.versions, 1912);
        assert!(compared.elements > 60_000, "{compared:?}");
        assert!(compared.partial_elements > 0, "{compared:?}");
    });
}

#[test]
fn the_release_7_9_0_is_rendered_as_recorded() {
    let roots = ["package-storage-7.9.0/packages/"];
    check("package-storage-7.9.0", &roots, "7.9.0", |compared| {
        assert_eq!(compared.documents, 62);
        assert_eq!(compared.versions, 62);
    });
}

#[test]
fn the_fixtures_are_rendered_as_recorded() {
    let roots = ["second_package_path/", "package/"];
    check("fixtures", &roots, "fixtures-trees", |compared| {
        assert_eq!(compared.documents, 42);
        assert_eq!(compared.versions, 44);
    });
}

#[test]
fn the_corners_of_yaml_are_rendered_as_recorded() {
    check("fixtures", &["corners/"], "corners", |compared| {
        assert_eq!(compared.documents, 1);
        assert_eq!(compared.versions, 1);
    });
}

fn check(data: &str, roots: &[&str], recording: &str, expect: impl Fn(&Compared)) {
    let Some(shared) = shared() else {
        println!("left out: no shared data, set AIRLOCK_SHARED");
        return;
    };
    let packages = render_all(&shared.join(format!("data/{data}.tar.zst")), roots);
    let recorded = answers(&shared.join(format!("conformance/{recording}.tar.zst")));
    let compared = compare(&packages, &recorded);
    println!("{recording}: {compared:?} of {} packages", packages.len());
    expect(&compared);
}

fn shared() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("AIRLOCK_SHARED").map_or_else(default, PathBuf::from);
    shared.join("conformance").is_dir().then_some(shared)
}

/// A package of a tree: what rendering needs.
#[derive(Default)]
struct Tree {
    paths: Vec<String>,
    manifest: Vec<u8>,
    data_streams: Vec<(String, Vec<u8>)>,
}

/// Renders the packages below `roots`, by `name/version`; of the same package the first root's.
fn render_all(archive: &PathBuf, roots: &[&str]) -> BTreeMap<String, Rendered> {
    let mut trees: BTreeMap<(usize, String), Tree> = BTreeMap::new();
    for_each_file(archive, |path, content| {
        let stripped = roots
            .iter()
            .enumerate()
            .find_map(|(n, root)| Some((n, path.strip_prefix(root)?)));
        let Some((root, rest)) = stripped else { return };
        let parts: Vec<&str> = rest.splitn(3, '/').collect();
        let [name, version, inner] = parts[..] else {
            return;
        };
        let tree = trees
            .entry((root, format!("{name}/{version}")))
            .or_default();
        tree.paths.push(inner.to_owned());
        let inner: Vec<&str> = inner.split('/').collect();
        match inner[..] {
            ["manifest.yml"] => tree.manifest = content(),
            ["data_stream", folder, "manifest.yml"] => {
                tree.data_streams.push((folder.to_owned(), content()));
            }
            _ => {}
        }
    });
    let (categories, methods) = (Categories::built_in(), IngestionMethods::built_in());
    let tables = Tables {
        categories: &categories,
        ingestion_methods: &methods,
    };
    let known = KnownDataStreams::default();
    let mut rendered = BTreeMap::new();
    for ((_, id), tree) in &trees {
        let files = FileList::of_tree(tree.paths.iter().map(String::as_str)).unwrap();
        let mut data_streams: Vec<_> = tree
            .data_streams
            .iter()
            .map(|(f, b)| (f.clone(), &b[..]))
            .collect();
        // The order in which the archive happens to hold them says nothing.
        data_streams.sort();
        let source = PackageSource {
            files: &files,
            manifest: &tree.manifest,
            data_streams: &data_streams,
        };
        let package = render(&source, tables, &known, &Limits::default())
            .unwrap_or_else(|e| panic!("{id}: {e:?}"));
        rendered.entry(id.clone()).or_insert(package);
    }
    rendered
}

/// Returns the bodies of successful answers by path.
fn answers(archive: &PathBuf) -> Vec<(String, String)> {
    let mut requests = Vec::new();
    let mut bodies = HashMap::new();
    for_each_file(archive, |path, content| {
        match path.rsplit_once("/bodies/") {
            Some((_, digest)) => {
                bodies.insert(digest.to_owned(), content());
            }
            None if path.ends_with("/requests.jsonl") => requests = content(),
            None => {}
        }
    });
    let lines = std::str::from_utf8(&requests).unwrap().lines();
    lines
        .filter_map(|line| {
            let request: serde_json::Value = serde_json::from_str(line).unwrap();
            let body = bodies.get(request["sha256"].as_str()?)?;
            let is_answer = request["status"] == 200 && request["method"] == "GET";
            let path = request["path"].as_str().filter(|_| is_answer)?;
            Some((path.to_owned(), String::from_utf8(body.clone()).ok()?))
        })
        .collect()
}

fn compare(packages: &BTreeMap<String, Rendered>, answers: &[(String, String)]) -> Compared {
    let notices = newest_notices(packages);
    let mut compared = Compared {
        documents: 0,
        versions: 0,
        elements: 0,
        partial_elements: 0,
    };
    let (mut seen, mut versions) = (HashSet::new(), HashSet::new());
    for (path, body) in answers {
        if let Some(id) = path
            .strip_prefix("/package/")
            .and_then(|p| p.strip_suffix('/'))
        {
            let Some(package) = packages.get(id) else {
                panic!("{path} was recorded, but there is no such package");
            };
            let fill = Fill {
                deprecated: notice(&notices, id),
                ..Fill::default()
            };
            let mut out = Vec::new();
            package.document.write(&mut out, &fill).unwrap();
            assert_same(&String::from_utf8(out).unwrap(), body, path);
            compared.documents += 1;
        } else if let Some(query) = path.strip_prefix("/search?") {
            if !seen.insert(body) || body == "[]" {
                continue;
            }
            let category = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("category="));
            for element in elements(body) {
                let value: serde_json::Value = serde_json::from_str(element).unwrap();
                let id = format!(
                    "{}/{}",
                    value["name"].as_str().unwrap(),
                    value["version"].as_str().unwrap()
                );
                let fill = Fill {
                    deprecated: notice(&notices, &id),
                    ..Fill::default()
                };
                let package = &packages[&id];
                let whole = written(package, &fill);
                let carries = |own: &Option<Vec<String>>| {
                    own.as_ref()
                        .is_some_and(|own| own.iter().any(|c| Some(c.as_str()) == category))
                };
                let templates = package.facts.policy_templates.iter().enumerate();
                let numbers: Vec<usize> = templates
                    .filter(|(_, own)| carries(own))
                    .map(|(n, _)| n)
                    .collect();
                if category.is_some() && undone(&whole) != undone(element) {
                    let fill = Fill {
                        policy_templates: Some(&numbers),
                        ..fill
                    };
                    assert_same(&written(package, &fill), element, path);
                    compared.partial_elements += 1;
                } else {
                    assert_same(&whole, element, path);
                    compared.elements += 1;
                    versions.insert(id);
                }
            }
        }
    }
    compared.versions = versions.len();
    compared
}

fn written(package: &Rendered, fill: &Fill) -> String {
    let mut out = Vec::new();
    package.element.write(&mut out, fill).unwrap();
    String::from_utf8(out).unwrap()
}

/// Returns for each package the notice of its newest deprecated version, which all its versions carry.
fn newest_notices(
    packages: &BTreeMap<String, Rendered>,
) -> HashMap<String, (semver::Version, String)> {
    let mut notices: HashMap<String, (semver::Version, String)> = HashMap::new();
    for package in packages.values() {
        let Some(notice) = &package.deprecated else {
            continue;
        };
        let id = &package.facts.id;
        let version = id.version.as_semver().clone();
        let newest = notices
            .get(id.name.as_str())
            .is_none_or(|(other, _)| *other < version);
        if newest {
            notices.insert(id.name.to_string(), (version, notice.clone()));
        }
    }
    notices
}

fn notice<'a>(
    notices: &'a HashMap<String, (semver::Version, String)>,
    id: &str,
) -> Option<&'a str> {
    let name = id.split('/').next()?;
    notices.get(name).map(|(_, notice)| notice.as_str())
}

/// Cuts an answer of `/search` into its elements, as they are joined when served.
fn elements(body: &str) -> Vec<&str> {
    let inner = body
        .strip_prefix("[\n")
        .and_then(|b| b.strip_suffix("\n]\n"))
        .unwrap();
    let mut elements = Vec::new();
    let mut rest = inner;
    while let Some(at) = rest.find("\n  },\n") {
        elements.push(&rest[..at + "\n  }".len()]);
        rest = &rest[at + "\n  },\n".len()..];
    }
    elements.push(rest);
    elements
}

fn assert_same(ours: &str, recorded: &str, path: &str) {
    assert!(ours.is_ascii(), "{path} is not ASCII");
    let (ours, recorded) = (undone(ours), undone(recorded));
    if ours == recorded {
        return;
    }
    let difference = ours
        .lines()
        .zip(recorded.lines())
        .enumerate()
        .find(|(_, (a, b))| a != b);
    panic!(
        "{path} differs, first at {difference:#?}; {} and {} bytes",
        ours.len(),
        recorded.len()
    );
}

/// Undoes `\uXXXX` from U+0080 on.
fn undone(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if at > 0 {
            flush(&mut units, &mut out);
        }
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let unit = rest
            .strip_prefix("\\u")
            .and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok());
        match unit.filter(|unit| *unit >= 0x80) {
            Some(unit) => {
                units.push(unit);
                rest = &rest[6..];
            }
            None => {
                flush(&mut units, &mut out);
                out.push_str(&rest[..2]);
                rest = &rest[2..];
            }
        }
    }
    flush(&mut units, &mut out);
    out.push_str(rest);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.push_str(&String::from_utf16_lossy(units));
    units.clear();
}

/// Calls `see` with the path of each file of a zstd-compressed tar and a way to read it.
fn for_each_file(archive: &PathBuf, mut see: impl FnMut(&str, &mut dyn FnMut() -> Vec<u8>)) {
    let mut decoder = zstd::Decoder::new(File::open(archive).unwrap()).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        see(&path, &mut || {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            content
        });
    }
}

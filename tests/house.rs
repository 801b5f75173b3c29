//! The rules of the house: who may know whom, what every file begins with, and that no answer is written down in it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may know; never the other way. The leaves `accounts`, `crypto`, `limits` and `people` everybody may know.
///
/// This is section 4 of the design, with what it leaves unsaid: `cli` puts the server together, so it knows what that is
/// made of (`api`, `catalog`), names versions (`package`) and packs a folder it was given (`archive`); `server` tells `admin`
/// who is at the other end of the control socket (`admin::PeerUser`), and `admin` judges hosts, networks and proxies by the
/// rules of the registry (`api::access`).
const MAY_KNOW: [(&str, &str); 11] = [
    (
        "cli",
        "server api admin import catalog archive store distribution package config",
    ),
    ("server", "api admin catalog store config"),
    (
        "admin",
        "api import catalog store distribution package config",
    ),
    ("api", "catalog store distribution package config"),
    ("import", "archive store distribution package"),
    ("catalog", "store distribution package"),
    ("store", "distribution package"),
    ("distribution", "package"),
    ("package", ""),
    ("archive", ""),
    ("config", ""),
];
const LEAVES: [&str; 4] = ["accounts", "crypto", "limits", "people"];

/// A file of `src/`, its path in it.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap();
                sources.push(Source {
                    path: name.to_str().unwrap().to_owned(),
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

impl Source {
    /// The room it is part of: `api` of `api/mod.rs` and of `api.rs`.
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines that are compiled.
    fn code(&self) -> String {
        let lines = self.text.lines();
        let code = lines.filter(|line| !line.trim_start().starts_with("//"));
        code.collect::<Vec<_>>().join("\n")
    }

    /// The same without the tests.
    fn code_of_the_product(&self) -> String {
        if self.path.ends_with("tests.rs") || self.path.ends_with("examples.rs") {
            return String::new();
        }
        let code = self.code();
        code.split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap()
            .to_owned()
    }

    /// How many modules it lies under the crate's root.
    fn depth(&self) -> usize {
        let path = self.path.strip_suffix("/mod.rs").unwrap_or(&self.path);
        path.split('/').count()
    }
}

/// The rooms that follow `crate::` in `code`, also in braces: `use crate::{api, store::Store}`.
fn rooms_known(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (place, _) in code.match_indices("crate::") {
        if code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[place + "crate::".len()..];
        let mut depth = 0;
        let mut listed = String::new();
        for c in rest.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth <= 1 => listed.push(c),
                _ => {}
            }
            let is_path = c.is_alphanumeric() || c == '_' || c == '{';
            if depth <= 0 && !is_path {
                break;
            }
        }
        let room = |item: &str| {
            let item = item.trim().trim_start_matches('*');
            let end = item.find(|c: char| !c.is_alphanumeric() && c != '_');
            item[..end.unwrap_or(item.len())].to_owned()
        };
        rooms.extend(listed.split(',').map(room).filter(|room| !room.is_empty()));
    }
    rooms
}

#[test]
fn rooms_are_read_out_of_every_form_of_a_path() {
    let rooms = |code| rooms_known(code).into_iter().collect::<Vec<_>>().join(" ");
    for (code, expected) in [
        ("use crate::store::{Store, sources};", "store"),
        (
            "use crate::{api, store::{Store, b}, limits::Limits};",
            "api limits store",
        ),
        ("use crate::{\n    api::State,\n    cli,\n};", "api cli"),
        ("crate::config::data_folder(x)", "config"),
        (
            "pub(crate) use crate::api;\nuse crate::package;",
            "api package",
        ),
        ("pub(crate) fn a()", ""),
        ("use other_crate::api;", ""),
    ] {
        assert_eq!(rooms(code), expected, "{code}");
    }
}

#[test]
fn nobody_knows_a_room_above_its_own() {
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<_> = MAY_KNOW
        .iter()
        .flat_map(|(room, known)| known.split_whitespace().map(|known| (*room, known)))
        .collect();
    for source in sources() {
        let room = source.room();
        let allowed = match room {
            // The binary sees the crate from outside: its one word is checked here.
            "main" => {
                let uses: Vec<_> = source.text.matches("airlock::").collect();
                assert_eq!(
                    uses.len(),
                    1,
                    "main.rs hands over to cli and does nothing else"
                );
                assert!(source.text.contains("airlock::cli"));
                ""
            }
            "lib" | "accounts" | "crypto" | "limits" | "people" => "",
            _ => match MAY_KNOW.iter().find(|(name, _)| *name == room) {
                Some((_, known)) => known,
                None => panic!("{} is in no room of the table", source.path),
            },
        };
        for known in rooms_known(&source.code()) {
            if let Some(edge) = unused.iter().find(|edge| **edge == (room, known.as_str())) {
                unused.remove(&edge.clone());
            }
            let is_leaf = LEAVES.contains(&known.as_str()) && room != "lib";
            let is_allowed = allowed.split_whitespace().any(|name| name == known);
            if known != room && !is_leaf && !is_allowed {
                wrong.push(format!("{}: {room} must not know {known}", source.path));
            }
        }
        // `super::` must not climb out of the room either.
        let product = source.code_of_the_product();
        let out_of_the_room = "super::".repeat(source.depth());
        if product.contains(&out_of_the_room) {
            wrong.push(format!(
                "{}: {out_of_the_room} leaves the room",
                source.path
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("allowed and not used: {unused:?}");
}

#[test]
fn kibanas_door_has_no_writing_hands() {
    for source in sources().iter().filter(|source| source.room() == "api") {
        let code = source.code_of_the_product();
        for hand in [".write(|", ".write_synced(", "checkpoint("] {
            assert!(!code.contains(hand), "{} has {hand}", source.path);
        }
    }
}

#[test]
fn only_the_store_speaks_sql() {
    for source in sources().iter().filter(|source| source.room() != "store") {
        let code = source.code_of_the_product();
        for word in [
            "SELECT ",
            "INSERT ",
            "UPDATE ",
            "DELETE FROM",
            ".prepare(",
            "query_row(",
        ] {
            assert!(!code.contains(word), "{} has {word}", source.path);
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let sources = sources();
    assert!(sources.len() > 50, "{}", sources.len());
    let without: Vec<_> = sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path.as_str())
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn no_recorded_package_version_is_written_into_the_code() {
    let Some(shared) = shared() else {
        println!("left out: no shared data, set AIRLOCK_SHARED");
        return;
    };
    let mut recorded = BTreeSet::new();
    for recording in fs::read_dir(shared.join("conformance")).unwrap() {
        let path = recording.unwrap().path();
        if path.to_str().unwrap().ends_with(".tar.zst") {
            collect_versions(&path, &mut recorded);
        }
    }
    assert!(recorded.len() > 1900, "{}", recorded.len());
    let code: String = sources().iter().map(Source::code_of_the_product).collect();
    let found: Vec<_> = recorded
        .iter()
        .filter(|(name, version)| {
            let written = [
                format!("{name}-{version}"),
                format!("{name}/{version}"),
                format!("{name} {version}"),
                format!("\"{name}\", \"{version}\""),
            ];
            written.iter().any(|text| code.contains(text.as_str()))
        })
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

fn shared() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("AIRLOCK_SHARED").map_or_else(default, PathBuf::from);
    shared.join("conformance").is_dir().then_some(shared)
}

/// Adds each `"path": "/package/{name}/{version}"` of the recorded bodies.
fn collect_versions(recording: &Path, versions: &mut BTreeSet<(String, String)>) {
    let plain = zstd::Decoder::new(File::open(recording).unwrap()).unwrap();
    for entry in tar::Archive::new(plain).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut body = Vec::new();
        entry.read_to_end(&mut body).unwrap();
        let text = String::from_utf8_lossy(&body);
        let paths = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("\"path\": \"/package/"));
        for path in paths {
            if let Some((name, version)) = path.trim_end_matches(['"', ',']).split_once('/') {
                versions.insert((name.to_owned(), version.to_owned()));
            }
        }
    }
}

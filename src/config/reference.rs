//! What the reference registry is set by, so that airlock takes the place of its image as that is configured: variables
//! `EPR_…`, one for each of its flags, and a `config.yml` with cache times.
//!
//! Facts: its `main.go` and `flags.go` (1.40.1). A flag `-tls-min-version` is `EPR_TLS_MIN_VERSION`; the image looks for
//! `config.yml` in its working folder, `/package-registry`.

use std::path::{Path, PathBuf};

use super::error::Problem;
use super::given::{Layers, Origin, Value};
use super::keys::{self, Form, KEYS};
use super::{Environment, file};

/// Where the image keeps its `config.yml`, and people lay theirs over it.
const IMAGE_FILE: &str = "/package-registry/config.yml";

/// Names the `config.yml`.
const FILE_VARIABLE: &str = "EPR_CONFIG";

/// Flags and variables of the reference that have nothing here to set: where packages come from, what is still being
/// tried out there, and profiling.
const MEANINGLESS: [&str; 24] = [
    "EPR_ALLOW_UNKNOWN_QUERY_PARAMETERS",
    "EPR_DISABLE_PACKAGE_VALIDATION",
    "EPR_DRY_RUN",
    "EPR_EMULATOR_INDEX_PATH",
    "EPR_FEATURE_ENABLE_CATEGORIES_CACHE",
    "EPR_FEATURE_ENABLE_SEARCH_CACHE",
    "EPR_FEATURE_INCREMENTAL_UPDATES",
    "EPR_FEATURE_PROXY_MODE",
    "EPR_FEATURE_SQL_STORAGE_INDEXER",
    "EPR_FEATURE_STORAGE_INDEXER",
    "EPR_HTTPPROF",
    "EPR_PACKAGE_PATHS_ENABLE_WATCHER",
    "EPR_PACKAGE_PATHS_WORKERS",
    "EPR_PROXY_ALLOW_INSECURE",
    "EPR_PROXY_TO",
    "EPR_REQUIRE_PACKAGE_SIGNATURES",
    "EPR_SQL_INDEXER_DB_INSERT_BATCH_SIZE",
    "EPR_SQL_INDEXER_DATABASE_FOLDER_PATH",
    "EPR_SQL_INDEXER_READ_PACKAGES_BATCH_SIZE",
    "EPR_STORAGE_ENDPOINT",
    "EPR_STORAGE_INDEXER_BUCKET_INTERNAL",
    "EPR_STORAGE_INDEXER_BUCKET_PUBLIC",
    "EPR_STORAGE_INDEXER_WATCH_INTERVAL",
    "EPR_VERSION",
];

/// Gives what the reference's variables say; what means nothing here is one note.
pub fn give_variables(environment: &Environment, layers: &mut Layers, notes: &mut Vec<String>) {
    for key in &KEYS {
        let Some(name) = key.reference else { continue };
        let Some(text) = environment.get(name) else {
            continue;
        };
        let text = in_our_words(name, text, notes);
        let value = match key.form {
            Form::List => Value::List(vec![text]),
            _ => Value::Text(text),
        };
        layers.give(key.name, value, Origin::Variable(name.to_owned()));
    }
    let meaningless: Vec<_> = MEANINGLESS
        .into_iter()
        .filter(|name| environment.get(name).is_some())
        .collect();
    if !meaningless.is_empty() {
        notes.push(format!(
            "of no meaning here: {}; packages come in by `airlock import`",
            meaningless.join(", ")
        ));
    }
    for name in environment.names("EPR_") {
        if name == FILE_VARIABLE || MEANINGLESS.contains(&name) || is_understood(name) {
            continue;
        }
        let understood = KEYS.iter().filter_map(|key| key.reference);
        let bare = name.trim_start_matches("EPR_");
        let meant = keys::similar(bare, understood.map(|name| name.trim_start_matches("EPR_")));
        let hint = meant.map_or(String::new(), |meant| {
            format!("; did you mean EPR_{meant}?")
        });
        notes.push(format!(
            "{name} is no variable of the reference registry{hint}"
        ));
    }
}

fn is_understood(name: &str) -> bool {
    KEYS.iter().any(|key| key.reference == Some(name))
}

/// Returns what airlock calls `text`.
fn in_our_words(name: &str, text: &str, notes: &mut Vec<String>) -> String {
    let word = text.to_ascii_lowercase();
    let ours = match (name, word.as_str()) {
        // Levels of zap, the reference's logger: the last three end its process.
        ("EPR_LOG_LEVEL", "dpanic" | "panic" | "fatal") => "error",
        ("EPR_LOG_LEVEL", word) => word,
        ("EPR_LOG_TYPE", "dev") => "text",
        ("EPR_TLS_MIN_VERSION", "1.1") => {
            notes.push("EPR_TLS_MIN_VERSION: TLS 1.1 is not spoken here, 1.2 and 1.3 are".into());
            "1.2"
        }
        _ => text,
    };
    ours.to_owned()
}

/// Gives the cache times of the reference's `config.yml`: the one that `EPR_CONFIG` names, else the image's.
pub fn give_file(environment: &Environment, layers: &mut Layers, notes: &mut Vec<String>) {
    let named = environment.get(FILE_VARIABLE).map(PathBuf::from);
    // Without an environment nothing but one file is looked at.
    let image = || {
        (!environment.is_empty())
            .then(|| PathBuf::from(IMAGE_FILE))
            .filter(|file| file.exists())
    };
    if let Some(file) = named.or_else(image) {
        match file::read(&file) {
            Ok(text) => give_cache_times(&file, &text, layers, notes),
            Err(problem) => layers.complain(Problem {
                hint: Some("name the config.yml in EPR_CONFIG, or leave it out".to_owned()),
                ..problem
            }),
        }
    }
}

/// Reads the file by the line: its keys are flat, `cache_time.search: 10m`, or lie under `cache_time:`.
fn give_cache_times(file: &Path, text: &str, layers: &mut Layers, notes: &mut Vec<String>) {
    let mut section = String::new();
    let mut meaningless: Vec<String> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let quotes = ['"', '\''];
        let (bare, value) = (
            name.trim().trim_matches(quotes),
            value.trim().trim_matches(quotes),
        );
        if bare.starts_with(['#', '-']) {
            continue;
        }
        let is_nested = name.starts_with(' ');
        if !is_nested {
            section.clear();
            if value.is_empty() {
                section = format!("{bare}.");
            }
        }
        let name = if is_nested {
            format!("{section}{bare}")
        } else {
            bare.to_owned()
        };
        let key = name
            .strip_prefix("cache_time.")
            .map(|kind| format!("cache.{kind}"));
        match key.as_deref().and_then(keys::find) {
            Some(key) => {
                let origin = Origin::File {
                    file: file.to_owned(),
                    line: number,
                };
                layers.give(key.name, Value::Text(value.to_owned()), origin);
            }
            None if name != "cache_time" => meaningless.push(name),
            None => {}
        }
    }
    if !meaningless.is_empty() {
        notes.push(format!(
            "of no meaning here in {}: {}; packages come in by `airlock import`",
            file.display(),
            meaningless.join(", ")
        ));
    }
}

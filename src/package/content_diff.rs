//! How the files of two versions of a package differ, and what that means for the assets that Kibana installs of them.
//!
//! Compares digests; reads no file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::security_rule::is_security_rule;
use crate::crypto::Digest;

/// A file: its path in the package, and the digest of its bytes.
pub type FileDigest = (String, Digest);

/// What is added, removed and changed, each by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NamesDiff {
    /// What is new.
    pub added: Vec<String>,
    /// What is no longer there.
    pub removed: Vec<String>,
    /// What has other content.
    pub changed: Vec<String>,
}

/// How the assets of one type differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AssetsDiff {
    /// `dashboard`, `ingest_pipeline`, …; `data_stream` for data streams as such.
    #[serde(rename = "type")]
    pub asset_type: String,
    /// Which of them.
    #[serde(flatten)]
    pub names: NamesDiff,
}

impl NamesDiff {
    /// Returns how two lists of files differ.
    pub fn of_files(before: &[FileDigest], after: &[FileDigest]) -> Self {
        let by_path =
            |files: &[FileDigest]| -> BTreeMap<String, Digest> { files.iter().cloned().collect() };
        Self::between(&by_path(before), &by_path(after))
    }

    fn between<T: PartialEq>(before: &BTreeMap<String, T>, after: &BTreeMap<String, T>) -> Self {
        let mut names = Self::default();
        for (name, content) in after {
            match before.get(name) {
                None => names.added.push(name.clone()),
                Some(old) if old != content => names.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        names.removed = gone.cloned().collect();
        names
    }

    /// Tells whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl AssetsDiff {
    /// Returns how the assets of two versions differ, by type; types without a difference are left out, and so are detection
    /// rules, which [`super::RulesDiff`] compares.
    pub fn between(before: &[FileDigest], after: &[FileDigest]) -> Vec<Self> {
        let (before, after) = (assets(before), assets(after));
        let types: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let none = BTreeMap::new();
        types
            .into_iter()
            .map(|asset_type| Self {
                asset_type: (*asset_type).to_owned(),
                names: NamesDiff::between(
                    before.get(asset_type).unwrap_or(&none),
                    after.get(asset_type).unwrap_or(&none),
                ),
            })
            .filter(|assets| !assets.names.is_empty())
            .collect()
    }
}

/// By type and name, the files that an asset is made of.
type Assets<'a> = BTreeMap<&'a str, BTreeMap<String, BTreeSet<(&'a str, Digest)>>>;

fn assets(files: &[FileDigest]) -> Assets<'_> {
    let mut assets = Assets::new();
    for (path, digest) in files {
        if let Some((asset_type, name)) = asset(path) {
            let file = path.split_once('/').map_or("", |(_, rest)| rest);
            let of_type = assets.entry(asset_type).or_default();
            of_type.entry(name).or_default().insert((file, *digest));
        }
    }
    assets
}

/// Returns type and name of the asset that a file belongs to. Packages of 7.9 call data streams `dataset`.
fn asset(path: &str) -> Option<(&str, String)> {
    if is_security_rule(path) {
        return None;
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["kibana" | "elasticsearch", asset_type, name, ..] => Some((asset_type, stem(name))),
        [
            "data_stream" | "dataset",
            stream,
            "elasticsearch",
            asset_type,
            name,
            ..,
        ] => Some((asset_type, format!("{stream}/{}", stem(name)))),
        ["data_stream" | "dataset", stream, _, ..] => Some(("data_stream", (*stream).to_owned())),
        _ => None,
    }
}

fn stem(name: &str) -> String {
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Vec<FileDigest> {
        let file =
            |(path, content): &(&str, &str)| ((*path).to_owned(), Digest::of(content.as_bytes()));
        list.iter().map(file).collect()
    }

    #[test]
    fn files_are_compared_by_content() {
        let before = files(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = files(&[("d", "1"), ("b", "2"), ("a", "1")]);
        let differences = NamesDiff::of_files(&before, &after);
        assert_eq!(differences.added, ["d"]);
        assert_eq!(differences.changed, ["b"]);
        assert_eq!(differences.removed, ["c"]);
        assert!(NamesDiff::of_files(&before, &before).is_empty());
    }

    #[test]
    fn assets_are_told_by_type_and_name_and_a_data_stream_once() {
        let before = files(&[
            ("kibana/dashboard/a.json", "1"),
            ("kibana/dashboard/b.json", "1"),
            ("kibana/security_rule/r.json", "1"),
            ("dataset/access/manifest.yml", "1"),
            ("dataset/access/fields/base.yml", "1"),
            ("dataset/error/manifest.yml", "1"),
            ("elasticsearch/transform/latest/transform.yml", "1"),
            ("docs/README.md", "1"),
        ]);
        let after = files(&[
            ("kibana/dashboard/b.json", "2"),
            ("kibana/dashboard/c.json", "1"),
            ("kibana/security_rule/r.json", "2"),
            ("data_stream/access/manifest.yml", "1"),
            ("data_stream/access/fields/base.yml", "1"),
            ("data_stream/error/manifest.yml", "2"),
            (
                "data_stream/error/elasticsearch/ingest_pipeline/default.yml",
                "1",
            ),
            ("elasticsearch/transform/latest/transform.yml", "2"),
            ("docs/README.md", "2"),
        ]);
        let shown: Vec<_> = AssetsDiff::between(&before, &after)
            .into_iter()
            .map(|it| {
                let NamesDiff {
                    added,
                    removed,
                    changed,
                } = it.names;
                format!("{} +{added:?} -{removed:?} ~{changed:?}", it.asset_type)
            })
            .collect();
        assert_eq!(
            shown,
            [
                r#"dashboard +["c"] -["a"] ~["b"]"#,
                r#"data_stream +[] -[] ~["error"]"#,
                r#"ingest_pipeline +["error/default"] -[] ~[]"#,
                r#"transform +[] -[] ~["latest"]"#,
            ]
        );
    }
}

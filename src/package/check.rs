//! What Kibana would refuse of a package when it installs it: everything at once, each with its file and key.
//!
//! It looks at the manifests as Kibana does, not as the registry does, and knows nothing of zips. Facts: Fleet's
//! `server/services/epm/archive/parse.ts`, the same from 7.10 on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::yaml::{self, Yaml};
use super::{InvalidPackageId, PackageId};
use crate::limits::Limits;

/// Something that Kibana refuses a package for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// The file, its path below the root folder.
    pub file: String,
    /// The key in it, as in `policy_templates[0].inputs[1].title`; `None` where it is the file itself.
    pub key: Option<String>,
    /// What is wrong.
    pub why: String,
}

/// What a package calls itself, and what Kibana refuses it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The package version, where its manifest says one.
    pub package: Option<PackageId>,
    /// What is wrong; nothing where Kibana takes it.
    pub findings: Vec<Finding>,
}

/// Tells whether [`check`] reads the file at this path.
pub fn is_read(path: &str) -> bool {
    path == MANIFEST || data_stream_of(path).is_some_and(|(_, rest)| rest == MANIFEST)
}

/// Checks a package in the folder `root`: `paths` are those of all its files, below it; `texts` has the files that are read.
pub fn check<'p>(
    root: &str,
    paths: impl IntoIterator<Item = &'p str>,
    texts: &BTreeMap<String, Vec<u8>>,
    limits: &Limits,
) -> Checked {
    let mut check = Check {
        texts,
        limits,
        file: MANIFEST.to_owned(),
        findings: Vec::new(),
    };
    let package = check.manifest(root);
    let folders: BTreeSet<&str> = paths
        .into_iter()
        .filter_map(|path| Some(data_stream_of(path)?.0))
        .collect();
    for folder in folders {
        check.data_stream(folder);
    }
    Checked {
        package,
        findings: check.findings,
    }
}

const MANIFEST: &str = "manifest.yml";
const REQUIRED: [&str; 6] = [
    "name",
    "version",
    "title",
    "description",
    "format_version",
    "owner",
];

fn data_stream_of(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("data_stream/")?.split_once('/')
}

struct Check<'a> {
    texts: &'a BTreeMap<String, Vec<u8>>,
    limits: &'a Limits,
    /// The file that is looked at.
    file: String,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn find(&mut self, key: impl Into<Option<String>>, why: impl Into<String>) {
        self.findings.push(Finding {
            file: self.file.clone(),
            key: key.into(),
            why: why.into(),
        });
    }

    fn manifest(&mut self, root: &str) -> Option<PackageId> {
        let manifest = self.read()?;
        self.require(&manifest, "", &REQUIRED);
        for (index, template) in list(&manifest, "policy_templates") {
            let at = format!("policy_templates[{index}].");
            self.require(template, &at, &["name", "title", "description"]);
            for (index, input) in list(template, "inputs") {
                let at = format!("{at}inputs[{index}].");
                self.require(input, &at, &["type", "title"]);
                self.variables(input, &at);
            }
            self.variables(template, &at);
        }
        self.variables(&manifest, "");
        for key in ["name", "version"] {
            // What YAML takes for a number, as 1.2 is; what is missing was found above.
            if !matches!(
                value(&manifest, key),
                None | Some(Yaml::Null | Yaml::Text(_))
            ) {
                self.find(key.to_owned(), "it is no text: put it in quotes");
            }
        }
        let (name, version) = (text(&manifest, "name"), text(&manifest, "version"));
        let (name, version) = (name?, version?);
        match PackageId::parse(&name, &version) {
            Ok(package) => {
                let expected = format!("{name}-{version}");
                if root != expected {
                    self.find(
                        None,
                        format!("it lies in the folder {root}, and has to lie in {expected}"),
                    );
                }
                Some(package)
            }
            Err(error) => {
                let key = match error {
                    InvalidPackageId::Name(_) => "name",
                    InvalidPackageId::Version(_) => "version",
                };
                self.find(key.to_owned(), error.to_string());
                None
            }
        }
    }

    fn data_stream(&mut self, folder: &str) {
        self.file = format!("data_stream/{folder}/{MANIFEST}");
        let Some(manifest) = self.read() else {
            return;
        };
        self.require(&manifest, "", &["title", "type"]);
        for (index, stream) in list(&manifest, "streams") {
            let at = format!("streams[{index}].");
            self.require(stream, &at, &["input", "title"]);
            self.variables(stream, &at);
        }
    }

    fn variables(&mut self, of: &Yaml, at: &str) {
        for (index, variable) in list(of, "vars") {
            self.require(variable, &format!("{at}vars[{index}]."), &["name", "type"]);
        }
    }

    /// Finds keys that are not there, or as good as not there.
    fn require(&mut self, of: &Yaml, at: &str, keys: &[&str]) {
        for key in keys {
            let is_filled = match value(of, key) {
                None | Some(Yaml::Null | Yaml::Bool(false) | Yaml::Int(0)) => false,
                Some(Yaml::Text(text)) => !text.is_empty(),
                Some(_) => true,
            };
            if !is_filled {
                self.find(
                    format!("{at}{key}"),
                    "it is missing, and Kibana requires it",
                );
            }
        }
    }

    fn read(&mut self) -> Option<Yaml> {
        let Some(text) = self.texts.get(&self.file) else {
            self.find(None, "it is missing, and Kibana requires it");
            return None;
        };
        match yaml::parse(text, self.limits) {
            Ok(document) if matches!(document.root, Yaml::Map(_)) => {
                for key in document.repeated_keys {
                    self.find(
                        key,
                        "it stands there twice, and Kibana takes no manifest like that",
                    );
                }
                Some(document.root)
            }
            Ok(_) => {
                self.find(None, "it holds no settings");
                None
            }
            Err(error) => {
                let first: &dyn std::error::Error = &error;
                let causes = std::iter::successors(Some(first), |cause| cause.source());
                let causes: Vec<_> = causes.map(ToString::to_string).collect();
                self.find(None, format!("it cannot be read: {}", causes.join(": ")));
                None
            }
        }
    }
}

fn value<'y>(of: &'y Yaml, key: &str) -> Option<&'y Yaml> {
    match of {
        Yaml::Map(map) => map.get(key).map(Rc::as_ref),
        _ => None,
    }
}

fn text(of: &Yaml, key: &str) -> Option<String> {
    match value(of, key)? {
        Yaml::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Returns the items of a list, none where there is no list.
fn list<'y>(of: &'y Yaml, key: &str) -> impl Iterator<Item = (usize, &'y Yaml)> + use<'y> {
    let items = match value(of, key) {
        Some(Yaml::List(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().map(Rc::as_ref).enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "format_version: 1.0.0\nname: buoy\nversion: 1.2.3\ntitle: Buoy\ndescription: x\nowner: {github: a/b}\n";

    fn findings(root: &str, files: &[(&str, &str)]) -> Vec<String> {
        let texts = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let paths = files.iter().map(|(path, _)| *path);
        let shown = |it: Finding| format!("{} {} {}", it.file, it.key.unwrap_or_default(), it.why);
        let checked = check(root, paths, &texts, &Limits::default());
        checked.findings.into_iter().map(shown).collect()
    }

    #[test]
    fn what_kibana_takes_has_no_findings() {
        let stream = "title: Log\ntype: logs\nstreams:\n  - {input: logfile, title: x, vars: [{name: a, type: text}]}\n";
        let files = [
            ("manifest.yml", GOOD),
            ("data_stream/log/manifest.yml", stream),
        ];
        assert!(findings("buoy-1.2.3", &files).is_empty());
    }

    #[test]
    fn a_key_that_stands_twice_is_found_and_one_that_is_merged_is_not() {
        let twice = format!(
            "{GOOD}title: Again\nvars:\n  - {{name: a, type: text}}\n  - {{name: b, type: text, name: c}}\n"
        );
        let why = "it stands there twice, and Kibana takes no manifest like that";
        assert_eq!(
            findings("buoy-1.2.3", &[("manifest.yml", &twice)]),
            [
                format!("manifest.yml title {why}"),
                format!("manifest.yml vars[1].name {why}")
            ]
        );
        let merged = format!(
            "{GOOD}x: &x {{name: a, type: text}}\nvars: [{{<<: *x, name: b}}, {{name: b, <<: *x}}]\n"
        );
        assert!(findings("buoy-1.2.3", &[("manifest.yml", &merged)]).is_empty());
        let many: String = (0..50).map(|_| "title: x\n").collect();
        let found = findings("buoy-1.2.3", &[("manifest.yml", &format!("{GOOD}{many}"))]);
        assert_eq!(found.len(), 10);
    }

    #[test]
    fn everything_that_kibana_refuses_is_found_at_once() {
        let manifest = "name: buoy\nversion: 1.2.3\ntitle: ''\npolicy_templates:\n  - name: a\n    title: b\n    inputs:\n      \
                        - type: x\n        vars: [{name: y}]\nvars: [{type: text}]\n";
        let files = [
            ("manifest.yml", manifest),
            (
                "data_stream/log/manifest.yml",
                "type: logs\nstreams: [{}]\n",
            ),
            ("data_stream/metric/fields/base.yml", ""),
        ];
        let missing = "it is missing, and Kibana requires it";
        let expected = [
            ("manifest.yml", "title"),
            ("manifest.yml", "description"),
            ("manifest.yml", "format_version"),
            ("manifest.yml", "owner"),
            ("manifest.yml", "policy_templates[0].description"),
            ("manifest.yml", "policy_templates[0].inputs[0].title"),
            ("manifest.yml", "policy_templates[0].inputs[0].vars[0].type"),
            ("manifest.yml", "vars[0].name"),
            ("data_stream/log/manifest.yml", "title"),
            ("data_stream/log/manifest.yml", "streams[0].input"),
            ("data_stream/log/manifest.yml", "streams[0].title"),
            ("data_stream/metric/manifest.yml", ""),
        ];
        let expected = expected.map(|(file, key)| format!("{file} {key} {missing}"));
        assert_eq!(findings("buoy-1.2.3", &files), expected);
    }

    #[test]
    fn a_name_and_a_version_that_are_none_are_found_at_their_keys() {
        for (good, bad, found) in [
            ("buoy", "Buoy", "name invalid package name \"Buoy\""),
            ("1.2.3", "'1.2'", "version invalid package version \"1.2\""),
            ("1.2.3", "1.2", "version it is no text: put it in quotes"),
        ] {
            let manifest = GOOD.replace(good, bad);
            let findings = findings("buoy-1.2.3", &[("manifest.yml", &manifest)]);
            assert_eq!(findings, [format!("manifest.yml {found}")]);
        }
    }

    #[test]
    fn a_root_folder_of_another_name_is_found_and_so_is_what_is_no_manifest() {
        for (root, manifest, why) in [
            (
                "buoy",
                GOOD,
                "manifest.yml  it lies in the folder buoy, and has to lie in buoy-1.2.3",
            ),
            ("x", "", "manifest.yml  it holds no settings"),
            ("x", "- a\n", "manifest.yml  it holds no settings"),
        ] {
            assert_eq!(findings(root, &[("manifest.yml", manifest)]), [why]);
        }
        let unread = &findings("x", &[("manifest.yml", "a: [")])[0];
        assert!(
            unread.contains("it cannot be read: not YAML: ") && unread.contains("line"),
            "{unread}"
        );
        assert_eq!(findings("x", &[]).len(), 1);
    }
}

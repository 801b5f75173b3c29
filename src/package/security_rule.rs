//! Detection rules of Elastic Security: files of a package, `kibana/security_rule/*.json`.
//!
//! A rule is known by its `rule_id`, however its file is called: newer packages hold several versions of a rule, of which the
//! highest is the one that counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto::Digest;

/// A detection rule, as far as people tell rules apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecurityRule {
    /// Its `rule_id`; the name of its file where that cannot be read.
    pub rule_id: String,
    /// What it is called.
    pub name: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// Its own version.
    pub version: Option<u64>,
}

/// A detection rule that is another than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleChange {
    /// As it is.
    #[serde(flatten)]
    pub rule: SecurityRule,
    /// As it was.
    pub before: SecurityRule,
}

/// How the detection rules of two versions of a package differ, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RulesDiff {
    /// Rules that are new.
    pub added: Vec<SecurityRule>,
    /// Rules that are no longer there.
    pub removed: Vec<SecurityRule>,
    /// Rules with other content.
    pub changed: Vec<RuleChange>,
}

/// Tells whether a file of a package is a detection rule.
pub fn is_security_rule(path: &str) -> bool {
    let name = path.strip_prefix("kibana/security_rule/");
    name.is_some_and(|name| name.ends_with(".json") && !name.contains('/'))
}

impl SecurityRule {
    /// Reads a rule. What cannot be read is a rule all the same, known by the name of its file.
    pub fn read(path: &str, json: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct File {
            attributes: Attributes,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Attributes {
            rule_id: Value,
            name: Value,
            severity: Value,
            version: Value,
        }
        let file: File = serde_json::from_slice(json).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let stem = || {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.strip_suffix(".json").unwrap_or(name).to_owned()
        };
        let Attributes {
            rule_id,
            name,
            severity,
            version,
        } = &file.attributes;
        Self {
            rule_id: rule_id.as_str().map_or_else(stem, str::to_owned),
            name: text(name),
            severity: text(severity),
            version: version.as_u64(),
        }
    }
}

impl RulesDiff {
    /// Returns how rules differ, each with the digest of its file.
    pub fn between(
        before: impl IntoIterator<Item = (SecurityRule, Digest)>,
        after: impl IntoIterator<Item = (SecurityRule, Digest)>,
    ) -> Self {
        let (mut old, mut differences) = (newest_of_each(before), Self::default());
        for (id, (rule, digest)) in newest_of_each(after) {
            match old.remove(&id) {
                None => differences.added.push(rule),
                Some((before, of_before)) if of_before != digest => {
                    differences.changed.push(RuleChange { rule, before });
                }
                Some(_) => {}
            }
        }
        differences.removed = old.into_values().map(|(rule, _)| rule).collect();
        let by_name = |a: &SecurityRule, b: &SecurityRule| a.name.cmp(&b.name);
        differences.added.sort_by(by_name);
        differences.removed.sort_by(by_name);
        differences
            .changed
            .sort_by(|a, b| by_name(&a.rule, &b.rule));
        differences
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

fn newest_of_each(
    rules: impl IntoIterator<Item = (SecurityRule, Digest)>,
) -> BTreeMap<String, (SecurityRule, Digest)> {
    let mut newest: BTreeMap<String, (SecurityRule, Digest)> = BTreeMap::new();
    for (rule, digest) in rules {
        let is_newer = |(known, _): &(SecurityRule, Digest)| known.version < rule.version;
        if newest.get(&rule.rule_id).is_none_or(is_newer) {
            newest.insert(rule.rule_id.clone(), (rule, digest));
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(file: &str, json: &str) -> (SecurityRule, Digest) {
        let path = format!("kibana/security_rule/{file}.json");
        assert!(is_security_rule(&path));
        (
            SecurityRule::read(&path, json.as_bytes()),
            Digest::of(json.as_bytes()),
        )
    }

    fn attributes(id: &str, name: &str, severity: &str, version: u64) -> String {
        format!(
            r#"{{"attributes": {{"rule_id": "{id}", "name": "{name}", "severity": "{severity}", "version": {version}}}}}"#
        )
    }

    #[test]
    fn rules_are_known_by_their_id_and_of_several_versions_the_highest_counts() {
        let differences = RulesDiff::between(
            [
                rule("a", &attributes("a", "Anchor", "low", 1)),
                rule("b", &attributes("b", "Buoy", "low", 7)),
                rule("c", &attributes("c", "Crane", "low", 1)),
            ],
            [
                rule("a_3", &attributes("a", "Anchor cut", "high", 3)),
                rule("a_2", &attributes("a", "Anchor", "low", 2)),
                rule("b_7", &attributes("b", "Buoy", "low", 7)),
                rule("b_6", &attributes("b", "Buoy", "medium", 6)),
                rule("z", &attributes("z", "Dock", "critical", 1)),
                rule("y", &attributes("y", "Berth", "low", 1)),
            ],
        );
        let names = |rules: &[SecurityRule]| -> Vec<String> {
            rules.iter().map(|it| it.name.clone()).collect()
        };
        assert_eq!(names(&differences.added), ["Berth", "Dock"]);
        assert_eq!(names(&differences.removed), ["Crane"]);
        let [changed] = differences.changed.as_slice() else {
            panic!("{differences:?}")
        };
        assert_eq!(
            (
                changed.before.severity.as_str(),
                changed.rule.severity.as_str()
            ),
            ("low", "high")
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_rule_by_the_name_of_its_file() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"attributes": 1}"#,
            r#"{"attributes": {"rule_id": 1, "name": [], "version": "2"}}"#,
            &"[".repeat(100_000),
        ] {
            let (rule, _) = rule("some", json);
            assert_eq!((rule.rule_id.as_str(), rule.version), ("some", None));
        }
        for path in [
            "kibana/security_rule/a/b.json",
            "kibana/security_rule/a.txt",
            "kibana/dashboard/a.json",
        ] {
            assert!(!is_security_rule(path), "{path}");
        }
    }
}

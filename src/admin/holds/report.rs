//! Holds as people and programs read them and ask for them.

use serde::{Deserialize, Serialize};

use crate::distribution::Hold;

/// A hold as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HoldReport {
    /// Its number.
    pub number: i64,
    /// The distribution; `None` where it is withdrawn from all.
    pub distribution: Option<String>,
    /// What it keeps back, as one would say it.
    pub what: String,
    /// The package.
    pub package: String,
    /// Which of its versions: `at`, `version`, `only` or `withdrawn`.
    pub rule: String,
    /// The version that the rule names.
    pub version: Option<String>,
    /// The branch that the rule names.
    pub branch: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it ends by itself, UTC, RFC 3339.
    pub ends: Option<String>,
    /// The package versions that it keeps back at present, where that was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// A hold with who made it when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HoldDetails {
    /// The hold.
    #[serde(flatten)]
    pub hold: HoldReport,
    /// The change set it began with.
    pub change_set: i64,
    /// When that was, UTC, RFC 3339.
    pub at: String,
    /// Whose it was.
    pub who: String,
}

/// A hold to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The package, or the one version of it that is held.
    pub package: String,
    /// The version beyond which nothing is offered.
    #[serde(default)]
    pub at: Option<String>,
    /// The branch from which alone it is offered.
    #[serde(default)]
    pub only: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// When it ends by itself: a day, at its beginning in UTC, or a time in RFC 3339.
    #[serde(default)]
    pub until: Option<String>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What goes with a release of a hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

impl HoldReport {
    /// Returns a hold of a distribution as it is read.
    pub(in crate::admin) fn of(hold: &Hold, distribution: Option<String>) -> Self {
        Self {
            number: hold.number,
            distribution,
            what: hold.to_string(),
            package: hold.package.to_string(),
            rule: hold.rule.as_str().to_owned(),
            version: hold.rule.version().map(ToString::to_string),
            branch: hold.rule.branch().map(ToString::to_string),
            reason: hold.reason.clone(),
            ends: hold.ends.map(|ends| ends.to_string()),
            versions: Vec::new(),
        }
    }
}

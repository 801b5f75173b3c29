//! The parts that manifests are made of.
//!
//! A field without `skip_serializing_if` is always printed. [`Filled`] is text that must be there.

use serde::{Deserialize, Deserializer, Serialize};

/// Text that a manifest must state; reading fails where it is absent or empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filled(String);

impl Filled {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.is_empty() {
            true => Err(serde::de::Error::custom("empty, but required")),
            false => Ok(Self(text)),
        }
    }
}

/// Tells whether `value` is what an absent one reads as.
pub(super) fn unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Tells whether a list is absent or empty: the two are printed alike, but queries tell them apart.
pub(super) fn no_items(list: &Option<Vec<String>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

/// Reads any value; what reads as nothing, as `{}` does, is absent.
fn any_but_nothing<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// Its licence.
    #[serde(skip_serializing_if = "unset")]
    pub license: String,
}

/// An icon or a screenshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its path in the package, often with a leading slash.
    pub src: Filled,
    /// Its path at the registry; not read, made for the document.
    #[serde(skip_deserializing)]
    pub path: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "unset")]
    pub title: String,
    /// Its size, `32x32`.
    #[serde(default, skip_serializing_if = "unset")]
    pub size: String,
    /// Its media type.
    #[serde(default, rename = "type", skip_serializing_if = "unset")]
    pub media_type: String,
}

/// What a package needs to work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Conditions {
    /// The Kibana it works with.
    #[serde(skip_serializing_if = "unset")]
    pub kibana: Option<VersionCondition>,
    /// What it needs of the subscription.
    #[serde(skip_serializing_if = "unset")]
    pub elastic: Option<ElasticCondition>,
    /// The Elastic Agent it works with.
    #[serde(skip_serializing_if = "unset")]
    pub agent: Option<VersionCondition>,
}

/// Versions of another product.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionCondition {
    /// The constraint.
    pub version: String,
}

/// What a package needs of the subscription.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ElasticCondition {
    /// The subscription, `basic`.
    pub subscription: String,
    /// Capabilities that must be there.
    #[serde(skip_serializing_if = "no_items")]
    pub capabilities: Option<Vec<String>>,
}

/// Who cares for a package.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// `elastic`, `partner`, `community`.
    #[serde(rename = "type", skip_serializing_if = "unset")]
    pub owner_type: String,
    /// Its team.
    #[serde(skip_serializing_if = "unset")]
    pub github: String,
}

/// The data a package can be useful with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Discovery {
    /// Fields that the data must have.
    #[serde(skip_serializing_if = "unset")]
    pub fields: Vec<Named>,
    /// Datasets by which it is found.
    #[serde(skip_serializing_if = "unset")]
    pub datasets: Vec<Named>,
}

/// A thing that has a name only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub name: Filled,
}

/// That something is deprecated.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Deprecated {
    /// The version since when.
    pub since: String,
    /// Why, and what to do.
    pub description: String,
    /// What to use instead.
    #[serde(skip_serializing_if = "unset")]
    pub replaced_by: Option<ReplacedBy>,
}

/// What to use instead of something deprecated.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplacedBy {
    /// A package.
    #[serde(skip_serializing_if = "unset")]
    pub package: String,
    /// A policy template.
    #[serde(skip_serializing_if = "unset")]
    pub policy_template: String,
    /// An input.
    #[serde(skip_serializing_if = "unset")]
    pub input: String,
    /// A data stream.
    #[serde(skip_serializing_if = "unset")]
    pub data_stream: String,
    /// A variable.
    #[serde(skip_serializing_if = "unset")]
    pub variable: String,
}

/// The packages that a package builds on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Requires {
    /// Input packages.
    #[serde(skip_serializing_if = "unset")]
    pub input: Vec<Requirement>,
    /// Content packages.
    #[serde(skip_serializing_if = "unset")]
    pub content: Vec<Requirement>,
}

/// A package that another builds on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its name.
    pub package: Filled,
    /// Its version or a constraint on it.
    pub version: Filled,
}

/// A variable that the user of a package can set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, `text`.
    #[serde(rename = "type")]
    pub variable_type: String,
    /// What people call it.
    #[serde(skip_serializing_if = "unset")]
    pub title: String,
    /// What it is for.
    #[serde(skip_serializing_if = "unset")]
    pub description: String,
    /// Whether it takes several values.
    pub multi: bool,
    /// Whether it must be set.
    pub required: bool,
    /// Whether it is shown without asking.
    pub show_user: bool,
    /// Its value unless set.
    #[serde(deserialize_with = "any_but_nothing", skip_serializing_if = "unset")]
    pub default: Option<serde_json::Value>,
    /// That it is deprecated.
    #[serde(skip_serializing_if = "unset")]
    pub deprecated: Option<Deprecated>,
}

/// What a package or data stream needs of the agent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Agent {
    /// Its rights.
    #[serde(skip_serializing_if = "unset")]
    pub privileges: Option<AgentPrivileges>,
}

/// The rights an agent needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentPrivileges {
    /// Whether it must run as root.
    #[serde(skip_serializing_if = "unset")]
    pub root: bool,
}

/// What a package may do in Elasticsearch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PackageElasticsearch {
    /// Its rights.
    #[serde(skip_serializing_if = "unset")]
    pub privileges: Option<ClusterPrivileges>,
}

/// Rights on a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterPrivileges {
    /// Their names.
    #[serde(skip_serializing_if = "unset")]
    pub cluster: Vec<String>,
}

//! Policy templates: how a package can be configured.

use serde::{Deserialize, Serialize};

use super::data_stream::Stream;
use super::parts::{Deprecated, Filled, Image, Variable, no_items, unset};

/// A policy template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyTemplate {
    /// Its name.
    pub name: Filled,
    /// What people call it.
    pub title: Filled,
    /// What it does.
    pub description: Filled,
    /// The data streams it collects into.
    #[serde(default, skip_serializing_if = "unset")]
    pub data_streams: Vec<String>,
    /// Its inputs.
    #[serde(default, skip_serializing_if = "unset")]
    pub inputs: Vec<Input>,
    /// Whether it can be used several times in one policy.
    #[serde(skip_serializing_if = "unset")]
    pub multiple: Option<bool>,
    /// Its icons.
    #[serde(default, skip_serializing_if = "unset")]
    pub icons: Vec<Image>,
    /// Its own categories, known ones and others.
    #[serde(skip_serializing_if = "no_items")]
    pub categories: Option<Vec<String>>,
    /// Its screenshots.
    #[serde(default, skip_serializing_if = "unset")]
    pub screenshots: Vec<Image>,
    /// The path of its own readme at the registry; not read, made for the document.
    #[serde(skip_deserializing, skip_serializing_if = "unset")]
    pub readme: Option<String>,
    /// Where its agent can run.
    #[serde(skip_serializing_if = "unset")]
    pub deployment_modes: Option<DeploymentModes>,
    /// The type of data; input packages only.
    #[serde(default, rename = "type", skip_serializing_if = "unset")]
    pub data_type: String,
    /// The input; input packages only.
    #[serde(default, skip_serializing_if = "unset")]
    pub input: String,
    /// How the input takes in data.
    #[serde(default, skip_serializing_if = "unset")]
    pub ingestion_method: String,
    /// The file that makes its configuration.
    #[serde(default, skip_serializing_if = "unset")]
    pub template_path: String,
    /// That it is deprecated.
    #[serde(skip_serializing_if = "unset")]
    pub deprecated: Option<Deprecated>,
}

/// An input of a policy template.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Input {
    /// Its type, `httpjson`.
    #[serde(rename = "type", skip_serializing_if = "unset")]
    pub input_type: String,
    /// The package that brings it.
    #[serde(skip_serializing_if = "unset")]
    pub package: String,
    /// Its variables.
    #[serde(skip_serializing_if = "unset")]
    pub vars: Vec<Variable>,
    /// What people call it.
    #[serde(skip_serializing_if = "unset")]
    pub title: String,
    /// What it does.
    #[serde(skip_serializing_if = "unset")]
    pub description: String,
    /// Its streams.
    #[serde(skip_serializing_if = "unset")]
    pub streams: Vec<Stream>,
    /// The file that makes its configuration.
    #[serde(skip_serializing_if = "unset")]
    pub template_path: String,
    /// The group it is shown in.
    #[serde(skip_serializing_if = "unset")]
    pub input_group: String,
    /// Where it can run.
    #[serde(skip_serializing_if = "unset")]
    pub deployment_modes: Vec<String>,
    /// That it is deprecated.
    #[serde(skip_serializing_if = "unset")]
    pub deprecated: Option<Deprecated>,
}

/// Where the agent of a policy template can run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeploymentModes {
    /// On a host.
    #[serde(skip_serializing_if = "unset")]
    pub default: Option<DefaultMode>,
    /// At the provider.
    #[serde(skip_serializing_if = "unset")]
    pub agentless: Option<AgentlessMode>,
}

/// An agent on a host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultMode {
    /// Whether it can run so.
    pub enabled: bool,
}

/// An agent at the provider.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentlessMode {
    /// Whether it can run so.
    pub enabled: bool,
    /// Whether that is the first choice.
    #[serde(skip_serializing_if = "unset")]
    pub is_default: Option<bool>,
    /// `ga` or `beta`; empty when not stated.
    #[serde(skip_serializing_if = "unset")]
    pub release: String,
}

//! Data streams: what a package collects, each with a manifest of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::parts::{Agent, Deprecated, Filled, Variable, unset};

/// The manifest of a data stream, `data_stream/*/manifest.yml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataStreamManifest {
    /// The type of data, `logs`.
    #[serde(rename = "type")]
    pub data_type: Filled,
    /// Its dataset; empty when not stated.
    #[serde(default, skip_serializing_if = "unset")]
    pub dataset: String,
    /// Whether it is hidden.
    #[serde(default, skip_serializing_if = "unset")]
    pub hidden: bool,
    /// The policy for the life of its indices.
    #[serde(default, skip_serializing_if = "unset")]
    pub ilm_policy: String,
    /// Whether the dataset stands for all that start with it.
    #[serde(default, skip_serializing_if = "unset")]
    pub dataset_is_prefix: bool,
    /// What people call it.
    pub title: Filled,
    /// `ga`, `beta`, `experimental`; empty when not stated.
    #[serde(default, skip_serializing_if = "unset")]
    pub release: String,
    /// Its ingest pipeline, in the old place.
    #[serde(default, skip_serializing_if = "unset")]
    pub ingest_pipeline: String,
    /// How it is collected.
    #[serde(default, skip_serializing_if = "unset")]
    pub streams: Vec<Stream>,
    /// The package; where a manifest states it, that counts.
    #[serde(skip_serializing_if = "unset_text")]
    pub package: Option<String>,
    /// What it asks of Elasticsearch.
    #[serde(skip_serializing_if = "unset")]
    pub elasticsearch: Option<Elasticsearch>,
    /// What it needs of the agent.
    #[serde(skip_serializing_if = "unset")]
    pub agent: Option<Agent>,
    /// Its folder; where a manifest states it, that counts.
    #[serde(skip_serializing_if = "unset_text")]
    pub path: Option<String>,
    /// That it is deprecated.
    #[serde(skip_serializing_if = "unset")]
    pub deprecated: Option<Deprecated>,
}

fn unset_text(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(String::is_empty)
}

/// A way to collect a data stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stream {
    /// The input it needs.
    #[serde(skip_serializing_if = "unset")]
    pub input: String,
    /// The package that brings the input.
    #[serde(skip_serializing_if = "unset")]
    pub package: String,
    /// Its variables.
    #[serde(skip_serializing_if = "unset")]
    pub vars: Vec<Variable>,
    /// The data stream it is for.
    #[serde(skip_serializing_if = "unset")]
    pub data_stream: String,
    /// The file that makes its configuration.
    #[serde(skip_serializing_if = "unset")]
    pub template_path: String,
    /// What people call it.
    #[serde(skip_serializing_if = "unset")]
    pub title: String,
    /// What it does.
    #[serde(skip_serializing_if = "unset")]
    pub description: String,
    /// Whether it is on unless set.
    #[serde(skip_serializing_if = "unset")]
    pub enabled: Option<bool>,
    /// How its input takes in data.
    #[serde(skip_serializing_if = "unset")]
    pub ingestion_method: String,
}

/// What a data stream asks of Elasticsearch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Elasticsearch {
    /// Settings of its index template.
    #[serde(rename = "index_template.settings", skip_serializing_if = "unset")]
    pub settings: Map<String, Value>,
    /// Mappings of its index template.
    #[serde(rename = "index_template.mappings", skip_serializing_if = "unset")]
    pub mappings: Map<String, Value>,
    /// Its ingest pipeline.
    #[serde(rename = "ingest_pipeline.name", skip_serializing_if = "unset")]
    pub ingest_pipeline: String,
    /// Its rights.
    #[serde(skip_serializing_if = "unset")]
    pub privileges: Option<IndexPrivileges>,
}

/// Rights on the indices of a data stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexPrivileges {
    /// Their names.
    #[serde(skip_serializing_if = "unset")]
    pub indices: Vec<String>,
}

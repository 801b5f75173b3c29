//! Manifest text in, [`Manifest`] or [`DataStreamManifest`] out: what a package says of itself, nothing derived from it.
//!
//! The types are what is read and, in the order of their fields, what the documents print; see `parts` for how absence
//! is handled. A manifest that the reference registry refuses to load is an error here. Facts: the `config`, `json` and
//! `validate` tags of package-registry 1.40's `packages/package.go` and `datastream.go`.

mod data_stream;
mod known;
mod parts;
mod policy_template;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::settings::{self, ReadError, SettingsError};
use super::yaml::{self, YamlError};
use crate::limits::Limits;

pub use data_stream::DataStreamManifest;
pub use known::KnownDataStreams;
pub use parts::*;
pub use policy_template::{DeploymentModes, PolicyTemplate};

/// The manifest of a package, `manifest.yml` in its root.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Version of the format, `2.10.0`; empty when not stated.
    pub format_version: String,
    /// The package.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// Its version.
    pub version: String,
    /// `ga`, `beta`, `experimental`; empty when not stated.
    pub release: String,
    /// Where it comes from.
    pub source: Option<Source>,
    /// What it does.
    pub description: String,
    /// `integration`, `input`, `content`; empty when not stated.
    #[serde(rename = "type")]
    pub package_type: String,
    /// Its icons.
    pub icons: Vec<Image>,
    /// How clients combine the policy templates.
    pub policy_templates_behavior: String,
    /// What it needs to work.
    pub conditions: Option<Conditions>,
    /// Who cares for it.
    pub owner: Option<Owner>,
    /// Its categories, known ones and others.
    pub categories: Vec<String>,
    /// The data it can be useful with.
    pub discovery: Option<Discovery>,
    /// That it is deprecated.
    pub deprecated: Option<Deprecated>,
    /// The packages it builds on.
    pub requires: Option<Requires>,
    /// The group it is shown in.
    pub group: String,
    /// The subscription it needs; empty when not stated.
    pub license: String,
    /// Its screenshots.
    pub screenshots: Vec<Image>,
    /// How it can be configured.
    pub policy_templates: Vec<PolicyTemplate>,
    /// Data streams in the manifest itself, which come before those that have their own.
    pub data_streams: Vec<DataStreamManifest>,
    /// Its variables.
    pub vars: Vec<Variable>,
    /// What it may do in Elasticsearch.
    pub elasticsearch: Option<PackageElasticsearch>,
    /// What its agent needs.
    pub agent: Option<Agent>,
}

/// A manifest that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not YAML, or beyond a bound.
    #[error("manifest is not readable as YAML")]
    Yaml(#[from] YamlError),
    /// Settings that contradict each other.
    #[error("manifest is not readable as settings")]
    Settings(#[from] SettingsError),
    /// A setting that is missing or of the wrong kind.
    #[error("manifest has a bad setting")]
    Read(#[from] ReadError),
}

/// Returns the manifest that `text` is, and takes what it needs off what `limits` allows for the next.
pub(super) fn read<T: DeserializeOwned>(
    text: &[u8],
    limits: &mut Limits,
) -> Result<T, ManifestError> {
    let (manifest, needed) = read_within(text, limits)?;
    needed.take_off(limits);
    Ok(manifest)
}

/// What a manifest needs of the limits that hold for all manifests of a package; with less it is refused.
#[derive(Debug, Clone, Copy)]
struct Needed {
    yaml_nodes: usize,
    yaml_alias_nodes: usize,
}

impl Needed {
    fn is_within(self, limits: &Limits) -> bool {
        self.yaml_nodes <= limits.yaml_nodes && self.yaml_alias_nodes <= limits.yaml_alias_nodes
    }

    fn take_off(self, limits: &mut Limits) {
        limits.yaml_nodes = limits.yaml_nodes.saturating_sub(self.yaml_nodes);
        limits.yaml_alias_nodes = limits
            .yaml_alias_nodes
            .saturating_sub(self.yaml_alias_nodes);
    }
}

fn read_within<T: DeserializeOwned>(
    text: &[u8],
    limits: &Limits,
) -> Result<(T, Needed), ManifestError> {
    let document = yaml::parse(text, limits)?;
    let (settings, nodes) = settings::from_yaml(&document.root, limits)?;
    let needed = Needed {
        yaml_nodes: document.nodes.max(nodes),
        yaml_alias_nodes: document.alias_nodes,
    };
    Ok((T::deserialize(&settings)?, needed))
}

#[cfg(test)]
mod tests;

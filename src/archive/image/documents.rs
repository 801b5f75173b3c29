//! The documents of an image, as far as they matter here.
//!
//! Facts: OCI image specification 1.1 (`descriptor.md`, `image-index.md`, `manifest.md`, `config.md`, `annotations.md`),
//! Docker image specification 1.2 (`manifest.json` of `docker save`), Docker registry manifest v2 schema 2. Unknown
//! fields are passed over, as the specifications ask.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ImageError;
use crate::archive::path;

/// Bytes of a name or reason shown.
const SHOWN_BYTES: usize = 200;

/// What points to a document or layer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default)]
    pub urls: Option<Vec<String>>,
    #[serde(default)]
    pub annotations: Option<HashMap<String, String>>,
    #[serde(default)]
    pub platform: Option<Platform>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// One image in the `manifest.json` of `docker save`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DockerImage {
    pub config: String,
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    pub layers: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub config: Option<Container>,
    pub rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
    #[serde(default)]
    pub labels: Option<HashMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RootFs {
    pub diff_ids: Vec<String>,
}

/// What a descriptor's media type says it points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    Manifest,
    Config,
    Layer,
    ForeignLayer,
}

/// Returns what a media type means; `None` where it is no part of an image.
pub(super) fn kind(media_type: &str) -> Option<Kind> {
    Some(match media_type {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Kind::Index,
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Kind::Manifest,
        "application/vnd.oci.image.config.v1+json"
        | "application/vnd.docker.container.image.v1+json" => Kind::Config,
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Kind::Layer,
        _ if media_type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar")
            || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar") =>
        {
            Kind::ForeignLayer
        }
        _ => return None,
    })
}

/// Reads a document. `serde_json` stops at 128 levels by itself.
pub(super) fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, ImageError> {
    serde_json::from_slice(bytes).map_err(|error| ImageError::Document {
        document: shown(name),
        why: shown(&error.to_string()),
    })
}

/// Returns text of a document fit for a message.
pub(super) fn shown(text: &str) -> String {
    path::shown(text.as_bytes(), SHOWN_BYTES)
}

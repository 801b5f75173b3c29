//! Which image of a file is meant, and which layers it has.
//!
//! `index.json` counts before `manifest.json`: it carries the digests of all it names. Of an image for several platforms
//! that for linux/amd64 is taken, else the first that is in the file: the packages are the same in all. What a build tool
//! says of how it built (an attestation) is no image.

use std::collections::HashSet;

use super::documents::{
    Config, Descriptor, DockerImage, Index, Kind, Manifest, kind, parse, shown,
};
use super::error::ImageError;
use super::files::Files;
use crate::archive::error::ArchiveError;
use crate::crypto::Digest;
use crate::limits::Limits;

const INDEX: &str = "index.json";
const DOCKER_MANIFEST: &str = "manifest.json";

/// Lists within lists: a tool that copies images writes two.
const MAX_DEPTH: usize = 4;

/// The label in which the reference registry's build says which version it is.
const VERSION_LABEL: &str = "BRANCH_NAME";

/// An image and its layers.
#[derive(Debug)]
pub(super) struct Chosen {
    pub name: Option<String>,
    pub registry_version: Option<String>,
    /// The lowest first.
    pub layers: Vec<Layer>,
}

/// A layer as the image announces it.
#[derive(Debug)]
pub(super) struct Layer {
    pub path: String,
    pub sha256: Option<Digest>,
    pub bytes: Option<u64>,
    /// The digest of what is inside its compression.
    pub diff_id: Digest,
}

/// An image that could be meant.
#[derive(Debug)]
struct Candidate {
    name: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Docker(DockerImage),
    Oci(Descriptor),
}

/// Returns the image called `wanted`, else the only one.
pub(super) fn choose(
    files: &Files,
    wanted: Option<&str>,
    limits: &Limits,
) -> Result<Chosen, ArchiveError> {
    let candidate = pick(candidates(files, limits)?, wanted)?;
    let (config, layers) = match candidate.what {
        What::Docker(image) => of_docker(files, &image)?,
        What::Oci(descriptor) => of_oci(files, &descriptor, limits)?,
    };
    if layers.len() > limits.image_entries {
        return Err(ImageError::TooMany {
            document: "the manifest".to_owned(),
            limit: limits.image_entries,
        }
        .into());
    }
    if layers.len() != config.rootfs.diff_ids.len() {
        return Err(ImageError::Document {
            document: "the configuration".to_owned(),
            why: format!(
                "it tells of {} layers, the manifest of {}",
                config.rootfs.diff_ids.len(),
                layers.len()
            ),
        }
        .into());
    }
    let layers = layers.into_iter().zip(&config.rootfs.diff_ids);
    let layers = layers.map(|((path, sha256, bytes), diff_id)| {
        let diff_id = digest_of(diff_id)?;
        Ok(Layer {
            path,
            sha256,
            bytes,
            diff_id,
        })
    });
    let layers = layers.collect::<Result<_, ImageError>>()?;
    let label = config
        .config
        .and_then(|container| container.labels)
        .and_then(|mut labels| labels.remove(VERSION_LABEL));
    Ok(Chosen {
        name: candidate.name,
        registry_version: label.as_deref().and_then(version),
        layers,
    })
}

/// Returns the version in a label such as `v1.31.1`.
fn version(label: &str) -> Option<String> {
    let version = label.strip_prefix('v').unwrap_or(label);
    semver::Version::parse(version)
        .ok()
        .map(|version| version.to_string())
}

fn candidates(files: &Files, limits: &Limits) -> Result<Vec<Candidate>, ArchiveError> {
    let too_many = |document: &str| ImageError::TooMany {
        document: document.to_owned(),
        limit: limits.image_entries,
    };
    if files.has(INDEX) {
        let index: Index = parse(INDEX, &files.document(INDEX, None)?)?;
        if index.manifests.len() > limits.image_entries {
            return Err(too_many(INDEX).into());
        }
        let images = index.manifests.into_iter().filter(is_image);
        return Ok(images
            .map(|descriptor| Candidate {
                name: oci_name(&descriptor),
                what: What::Oci(descriptor),
            })
            .collect());
    }
    if !files.has(DOCKER_MANIFEST) {
        return Err(ImageError::NoManifest.into());
    }
    let images: Vec<DockerImage> = parse(DOCKER_MANIFEST, &files.document(DOCKER_MANIFEST, None)?)?;
    let mut candidates = Vec::new();
    for image in images {
        let tags = image.repo_tags.clone().unwrap_or_default();
        let names = tags.into_iter().map(Some);
        let nameless = std::iter::repeat_n(None, usize::from(names.len() == 0));
        for name in names.chain(nameless) {
            if candidates.len() >= limits.image_entries {
                return Err(too_many(DOCKER_MANIFEST).into());
            }
            candidates.push(Candidate {
                name,
                what: What::Docker(image.clone()),
            });
        }
    }
    Ok(candidates)
}

/// Returns the full name that containerd and docker write, else what the specification has: a tag, or any name.
fn oci_name(descriptor: &Descriptor) -> Option<String> {
    let annotations = descriptor.annotations.as_ref()?;
    [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .iter()
    .find_map(|key| annotations.get(*key).cloned())
}

fn pick(mut candidates: Vec<Candidate>, wanted: Option<&str>) -> Result<Candidate, ImageError> {
    let names: Vec<String> = candidates
        .iter()
        .map(|candidate| shown(candidate.name.as_deref().unwrap_or("(without a name)")))
        .collect();
    if let Some(wanted) = wanted {
        candidates.retain(|candidate| {
            let name = candidate.name.as_deref();
            name.is_some_and(|name| is_called(name, wanted))
        });
        if candidates.is_empty() && !names.is_empty() {
            return Err(ImageError::NoSuchImage {
                wanted: shown(wanted),
                names,
            });
        }
    }
    // One image may have been saved under several formats or platforms by the same name: the first counts.
    let different: HashSet<_> = candidates.iter().map(|candidate| &candidate.name).collect();
    let has_nameless = different.contains(&None);
    if different.len() > 1 || (has_nameless && candidates.len() > 1) {
        return Err(ImageError::SeveralImages { names });
    }
    candidates.into_iter().next().ok_or(ImageError::NoImage {
        document: "the file".to_owned(),
    })
}

/// Tells whether `wanted` is the name, its last components, or its tag.
fn is_called(name: &str, wanted: &str) -> bool {
    let rest = name.strip_suffix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/') || rest.ends_with(':'))
}

type Announced = (String, Option<Digest>, Option<u64>);

fn of_docker(files: &Files, image: &DockerImage) -> Result<(Config, Vec<Announced>), ArchiveError> {
    let digest = blob_digest(&image.config).or_else(|| {
        image
            .config
            .strip_suffix(".json")
            .and_then(|stem| stem.parse().ok())
    });
    let config = parse(&image.config, &files.document(&image.config, digest)?)?;
    let layer = |path: &String| (path.clone(), blob_digest(path), None);
    Ok((config, image.layers.iter().map(layer).collect()))
}

/// Returns the digest that a path in an OCI layout is.
fn blob_digest(path: &str) -> Option<Digest> {
    path.strip_prefix("blobs/sha256/")?.parse().ok()
}

fn of_oci(
    files: &Files,
    named: &Descriptor,
    limits: &Limits,
) -> Result<(Config, Vec<Announced>), ArchiveError> {
    let mut descriptor = named.clone();
    for _ in 0..MAX_DEPTH {
        match kind(&descriptor.media_type) {
            Some(Kind::Index) => {
                let (name, bytes) = blob(files, &descriptor)?;
                let index: Index = parse(&name, &bytes)?;
                if index.manifests.len() > limits.image_entries {
                    return Err(ImageError::TooMany {
                        document: name,
                        limit: limits.image_entries,
                    }
                    .into());
                }
                descriptor =
                    of_platform(files, index).ok_or(ImageError::NoImage { document: name })?;
            }
            Some(Kind::Manifest) => {
                let (name, bytes) = blob(files, &descriptor)?;
                let manifest: Manifest = parse(&name, &bytes)?;
                if kind(&manifest.config.media_type) != Some(Kind::Config) {
                    return Err(unknown("the configuration", &manifest.config).into());
                }
                let (name, bytes) = blob(files, &manifest.config)?;
                let config = parse(&name, &bytes)?;
                let layers = manifest.layers.iter().map(layer);
                return Ok((config, layers.collect::<Result<_, _>>()?));
            }
            _ => return Err(unknown("a manifest", &descriptor).into()),
        }
    }
    Err(ImageError::TooDeep { limit: MAX_DEPTH }.into())
}

fn layer(descriptor: &Descriptor) -> Result<Announced, ImageError> {
    let what = || format!("the layer {}", shown(&descriptor.digest));
    let has_urls = descriptor
        .urls
        .as_ref()
        .is_some_and(|urls| !urls.is_empty());
    match kind(&descriptor.media_type) {
        Some(Kind::ForeignLayer) => Err(ImageError::Foreign { what: what() }),
        Some(Kind::Layer) if has_urls => Err(ImageError::Foreign { what: what() }),
        Some(Kind::Layer) => {
            let digest = digest_of(&descriptor.digest)?;
            Ok((blob_path(&digest), Some(digest), Some(descriptor.size)))
        }
        _ => Err(unknown("a layer", descriptor)),
    }
}

fn unknown(what: &str, descriptor: &Descriptor) -> ImageError {
    ImageError::MediaType {
        what: format!("{what} {}", shown(&descriptor.digest)),
        media_type: shown(&descriptor.media_type),
    }
}

/// Returns the image for linux/amd64, else the first, of those that are in the file.
fn of_platform(files: &Files, index: Index) -> Option<Descriptor> {
    let is_there = |descriptor: &Descriptor| {
        digest_of(&descriptor.digest).is_ok_and(|digest| files.has(&blob_path(&digest)))
    };
    let is_usual = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_some_and(|p| p.os == "linux" && p.architecture == "amd64")
    };
    let (there, missing): (Vec<_>, Vec<_>) = index
        .manifests
        .into_iter()
        .filter(is_image)
        .partition(is_there);
    let usual = there.iter().position(is_usual).unwrap_or_default();
    // Where none is there the message names the first that is missing.
    there.into_iter().nth(usual).or(missing.into_iter().next())
}

/// Tells an image from what a build tool says of one.
fn is_image(descriptor: &Descriptor) -> bool {
    let annotations = descriptor.annotations.as_ref();
    !annotations.is_some_and(|all| all.contains_key("vnd.docker.reference.type"))
}

/// Reads the document that a descriptor points to.
fn blob(files: &Files, descriptor: &Descriptor) -> Result<(String, Vec<u8>), ArchiveError> {
    let digest = digest_of(&descriptor.digest)?;
    let name = blob_path(&digest);
    let bytes = files.document(&name, Some(digest))?;
    if bytes.len() as u64 != descriptor.size {
        return Err(ImageError::WrongSize {
            what: name,
            announced: descriptor.size,
            found: bytes.len() as u64,
        }
        .into());
    }
    Ok((name, bytes))
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{digest}")
}

fn digest_of(text: &str) -> Result<Digest, ImageError> {
    let hexadecimal = text.strip_prefix("sha256:");
    hexadecimal
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| ImageError::UnknownDigest(shown(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_by_its_name_its_end_or_its_tag() {
        let name = "docker.elastic.co/package-registry/distribution:9.2.0";
        for (wanted, expected) in [
            (name, true),
            ("package-registry/distribution:9.2.0", true),
            ("distribution:9.2.0", true),
            ("9.2.0", true),
            ("2.0", false),
            ("tribution:9.2.0", false),
            ("9.2", false),
        ] {
            assert_eq!(is_called(name, wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn the_registry_version_is_what_its_build_labels_it() {
        let table = [
            ("v1.31.1", Some("1.31.1")),
            ("1.31.1", Some("1.31.1")),
            ("main", None),
            ("PR-12", None),
            ("", None),
        ];
        for (label, expected) in table {
            assert_eq!(version(label).as_deref(), expected, "{label}");
        }
    }
}

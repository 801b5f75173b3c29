//! What the registry adds to manifests: defaults, paths at the registry, and what the file list says.

use super::DocumentError;
use super::files::{self, FileList};
use crate::package::manifest::{DataStreamManifest, DeploymentModes, Image, Manifest};
use crate::package::{IngestionMethods, PackageId};

const RELEASES: [&str; 3] = ["ga", "beta", "experimental"];
const AGENTLESS_RELEASES: [&str; 2] = ["ga", "beta"];

/// Completes a package's manifest.
pub(super) fn manifest(
    manifest: &mut Manifest,
    id: &PackageId,
    files: &FileList,
    methods: &IngestionMethods,
) -> Result<(), DocumentError> {
    let version = id.version.to_string();
    let served = |path: &str| files::join(&["/package", id.name.as_str(), &version, path]);
    set_paths(&mut manifest.icons, served);
    set_paths(&mut manifest.screenshots, served);
    for template in &mut manifest.policy_templates {
        template.multiple.get_or_insert(true);
        set_paths(&mut template.icons, served);
        set_paths(&mut template.screenshots, served);
        let readme = files::join(&["docs", &format!("{}.md", template.name.as_str())]);
        if files.contains(&readme) {
            template.readme = Some(served(&readme));
        }
        // The type is compared as the manifest states it; where it states none, it is no input package.
        if manifest.package_type == "input" && !template.input.is_empty() {
            template.ingestion_method = methods.get(&template.input).unwrap_or_default().to_owned();
        }
        let of = || format!("policy template {:?}", template.name.as_str());
        check_release(
            agentless_release(&template.deployment_modes),
            &AGENTLESS_RELEASES,
            of,
        )?;
    }
    if manifest.data_streams.iter().any(|d| d.dataset.is_empty()) {
        return Err(DocumentError::NoDataset);
    }
    default_to(&mut manifest.package_type, "integration");
    let elastic = manifest
        .conditions
        .as_ref()
        .and_then(|c| c.elastic.as_ref());
    let subscription = elastic.map_or("", |elastic| elastic.subscription.as_str());
    default_to(&mut manifest.license, subscription);
    default_to(&mut manifest.license, "basic");
    let is_early = id.version.is_prerelease() || id.version.is_technical_preview();
    default_to(&mut manifest.release, if is_early { "beta" } else { "ga" });
    check_release(&manifest.release, &RELEASES, || "the package".to_owned())?;
    match files.contains("docs/README.md") {
        true => Ok(()),
        false => Err(DocumentError::NoReadme),
    }
}

/// Completes the manifest of the data stream in `folder` of a package whose manifest is complete.
pub(super) fn data_stream(
    data_stream: &mut DataStreamManifest,
    folder: &str,
    package: &Manifest,
    files: &FileList,
    methods: &IngestionMethods,
) -> Result<(), DocumentError> {
    data_stream
        .package
        .get_or_insert_with(|| package.name.clone());
    data_stream.path.get_or_insert_with(|| folder.to_owned());
    default_to(
        &mut data_stream.dataset,
        &format!("{}.{folder}", package.name),
    );
    default_to(&mut data_stream.release, &package.release);
    let of = || format!("data stream {folder:?}");
    check_release(&data_stream.release, &RELEASES, of)?;
    for stream in &mut data_stream.streams {
        stream.enabled.get_or_insert(true);
        default_to(&mut stream.template_path, "stream.yml.hbs");
        if let Some(method) = methods
            .get(&stream.input)
            .filter(|method| !method.is_empty())
        {
            stream.ingestion_method = method.to_owned();
        }
    }
    set_pipeline(data_stream, folder, files)
}

/// Takes the default pipeline where none is named; it is told in the new place only where the manifest has one.
fn set_pipeline(
    data_stream: &mut DataStreamManifest,
    folder: &str,
    files: &FileList,
) -> Result<(), DocumentError> {
    let pipelines = format!("data_stream/{folder}/elasticsearch/ingest_pipeline");
    let is_default = |name: &str| matches!(name, "default.json" | "default.yml");
    let has_default = files.entries_of(&pipelines).any(is_default);
    let unnamed = data_stream
        .elasticsearch
        .as_mut()
        .map(|e| &mut e.ingest_pipeline);
    match unnamed.filter(|name| name.is_empty()) {
        Some(name) if has_default => {
            "default".clone_into(name);
            "default".clone_into(&mut data_stream.ingest_pipeline);
        }
        None if has_default => default_to(&mut data_stream.ingest_pipeline, "default"),
        _ => {}
    }
    let has_some = files.entries_of(&pipelines).next().is_some();
    match data_stream.ingest_pipeline.is_empty() && has_some {
        true => Err(DocumentError::UnusedPipelines(folder.to_owned())),
        false => Ok(()),
    }
}

fn set_paths(images: &mut [Image], served: impl Fn(&str) -> String) {
    for image in images {
        image.path = served(image.src.as_str());
    }
}

fn default_to(text: &mut String, default: &str) {
    if text.is_empty() {
        default.clone_into(text);
    }
}

/// Returns the release that a policy template states for agentless use, `ga` where it states none.
fn agentless_release(modes: &Option<DeploymentModes>) -> &str {
    let agentless = modes.as_ref().and_then(|modes| modes.agentless.as_ref());
    let release = agentless.map_or("", |agentless| agentless.release.as_str());
    if release.is_empty() { "ga" } else { release }
}

fn check_release(
    release: &str,
    known: &[&str],
    of: impl FnOnce() -> String,
) -> Result<(), DocumentError> {
    match known.contains(&release) {
        true => Ok(()),
        false => Err(DocumentError::Release {
            release: release.chars().take(100).collect(),
            of: of(),
        }),
    }
}

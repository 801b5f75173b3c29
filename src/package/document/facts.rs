//! What queries look at, from a manifest.

use super::DocumentError;
use crate::limits::Limits;
use crate::package::manifest::{Manifest, Named, VersionCondition};
use crate::package::{Constraint, Facts, PackageId, PackageVersion};

/// Returns the facts of `manifest`, which is complete and without unknown categories.
pub(super) fn of(
    manifest: &Manifest,
    id: &PackageId,
    limits: &Limits,
) -> Result<Facts, DocumentError> {
    let conditions = manifest.conditions.as_ref();
    let constraint = |product, condition: Option<&VersionCondition>| {
        let parse = |c: &VersionCondition| Constraint::parse(&c.version, limits);
        condition
            .map(parse)
            .transpose()
            .map_err(|source| DocumentError::Constraint { product, source })
    };
    let discovery = manifest.discovery.as_ref();
    let elastic = conditions.and_then(|c| c.elastic.as_ref());
    let templates = manifest.policy_templates.iter();
    Ok(Facts {
        id: id.clone(),
        package_type: manifest.package_type.clone(),
        is_experimental: manifest.release == "experimental",
        kibana: constraint("kibana", conditions.and_then(|c| c.kibana.as_ref()))?,
        agent: constraint("agent", conditions.and_then(|c| c.agent.as_ref()))?,
        spec: spec(&manifest.format_version)?,
        capabilities: elastic.and_then(|elastic| elastic.capabilities.clone()),
        categories: manifest.categories.clone(),
        policy_templates: templates.map(|t| t.categories.clone()).collect(),
        discovery_fields: names(discovery.map(|d| &d.fields)),
        discovery_datasets: names(discovery.map(|d| &d.datasets)),
        is_deprecated: manifest.deprecated.is_some(),
    })
}

/// Returns major and minor of the format's version, which the reference allows to be absent but not to be wrong.
fn spec(format_version: &str) -> Result<Option<(u64, u64)>, DocumentError> {
    if format_version.is_empty() {
        return Ok(None);
    }
    let version = PackageVersion::parse(format_version)
        .map_err(|_| DocumentError::FormatVersion(format_version.chars().take(100).collect()))?;
    let version = version.as_semver();
    Ok(Some((version.major, version.minor)))
}

fn names(named: Option<&Vec<Named>>) -> Vec<String> {
    let named = named.map(Vec::as_slice).unwrap_or_default();
    named.iter().map(|n| n.name.as_str().to_owned()).collect()
}

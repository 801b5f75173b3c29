//! Facts for the tests of this room.

use std::sync::Arc;

use super::Offer;
use crate::limits::Limits;
use crate::package::{Constraint, Facts, PackageId};

/// Returns the facts of a package version that has no conditions, `text` being `nginx 1.5.0`.
pub fn package(text: &str) -> Facts {
    let (name, version) = text.split_once(' ').unwrap();
    Facts {
        id: PackageId::parse(name, version).unwrap(),
        package_type: "integration".to_owned(),
        is_experimental: false,
        kibana: None,
        agent: None,
        spec: Some((3, 0)),
        capabilities: None,
        categories: Vec::new(),
        policy_templates: Vec::new(),
        discovery_fields: Vec::new(),
        discovery_datasets: Vec::new(),
        is_deprecated: false,
    }
}

pub fn constraint(text: &str) -> Option<Constraint> {
    Some(Constraint::parse(text, &Limits::default()).unwrap())
}

/// Returns the words of `text`.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub fn offer(packages: &[Facts]) -> Offer {
    Offer::new(packages.iter().cloned().map(Arc::new))
}

//! What there is: each package as the lens sees it, with all its versions folded behind it.

use std::collections::{BTreeSet, HashMap};

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Frame, Section};
use super::listing::{Listed, catalog, listed};
use super::stamp::Stamp;
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::wording::counted;
use crate::catalog::Catalog;
use crate::distribution::SignatureStatus;
use crate::package::PackageId;
use crate::store::artifacts::ArtifactId;
use crate::store::{Store, StoreError, branches, signatures};

/// From which likeness on another name may have been meant.
const ALIKE: f64 = 0.8;

#[derive(Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    kind: String,
}

#[derive(Template)]
#[template(path = "packages.html")]
struct Packages {
    frame: Frame,
    filter: Filter,
    categories: Vec<String>,
    kinds: Vec<String>,
    rows: Vec<Row>,
    total: String,
    seen_as: String,
    similar: Option<String>,
    hidden: Option<usize>,
}

struct Row {
    name: String,
    title: String,
    description: String,
    icon: bool,
    version: String,
    kind: String,
    categories: String,
    versions: Vec<String>,
    stamp: Stamp,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    filter: Query<Filter>,
) -> HttpResponse {
    let filter = filter.into_inner();
    view(&request, &operator, Section::Packages, |asked| {
        packages(asked, filter)
    })
    .await
}

fn packages(asked: Asked, filter: Filter) -> Result<Packages, OperationError> {
    let lens = asked.frame.lens.clone();
    let catalog = catalog(&asked.operator, &lens)?;
    let all = listed(&catalog, &lens.query(), &asked.operator.limits)?;
    let signed = statuses(asked.store(), asked.frame.now)?;
    let versions = versions(&catalog);
    let (mut categories, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for package in &all {
        categories.extend(package.categories.iter().cloned());
        kinds.extend(package.package_type.clone());
    }
    let wanted = all.iter().filter(|it| filter.takes(it));
    let rows: Vec<_> = wanted
        .map(|it| {
            let versions = versions.get(it.name.as_str()).cloned().unwrap_or_default();
            Row::of(it, versions, stamp(&catalog, it, &signed))
        })
        .collect();
    let text = filter.q.trim().to_lowercase();
    let is_missing = rows.is_empty() && !text.is_empty();
    let likeness = |name: &str| strsim::jaro_winkler(name, &text);
    let similar = (all.iter().map(|it| it.name.as_str()))
        .filter(|name| is_missing && likeness(name) > ALIKE)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Ok(Packages {
        total: format!(
            "{}, {}",
            counted(all.len() as u64, "package", "packages"),
            counted(catalog.len() as u64, "version", "versions")
        ),
        seen_as: match &lens.kibana {
            Some(kibana) => format!("{} as Kibana {kibana} sees it", lens.place()),
            None => lens.place(),
        },
        similar: similar.map(str::to_owned),
        hidden: versions
            .get(text.as_str())
            .filter(|_| is_missing)
            .map(Vec::len),
        categories: categories.into_iter().collect(),
        kinds: kinds.into_iter().collect(),
        rows,
        filter,
        frame: asked.frame.titled("Packages"),
    })
}

impl Filter {
    fn takes(&self, package: &Listed) -> bool {
        let text = self.q.trim().to_lowercase();
        let is_found = text.is_empty()
            || package.name.contains(&text)
            || package.title().to_lowercase().contains(&text);
        let is_of = |wanted: &str, has: &[String]| {
            wanted.is_empty() || has.iter().any(|it| it.as_str() == wanted)
        };
        is_found
            && is_of(&self.category, &package.categories)
            && is_of(&self.kind, package.package_type.as_slice())
    }
}

impl Row {
    fn of(package: &Listed, versions: Vec<String>, stamp: Stamp) -> Self {
        Self {
            title: package.title().to_owned(),
            description: package.description.clone().unwrap_or_default(),
            icon: package.has_icon(),
            kind: package.package_type.clone().unwrap_or_default(),
            categories: package.categories.join(", "),
            name: package.name.clone(),
            version: package.version.clone(),
            versions,
            stamp,
        }
    }
}

/// Returns the versions that a catalog offers of each package, newest first.
fn versions(catalog: &Catalog) -> HashMap<&str, Vec<String>> {
    let mut versions: HashMap<&str, Vec<String>> = HashMap::new();
    for element in catalog.elements().iter().rev() {
        let id = &element.facts.id;
        let of_package = versions.entry(id.name.as_str()).or_default();
        of_package.push(id.version.to_string());
    }
    versions
}

/// Returns what is known of the signature of everything that came with one and that a branch holds.
pub(super) fn statuses(
    store: &Store,
    now: Timestamp,
) -> Result<HashMap<ArtifactId, SignatureStatus>, StoreError> {
    store.snapshot(|conn| {
        let mut statuses = HashMap::new();
        for branch in branches::all(conn)? {
            statuses.extend(signatures::of_branch(conn, branch.id, now)?);
        }
        Ok(statuses)
    })
}

fn stamp(
    catalog: &Catalog,
    package: &Listed,
    signed: &HashMap<ArtifactId, SignatureStatus>,
) -> Stamp {
    let id = PackageId::parse(&package.name, &package.version).ok();
    let artifact = id.and_then(|id| catalog.find(&id)).map(|it| it.artifact.id);
    let status = artifact.and_then(|artifact| signed.get(&artifact));
    Stamp::of(status.unwrap_or(&SignatureStatus::Absent))
}

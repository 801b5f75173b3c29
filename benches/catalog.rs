//! Searches over as many package versions as release 8.5.0 has, 1,912, none of them kept from before; and taking up a
//! change of what is offered.

#![expect(clippy::unwrap_used, reason = "the input is our own")]

use std::sync::LazyLock;

use airlock::catalog::Catalogs;
use airlock::limits::Limits;
use airlock::package::{CategoriesQuery, SearchQuery};
use divan::Bencher;

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Package, TestRegistry, package};

const PACKAGES: usize = 239;
const VERSIONS: usize = 8;

static REGISTRY: LazyLock<TestRegistry> = LazyLock::new(|| {
    let registry = TestRegistry::empty();
    registry.release(support::RELEASE, packages());
    registry
});

fn main() {
    divan::main();
}

/// Selects what fits a query and joins its elements.
#[divan::bench(args = [
    "",
    "kibana.version=8.5.0",
    "package=package_100",
    "category=security",
    "all=true&prerelease=true",
    "kibana.version=8.5.0&prerelease=true&capabilities=security&spec.max=3.0",
])]
fn search(bencher: Bencher, query: &str) {
    let catalog = REGISTRY.catalogs.default_catalog();
    let query = SearchQuery::parse(query, &Limits::default()).unwrap();
    bencher.bench(|| catalog.search(divan::black_box(&query)));
}

/// Counts the packages in each category.
#[divan::bench(args = ["", "kibana.version=8.5.0&include_policy_templates=true"])]
fn categories(bencher: Bencher, query: &str) {
    let catalog = REGISTRY.catalogs.default_catalog();
    let query = CategoriesQuery::parse(query, &Limits::default()).unwrap();
    bencher.bench(|| catalog.categories(divan::black_box(&query)));
}

/// Parses a query as Kibana sends it.
#[divan::bench]
fn parse_query() -> bool {
    let query =
        "prerelease=true&kibana.version=8.5.0&spec.min=2.3&spec.max=3.4&capabilities=apm,security";
    SearchQuery::parse(divan::black_box(query), &Limits::default()).is_ok()
}

/// Loads all catalogs from the store, as at a start.
#[divan::bench]
fn load() -> Catalogs {
    Catalogs::load(&REGISTRY.store).unwrap()
}

/// Returns 1,912 package versions that differ in what queries look at.
fn packages() -> impl Iterator<Item = Package> {
    (0..PACKAGES).flat_map(|number| {
        (0..VERSIONS).map(move |version| {
            let category = ["security", "observability", "web", "custom"][number % 4];
            let kibana = ["^7.16.0", "^7.17.0 || ^8.0.0", "^8.3.0", ">=8.0.0"][version % 4];
            package(&format!("package_{number}"), &format!("1.{version}.0"))
                .manifest_line(&format!("categories: [{category}]"))
                .manifest_line(&format!("conditions.kibana.version: \"{kibana}\""))
        })
    })
}

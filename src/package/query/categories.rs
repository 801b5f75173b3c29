//! How many packages there are in each category.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CategoriesQuery;
use super::offer::Offer;
use crate::package::{Categories, Facts};

/// An element of the answer to `/categories`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryCount {
    /// The category.
    pub id: String,
    /// The name people see; the id of a category that is in no table.
    pub title: String,
    /// Packages, and with `include_policy_templates` policy templates too.
    pub count: usize,
    /// The category it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The name of that category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_title: Option<String>,
}

impl CategoriesQuery {
    /// Returns the categories of what the query finds, by id.
    pub fn count(&self, offer: &Offer, categories: &Categories) -> Vec<CategoryCount> {
        let mut counts = BTreeMap::new();
        self.search.each(offer, |listed| {
            count_package(&listed.facts, &mut counts);
            if self.counts_policy_templates {
                count_policy_templates(&listed.facts, categories, &mut counts);
            }
        });
        counts
            .into_iter()
            .map(|(id, count)| titled(id, count, categories))
            .collect()
    }
}

fn count_package<'a>(facts: &'a Facts, counts: &mut BTreeMap<&'a str, usize>) {
    for id in &facts.categories {
        *counts.entry(id).or_default() += 1;
    }
}

/// Counts each policy template in its own categories and in its package's.
///
/// The package itself is counted too in a category that only its policy templates carry. A sole policy template without
/// categories is the package by another name and counts nothing.
fn count_policy_templates<'a>(
    facts: &'a Facts,
    categories: &Categories,
    counts: &mut BTreeMap<&'a str, usize>,
) {
    if matches!(facts.policy_templates.as_slice(), [None]) {
        return;
    }
    let is_of_package = |id: &str| {
        let is_part = |c: &str| categories.get(c).and_then(|c| c.parent.as_deref()) == Some(id);
        facts.categories.iter().any(|c| c == id || is_part(c))
    };
    let mut added: Vec<&str> = Vec::new();
    for template in &facts.policy_templates {
        count_package(facts, counts);
        for id in template.iter().flatten() {
            let count = counts.entry(id).or_default();
            if !added.contains(&id.as_str()) && !is_of_package(id) {
                added.push(id);
                *count += 1;
            }
            *count += 1;
        }
    }
}

fn titled(id: &str, count: usize, categories: &Categories) -> CategoryCount {
    let category = categories.get(id);
    let parent_id = category.and_then(|c| c.parent.clone());
    let parent = parent_id.as_deref().and_then(|p| categories.get(p));
    CategoryCount {
        id: id.to_owned(),
        title: category.map_or(id, |c| &c.title).to_owned(),
        count,
        parent_title: parent.map(|p| p.title.clone()),
        parent_id,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{constraint, offer, package, words};
    use super::*;
    use crate::limits::Limits;

    fn count(packages: &[Facts], raw_query: &str) -> Vec<CategoryCount> {
        let query = CategoriesQuery::parse(raw_query, &Limits::default()).unwrap();
        query.count(&offer(packages), &Categories::built_in())
    }

    /// Returns the counts as `id number, …`.
    fn counts(packages: &[Facts], raw_query: &str) -> String {
        let counts = count(packages, raw_query);
        let counts: Vec<_> = counts
            .iter()
            .map(|c| format!("{} {}", c.id, c.count))
            .collect();
        counts.join(", ")
    }

    fn with(id: &str, categories: &str, templates: &[Option<&str>]) -> Facts {
        Facts {
            categories: words(categories),
            policy_templates: templates.iter().map(|t| t.map(words)).collect(),
            ..package(id)
        }
    }

    #[test]
    fn the_newest_version_of_each_package_is_counted() {
        let mut packages = [
            with("a 1.0.0", "cloud", &[]),
            with("a 2.0.0", "web security", &[]),
            with("b 1.0.0", "web", &[]),
        ];
        packages[1].kibana = constraint("^9.0.0");
        assert_eq!(counts(&packages, ""), "security 1, web 2");
        assert_eq!(counts(&packages, "kibana.version=8.5.0"), "cloud 1, web 1");
        assert_eq!(
            counts(&packages, "all=true&category=cloud&package=b&type=input"),
            "security 1, web 2"
        );
        assert_eq!(counts(&[], "include_policy_templates=true"), "");
    }

    #[test]
    fn policy_templates_are_counted_when_asked_for() {
        for (package, expected) in [
            (with("a 1.0.0", "web", &[]), "web 1"),
            (with("a 1.0.0", "web", &[None]), "web 1"),
            (with("a 1.0.0", "web", &[Some("")]), "web 2"),
            (with("a 1.0.0", "web", &[None, None]), "web 3"),
            (with("a 1.0.0", "web", &[Some("web")]), "web 3"),
            // Once for the package, once for each policy template.
            (
                with("a 1.0.0", "web", &[Some("cloud"), Some("cloud")]),
                "cloud 3, web 3",
            ),
            (with("a 1.0.0", "", &[Some("cloud"), None]), "cloud 2"),
            (with("a 1.0.0", "", &[Some("cloud cloud")]), "cloud 3"),
            // A package of a part is of the whole already.
            (
                with("a 1.0.0", "web", &[Some("observability")]),
                "observability 1, web 2",
            ),
            (
                with("a 1.0.0", "observability", &[Some("web")]),
                "observability 2, web 2",
            ),
        ] {
            let packages = [package];
            assert_eq!(counts(&packages, "include_policy_templates=true"), expected);
        }
        assert_eq!(
            counts(&[with("a 1.0.0", "web", &[Some("cloud")])], ""),
            "web 1"
        );
    }

    #[test]
    fn a_category_has_its_title_and_parent() {
        let packages = [with("a 1.0.0", "web security", &[Some("of_our_own")])];
        let json = serde_json::to_value(count(&packages, "include_policy_templates=1")).unwrap();
        assert_eq!(
            json,
            serde_json::json!([
                {"id": "of_our_own", "title": "of_our_own", "count": 2},
                {"id": "security", "title": "Security", "count": 2},
                {"id": "web", "title": "Web Server", "count": 2, "parent_id": "observability", "parent_title": "Observability"},
            ])
        );
    }
}

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

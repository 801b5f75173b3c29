//! What the registry says beyond the packages: the titles and parents of categories, the ingestion method of an input.
//!
//! Facts that Elastic adds to every quarter. The tables that come with the product are only the default: a file of the
//! same form can stand in for each, since an isolated appliance cannot wait for a release.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTable {
    /// Not JSON of the expected form.
    #[error("table is not of the expected form")]
    Form(#[from] serde_json::Error),
    /// A parent that is not in the table, or has a parent itself: there are two levels.
    #[error("category {category:?} has parent {parent:?}, which is no category of the first level")]
    Parent {
        /// The category.
        category: String,
        /// The parent it names.
        parent: String,
    },
}

/// The known categories.
#[derive(Debug, Clone)]
pub struct Categories(BTreeMap<String, Category>);

/// What is known of a category.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The name people see.
    pub title: String,
    /// The category it is part of.
    pub parent: Option<String>,
}

impl Categories {
    /// Returns the categories that come with the product.
    pub fn built_in() -> Self {
        Self::parse(include_str!("tables/categories.json")).expect("a test reads this file")
    }

    /// Returns the categories that `json` lists: `{"<id>": {"title": "…", "parent": "<id>"}}`.
    pub fn parse(json: &str) -> Result<Self, InvalidTable> {
        let categories: BTreeMap<String, Category> = serde_json::from_str(json)?;
        for (id, category) in &categories {
            let Some(parent) = &category.parent else {
                continue;
            };
            if categories.get(parent).is_none_or(|p| p.parent.is_some()) {
                return Err(InvalidTable::Parent {
                    category: id.clone(),
                    parent: parent.clone(),
                });
            }
        }
        Ok(Self(categories))
    }

    /// Returns what is known of the category `id`.
    pub fn get(&self, id: &str) -> Option<&Category> {
        self.0.get(id)
    }

    /// Returns the ids of the categories that are part of `id`. Looks at each category.
    pub fn children<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let is_child = move |category: &Category| category.parent.as_deref() == Some(id);
        self.0
            .iter()
            .filter(move |(_, category)| is_child(category))
            .map(|(id, _)| id.as_str())
    }
}

/// How the inputs that packages name take in data.
#[derive(Debug, Clone)]
pub struct IngestionMethods(BTreeMap<String, String>);

impl IngestionMethods {
    /// Returns the methods that come with the product.
    pub fn built_in() -> Self {
        Self::parse(include_str!("tables/ingestion_methods.json")).expect("a test reads this file")
    }

    /// Returns the methods that `json` lists: `{"<input>": "<method>"}`.
    pub fn parse(json: &str) -> Result<Self, InvalidTable> {
        Ok(Self(serde_json::from_str(json)?))
    }

    /// Returns the ingestion method of `input`, such as `API` for `httpjson`.
    pub fn get(&self, input: &str) -> Option<&str> {
        self.0.get(input).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_that_come_with_the_product_can_be_read() {
        let categories = Categories::built_in();
        assert_eq!(categories.get("datastore").unwrap().title, "Database");
        let sub = categories.get("web").unwrap();
        assert_eq!(
            (sub.title.as_str(), sub.parent.as_deref()),
            ("Web Server", Some("observability"))
        );
        assert_eq!(
            categories.children("custom").collect::<Vec<_>>(),
            ["custom_logs"]
        );
        assert_eq!(categories.get("nope"), None);
        assert_eq!(IngestionMethods::built_in().get("httpjson"), Some("API"));
        assert_eq!(IngestionMethods::built_in().get("nope"), None);
    }

    #[test]
    fn a_parent_must_be_a_category_of_the_first_level() {
        for json in [
            r#"{"a": {"title": "A", "parent": "b"}}"#,
            r#"{"a": {"title": "A", "parent": "a"}}"#,
            r#"{"a": {"title": "A"}, "b": {"title": "B", "parent": "a"}, "c": {"title": "C", "parent": "b"}}"#,
        ] {
            assert!(
                matches!(Categories::parse(json), Err(InvalidTable::Parent { .. })),
                "{json}"
            );
        }
    }

    #[test]
    fn a_table_of_another_form_is_refused() {
        for json in [
            "",
            "[]",
            r#"{"a": "A"}"#,
            r#"{"a": {}}"#,
            r#"{"a": {"title": "A", "icon": "x"}}"#,
        ] {
            assert!(
                matches!(Categories::parse(json), Err(InvalidTable::Form(_))),
                "{json}"
            );
        }
        assert!(IngestionMethods::parse(r#"{"a": 1}"#).is_err());
    }
}

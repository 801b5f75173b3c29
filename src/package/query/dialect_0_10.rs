//! The same questions as registry 0.10 understood them, with which Kibana 7.9 was released.
//!
//! It knew six parameters, asked for the category before it chose the newest version, and took a package for
//! experimental or not by its `release` alone. Facts: the recording of that registry.

use super::parameters::{boolean, bounded, text, without_build};
use super::text::Parameter;
use super::{CategoriesQuery, InvalidQuery, Rules, SearchQuery};
use crate::limits::Limits;
use crate::package::parse_loose_version;

impl SearchQuery {
    /// Returns what the query string of a `/search` asks of a registry 0.10.
    ///
    /// `internal` must be a boolean and decides nothing: no fact says that a package is internal.
    pub fn parse_0_10(raw_query: &str, limits: &Limits) -> Result<Self, InvalidQuery> {
        let mut query = Self::default();
        let mut takes_experimental = false;
        for parameter in bounded(raw_query, limits)? {
            match parameter.name.as_slice() {
                b"kibana.version" => check_version(&parameter, &mut query)?,
                b"package" => query.package = text(&parameter),
                b"category" => query.category = text(&parameter),
                b"all" => query.is_of_all_versions = boolean("all", &parameter)?,
                b"experimental" => takes_experimental = boolean("experimental", &parameter)?,
                b"internal" => {
                    boolean("internal", &parameter)?;
                }
                _ => {}
            }
        }
        query.wanted.by = Rules::Of0_10 { takes_experimental };
        Ok(query)
    }
}

impl CategoriesQuery {
    /// Returns what the query string of a `/categories` asks of a registry 0.10: experimental packages or not.
    pub fn parse_0_10(raw_query: &str, limits: &Limits) -> Result<Self, InvalidQuery> {
        let mut query = Self::default();
        let mut takes_experimental = false;
        for parameter in bounded(raw_query, limits)? {
            if parameter.name == b"experimental" {
                takes_experimental = boolean("experimental", &parameter)?;
            }
        }
        query.search.wanted.by = Rules::Of0_10 { takes_experimental };
        Ok(query)
    }
}

fn check_version(parameter: &Parameter, query: &mut SearchQuery) -> Result<(), InvalidQuery> {
    let Some(text) = text(parameter) else {
        return Ok(());
    };
    let version = parse_loose_version(&text).map_err(|_| InvalidQuery::VersionOf0_10 { text })?;
    query.wanted.kibana = Some(without_build(version));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::examples::{constraint, offer, package, words};
    use super::*;
    use crate::package::{Categories, Facts};

    fn packages() -> [Facts; 5] {
        let experimental = |id| Facts {
            is_experimental: true,
            categories: words("web"),
            ..package(id)
        };
        [
            Facts {
                categories: words("web"),
                ..package("a 0.1.0")
            },
            package("a 0.2.0-rc.1"),
            experimental("a 0.3.0"),
            Facts {
                kibana: constraint(">=7.10.0"),
                ..experimental("b 0.2.0")
            },
            experimental("b 0.1.0"),
        ]
    }

    fn found(raw_query: &str) -> String {
        let packages = packages();
        let query = SearchQuery::parse_0_10(raw_query, &Limits::default()).unwrap();
        let selected = query.select(&offer(&packages), &Categories::built_in());
        let ids: Vec<_> = selected
            .iter()
            .map(|s| packages[s.position].id.to_string())
            .collect();
        ids.join(", ")
    }

    #[test]
    fn experimental_packages_must_be_asked_for_and_prereleases_not() {
        for (query, answer) in [
            ("", "a 0.2.0-rc.1"),
            (
                "prerelease=false&spec.min=9.0&type=nope&capabilities=x&discovery=",
                "a 0.2.0-rc.1",
            ),
            ("all=true", "a 0.1.0, a 0.2.0-rc.1"),
            ("experimental=true", "a 0.3.0, b 0.2.0"),
            ("experimental=true&internal=true&package=b", "b 0.2.0"),
            ("experimental=true&kibana.version=7.9.0", "a 0.3.0, b 0.1.0"),
            ("experimental=true&all=true&package=b", "b 0.1.0, b 0.2.0"),
        ] {
            assert_eq!(found(query), answer, "{query}");
        }
    }

    #[test]
    fn the_category_is_asked_of_each_version_and_has_no_parts() {
        assert_eq!(found("category=web"), "a 0.1.0");
        assert_eq!(found("category=observability&experimental=true"), "");
    }

    #[test]
    fn categories_are_counted_for_any_kibana() {
        for (query, answer) in [
            ("kibana.version=foo&include_policy_templates=foo", 0),
            ("experimental=true&kibana.version=7.0.0", 2),
        ] {
            let query = CategoriesQuery::parse_0_10(query, &Limits::default()).unwrap();
            let counts = query.count(&offer(&packages()), &Categories::built_in());
            assert_eq!(counts.iter().map(|c| c.count).sum::<usize>(), answer);
        }
    }

    #[test]
    fn its_refusals_have_their_own_texts() {
        for (query, message) in [
            (
                "kibana.version=8.5.0.1",
                "invalid Kibana version '8.5.0.1': Invalid Semantic Version",
            ),
            ("all=foo", "invalid 'all' query param: 'foo'"),
            (
                "experimental=foo",
                "invalid 'experimental' query param: 'foo'",
            ),
            ("internal=foo", "invalid 'internal' query param: 'foo'"),
        ] {
            let error = SearchQuery::parse_0_10(query, &Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let error =
            CategoriesQuery::parse_0_10("experimental=foo", &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid 'experimental' query param: 'foo'"
        );
    }
}

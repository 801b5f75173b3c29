//! A query string in, a query out, or the one line that says what is wrong with it.
//!
//! The texts of the errors are bodies of HTTP 400 answers, as the reference registry writes them. Of several wrong
//! parameters the first in the query string is told.

use semver::{BuildMetadata, Version};

use super::text::{Parameter, parameters, quoted};
use super::{CategoriesQuery, Conditions, DiscoveryFilter, Rules, SearchQuery, Wanted};
use crate::limits::Limits;
use crate::package::{InvalidVersion, parse_loose_version};

/// A query string that asks nothing one could answer. Clients read the text, so it holds its reason too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// More bytes than [`Limits::query_bytes`].
    #[error("query string of {bytes} bytes, {max_bytes} allowed")]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// `kibana.version` or `agent.version`.
    #[error("invalid {product} version '{text}': {reason}")]
    Version {
        /// `Kibana` or `agent`.
        product: &'static str,
        /// The value.
        text: String,
        /// What is wrong with it.
        reason: InvalidVersion,
    },
    /// `spec.min` or `spec.max` that is not two numbers with a point between.
    #[error(
        "invalid '{parameter}' version: invalid version '{text}': it should be <major.version>"
    )]
    SpecForm {
        /// The parameter.
        parameter: &'static str,
        /// The value.
        text: String,
    },
    /// `spec.min` or `spec.max` that is no version.
    #[error("invalid '{parameter}' version: invalid spec version '{text}': {reason}")]
    Spec {
        /// The parameter.
        parameter: &'static str,
        /// The value.
        text: String,
        /// What is wrong with it.
        reason: InvalidVersion,
    },
    /// Neither true nor false.
    #[error("invalid '{parameter}' query param: '{text}'")]
    Boolean {
        /// The parameter.
        parameter: &'static str,
        /// The value.
        text: String,
    },
    /// `discovery` without a colon.
    #[error("invalid 'discovery' query param: '{text}': could not parse filter {quoted}")]
    DiscoveryForm {
        /// The value.
        text: String,
        /// The value in quotes.
        quoted: String,
    },
    /// `discovery` by something other than fields and datasets.
    #[error("invalid 'discovery' query param: '{text}': unknown discovery filter {quoted}")]
    DiscoveryKind {
        /// The value.
        text: String,
        /// What it is by, in quotes.
        quoted: String,
    },
}

impl SearchQuery {
    /// Returns what the query string of a `/search` asks, `raw_query` being what follows the `?`, still encoded.
    ///
    /// Unknown parameters are ignored, and so is the value of `internal`, which clients still send.
    pub fn parse(raw_query: &str, limits: &Limits) -> Result<Self, InvalidQuery> {
        let mut draft = Draft::default();
        let mut query = Self::default();
        for parameter in bounded(raw_query, limits)? {
            match parameter.name.as_slice() {
                b"package" => query.package = text(&parameter),
                b"type" => query.package_type = text(&parameter),
                b"category" => query.category = text(&parameter),
                b"all" => query.is_of_all_versions = boolean("all", &parameter)?,
                _ => draft.read(&parameter)?,
            }
        }
        query.wanted = draft.into_wanted();
        Ok(query)
    }
}

impl CategoriesQuery {
    /// Returns what the query string of a `/categories` asks, `raw_query` being what follows the `?`, still encoded.
    ///
    /// Unknown parameters are ignored, those that only `/search` knows among them.
    pub fn parse(raw_query: &str, limits: &Limits) -> Result<Self, InvalidQuery> {
        let mut draft = Draft::default();
        let mut query = Self::default();
        for parameter in bounded(raw_query, limits)? {
            match parameter.name.as_slice() {
                b"include_policy_templates" => {
                    query.counts_policy_templates =
                        boolean("include_policy_templates", &parameter)?;
                }
                _ => draft.read(&parameter)?,
            }
        }
        query.search.wanted = draft.into_wanted();
        Ok(query)
    }
}

/// The parameters that both requests take.
#[derive(Default)]
struct Draft {
    kibana: Option<Version>,
    is_legacy: bool,
    conditions: Conditions,
}

impl Draft {
    fn read(&mut self, parameter: &Parameter) -> Result<(), InvalidQuery> {
        let conditions = &mut self.conditions;
        match parameter.name.as_slice() {
            b"kibana.version" => self.kibana = version("Kibana", parameter)?,
            b"experimental" => self.is_legacy = boolean("experimental", parameter)?,
            b"prerelease" => conditions.takes_prereleases = boolean("prerelease", parameter)?,
            b"agent.version" => conditions.agent = version("agent", parameter)?,
            b"capabilities" => conditions.capabilities = text(parameter).map(|t| names(&t)),
            b"spec.min" => conditions.spec_min = spec("spec.min", parameter)?,
            b"spec.max" => conditions.spec_max = spec("spec.max", parameter)?,
            b"discovery" => conditions.discovery = discovery(parameter)?,
            _ => {}
        }
        Ok(())
    }

    fn into_wanted(self) -> Wanted {
        Wanted {
            kibana: self.kibana,
            by: match self.is_legacy {
                true => Rules::Legacy,
                false => Rules::Current(self.conditions),
            },
        }
    }
}

fn bounded(raw_query: &str, limits: &Limits) -> Result<Vec<Parameter>, InvalidQuery> {
    if raw_query.len() > limits.query_bytes {
        return Err(InvalidQuery::TooLong {
            bytes: raw_query.len(),
            max_bytes: limits.query_bytes,
        });
    }
    Ok(parameters(raw_query))
}

/// Returns the value, `None` when it is empty. Bytes that are not UTF-8 become U+FFFD: no package says that of itself.
fn text(parameter: &Parameter) -> Option<String> {
    let text = String::from_utf8_lossy(parameter.first());
    (!text.is_empty()).then(|| text.into_owned())
}

/// Reads what Go's `strconv.ParseBool` takes; empty is false.
fn boolean(name: &'static str, parameter: &Parameter) -> Result<bool, InvalidQuery> {
    match parameter.first() {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Ok(true),
        b"" | b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Ok(false),
        other => Err(InvalidQuery::Boolean {
            parameter: name,
            text: String::from_utf8_lossy(other).into_owned(),
        }),
    }
}

fn version(product: &'static str, parameter: &Parameter) -> Result<Option<Version>, InvalidQuery> {
    let Some(text) = text(parameter) else {
        return Ok(None);
    };
    match parse_loose_version(&text) {
        Ok(version) => Ok(Some(without_build(version))),
        Err(reason) => Err(InvalidQuery::Version {
            product,
            text,
            reason,
        }),
    }
}

fn spec(name: &'static str, parameter: &Parameter) -> Result<Option<Version>, InvalidQuery> {
    let Some(text) = text(parameter) else {
        return Ok(None);
    };
    if text.split('.').count() != 2 {
        return Err(InvalidQuery::SpecForm {
            parameter: name,
            text,
        });
    }
    match parse_loose_version(&text) {
        Ok(version) => Ok(Some(without_build(version))),
        Err(reason) => Err(InvalidQuery::Spec {
            parameter: name,
            text,
            reason,
        }),
    }
}

/// Build metadata decides nothing, so it must not tell queries apart.
fn without_build(version: Version) -> Version {
    Version {
        build: BuildMetadata::EMPTY,
        ..version
    }
}

fn discovery(parameter: &Parameter) -> Result<Vec<DiscoveryFilter>, InvalidQuery> {
    let filters: Result<Vec<_>, _> = parameter.values.iter().map(|v| filter(v)).collect();
    let mut filters = filters?;
    filters.sort();
    filters.dedup();
    Ok(filters)
}

fn filter(value: &[u8]) -> Result<DiscoveryFilter, InvalidQuery> {
    let text = String::from_utf8_lossy(value).into_owned();
    let Some((kind, listed)) = text.split_once(':') else {
        return Err(InvalidQuery::DiscoveryForm {
            quoted: quoted(value),
            text,
        });
    };
    match kind {
        "fields" => Ok(DiscoveryFilter::Fields(names(listed))),
        "datasets" => Ok(DiscoveryFilter::Datasets(names(listed))),
        _ => Err(InvalidQuery::DiscoveryKind {
            quoted: quoted(value.split(|b| *b == b':').next().unwrap_or_default()),
            text,
        }),
    }
}

/// Splits at commas. Empty names stay: a list of one empty name is a list that matches nothing.
fn names(listed: &str) -> Vec<String> {
    let mut names: Vec<String> = listed.split(',').map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(raw_query: &str) -> SearchQuery {
        SearchQuery::parse(raw_query, &Limits::default()).unwrap()
    }

    fn categories(raw_query: &str) -> CategoriesQuery {
        CategoriesQuery::parse(raw_query, &Limits::default()).unwrap()
    }

    #[test]
    fn queries_that_mean_the_same_are_equal() {
        for (one, other) in [
            (
                "",
                "&&kibana.version=&all=&type=&category=&package=&capabilities=&spec.min=&prerelease=",
            ),
            (
                "",
                "unknown=1&internal=foo&include_policy_templates=foo&%zz=1&all=true;prerelease=1",
            ),
            ("", "all=false&experimental=0&prerelease=F"),
            ("", "Prerelease=true&kibana.Version=8"),
            ("all=true&package=a", "package=a&all=T"),
            ("package=a", "%70ackage=%61&package=b"),
            (
                "kibana.version=8.5",
                "kibana.version=v8.5.0%2Bbuild&kibana.version=foo",
            ),
            ("capabilities=a,b", "capabilities=b,a,b"),
            (
                "discovery=fields:a,b&discovery=datasets:c",
                "discovery=datasets:c&discovery=fields:b,a&discovery=datasets:c",
            ),
            (
                "experimental=true",
                "experimental=1&prerelease=1&spec.max=3.0&capabilities=a&discovery=fields:a&agent.version=9",
            ),
            ("prerelease=true", "prerelease=true&prerelease=false"),
        ] {
            assert_eq!(search(one), search(other), "{other}");
        }
        assert_eq!(
            categories(""),
            categories("all=true&type=input&package=a&category=b")
        );
        assert_eq!(
            categories("experimental=1"),
            categories("experimental=1&prerelease=1")
        );
    }

    #[test]
    fn queries_that_differ_are_not_equal() {
        let queries = [
            "",
            "all=1",
            "package=a",
            "package=A",
            "type=a",
            "category=a",
            "prerelease=1",
            "experimental=1",
            "experimental=1&all=1",
            "kibana.version=8",
            "kibana.version=8.0.0-rc.1",
            "agent.version=8",
            "spec.min=3.0",
            "spec.max=3.0",
            "capabilities=a",
            "capabilities=,",
            "discovery=fields:a",
            "discovery=datasets:a",
            "discovery=fields:",
            "discovery=fields:a&discovery=fields:b",
            "package=+a",
        ];
        for (i, one) in queries.iter().enumerate() {
            for other in &queries[i + 1..] {
                assert_ne!(search(one), search(other), "{one} {other}");
            }
        }
        assert_ne!(categories(""), categories("include_policy_templates=1"));
    }

    #[test]
    fn each_refusal_has_the_text_that_clients_know() {
        for (raw_query, message) in [
            (
                "kibana.version=foo",
                "invalid Kibana version 'foo': invalid semantic version",
            ),
            (
                "kibana.version=8.5.0.1",
                "invalid Kibana version '8.5.0.1': invalid semantic version",
            ),
            (
                "kibana.version=8.5.0%20",
                "invalid Kibana version '8.5.0 ': invalid semantic version",
            ),
            (
                "kibana.version=8.5.0-01",
                "invalid Kibana version '8.5.0-01': version segment starts with 0",
            ),
            (
                "agent.version=foo",
                "invalid agent version 'foo': invalid semantic version",
            ),
            (
                "spec.min=foo",
                "invalid 'spec.min' version: invalid version 'foo': it should be <major.version>",
            ),
            (
                "spec.max=2.10.1",
                "invalid 'spec.max' version: invalid version '2.10.1': it should be <major.version>",
            ),
            (
                "spec.max=3",
                "invalid 'spec.max' version: invalid version '3': it should be <major.version>",
            ),
            (
                "spec.max=3.x",
                "invalid 'spec.max' version: invalid spec version '3.x': invalid semantic version",
            ),
            ("prerelease=foo", "invalid 'prerelease' query param: 'foo'"),
            (
                "experimental=yes",
                "invalid 'experimental' query param: 'yes'",
            ),
            (
                "experimental=tRUE",
                "invalid 'experimental' query param: 'tRUE'",
            ),
            (
                "discovery=",
                r#"invalid 'discovery' query param: '': could not parse filter """#,
            ),
            (
                "discovery",
                r#"invalid 'discovery' query param: '': could not parse filter """#,
            ),
            (
                "discovery=fields",
                r#"invalid 'discovery' query param: 'fields': could not parse filter "fields""#,
            ),
            (
                "discovery=foo:bar",
                r#"invalid 'discovery' query param: 'foo:bar': unknown discovery filter "foo""#,
            ),
            (
                "discovery=:fields:",
                r#"invalid 'discovery' query param: ':fields:': unknown discovery filter """#,
            ),
            (
                "discovery=%22%ff",
                r#"invalid 'discovery' query param: '"�': could not parse filter "\"\xff""#,
            ),
            (
                "discovery=fields:a&discovery=%e9:b",
                r#"invalid 'discovery' query param: '�:b': unknown discovery filter "\xe9""#,
            ),
            // The legacy rules do not look at it, but it must still be right.
            (
                "experimental=true&spec.max=3",
                "invalid 'spec.max' version: invalid version '3': it should be <major.version>",
            ),
        ] {
            let search = SearchQuery::parse(raw_query, &Limits::default());
            assert_eq!(search.unwrap_err().to_string(), message, "{raw_query}");
            let categories = CategoriesQuery::parse(raw_query, &Limits::default());
            assert_eq!(categories.unwrap_err().to_string(), message, "{raw_query}");
        }
        let all = SearchQuery::parse("all=foo", &Limits::default());
        assert_eq!(
            all.unwrap_err().to_string(),
            "invalid 'all' query param: 'foo'"
        );
        let included = CategoriesQuery::parse("include_policy_templates=foo", &Limits::default());
        assert_eq!(
            included.unwrap_err().to_string(),
            "invalid 'include_policy_templates' query param: 'foo'"
        );
    }

    #[test]
    fn of_several_wrong_parameters_the_first_is_told() {
        for (raw_query, parameter) in [
            ("all=x&prerelease=y", "all"),
            ("prerelease=y&all=x", "prerelease"),
            ("prerelease=1&all=x&prerelease=y", "all"),
            ("discovery=fields:a&all=x&discovery=y", "discovery"),
        ] {
            let error = SearchQuery::parse(raw_query, &Limits::default()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("invalid '{parameter}' ")),
                "{error}"
            );
        }
        let error = CategoriesQuery::parse(
            "include_policy_templates=x&prerelease=y",
            &Limits::default(),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "invalid 'include_policy_templates' query param: 'x'"
        );
    }

    #[test]
    fn a_query_is_bounded() {
        let limits = Limits {
            query_bytes: 5,
            ..Limits::default()
        };
        assert!(SearchQuery::parse("all=1", &limits).is_ok());
        let error = SearchQuery::parse("all=01", &limits).unwrap_err();
        assert_eq!(error.to_string(), "query string of 6 bytes, 5 allowed");
    }
}

//! The lens: which distribution is looked at, as which Kibana, and when. It stands in every address of a page.
//!
//! What cannot be read is left out: an address that was typed or is old shows what is served now.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use semver::Version;
use serde::Deserialize;

use crate::distribution::DistributionName;
use crate::package::takes_experimental;
use crate::store::change_sets::ChangeSetId;

/// What stays as it is in a query string.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lens {
    /// The distribution.
    pub distribution: DistributionName,
    /// As which Kibana; `None`: what is there for any.
    pub kibana: Option<Version>,
    /// Right after which change set; `None` is now.
    pub at: Option<ChangeSetId>,
}

#[derive(Deserialize, Default)]
struct Asked {
    d: Option<String>,
    kibana: Option<String>,
    at: Option<String>,
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            distribution: DistributionName::default_distribution(),
            kibana: None,
            at: None,
        }
    }
}

impl Lens {
    /// Returns the lens of an address with this query string.
    pub(super) fn of_query(query: &str) -> Self {
        let asked: Asked = serde_urlencoded::from_str(query).unwrap_or_default();
        let distribution = asked.d.and_then(|name| DistributionName::parse(&name).ok());
        Self {
            distribution: distribution.unwrap_or_else(DistributionName::default_distribution),
            kibana: asked.kibana.and_then(|text| version(text.trim())),
            at: asked.at.and_then(|text| text.parse().ok().map(ChangeSetId)),
        }
    }

    /// Returns the same lens on another distribution.
    pub(super) fn on(&self, distribution: &str) -> Self {
        let name = DistributionName::parse(distribution);
        Self {
            distribution: name.unwrap_or_else(|_| self.distribution.clone()),
            ..self.clone()
        }
    }

    /// Returns the parameters that say it; none where it is what is served at `/` now.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if self.distribution != DistributionName::default_distribution() {
            parameters.push(("d", self.distribution.to_string()));
        }
        if let Some(kibana) = &self.kibana {
            parameters.push(("kibana", kibana.to_string()));
        }
        if let Some(at) = self.at {
            parameters.push(("at", at.0.to_string()));
        }
        parameters
    }

    /// Returns the address of the page at `path`, below `/admin`, under this lens, with further parameters.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let own = self.parameters();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let mut address = format!("/admin{path}");
        for (index, (name, value)) in own.chain(more.iter().copied()).enumerate() {
            address.push(if index == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            address.extend(utf8_percent_encode(value, PLAIN));
        }
        address
    }

    /// Returns what a Kibana is called, empty where none is meant.
    pub fn kibana_text(&self) -> String {
        self.kibana
            .as_ref()
            .map(Version::to_string)
            .unwrap_or_default()
    }

    /// Tells whether it looks at the moment after a change set.
    pub fn is_at(&self, number: &i64) -> bool {
        self.at.is_some_and(|at| at.0 == *number)
    }

    /// Returns the query string by which this Kibana asks for its list of packages; all that is final where none is meant.
    pub(super) fn query(&self) -> String {
        match &self.kibana {
            Some(kibana) => query_of(kibana),
            None => "prerelease=true".to_owned(),
        }
    }

    /// Returns what operations call the place that is looked at: `prod`, or `prod@7`.
    pub(super) fn place(&self) -> String {
        match self.at {
            Some(at) => format!("{}@{}", self.distribution, at.0),
            None => self.distribution.to_string(),
        }
    }
}

/// Returns the query string by which a Kibana asks which version of a package to install.
pub(super) fn query_of(kibana: &Version) -> String {
    let experimental = match takes_experimental(kibana) {
        true => "&experimental=true",
        false => "",
    };
    format!("kibana.version={kibana}{experimental}")
}

/// Returns the version that is meant by `9.2.0`, `v9.2.0` or `9.2`.
fn version(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    Version::parse(text)
        .or_else(|_| Version::parse(&format!("{text}.0")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lens_comes_back_from_its_own_address() {
        for query in [
            "",
            "d=prod",
            "kibana=9.2.0",
            "d=9.2.0%2B2026-11-22&kibana=8.5.0&at=12",
        ] {
            let lens = Lens::of_query(query);
            let address = lens.address("/packages", &[]);
            let expected = match query {
                "" => "/admin/packages".to_owned(),
                query => format!("/admin/packages?{query}"),
            };
            assert_eq!(address, expected);
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for query in [
            "d=../etc",
            "kibana=nine",
            "at=x",
            "d=%FF&at=",
            "=&=&&",
            "kibana=",
        ] {
            assert_eq!(Lens::of_query(query), Lens::default(), "{query}");
        }
    }

    #[test]
    fn a_kibana_may_be_named_in_short() {
        for text in ["9.2.0", "v9.2.0", "9.2", " 9.2 "] {
            let lens = Lens::of_query(&serde_urlencoded::to_string([("kibana", text)]).unwrap());
            assert_eq!(lens.kibana_text(), "9.2.0", "{text}");
        }
    }

    #[test]
    fn further_parameters_are_encoded() {
        let address = Lens::default().address("/packages", &[("q", "a b&c=\"<")]);
        assert_eq!(address, "/admin/packages?q=a%20b%26c%3D%22%3C");
    }
}

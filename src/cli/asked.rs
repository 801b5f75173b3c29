//! What a Kibana asks of `/search`, as arguments of a command.

use clap::Args;
use semver::Version;

use super::CliError;
use crate::package::takes_experimental;

/// What is asked of `/search`.
#[derive(Debug, Args)]
pub(super) struct AskedArgs {
    /// Only what /search answers to a Kibana of this version
    #[arg(long, value_name = "VERSION")]
    pub(super) kibana: Option<String>,
    /// Prereleases and experimental packages too
    #[arg(long)]
    prerelease: bool,
    /// More parameters of /search, as a request log has them: 'spec.max=3.4'
    #[arg(long, value_name = "PARAMETERS")]
    query: Option<String>,
}

impl AskedArgs {
    /// Returns the query string of a list of packages; `None` where nothing is asked. Of a parameter that is given twice the
    /// flag counts.
    pub(super) fn query(&self) -> Result<Option<String>, CliError> {
        self.query_with(&[])
    }

    /// Returns the query string of the question which version of a package to install: a Kibana up to 8.5 asks for what is
    /// experimental too (contract, Kibana's requests).
    pub(super) fn install_query(&self) -> Result<String, CliError> {
        let version = self.kibana.as_ref().and_then(|it| Version::parse(it).ok());
        let takes_experimental = version.as_ref().is_some_and(takes_experimental);
        let is_said = self.prerelease || self.says("experimental");
        let more: &[_] = match takes_experimental && !is_said {
            true => &[("experimental", "true")],
            false => &[],
        };
        Ok(self.query_with(more)?.unwrap_or_default())
    }

    fn says(&self, parameter: &str) -> bool {
        let more = self.query.as_deref().unwrap_or_default();
        more.rsplit('?')
            .flat_map(|it| it.split('&'))
            .any(|it| it.split('=').next() == Some(parameter))
    }

    fn query_with(&self, more: &[(&str, &str)]) -> Result<Option<String>, CliError> {
        let mut parameters = Vec::new();
        if let Some(version) = &self.kibana {
            parameters.push(("kibana.version", version.as_str()));
        }
        if self.prerelease {
            parameters.push(("prerelease", "true"));
        }
        parameters.extend(more);
        let mut query = serde_urlencoded::to_string(parameters)
            .map_err(|error| CliError::new("cannot write the query").caused_by(&error))?;
        if let Some(more) = &self.query {
            // A whole address is as good as what follows its question mark.
            let more = more
                .rsplit_once('?')
                .map_or(more.as_str(), |(_, more)| more);
            if !query.is_empty() && !more.is_empty() {
                query.push('&');
            }
            query.push_str(more);
        }
        Ok((!query.is_empty()).then_some(query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_what_is_copied_from_a_log() {
        let query = |kibana: Option<&str>, prerelease, query: Option<&str>| {
            let [kibana, query] = [kibana, query].map(|it| it.map(str::to_owned));
            let asked = AskedArgs {
                kibana,
                prerelease,
                query,
            };
            asked.query().unwrap()
        };
        assert_eq!(query(None, false, None), None);
        assert_eq!(query(None, false, Some("")), None);
        assert_eq!(
            query(Some("8.5.0&x"), true, Some("GET /search?package=a&all=1")).unwrap(),
            "kibana.version=8.5.0%26x&prerelease=true&package=a&all=1"
        );
        assert_eq!(query(None, true, Some("")).unwrap(), "prerelease=true");
    }

    #[test]
    fn a_kibana_up_to_8_5_asks_for_experimental_packages_too_before_it_installs_one() {
        let install = |kibana: &str, query: &str| {
            let asked = AskedArgs {
                kibana: Some(kibana.to_owned()),
                prerelease: false,
                query: Some(query.to_owned()),
            };
            asked.install_query().unwrap()
        };
        for (kibana, query, expected) in [
            ("8.5.3", "", "kibana.version=8.5.3&experimental=true"),
            ("8.6.0", "", "kibana.version=8.6.0"),
            ("eight", "", "kibana.version=eight"),
            (
                "7.17.0",
                "/search?experimental=false",
                "kibana.version=7.17.0&experimental=false",
            ),
        ] {
            assert_eq!(install(kibana, query), expected);
        }
    }
}

//! What a Kibana asks of `/search`, as arguments of a command.

use clap::Args;

use super::CliError;

/// What is asked of `/search`.
#[derive(Debug, Args)]
pub(super) struct AskedArgs {
    /// Only what /search answers to a Kibana of this version
    #[arg(long, value_name = "VERSION")]
    pub(super) kibana: Option<String>,
    /// Prereleases and experimental packages too
    #[arg(long)]
    prerelease: bool,
    /// More parameters of /search, as a request log has them: 'spec.max=3.4'; Kibana up to 8.5 asks 'experimental=true'
    #[arg(long, value_name = "PARAMETERS")]
    query: Option<String>,
}

impl AskedArgs {
    /// Returns the query string; `None` where nothing is asked. Of a parameter that is given twice the flag counts.
    pub(super) fn query(&self) -> Result<Option<String>, CliError> {
        let mut parameters = Vec::new();
        if let Some(version) = &self.kibana {
            parameters.push(("kibana.version", version.as_str()));
        }
        if self.prerelease {
            parameters.push(("prerelease", "true"));
        }
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
}

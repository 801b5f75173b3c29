//! What has to stand in Kibana's own configuration so that it asks this registry.
//!
//! It knows Kibana's settings by version and nothing of the store. Its facts are Kibana's configuration schemas: the plugin
//! was called Ingest Manager until 7.9, `isAirGapped` came with 8.13, and a setting that a Kibana does not know ends it.

use hyper::Uri;
use semver::Version;
use serde::Serialize;

/// The first Kibana that has [`KibanaConfig::settings`] at all.
const OLDEST: Version = Version::new(7, 9, 0);
/// The first one that installs zips, which is what a registry offers.
const ZIPS: Version = Version::new(7, 10, 0);
/// The first one that takes an address of one's own without a paid licence.
const FREE: Version = Version::new(7, 16, 0);
/// The first one that knows `isAirGapped`.
const AIR_GAPPED: Version = Version::new(8, 13, 0);

/// What a Kibana is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KibanaConfig {
    /// Its version.
    pub kibana: String,
    /// The lines of its `kibana.yml`, in order.
    pub settings: Vec<Setting>,
    /// What is to be known beyond that, a sentence each.
    pub notes: Vec<String>,
}

/// A line of `kibana.yml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// Its value.
    pub value: serde_json::Value,
}

/// Why no Kibana can be told so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KibanaConfigError {
    /// It has no Fleet that asks a registry of one's own.
    #[error("Kibana {0} does not ask a registry: 7.9 was the first that did")]
    TooOld(Version),
    /// It is no address of a registry.
    #[error("{url:?} is no address of a registry: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Returns what a Kibana of version `kibana` is told so that it asks the registry at `url`.
///
/// `url` has a path where a distribution is meant (`https://epr.site:8443/d/prod`), and a user and password where the
/// registry asks for one.
pub fn kibana_config(kibana: Version, url: &str) -> Result<KibanaConfig, KibanaConfigError> {
    // A snapshot of a version has what the version has.
    let release = Version::new(kibana.major, kibana.minor, kibana.patch);
    if release < OLDEST {
        return Err(KibanaConfigError::TooOld(kibana));
    }
    let (url, has_password) = checked(url)?;
    let mut settings = Vec::new();
    let mut set = |key, value| settings.push(Setting { key, value });
    if release < ZIPS {
        set("xpack.ingestManager.enabled", true.into());
        set("xpack.ingestManager.registryUrl", url.into());
    } else {
        set("xpack.fleet.registryUrl", url.into());
    }
    if release >= AIR_GAPPED {
        set("xpack.fleet.isAirGapped", true.into());
    }
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    if release < ZIPS {
        note(
            "Kibana 7.9 lists the packages but installs none: it wants them as .tar.gz, and registries offer zips. 7.10 installs them.",
        );
    }
    if release < FREE {
        note(match release >= ZIPS {
            true => "Kibana 7.10 to 7.15 takes registryUrl with an Enterprise licence only.",
            false => "Kibana 7.9 takes registryUrl with a Gold licence or higher only.",
        });
    }
    if release < AIR_GAPPED {
        note(
            "Leave xpack.fleet.isAirGapped out: it came with 8.13, and an earlier Kibana does not start with a setting that it does not know.",
        );
    }
    if has_password {
        note(
            "Kibana writes this address, password included, to its log when the registry cannot be reached. `kibana-keystore add xpack.fleet.registryUrl` keeps it out of kibana.yml.",
        );
    }
    Ok(KibanaConfig {
        kibana: kibana.to_string(),
        settings,
        notes,
    })
}

/// Returns `url` without a slash at its end, which Kibana would double, and whether it holds a user and password.
fn checked(url: &str) -> Result<(&str, bool), KibanaConfigError> {
    let wrong = |reason| KibanaConfigError::Url {
        url: url.to_owned(),
        reason,
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("it begins with neither http:// nor https://"));
    }
    // An URI keeps no fragment.
    if uri.query().is_some() || url.contains('#') {
        return Err(wrong("Kibana appends paths to it, so it ends with a path"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
    if uri
        .host()
        .is_none_or(|host| host.is_empty() || matches!(host, "0.0.0.0" | "[::]"))
    {
        return Err(wrong("it names no host that Kibana can ask"));
    }
    Ok((url.trim_end_matches('/'), authority.as_str().contains('@')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kibana: &str, url: &str) -> Vec<String> {
        let config = kibana_config(kibana.parse().unwrap(), url).unwrap();
        let settings = config.settings.iter();
        settings
            .map(|setting| format!("{}: {}", setting.key, setting.value))
            .collect()
    }

    #[test]
    fn each_kibana_is_told_what_it_knows() {
        let url = "http://epr.site:8080/d/prod";
        let fleet = r#"xpack.fleet.registryUrl: "http://epr.site:8080/d/prod""#;
        let air_gapped = "xpack.fleet.isAirGapped: true";
        for kibana in ["8.13.0", "8.13.0-SNAPSHOT", "9.1.0", "10.0.0"] {
            assert_eq!(lines(kibana, url), [fleet, air_gapped], "{kibana}");
        }
        for kibana in ["7.10.0", "7.17.28", "8.12.2"] {
            assert_eq!(lines(kibana, url), [fleet], "{kibana}");
        }
        assert_eq!(
            lines("7.9.3", url),
            [
                "xpack.ingestManager.enabled: true",
                r#"xpack.ingestManager.registryUrl: "http://epr.site:8080/d/prod""#
            ]
        );
        let too_old = kibana_config(Version::new(7, 8, 1), url).unwrap_err();
        assert_eq!(too_old, KibanaConfigError::TooOld(Version::new(7, 8, 1)));
    }

    #[test]
    fn a_slash_at_the_end_is_not_doubled_and_a_password_is_warned_of() {
        let line = r#"xpack.fleet.registryUrl: "https://kibana:p%40ss@[fd00::1]:8443/d/prod""#;
        let url = "https://kibana:p%40ss@[fd00::1]:8443/d/prod/";
        assert_eq!(lines("8.12.0", url), [line]);
        let notes = |url| kibana_config(Version::new(9, 1, 0), url).unwrap().notes;
        assert_eq!(notes(url).len(), 1);
        assert!(notes("https://epr.site").is_empty());
    }

    #[test]
    fn what_kibana_cannot_ask_is_refused() {
        for url in [
            "",
            "epr.site",
            "epr.site:8080",
            "/d/prod",
            "ftp://epr.site",
            "http://",
            "http://:8080",
            "http://user:pw@",
            "http://0.0.0.0:8080",
            "http://[::]:8080",
            "http://epr.site/?a=b",
            "http://epr.site/#prod",
            "http://epr.site/d/p rod",
            "http://epr.site\nxpack.fleet.enabled: false",
        ] {
            let error = kibana_config(Version::new(9, 1, 0), url);
            assert!(
                matches!(error, Err(KibanaConfigError::Url { .. })),
                "{url:?}: {error:?}"
            );
        }
    }
}

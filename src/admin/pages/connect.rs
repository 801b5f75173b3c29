//! What has to stand in a Kibana's own configuration so that it asks this registry.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use semver::Version;

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::kibana_config::kibana_config;
use crate::admin::routes::Operator;
use crate::admin::status::Service;
use crate::distribution::DistributionName;
use crate::store::{Store, branches};

#[derive(Template)]
#[template(path = "connect.html")]
struct Connect {
    frame: Frame,
    tabs: Vec<Tab>,
    kibana: String,
    url: String,
    lines: Option<Lines>,
    problem: Option<String>,
    /// What prints the rest, where Kibana has to trust a certificate.
    command: Option<String>,
    is_own_machine: bool,
}

/// The lines of a `kibana.yml`.
pub(super) struct Lines {
    pub(super) kibana: String,
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let host = host(&request);
    view(&request, &operator, Section::Kibanas, move |asked| {
        connect(asked, host.as_deref())
    })
    .await
}

fn connect(asked: Asked, host: Option<&str>) -> Result<Connect, OperationError> {
    let url = match asked.frame.own("url").map(str::trim) {
        Some(url) if !url.is_empty() => url.to_owned(),
        _ => proposed(&asked, host),
    };
    let kibana = likeliest(&asked)?;
    let made = kibana.as_ref().map(|kibana| made(kibana, &url));
    let (lines, problem) = match made {
        Some(Ok(lines)) => (Some(lines), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    Ok(Connect {
        tabs: tabs::kibanas(&asked.frame, "/kibanas/connect"),
        kibana: kibana.map(|it| it.to_string()).unwrap_or_default(),
        command: lines.as_ref().and_then(|lines| command(lines, &url)),
        is_own_machine: is_own_machine(&url),
        url,
        lines,
        problem,
        frame: asked.frame.titled("Connect a Kibana"),
    })
}

/// Returns the lines for the likeliest Kibana, where one is known.
pub(super) fn lines(asked: &Asked, host: Option<&str>) -> Result<Option<Lines>, OperationError> {
    let url = proposed(asked, host);
    let kibana = likeliest(asked)?;
    Ok(kibana.and_then(|kibana| made(&kibana, &url).ok()))
}

fn made(kibana: &Version, url: &str) -> Result<Lines, String> {
    let config = kibana_config(kibana.clone(), url).map_err(|error| error.to_string())?;
    let lines = config.settings.iter();
    let lines: Vec<_> = lines
        .map(|setting| format!("{}: {}", setting.key, setting.value))
        .collect();
    Ok(Lines {
        kibana: config.kibana,
        text: lines.join("\n"),
        notes: config.notes,
    })
}

/// Returns the command that prints the files for a Kibana that has to trust a certificate.
fn command(lines: &Lines, url: &str) -> Option<String> {
    let kibana = &lines.kibana;
    // An address may come from a link, and is copied into a shell.
    let url = url.replace('\'', "%27");
    url.starts_with("https:")
        .then(|| format!("airlock kibana-config --kibana {kibana} --url '{url}' --ca ca.pem"))
}

/// Returns the Kibana that is meant: that of the lens, else the newest one that asked, else that of the newest release.
fn likeliest(asked: &Asked) -> Result<Option<Version>, OperationError> {
    if let Some(kibana) = &asked.frame.lens.kibana {
        return Ok(Some(kibana.clone()));
    }
    let seen = asked.frame.kibanas.iter();
    let newest = seen.filter_map(|it| Version::parse(it).ok()).max();
    match newest {
        Some(newest) => Ok(Some(newest)),
        None => newest_release(asked.store()),
    }
}

fn newest_release(store: &Store) -> Result<Option<Version>, OperationError> {
    let all = store.read(branches::all)?;
    let versions = all.iter().filter_map(|branch| {
        let name = branch.name.as_str();
        Version::parse(name.split('+').next().unwrap_or(name)).ok()
    });
    Ok(versions.max())
}

/// Returns the host by which the registry was reached for this very request, with its port.
pub(super) fn host(request: &HttpRequest) -> Option<String> {
    let is_plain = |host: &str| !host.is_empty() && !host.contains(['/', '@', ' ', '<', '"']);
    Some(request.connection_info().host().to_owned()).filter(|host| is_plain(host))
}

fn proposed(asked: &Asked, host: Option<&str>) -> String {
    let service = &asked.operator.service;
    let names = match &service.tls {
        Some(tls) => tls.report(asked.frame.now).names,
        None => Vec::new(),
    };
    url(service, &names, host, &asked.frame.lens.distribution)
}

/// Returns where a Kibana reaches a distribution: by a name of the certificate, else at the address that is listened at,
/// else where this request came to.
fn url(
    service: &Service,
    names: &[String],
    host: Option<&str>,
    distribution: &DistributionName,
) -> String {
    let scheme = if service.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let first = service.addresses.iter().find(|it| !it.contains('/'));
    let split = first.and_then(|it| it.rsplit_once(':'));
    let (address, port) = split.unwrap_or(("", ""));
    let is_every = matches!(address, "" | "0.0.0.0" | "[::]");
    let of_request = host.map(|it| it.rsplit_once(':').map_or(it, |(host, _)| host));
    let of_certificate = names.iter().find(|it| !it.starts_with('*'));
    let host = match (of_certificate, is_every) {
        (Some(name), _) if name.contains(':') => format!("[{name}]"),
        (Some(name), _) => name.clone(),
        (None, false) => address.to_owned(),
        (None, true) => of_request.unwrap_or("localhost").to_owned(),
    };
    let port = match (scheme, port) {
        (_, "") | ("https", "443") | ("http", "80") => String::new(),
        (_, port) => format!(":{port}"),
    };
    let path = match distribution.as_str() {
        "default" => String::new(),
        name => format!("/d/{name}"),
    };
    format!("{scheme}://{host}{port}{path}")
}

/// Tells whether an address is one at which a machine reaches itself alone.
fn is_own_machine(url: &str) -> bool {
    let after = url.split_once("://").map_or("", |(_, rest)| rest);
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|own| after.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(addresses: &[&str]) -> Service {
        Service {
            addresses: addresses.iter().map(ToString::to_string).collect(),
            ..Service::default()
        }
    }

    #[test]
    fn a_kibana_is_told_an_address_that_it_can_ask() {
        let default = DistributionName::default_distribution();
        let prod = DistributionName::parse("prod").unwrap();
        let name = ["epr.site".to_owned()];
        for (addresses, names, host, distribution, expected) in [
            (
                &["10.0.0.5:8080"][..],
                &[][..],
                Some("epr:8081"),
                &default,
                "http://10.0.0.5:8080",
            ),
            (
                &["0.0.0.0:8080"],
                &[],
                Some("epr:8081"),
                &prod,
                "http://epr:8080/d/prod",
            ),
            (&["[::]:80"], &[], None, &default, "http://localhost"),
            (
                &["unix:/run/a.sock", "[fd00::1]:8080"],
                &[],
                None,
                &prod,
                "http://[fd00::1]:8080/d/prod",
            ),
            (
                &["[::]:8443"],
                &name,
                Some("jump"),
                &default,
                "http://epr.site:8443",
            ),
            (&[], &[], None, &default, "http://localhost"),
        ] {
            assert_eq!(
                url(&service(addresses), names, host, distribution),
                expected
            );
        }
    }

    #[test]
    fn an_address_is_one_word_of_the_command() {
        let lines = made(&Version::new(9, 2, 0), "https://epr/';reboot;'").unwrap();
        assert_eq!(
            command(&lines, "https://epr/';reboot;'").unwrap(),
            "airlock kibana-config --kibana 9.2.0 --url 'https://epr/%27;reboot;%27' --ca ca.pem"
        );
        assert_eq!(command(&lines, "http://epr"), None);
    }

    #[test]
    fn an_address_of_this_machine_alone_is_known() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", true),
            ("https://localhost", true),
            ("http://[::1]:8080/d/prod", true),
            ("http://epr.site/localhost", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_own_machine(url), expected, "{url}");
        }
    }
}

//! `airlock kibana-config`: the lines that make a Kibana ask this registry, in the form of where that Kibana runs.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use semver::Version;
use serde::Serialize;

use super::{CliError, Common, print};
use crate::admin::kibana_config::{KibanaConfig, kibana_config};
use crate::limits::Limits;

/// Where Kibana's host keeps what is trusted: beside `kibana.yml`, which Kibana may read.
const CA_ON_HOST: &str = "/etc/kibana/airlock-ca.pem";
/// The same in Elastic's image.
const CA_IN_IMAGE: &str = "/usr/share/kibana/config/airlock-ca.pem";
/// The same where ECK mounts a secret: a folder of its own.
const CA_IN_POD: &str = "/usr/share/kibana/config/airlock-ca/ca.pem";

/// Prints everything with what to do with it; with --form one file and nothing else.
#[derive(Debug, Args)]
pub(super) struct KibanaConfigArgs {
    /// The version of the Kibana
    #[arg(long, value_name = "VERSION")]
    kibana: Version,
    /// Where it asks: this registry's address as Kibana reaches it, with /d/NAME for a distribution
    #[arg(long)]
    url: String,
    /// What signed the registry's certificate, as PEM, where Kibana does not trust that yet
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print one file alone
    #[arg(long)]
    form: Option<Form>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The lines of kibana.yml
    Yml,
    /// A drop-in for kibana.service, which trusts the CA
    Systemd,
    /// A compose file for a container, which mounts both
    Container,
    /// A patch for a Kibana resource of ECK
    Eck,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    config: KibanaConfig,
    /// What `NODE_EXTRA_CA_CERTS` names on a host, where a CA was named.
    node_extra_ca_certs: Option<&'static str>,
}

pub(super) fn run(common: &Common, args: &KibanaConfigArgs) -> Result<ExitCode, CliError> {
    let config = kibana_config(args.kibana.clone(), &args.url).map_err(|error| {
        CliError::new(error.to_string())
            .hint("as in `airlock kibana-config --kibana 9.1.0 --url https://epr.site:8443/d/prod`")
    })?;
    if let Some(ca) = &args.ca {
        check_ca(ca)?;
        if args.url.starts_with("http://") {
            return Err(
                CliError::new("a CA is of no use for an address with http://")
                    .hint("leave --ca out, or name the address with --url https://…"),
            );
        }
    }
    if let Some(form) = args.form.filter(|_| !common.json) {
        // It is what was asked for: it is printed with `--quiet` too.
        print(&file(form, &config, args.ca.is_some())?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let printed = Printed {
        config,
        node_extra_ca_certs: args.ca.as_ref().map(|_| CA_ON_HOST),
    };
    common.print(&printed, |printed| {
        text(&printed.config, args.ca.as_deref())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that Kibana could load the file, and that it gives nothing away.
fn check_ca(path: &Path) -> Result<(), CliError> {
    let shown = path.display();
    let failed =
        |error: std::io::Error| CliError::new(format!("cannot read {shown}")).caused_by(&error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let max_bytes = Limits::default().ca_bytes;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, max_bytes), &mut bytes)
        .map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("PRIVATE KEY-----") {
        return Err(CliError::new(format!(
            "{shown} holds a private key, which Kibana must not have"
        ))
        .hint("name a file with the CA's certificate alone with --ca"));
    }
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(
            CliError::new(format!("{shown} holds no certificate as PEM")).hint(
                "`openssl x509 -inform der -in FILE` makes PEM of a DER file; name that with --ca",
            ),
        );
    }
    Ok(())
}

fn text(config: &KibanaConfig, ca: Option<&Path>) -> String {
    let mut text = format!(
        "# kibana.yml of Kibana {}\n{}",
        config.kibana,
        yml(config, "")
    );
    for note in &config.notes {
        text.push_str(&format!("# {note}\n"));
    }
    if let Some(ca) = ca {
        text.push_str(&format!(
            "\n# What Kibana trusts is told by its environment, not by kibana.yml. It is one file: where NODE_EXTRA_CA_CERTS is set\n\
             # already, add the certificate to that file. On Kibana's host:\n\
             #   install -m 0644 {ca} {CA_ON_HOST}\n\
             \n# /etc/systemd/system/kibana.service.d/airlock.conf, then: systemctl daemon-reload && systemctl restart kibana\n{}\
             \n# In a container: compose.override.yaml\n{}\
             \n# On Kubernetes with ECK: kubectl create secret generic airlock-ca --from-file=ca.pem={ca}, then into the Kibana resource\n{}",
            systemd(),
            container(true),
            eck(config, true),
            ca = ca.display(),
        ));
    }
    text
}

fn file(form: Form, config: &KibanaConfig, has_ca: bool) -> Result<String, CliError> {
    Ok(match form {
        Form::Yml => yml(config, ""),
        Form::Systemd if has_ca => systemd(),
        Form::Systemd => {
            return Err(
                CliError::new("without a CA there is nothing to tell systemd")
                    .hint("name it with --ca, or print kibana.yml with --form yml"),
            );
        }
        Form::Container => container(has_ca),
        Form::Eck => eck(config, has_ca),
    })
}

fn yml(config: &KibanaConfig, indent: &str) -> String {
    let settings = config.settings.iter();
    settings.fold(String::new(), |mut text, setting| {
        // What is JSON is YAML, too. A string never refuses.
        let _ = writeln!(text, "{indent}{}: {}", setting.key, setting.value);
        text
    })
}

fn systemd() -> String {
    format!("[Service]\nEnvironment=NODE_EXTRA_CA_CERTS={CA_ON_HOST}\n")
}

fn container(has_ca: bool) -> String {
    let mut text = String::from(
        "services:\n  kibana:\n    volumes:\n      - ./kibana.yml:/usr/share/kibana/config/kibana.yml:ro\n",
    );
    if has_ca {
        text.push_str(&format!(
            "      - {CA_ON_HOST}:{CA_IN_IMAGE}:ro\n    environment:\n      NODE_EXTRA_CA_CERTS: {CA_IN_IMAGE}\n"
        ));
    }
    text
}

fn eck(config: &KibanaConfig, has_ca: bool) -> String {
    let mut text = format!("spec:\n  config:\n{}", yml(config, "    "));
    if has_ca {
        text.push_str(&format!(
            "  podTemplate:\n    spec:\n      containers:\n        - name: kibana\n          env:\n            \
             - name: NODE_EXTRA_CA_CERTS\n              value: {CA_IN_POD}\n          volumeMounts:\n            \
             - name: airlock-ca\n              mountPath: /usr/share/kibana/config/airlock-ca\n              readOnly: true\n      \
             volumes:\n        - name: airlock-ca\n          secret:\n            secretName: airlock-ca\n"
        ));
    }
    text
}

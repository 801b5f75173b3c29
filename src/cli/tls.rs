//! `airlock tls`: a certificate asked for, installed, made and shown.

mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::control::ControlClient;
use super::{CliError, Common, data_folder_of, tls_settings, way};
use crate::admin::Failure;
use crate::admin::tls::{self, Installed};
use crate::crypto::tls::{CertificateReport, Install, Name, NewKey, Places};

#[derive(Debug, Subcommand)]
pub(super) enum TlsCommand {
    /// Make a key and a request for a certificate, to be given to the site's authority
    Csr(CsrArgs),
    /// Check a certificate as Kibana will, and serve it
    Install(InstallArgs),
    /// Make an authority of this appliance's own, where the site has none, and a certificate by it
    Init(NamesArgs),
    /// Show the certificate
    Show,
}

#[derive(Debug, Args)]
pub(super) struct NamesArgs {
    /// A host name of this server, as Kibana will call it
    #[arg(long = "name", value_name = "HOST", required_unless_present = "ip")]
    name: Vec<Name>,
    /// An address of this server, where Kibana calls it so
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<std::net::IpAddr>,
}

#[derive(Debug, Args)]
pub(super) struct CsrArgs {
    #[command(flatten)]
    names: NamesArgs,
    /// Make an RSA key of 3072 bits, for an authority that takes no elliptic curves
    #[arg(long)]
    rsa: bool,
}

#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    /// The certificate; what else is in the file is looked at too
    #[arg(value_name = "CERT")]
    certificate: PathBuf,
    /// A file with its issuers
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// Its key [default: the one in CERT, of `tls csr`, or of the certificate before]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The root that Kibana will be told of; the chain has to lead to it
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A file whose first line opens the key [default: what the settings say]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// What became of a certificate that was installed.
#[derive(Debug, Serialize)]
struct Outcome {
    #[serde(flatten)]
    installed: Installed,
    /// Whether the settings name these files.
    is_in_settings: bool,
    /// What a running server makes of it.
    server: TakenUp,
}

/// What a running server makes of a certificate that was installed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum TakenUp {
    /// It serves it.
    Served,
    /// It goes on with what it had.
    Refused(Failure),
    /// None was found.
    NoServer,
}

/// What `tls show` tells.
#[derive(Debug, Serialize)]
struct Shown {
    /// Where the certificate lies.
    path: PathBuf,
    /// What lies there.
    installed: CertificateReport,
    /// What a running server serves, where it is something else.
    served: Option<CertificateReport>,
}

impl NamesArgs {
    fn all(&self) -> Vec<Name> {
        let addresses = self.ip.iter().copied().map(Name::Ip);
        self.name.iter().cloned().chain(addresses).collect()
    }
}

pub(super) fn run(common: &Common, command: TlsCommand) -> Result<ExitCode, CliError> {
    let config = common.settings(&[])?;
    let folder = data_folder_of(&config)?;
    let (places, is_in_settings) = tls_settings::places(&config, &folder);
    let sockets = way::sockets(common, &config, &folder)?;
    let now = Timestamp::now();
    if let Some(client_ca) = &config.tls.client_ca.value
        && *client_ca == places.authority()
    {
        let shared = client_ca.display();
        return Err(CliError::new(format!("{shared} would be two files at once"))
            .hint("`tls.client_ca` names the file that keeps the server's own root; give it another name"));
    }
    let finish = |installed| -> Result<ExitCode, CliError> {
        let outcome = Outcome {
            installed,
            is_in_settings,
            server: taken_up(&sockets),
        };
        common.print(&outcome, text::installed)?;
        Ok(match outcome.server {
            TakenUp::Refused(_) if is_in_settings => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    };
    match command {
        TlsCommand::Csr(args) => {
            let kind = if args.rsa { NewKey::Rsa } else { NewKey::Ecdsa };
            let requested = tls::ask(&places, &args.names.all(), kind)?;
            common.print(&requested, text::requested)?;
            Ok(ExitCode::SUCCESS)
        }
        TlsCommand::Install(args) => {
            let given = Install {
                certificate: args.certificate,
                chain: args.chain,
                key: args.key,
                authority: args.ca,
                passphrase: args
                    .passphrase_file
                    .or_else(|| tls_settings::passphrase(&config)),
            };
            finish(tls::install(&places, &given, now)?)
        }
        TlsCommand::Init(names) => finish(tls::init(&places, &names.all(), now)?),
        TlsCommand::Show => show(common, &places, &sockets, now),
    }
}

fn show(
    common: &Common,
    places: &Places,
    sockets: &[PathBuf],
    now: Timestamp,
) -> Result<ExitCode, CliError> {
    let served = ControlClient::connect_first(sockets)
        .ok()
        .and_then(|client| client.get::<CertificateReport>("/tls", &()).ok());
    let installed = match (tls::show(places, now), served.clone()) {
        (Ok(installed), _) => installed,
        // Not everybody who may ask the server may read its files.
        (Err(_), Some(served)) => served,
        (Err(error), None) => return Err(error.into()),
    };
    let shown = Shown {
        path: places.certificate.clone(),
        served: served.filter(|served| served.sha256 != installed.sha256),
        installed,
    };
    common.print(&shown, text::shown)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks a running server to take up what was installed.
fn taken_up(sockets: &[PathBuf]) -> TakenUp {
    let Ok(client) = ControlClient::connect_first(sockets) else {
        return TakenUp::NoServer;
    };
    match client.post::<CertificateReport>("/tls/reload", &()) {
        Ok(_) => TakenUp::Served,
        Err(failure) => TakenUp::Refused(failure),
    }
}

//! `airlock setup-link`: the address at which the first admin chooses name and password.

use std::net::SocketAddr;
use std::process::ExitCode;

use serde::Serialize;

use super::door::Door;
use super::{CliError, Common, print};
use crate::config::{Config, ListenAddress, TcpAddress};

/// What `--json` prints.
#[derive(Serialize)]
struct Printed {
    url: String,
    expires_at: String,
}

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let config = common.settings(&[])?;
    let made = Door::open(common)?.make_setup_link()?;
    let printed = Printed {
        url: format!("{}/admin/setup/{}", base(&config, None), made.secret),
        expires_at: made.expires_at,
    };
    if common.quiet && !common.json {
        // It is what was asked for, and nobody can print it again.
        print(&format!("{}\n", printed.url))?;
        return Ok(ExitCode::SUCCESS);
    }
    common.print(&printed, |printed| {
        format!(
            "{}\n\nOpen it in a browser to make the first admin. It is good once, until {}.\n",
            printed.url, printed.expires_at
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns where a browser reaches the admin side, as far as the settings say it: a server behind another one does not know
/// what that is called. A server that runs hands in where it listens.
pub(super) fn base(config: &Config, listens: Option<SocketAddr>) -> String {
    let scheme = match config.tls.certificate.value {
        Some(_) => "https",
        None => "http",
    };
    let mut of_registry = config
        .listen
        .api
        .value
        .iter()
        .filter_map(|address| match address {
            ListenAddress::Tcp(address) => Some(address.clone()),
            ListenAddress::Unix(_) => None,
        });
    let said = config
        .admin
        .listen
        .value
        .clone()
        .or_else(|| of_registry.next());
    let said = said.unwrap_or_else(|| TcpAddress::from(SocketAddr::from(([127, 0, 0, 1], 8080))));
    let is_every = matches!(said.host.as_str(), "" | "0.0.0.0" | "::");
    let reached = TcpAddress {
        host: if is_every { own_name() } else { said.host },
        port: listens.map_or(said.port, |at| at.port()),
    };
    format!("{scheme}://{reached}")
}

/// Returns what this host calls itself.
fn own_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    match name.is_empty() {
        true => "localhost".to_owned(),
        false => name.into_owned(),
    }
}

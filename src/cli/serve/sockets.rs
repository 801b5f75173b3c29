//! The sockets of a server: those that were handed over, else those that the settings name.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::CliError;
use crate::accounts;
use crate::config::{Config, ListenAddress, Origin, Setting};
use crate::server::{API_SOCKET_MODE, ApiSocket, ControlSocket, Inherited};

/// The sockets where the registry is reached.
#[derive(Default)]
pub(super) struct Listening {
    pub api: Vec<TcpListener>,
    pub api_sockets: Vec<UnixListener>,
    /// The files of the latter, where they are this process's: they go away with it.
    pub files: Vec<ApiSocket>,
}

/// Listens at all of `addresses`.
pub(super) fn listen(addresses: &Setting<Vec<ListenAddress>>) -> Result<Listening, CliError> {
    let mut listening = Listening::default();
    for address in &addresses.value {
        let cannot_listen = |error: io::Error| {
            let told = CliError::new(format!("cannot listen at {address}")).caused_by(&error);
            match &addresses.origin {
                Origin::Flag(_) | Origin::Default => told.hint(
                    "choose another address with --listen 127.0.0.1:8081, or stop what listens there",
                ),
                said => told.hint(format!(
                    "choose another address in {said}, or stop what listens there"
                )),
            }
        };
        match address {
            ListenAddress::Tcp(tcp) => {
                let candidates = tcp.resolve().map_err(cannot_listen)?;
                let listener = TcpListener::bind(candidates.as_slice()).map_err(cannot_listen)?;
                listening.api.push(listener);
            }
            ListenAddress::Unix(path) => {
                let (file, listener) =
                    ApiSocket::bind(path, API_SOCKET_MODE).map_err(cannot_listen)?;
                listening.api_sockets.push(listener);
                listening.files.push(file);
            }
        }
    }
    Ok(listening)
}

/// Returns where sockets are reached.
pub(super) fn addresses(listeners: &[TcpListener]) -> Result<Vec<SocketAddr>, CliError> {
    let addresses = listeners.iter().map(TcpListener::local_addr);
    addresses
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::new("a socket that listens has no address").caused_by(&error))
}

/// Takes the sockets that were handed over.
pub(super) fn take_inherited() -> Result<Inherited, CliError> {
    let inherited = Inherited::take().map_err(|error| {
        CliError::new("the sockets that were handed over cannot be served")
            .caused_by(&error)
            .hint("`FileDescriptorName=` of a socket unit is api, admin, metrics or control; `systemctl cat airlock.socket` shows it")
    })?;
    if inherited.has_api() {
        tracing::info!(
            "listening at the sockets that were handed over, not at those of the settings"
        );
    }
    Ok(inherited)
}

/// Listens at `path` for the command line; the members of the group that the settings name may connect.
pub(super) fn bind_control(
    config: &Config,
    path: &Path,
) -> Result<(ControlSocket, UnixListener), CliError> {
    let cannot_listen = |error: io::Error| {
        CliError::new(format!("cannot listen at {}", path.display())).caused_by(&error)
    };
    let bound = match &config.control.group.value {
        None => ControlSocket::bind(path),
        Some(group) => {
            let id = accounts::group_id(group).ok_or_else(|| {
                CliError::new(format!("there is no group {group}")).hint(format!(
                    "`sudo groupadd --system {group}` makes it; `control.group` in airlock.toml names another"
                ))
            })?;
            ControlSocket::bind_for_group(path, id)
        }
    };
    bound.map_err(|error| match (error.kind(), &config.control.group.value) {
        (io::ErrorKind::PermissionDenied, Some(group)) => cannot_listen(error).hint(format!(
            "the server's user has to be in the group {group}: `SupplementaryGroups={group}` in airlock.service, with `SystemCallFilter=@chown`; \
             and `control.socket` in a folder it may write to"
        )),
        (io::ErrorKind::AddrInUse, _) => cannot_listen(error)
            .hint("another server answers there; `control.socket` in airlock.toml names another place"),
        _ => cannot_listen(error).hint(
            "a socket's path has at most 107 bytes, and its folder must be there: `control.socket` names another, or --data-dir",
        ),
    })
}

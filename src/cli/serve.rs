//! `airlock serve`: answers Kibana until it is asked to stop.

mod upkeep;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use self::upkeep::Upkeep;
use super::{CliError, Common, data_folder_of};
use crate::admin::OperationError;
use crate::admin::routes::{self, Operator};
use crate::api;
use crate::catalog::Catalogs;
use crate::config::{Config, ListenAddress, Origin, Setting};
use crate::limits::Limits;
use crate::server::{
    self, ControlSocket, Lifecycle, Listeners, Notifier, Reloads, Settings, file_limit,
};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Listen at this address, and at each further one [default: 127.0.0.1:8080]; `[::]:8080` is every interface
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
}

pub(super) fn run(common: &Common, args: &ServeArgs) -> Result<ExitCode, CliError> {
    let config = common.settings(&args.listen)?;
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    let store = Store::open(&data_folder_of(&config)?).map_err(OperationError::from)?;
    serve(Arc::new(store), &config, |_| {})
}

/// Serves `store` as `config` says; `ready` is told the first address once connections are accepted at all of them.
pub(super) fn serve(
    store: Arc<Store>,
    config: &Config,
    ready: impl FnOnce(SocketAddr),
) -> Result<ExitCode, CliError> {
    let catalogs = Arc::new(Catalogs::load(&store).map_err(OperationError::from)?);
    let (api, addresses) = listen(&config.listen.api)?;
    let (_socket, control) = bind_control(store.folder())?;
    let listeners = Listeners {
        api,
        are_inherited: false,
        control: Some(control),
    };
    let package_versions = catalogs.default_catalog().len();
    let operator = Operator {
        store: Arc::clone(&store),
        catalogs: Arc::clone(&catalogs),
        limits: Limits::default(),
        jobs: std::sync::Mutex::default(),
    };
    let operator = actix_web::web::Data::new(operator);
    let cannot_begin =
        |error: std::io::Error| CliError::new("cannot begin to serve").caused_by(&error);
    let (upkeep, status) =
        Upkeep::begin(Arc::clone(&store), Arc::clone(&catalogs)).map_err(cannot_begin)?;
    let lifecycle = Lifecycle {
        notifier: Notifier::of_environment().map_err(cannot_begin)?,
        reloads: Reloads::default(),
        status,
    };
    let state = actix_web::web::Data::new(api::State::new(store, catalogs));
    let stopped = server::serve(
        listeners,
        &Settings {
            max_connections: file_limit::connections_under(file_limit::raise()),
            ..Settings::default()
        },
        move |config| {
            config.app_data(state.clone());
            api::configure(config);
        },
        move |config| {
            config.app_data(operator.clone());
            routes::configure(config);
        },
        async |pulse| {
            let ready = || {
                for address in &addresses {
                    tracing::info!(%address, package_versions, "serving");
                }
                if let Some(first) = addresses.first() {
                    ready(*first);
                }
            };
            if let Err(error) = lifecycle.conduct(pulse, ready).await {
                tracing::error!(%error, "cannot go on serving");
            }
        },
    )
    .map_err(|error| CliError::new("the server ended").caused_by(&error))?;
    drop(upkeep);
    tracing::info!(cut_connections = stopped.cut_connections, "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Listens at all of `addresses`; returns the sockets and where they are reached.
fn listen(
    addresses: &Setting<Vec<ListenAddress>>,
) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), CliError> {
    let mut listeners = Vec::new();
    let mut reached = Vec::new();
    for address in &addresses.value {
        let cannot_listen = |error: std::io::Error| {
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
        let ListenAddress::Tcp(tcp) = address else {
            return Err(cannot_listen(std::io::ErrorKind::Unsupported.into()));
        };
        let candidates = tcp.resolve().map_err(cannot_listen)?;
        let listener = TcpListener::bind(candidates.as_slice()).map_err(cannot_listen)?;
        reached.push(listener.local_addr().map_err(cannot_listen)?);
        listeners.push(listener);
    }
    Ok((listeners, reached))
}

fn bind_control(
    folder: &Path,
) -> Result<(ControlSocket, std::os::unix::net::UnixListener), CliError> {
    let path = folder.join(server::CONTROL_SOCKET);
    ControlSocket::bind(&path).map_err(|error| {
        CliError::new(format!("cannot listen at {}", path.display()))
            .caused_by(&error)
            .hint("a socket's path has at most 107 bytes; a shorter --data-dir helps")
    })
}

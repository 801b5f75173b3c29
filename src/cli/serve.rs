//! `airlock serve`: answers Kibana until it is asked to stop.

mod upkeep;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use self::upkeep::Upkeep;
use super::{CliError, Common};
use crate::admin::OperationError;
use crate::admin::routes::{self, Operator};
use crate::api;
use crate::catalog::Catalogs;
use crate::limits::Limits;
use crate::server::{self, ControlSocket, Listeners, Settings, file_limit};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Listen at this address; `[::]:8080` is every interface
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "AIRLOCK_LISTEN"
    )]
    pub listen: SocketAddr,
}

pub(super) fn run(common: &Common, args: &ServeArgs) -> Result<ExitCode, CliError> {
    let store = Store::open(&common.data_folder()?).map_err(OperationError::from)?;
    serve(Arc::new(store), args.listen, |_| {})
}

/// Serves `store` at `listen`; `ready` is told the address once connections are accepted there.
pub(super) fn serve(
    store: Arc<Store>,
    listen: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<ExitCode, CliError> {
    let catalogs = Arc::new(Catalogs::load(&store).map_err(OperationError::from)?);
    let cannot_listen = |error: std::io::Error| {
        CliError::new(format!("cannot listen at {listen}"))
            .caused_by(&error)
            .hint("choose another address with --listen 127.0.0.1:8081, or stop what listens there")
    };
    let listener = TcpListener::bind(listen).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let (_socket, control) = bind_control(store.folder())?;
    let listeners = Listeners {
        api: vec![listener],
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
    let _upkeep = Upkeep::begin(Arc::clone(&store), Arc::clone(&catalogs))
        .map_err(|error| CliError::new("cannot begin to serve").caused_by(&error))?;
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
        async {
            let listening = || {
                tracing::info!(%address, package_versions, "serving");
                ready(address);
            };
            if let Err(error) = server::asked_by_signal(listening).await {
                tracing::error!(%error, "cannot listen for signals");
            }
        },
    )
    .map_err(|error| CliError::new("the server ended").caused_by(&error))?;
    tracing::info!(cut_connections = stopped.cut_connections, "stopped");
    Ok(ExitCode::SUCCESS)
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

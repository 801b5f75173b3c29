//! `airlock serve`: answers Kibana until it is asked to stop.

mod admin;
mod beside;
mod metrics;
mod settings;
mod sockets;
mod tls;
mod upkeep;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use arc_swap::ArcSwap;
use clap::Args;
use jiff::Timestamp;

use self::admin::OwnSocket;
use self::beside::Beside;
use self::metrics::Told;
use self::settings::{InForce, ReadAgain};
use self::sockets::Listening;
use self::tls::TlsWatch;
use self::upkeep::Upkeep;
use super::{CliError, Common, data_folder_of, log, owner, setup_link, way};
use crate::admin::entrance;
use crate::admin::jobs::Jobs;
use crate::admin::routes::{self, Operator};
use crate::admin::settings::SettingsReport;
use crate::admin::sizes::Measured;
use crate::admin::status::Service;
use crate::admin::{Kibanas, OperationError};
use crate::api::{self, access::SharedAccess};
use crate::catalog::Catalogs;
use crate::config::{Config, Environment};
use crate::crypto::tls::Acceptor;
use crate::limits::Limits;
use crate::server::metrics::Metrics;
use crate::server::{
    self, ApiSocket, CONTROL_SOCKET, Inherited, Lifecycle, Listeners, Notifier, Reloads, Settings,
    file_limit,
};
use crate::store::Store;

/// How long jobs are waited for once all connections have ended; within what the service manager is told a stop may take.
const JOBS_END: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Listen at this address, and at each further one [default: 127.0.0.1:8080]; `[::]:8080` is every interface
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
}

/// What a server is made of beside its store.
pub(super) struct Setup {
    /// The settings.
    pub config: Config,
    /// Reads the settings anew.
    pub read_again: ReadAgain,
    /// The sockets that were handed over.
    pub inherited: Inherited,
    /// Where the command line is answered.
    pub control_socket: PathBuf,
}

pub(super) fn run(common: &Common, args: &ServeArgs) -> Result<ExitCode, CliError> {
    let config = common.settings(&args.listen)?;
    log::start_server(&config.log, common.quiet, common.json);
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    let inherited = sockets::take_inherited()?;
    let folder = data_folder_of(&config)?;
    way::become_owner(&config, &folder)?;
    let store = Store::open(&folder).map_err(OperationError::from)?;
    let likeliest = way::sockets(common, &config, &folder)?.into_iter().next();
    let flags = common.flags(&args.listen);
    let setup = Setup {
        control_socket: likeliest.unwrap_or_else(|| folder.join(CONTROL_SOCKET)),
        config,
        read_again: Arc::new(move || Config::load(&flags, &Environment::of_this_process())),
        inherited,
    };
    serve(Arc::new(store), setup, |_| {})
}

/// Serves `store` as `setup` says; `ready` is told the first address once connections are accepted at all of them.
pub(super) fn serve(
    store: Arc<Store>,
    setup: Setup,
    ready: impl FnOnce(SocketAddr),
) -> Result<ExitCode, CliError> {
    let Setup {
        config,
        read_again,
        inherited,
        control_socket,
    } = setup;
    let catalogs = Arc::new(Catalogs::load(&store).map_err(OperationError::from)?);
    let are_inherited = inherited.has_api();
    let served_tls = tls::load(&config)?;
    let Listening {
        api,
        api_sockets,
        files,
    } = match are_inherited {
        true => Listening {
            api: inherited.api,
            api_sockets: inherited.api_sockets,
            files: Vec::new(),
        },
        false => sockets::listen(&config.listen.api)?,
    };
    let addresses = sockets::addresses(&api)?;
    let own_socket = OwnSocket::of(inherited.admin, &config)?;
    let (_socket, control) = match inherited.control {
        Some(control) => (None, control),
        None => {
            let (socket, control) = sockets::bind_control(&config, &control_socket)?;
            (Some(socket), control)
        }
    };
    let cannot_begin =
        |error: std::io::Error| CliError::new("cannot begin to serve").caused_by(&error);
    owner::let_go_of_rights().map_err(cannot_begin)?;
    let listeners = Listeners {
        api,
        are_inherited,
        tls: served_tls.clone().map(Acceptor::new),
        api_sockets,
        control: Some(control),
    };
    let package_versions = catalogs.default_catalog().len();
    let kibanas = Data::new(Kibanas::default());
    let operator = Data::new(Operator {
        store: Arc::clone(&store),
        catalogs: Arc::clone(&catalogs),
        limits: Limits::default(),
        jobs: Jobs::default(),
        roles: ArcSwap::from_pointee(settings::roles(&config)),
        service: Service {
            since: Timestamp::now(),
            addresses: reached(&addresses, &files),
            kibanas: kibanas.clone(),
            tls: served_tls.clone(),
            settings: ArcSwap::from_pointee(SettingsReport::of(&config)),
            sizes: Measured::default(),
        },
    });
    let access = SharedAccess::new(Arc::new(settings::access(&config, &addresses)?).into());
    let reached_at = match &own_socket {
        Some(own) => vec![own.address],
        None => addresses.clone(),
    };
    let reached_first = reached_at.first().copied();
    let web = admin::web(
        &config,
        &reached_at,
        Arc::clone(&access),
        served_tls.clone(),
    );
    let mut reloads = Reloads::default();
    let operator_of_jobs = operator.clone();
    let in_force = InForce {
        access: Arc::clone(&access),
        addresses: addresses.clone(),
        operator: operator.clone(),
        web: web.clone(),
        admin_addresses: reached_at,
    };
    reloads.add("the settings", move || {
        let config = read_again().map_err(|error| CliError::from(error).on_one_line())?;
        in_force.take_up(&config)
    });
    let watch = served_tls.clone().map(TlsWatch::new);
    if let Some(served) = served_tls.clone() {
        reloads.add("the certificate", move || Ok(served.reload().map(drop)?));
    }
    let (upkeep, status) = Upkeep::begin(
        Arc::clone(&store),
        Arc::clone(&catalogs),
        watch,
        web.clone(),
    )
    .map_err(cannot_begin)?;
    let is_counted = inherited.metrics.is_some() || config.listen.metrics.value.is_some();
    let counted = is_counted.then(Arc::<Metrics>::default);
    let told = Told {
        metrics: counted.clone().unwrap_or_default(),
        store: Arc::clone(&store),
        catalogs: Arc::clone(&catalogs),
    };
    let _metrics = metrics::begin(inherited.metrics, &config.listen.metrics, told)?;
    let has_own_socket = own_socket.is_some();
    let serve_admin = |own: OwnSocket| own.serve(operator.clone(), web.clone(), counted.clone());
    let mut beside = own_socket.map(serve_admin).transpose()?;
    let stop_beside = beside.as_mut().and_then(Beside::take_stop);
    let is_here = config.admin.enabled.value && !has_own_socket;
    let of_control = web.clone();
    let here = is_here.then(|| (operator.clone(), web));
    let admin_at = config
        .admin
        .enabled
        .value
        .then(|| setup_link::base(&config, reached_first));
    let lifecycle = Lifecycle {
        notifier: Notifier::of_environment().map_err(cannot_begin)?,
        reloads,
        status,
    };
    let to_set_up = Arc::clone(&store);
    let mut state = api::State::new(store, catalogs);
    state.access = Arc::clone(&access);
    state.cache = settings::cache(&config);
    let state = Data::new(state);
    let stopped = server::serve(
        listeners,
        &Settings {
            max_connections: file_limit::connections_under(file_limit::raise()),
            access,
            metrics: counted,
            ..Settings::default()
        },
        move |config| {
            config.app_data(state.clone()).app_data(kibanas.clone());
            if let Some((operator, web)) = &here {
                config.app_data(operator.clone());
                entrance::configure(config, web);
            }
            api::configure(config);
        },
        move |config| {
            config
                .app_data(operator.clone())
                .app_data(of_control.clone());
            routes::configure(config);
        },
        async |pulse| {
            let ready = || {
                let tls = served_tls.is_some();
                for address in &addresses {
                    tracing::info!(%address, tls, package_versions, "serving");
                }
                for file in &files {
                    tracing::info!(socket = %file.path().display(), package_versions, "serving");
                }
                if let Some(first) = addresses.first() {
                    ready(*first);
                }
                if let Some(base) = &admin_at {
                    admin::tell_of_setup(&to_set_up, base);
                }
            };
            if let Err(error) = lifecycle.conduct(pulse, ready).await {
                tracing::error!(%error, "cannot go on serving");
            }
            operator_of_jobs.jobs.stop();
            drop(stop_beside);
        },
    )
    .map_err(|error| CliError::new("the server ended").caused_by(&error))?;
    operator_of_jobs.jobs.finish(JOBS_END);
    drop((beside, upkeep));
    tracing::info!(cut_connections = stopped.cut_connections, "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Returns where the registry is reached, for people.
fn reached(addresses: &[SocketAddr], files: &[ApiSocket]) -> Vec<String> {
    let addresses = addresses.iter().map(ToString::to_string);
    let files = files
        .iter()
        .map(|file| format!("unix:{}", file.path().display()));
    addresses.chain(files).collect()
}

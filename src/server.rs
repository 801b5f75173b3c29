//! Listeners, time-outs, the request log and a clean stop.
//!
//! Knows connections and when to end them; what is answered on them is configured by others: the registry's API on TCP,
//! the operator's on `control.sock`. HTTP/1.1 only: that is all Kibana speaks. Of TLS it knows when a handshake may take
//! place and for how long (see `handshake`).
//!
//! **Stopping.** Asked to stop, the server closes idle connections, says `Connection: close` in every answer from then
//! on, goes on accepting for a quarter of a second for the clients it has just closed (at sockets that outlive it: until those
//! who were there are answered), closes its sockets without losing a connection (see `door`), finishes what is being answered, and cuts what is left after 30 seconds.

mod api_socket;
mod connection;
mod control;
mod door;
pub mod file_limit;
mod handshake;
mod inherited;
mod lifecycle;
pub mod metrics;
mod notify;
mod places;
mod pulse;
mod reload;
mod request_body;
mod request_log;
mod transport;
mod worker;

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use actix_web::web::ServiceConfig;
use futures_util::future::select;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};

pub use api_socket::{API_SOCKET_MODE, ApiSocket};
pub use connection::TimeOuts;
pub use control::ControlSocket;
pub use inherited::Inherited;
pub use lifecycle::Lifecycle;
pub use notify::Notifier;
pub use pulse::Pulse;
pub use reload::{ReloadError, Reloads};
pub use request_log::kibana_version;

/// The name of the operator's socket in the data folder.
pub const CONTROL_SOCKET: &str = "control.sock";

use crate::api::access::SharedAccess;
use connection::Stopping;
use metrics::Metrics;
use request_log::Watching;
use worker::{Terms, Worker};

use crate::crypto::tls::Acceptor;

/// The sockets to serve.
#[derive(Debug)]
pub struct Listeners {
    /// Where the registry is reached.
    pub api: Vec<TcpListener>,
    /// Whether those outlive this process (socket activation): what waits in their queues is then left to the next.
    pub are_inherited: bool,
    /// What is spoken on them; `None` is plain HTTP.
    pub tls: Option<Acceptor>,
    /// Unix sockets where the registry is reached by the host's own proxy, in plain HTTP.
    pub api_sockets: Vec<UnixListener>,
    /// Where the command line reaches a running server.
    pub control: Option<UnixListener>,
}

/// How much is served at a time.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that accept and answer.
    pub workers: usize,
    /// Connections to the registry at a time, divided evenly among the workers and their listeners. Beyond them those end that have
    /// waited longest for a request; where all are being answered, newcomers wait in the kernel's queue.
    pub max_connections: u32,
    /// Threads of one worker that read the store: what is asked beyond them waits.
    pub blocking_threads: usize,
    /// The bounds on waiting.
    pub time_outs: TimeOuts,
    /// Whose word on their client is taken, for the log of requests.
    pub access: SharedAccess,
    /// Where requests are counted.
    pub metrics: Option<Arc<Metrics>>,
    /// Whether each request is a line of the log.
    pub logs_requests: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().map_or(2, usize::from),
            max_connections: 4096,
            blocking_threads: 2,
            time_outs: TimeOuts::default(),
            access: SharedAccess::default(),
            metrics: None,
            logs_requests: true,
        }
    }
}

/// How a server ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut because they took too long to end.
    pub cut_connections: usize,
}

/// Why a server did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A thread, a runtime or a socket could not be set up.
    #[error("cannot serve")]
    Io(#[from] io::Error),
    /// A worker panicked.
    #[error("a worker ended unexpectedly")]
    WorkerLost,
}

/// Serves until what `stop` returns has come and everything has ended; blocks the calling thread, which has no runtime of
/// its own. `stop` gets what tells whether the workers answer.
///
/// `api` and `control` configure the two applications, once for every worker that serves them.
pub fn serve<A, C, F>(
    listeners: Listeners,
    settings: &Settings,
    api: A,
    control: C,
    stop: impl FnOnce(Pulse) -> F,
) -> Result<Stopped, ServeError>
where
    F: Future<Output = ()>,
    A: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    C: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let workers = settings.workers.max(1);
    let (ask_to_stop, asked_to_stop) = watch::channel(false);
    let listening = listeners.api.len() + listeners.api_sockets.len();
    let sharing = workers * listening.max(1);
    let terms = Terms {
        max_connections: settings.max_connections as usize / sharing,
        time_outs: settings.time_outs,
        watching: Watching {
            access: Arc::clone(&settings.access),
            metrics: settings.metrics.clone(),
            logs_requests: settings.logs_requests,
        },
        stopping: Stopping::default(),
        asked_to_stop,
    };
    // A worker that ends drops its end of this: nobody waits for a stop when there is nobody left to stop.
    let (alive, mut all_ended) = mpsc::channel::<()>(1);
    let mut control_listener = listeners.control;
    let (pulse, asked) = Pulse::of(workers);
    let mut threads = Vec::new();
    for (number, asked) in asked.into_iter().enumerate() {
        let worker = Worker {
            api_listeners: listeners
                .api
                .iter()
                .map(TcpListener::try_clone)
                .collect::<Result<_, _>>()?,
            // Few connections, and long ones: the first worker has them all.
            control_listener: control_listener.take(),
            asked,
            tls: listeners.tls.clone(),
            api_sockets: listeners
                .api_sockets
                .iter()
                .map(UnixListener::try_clone)
                .collect::<Result<_, _>>()?,
            api: api.clone(),
            are_inherited: listeners.are_inherited,
            control: control.clone(),
            blocking_threads: settings.blocking_threads,
            terms: terms.clone(),
        };
        let alive = alive.clone();
        let thread = thread::Builder::new().name(format!("airlock-http-{number}"));
        threads.push(thread.spawn(move || {
            let stopped = worker.run();
            drop(alive);
            stopped
        })?);
    }
    drop((listeners.api, listeners.api_sockets, alive));

    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(select(pin!(stop(pulse)), pin!(all_ended.recv())));
    terms.stopping.begin();
    let _ = ask_to_stop.send(true);

    let mut stopped = Stopped { cut_connections: 0 };
    for thread in threads {
        stopped.cut_connections += thread.join().map_err(|_| ServeError::WorkerLost)??;
    }
    Ok(stopped)
}

//! A server of a listener of its own, on threads of its own, beside the one that Kibana asks.

use std::io;
use std::net::TcpListener;
use std::thread::JoinHandle;

use actix_web::web::ServiceConfig;
use tokio::sync::oneshot;

use crate::config::TcpAddress;
use crate::crypto::tls::Acceptor;
use crate::server::{self, Listeners, Settings};

/// Such a server; it ends with this.
pub(super) struct Beside {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where it listens.
pub(super) struct Listener {
    pub socket: TcpListener,
    /// Whether the socket outlives this process.
    pub is_inherited: bool,
    /// What is spoken there; `None` is plain HTTP.
    pub tls: Option<Acceptor>,
}

/// Listens at the first address that `address` means and that can be had.
pub(super) fn listen(address: &TcpAddress) -> io::Result<TcpListener> {
    TcpListener::bind(address.resolve()?.as_slice())
}

impl Beside {
    /// Begins to serve what `answers` configures, on threads called after `name`.
    pub(super) fn begin(
        name: &'static str,
        listener: Listener,
        settings: Settings,
        answers: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let listeners = Listeners {
            api: vec![listener.socket],
            are_inherited: listener.is_inherited,
            tls: listener.tls,
            api_sockets: Vec::new(),
            control: None,
        };
        let serve = move || {
            let stopped = async { drop(stopped.await) };
            if let Err(error) = server::serve(listeners, &settings, answers, |_| {}, |_| stopped) {
                tracing::error!(%error, server = name, "a server beside the registry's has ended");
            }
        };
        let thread = std::thread::Builder::new().name(format!("airlock-{name}"));
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread.spawn(serve)?),
        })
    }

    /// Returns what has it begin to stop when it is dropped, so that it stops while others do; `None` where somebody has it.
    pub(super) fn take_stop(&mut self) -> Option<oneshot::Sender<()>> {
        self.stop.take()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What went wrong it has said.
            let _ = thread.join();
        }
    }
}

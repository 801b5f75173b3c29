//! Sockets that somebody else holds and hands over: systemd's socket units, `systemd-socket-activate`.
//!
//! They outlive this process, so that a client who comes while it is started anew waits for a moment and is not refused.
//! Facts: `sd_listen_fds(3)`. The unit's `FileDescriptorName=` says what a socket is for.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use socket2::SockRef;

/// The sockets that were handed over.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Where the registry is reached: those called `api`, and all that have no name of their own.
    pub api: Vec<TcpListener>,
    /// The same, Unix sockets.
    pub api_sockets: Vec<UnixListener>,
    /// Where Prometheus is answered: called `metrics`.
    pub metrics: Option<TcpListener>,
    /// Where the admin side is reached: called `admin`.
    pub admin: Option<TcpListener>,
    /// Where the command line is answered: called `control`.
    pub control: Option<UnixListener>,
}

/// Why sockets that were handed over cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum InheritedError {
    /// A socket that is none of those that are served.
    #[error("socket {number}, called {name:?}, does not listen on TCP or at a Unix socket")]
    Unusable {
        /// Its place, from 0.
        number: usize,
        /// What it is called.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// More than one for what needs one, or one of the wrong family.
    #[error(
        "socket {number}, called {name:?}, is one too many, or of a family that is not served so"
    )]
    TooMany {
        /// Its place, from 0.
        number: usize,
        /// What it is called.
        name: String,
    },
}

/// A socket of either family.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Inherited {
    /// Takes what the environment says is handed over (`LISTEN_FDS`, for this process); nothing where it says so.
    ///
    /// Call it once, before there are other threads. Fails where one cannot be served: whoever hands a socket over means
    /// it to be answered.
    pub fn take() -> Result<Self, InheritedError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut handed = ListenFd::from_env();
        let mut taken = Self::default();
        for number in 0..handed.len() {
            let name = names.next().unwrap_or_default();
            let listener = listener(&mut handed, number).map_err(|source| {
                let name = name.to_owned();
                InheritedError::Unusable {
                    number,
                    name,
                    source,
                }
            })?;
            match (name, listener) {
                ("metrics", Listener::Tcp(tcp)) if taken.metrics.is_none() => {
                    taken.metrics = Some(tcp);
                }
                ("admin", Listener::Tcp(tcp)) if taken.admin.is_none() => {
                    taken.admin = Some(tcp);
                }
                ("control", Listener::Unix(unix)) if taken.control.is_none() => {
                    taken.control = Some(unix);
                }
                ("metrics" | "admin" | "control", _) => {
                    let name = name.to_owned();
                    return Err(InheritedError::TooMany { number, name });
                }
                (_, Listener::Tcp(tcp)) => taken.api.push(tcp),
                (_, Listener::Unix(unix)) => taken.api_sockets.push(unix),
            }
        }
        Ok(taken)
    }

    /// Tells whether the registry is reached at sockets that were handed over, and at no others.
    pub fn has_api(&self) -> bool {
        !self.api.is_empty() || !self.api_sockets.is_empty()
    }
}

fn listener(handed: &mut ListenFd, number: usize) -> io::Result<Listener> {
    let listener = match handed.take_tcp_listener(number) {
        Ok(tcp) => tcp.map(Listener::Tcp),
        Err(_) => handed.take_unix_listener(number)?.map(Listener::Unix),
    };
    let listener = listener.ok_or(io::ErrorKind::NotFound)?;
    let socket = match &listener {
        Listener::Tcp(tcp) => SockRef::from(tcp),
        Listener::Unix(unix) => SockRef::from(unix),
    };
    if !socket.is_listener()? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it does not listen",
        ));
    }
    Ok(listener)
}

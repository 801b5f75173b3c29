//! What the service manager is told: the datagrams of `sd_notify(3)`.
//!
//! Without `NOTIFY_SOCKET` nobody is told anything. A manager that does not listen keeps no server from serving.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The way to the service manager, where there is one.
#[derive(Debug, Default)]
pub struct Notifier {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Returns the way that the environment names: `NOTIFY_SOCKET`, and `WATCHDOG_USEC` if it is for this process.
    ///
    /// Fails where there is such a socket and it cannot be used.
    pub fn of_environment() -> io::Result<Self> {
        let text = |name| std::env::var(name).ok();
        let is_for_us = text("WATCHDOG_PID")
            .and_then(|pid| pid.parse().ok())
            .is_none_or(|pid: u32| pid == std::process::id());
        let usec = text("WATCHDOG_USEC").filter(|_| is_for_us);
        let usec = usec
            .and_then(|usec| usec.parse().ok())
            .filter(|usec| *usec > 0);
        let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|it| !it.is_empty()) else {
            return Ok(Self::default());
        };
        let address = match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(&socket)?,
        };
        Self::to(address, usec.map(Duration::from_micros))
    }

    /// Returns the way to the manager at `address`, who expects to hear of the workers within each `watchdog`.
    pub fn to(address: SocketAddr, watchdog: Option<Duration>) -> io::Result<Self> {
        Ok(Self {
            manager: Some((UnixDatagram::unbound()?, address)),
            watchdog,
        })
    }

    /// Returns within which time the manager expects to hear that the workers answer; `None` where it does not care.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Says that the server answers.
    pub fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={}", line(status)));
    }

    /// Says what is served.
    pub fn status(&self, status: &str) {
        self.send(&format!("STATUS={}", line(status)));
    }

    /// Says that the workers answer.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Says that a reload begins; [`Self::ready`] ends it (`Type=notify-reload`).
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    /// Says that the server stops, and will be gone within `most`: the watchdog is not to bite before.
    pub fn stopping(&self, status: &str, most: Duration) {
        let mut text = format!("STOPPING=1\nSTATUS={}", line(status));
        if self.watchdog.is_some_and(|watchdog| watchdog < most) {
            text.push_str(&format!("\nWATCHDOG_USEC={}\nWATCHDOG=1", most.as_micros()));
        }
        self.send(&text);
    }

    fn send(&self, text: &str) {
        if let Some((socket, manager)) = &self.manager
            && let Err(error) = socket.send_to_addr(text.as_bytes(), manager)
        {
            tracing::warn!(%error, "the service manager cannot be told");
        }
    }
}

/// A line of its own each: what is told may name packages, and must not say anything else.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_one_thing_a_line() {
        let name = format!("airlock-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let heard = || {
            let mut bytes = [0; 256];
            let length = manager.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..length].to_vec()).unwrap()
        };
        let minute = Duration::from_secs(60);
        let notifier = Notifier::to(address, Some(minute)).unwrap();
        notifier.ready("serving 8.5.0\nSTOPPING=1");
        assert_eq!(heard(), "READY=1\nSTATUS=serving 8.5.0 STOPPING=1");
        notifier.reloading();
        let text = heard();
        let usec = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(usec.parse::<u64>().unwrap() > 0);
        notifier.alive();
        assert_eq!(heard(), "WATCHDOG=1");
        notifier.stopping("stopping", minute / 2);
        assert_eq!(heard(), "STOPPING=1\nSTATUS=stopping");
        notifier.stopping("stopping", minute * 2);
        assert_eq!(
            heard(),
            "STOPPING=1\nSTATUS=stopping\nWATCHDOG_USEC=120000000\nWATCHDOG=1"
        );
    }

    #[test]
    fn nobody_is_told_where_nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let gone = SocketAddr::from_pathname(folder.path().join("notify")).unwrap();
        Notifier::to(gone, None).unwrap().ready("serving");
        assert_eq!(Notifier::default().watchdog(), None);
    }
}

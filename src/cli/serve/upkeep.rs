//! What a server does beside answering: it writes down what was fetched, and takes up holds that end by themselves.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::catalog::Catalogs;
use crate::store::Store;

/// How often it looks whether a hold has ended.
const TICK: Duration = Duration::from_secs(1);
/// How often what was fetched is written down.
const PERIOD: Duration = Duration::from_secs(60);

/// The thread that does it; it ends with this, once what was fetched is written down.
pub(super) struct Upkeep {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    pub(super) fn begin(store: Arc<Store>, catalogs: Arc<Catalogs>) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            let mut written = Instant::now();
            loop {
                let is_over = stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
                if is_over || written.elapsed() >= PERIOD {
                    written = Instant::now();
                    // A full disk, or one that cannot be written to, is no reason to stop: the next time may do.
                    if let Err(error) = catalogs.fetches().write(&store) {
                        tracing::warn!(%error, "cannot write down what was fetched");
                    }
                }
                if is_over {
                    return;
                }
                let has_ended = catalogs
                    .next_end()
                    .is_some_and(|end| end <= Timestamp::now());
                if let Some(Err(error)) = has_ended.then(|| catalogs.reload(&store)) {
                    tracing::warn!(%error, "cannot take up the end of a hold");
                }
            }
        };
        let thread = thread::Builder::new().name("airlock-upkeep".to_owned());
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread.spawn(work)?),
        })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What it could not do it has said.
            let _ = thread.join();
        }
    }
}

//! What a server does beside answering: it writes down what was fetched and how full the disk is, takes up holds that end by themselves and
//! certificates that were changed, and says in a line what is served.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use jiff::Timestamp;
use tokio::sync::watch;

use super::tls::TlsWatch;
use crate::admin::disk;
use crate::admin::entrance::Web;
use crate::admin::status::{self, Mark};
use crate::catalog::Catalogs;
use crate::cli::status as text;
use crate::store::Store;

/// How often it looks whether a hold has ended, and at the files of the certificate.
const TICK: Duration = Duration::from_secs(1);
/// How often what was fetched is written down.
const PERIOD: Duration = Duration::from_secs(60);

/// The thread that does it; it ends with this, once what was fetched is written down.
pub(super) struct Upkeep {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Begins, and returns with it where the line is.
    pub(super) fn begin(
        store: Arc<Store>,
        catalogs: Arc<Catalogs>,
        mut tls: Option<TlsWatch>,
        web: Data<Web>,
    ) -> std::io::Result<(Self, watch::Receiver<String>)> {
        let (stop, stopped) = channel();
        let mut line = Line::of(&store);
        let (say, said) = watch::channel(line.text.clone());
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
                    if let Err(error) = disk::sample(&store, Timestamp::now()) {
                        tracing::debug!(%error, "how full the disk is today is not written down yet");
                    }
                }
                if let Err(error) = web.refusals.settle(&store, Timestamp::now()) {
                    tracing::debug!(%error, "what was refused too often is not written down yet");
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
                if let Some(tls) = &mut tls {
                    tls.look();
                }
                if line.renew(&store) {
                    say.send_replace(line.text.clone());
                }
            }
        };
        let thread = thread::Builder::new().name("airlock-upkeep".to_owned());
        let upkeep = Self {
            stop: Some(stop),
            thread: Some(thread.spawn(work)?),
        };
        Ok((upkeep, said))
    }
}

/// What is served, in a line for the service manager.
struct Line {
    mark: Option<Mark>,
    text: String,
}

impl Line {
    fn of(store: &Store) -> Self {
        let mut line = Self {
            mark: None,
            text: "serving".to_owned(),
        };
        line.renew(store);
        line
    }

    /// Takes up what has changed; tells whether something has. What cannot be read now is looked at again.
    fn renew(&mut self, store: &Store) -> bool {
        let Ok(mark) = status::mark(store) else {
            return false;
        };
        if self.mark.as_ref() == Some(&mark) {
            return false;
        }
        match status::look(store, None) {
            Ok(report) => {
                self.mark = Some(mark);
                self.text = text::line(&report);
                true
            }
            Err(error) => {
                tracing::debug!(%error, "cannot tell what is served");
                false
            }
        }
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

//! What is taken up anew while the server runs, when it gets SIGHUP (`systemctl reload`).
//!
//! One place for all of it: who has something that can change under a running server (a certificate, the log's level, who
//! may ask) adds a part here when the server is put together. Knows nothing of what the parts are.

use std::error::Error;

/// Why a part was not taken up: what was there before stays in force.
pub type ReloadError = Box<dyn Error + Send + Sync>;

type Reload = Box<dyn FnMut() -> Result<(), ReloadError> + Send>;

/// The parts that are taken up anew, in the order in which they were added.
#[derive(Default)]
pub struct Reloads(Vec<(&'static str, Reload)>);

impl Reloads {
    /// Adds a part; `what` names it in the log, as in "the certificate".
    ///
    /// `reload` runs on a thread that may block. It takes up all of its part or nothing, so that what was in force stays
    /// in force where it fails; no other part is kept from its turn by that.
    pub fn add(
        &mut self,
        what: &'static str,
        reload: impl FnMut() -> Result<(), ReloadError> + Send + 'static,
    ) {
        self.0.push((what, Box::new(reload)));
    }

    /// Takes up every part, and returns the names of those that failed; why is in the log.
    pub fn run(&mut self) -> Vec<&'static str> {
        let mut failed = Vec::new();
        for (what, reload) in &mut self.0 {
            match reload() {
                Ok(()) => tracing::info!(what, "reloaded"),
                Err(error) => {
                    let because = chain(&*error);
                    tracing::error!(what, because, "not reloaded: what was in force stays so");
                    failed.push(*what);
                }
            }
        }
        failed
    }
}

/// Returns an error with its causes, in a line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_part_that_fails_keeps_no_other_from_its_turn() {
        let done = Arc::new(AtomicUsize::new(0));
        let mut reloads = Reloads::default();
        for what in ["the log level", "the certificate", "the access lists"] {
            let done = Arc::clone(&done);
            reloads.add(what, move || {
                if what == "the certificate" {
                    return Err("it is no certificate".into());
                }
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
        }
        assert_eq!(reloads.run(), ["the certificate"]);
        assert_eq!(done.load(Ordering::Relaxed), 2);
        assert_eq!(reloads.run(), ["the certificate"]);
        assert_eq!(done.load(Ordering::Relaxed), 4);
    }
}

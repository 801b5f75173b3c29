//! TLS of a server: taken up at its start and when its files change, and a word in the log before it expires.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::{CliError, tls_settings};
use crate::config::Config;
use crate::crypto::tls::{CertificateReport, ServedTls, Stamp};

/// How often the log tells of a certificate that expires soon.
const WARN_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days before its end from which on it does: an authority may take weeks.
const WARN_DAYS: i64 = 60;

/// Takes up the certificate that the settings name; `None` where they name none.
pub(super) fn load(config: &Config) -> Result<Option<Arc<ServedTls>>, CliError> {
    let Some(files) = tls_settings::files(config) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(ServedTls::load(files)?)))
}

/// Looks, whenever it is asked to, whether there is something to take up or to warn of.
pub(super) struct TlsWatch {
    served: Arc<ServedTls>,
    in_force: Stamp,
    seen: Stamp,
    warned: Option<Instant>,
}

impl TlsWatch {
    pub(super) fn new(served: Arc<ServedTls>) -> Self {
        let in_force = served.stamp();
        Self {
            seen: in_force.clone(),
            in_force,
            warned: None,
            served,
        }
    }

    pub(super) fn look(&mut self) {
        let now = self.served.stamp();
        // Two looks at the same: whoever writes a certificate and then its key is most often done by then.
        if now != self.in_force && now == self.seen {
            self.in_force = now.clone();
            self.warned = None;
            self.take_up();
        }
        self.seen = now;
        if self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
            self.warned = Some(Instant::now());
            warn_of_dates(&self.served.report(Timestamp::now()));
        }
    }

    fn take_up(&self) {
        match self.served.reload() {
            Ok(report) => {
                let names = report.names.join(" ");
                tracing::info!(names, not_after = %report.not_after, "took up a changed certificate");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(
                    %error,
                    cause,
                    "the certificate was changed and cannot be used: the one before stays in force"
                );
            }
        }
    }
}

fn warn_of_dates(report: &CertificateReport) {
    let names = report.names.join(" ");
    let (days_left, not_after) = (report.days_left, report.not_after);
    if Timestamp::now() < report.not_before {
        let not_before = report.not_before;
        tracing::warn!(names, %not_before, "the certificate is not valid yet, and served all the same");
    } else if days_left < 0 {
        tracing::warn!(names, %not_after, "the certificate has expired, and is served all the same");
    } else if days_left < WARN_DAYS {
        tracing::warn!(names, %not_after, days_left, "the certificate expires soon");
    }
}

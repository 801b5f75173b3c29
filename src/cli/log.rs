//! The log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::Common;

/// Begins to write the log: as much of it as `RUST_LOG` says, else what is as grave as `default`.
pub(super) fn start(common: &Common, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // Colours are for eyes, not for files and journals.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if common.json {
        log.json().init()
    } else {
        log.init()
    }
}

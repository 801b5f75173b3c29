//! The log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::Common;

/// Begins to write the log: as much of it as `RUST_LOG` says, else what is as grave as `default`.
pub(super) fn start(common: &Common, default: &str) {
    // What a client sends wrong is no error of the server's: actix-http would fill the log with it, and rPGP with what is
    // wrong in keys and signatures, which is said where they are read.
    let default = || EnvFilter::new(format!("{default},actix_http=off,pgp=off"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default());
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

//! The log, on standard error: text for people, ECS for Elasticsearch.

mod ecs;

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{Log, LogFormat, LogLevel};

/// What a server logs, which may change while it runs.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Has a server log what is as grave as `level` from now on, unless `RUST_LOG` or `--quiet` say it.
pub(super) fn set_level(level: LogLevel) -> Result<(), reload::Error> {
    FILTER.get().map_or(Ok(()), |it| it.reload(filter(level)))
}

/// Begins to write the log of a command: text, what is as grave as `level`.
pub(super) fn start(level: LogLevel) {
    let _ = begin(level, LogFormat::Text);
}

/// Begins to write the log of a server, by its settings; `is_json` asks for what programs read where they leave it open.
pub(super) fn start_server(log: &Log, is_quiet: bool, is_json: bool) {
    let level = if is_quiet {
        LogLevel::Warn
    } else {
        log.level.value
    };
    let format = match log.format.value {
        LogFormat::Auto if is_json || !std::io::stderr().is_terminal() => LogFormat::Ecs,
        LogFormat::Auto => LogFormat::Text,
        format => format,
    };
    let filter = begin(level, format);
    if !is_quiet {
        // A process has one log: a second one would not have been begun.
        let _ = FILTER.set(filter);
    }
}

fn begin(level: LogLevel, format: LogFormat) -> reload::Handle<EnvFilter, Registry> {
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Ecs => lines.event_format(ecs::Ecs).boxed(),
        LogFormat::Auto | LogFormat::Text => lines
            .with_target(false)
            // Colours are for eyes, not for files and journals.
            .with_ansi(std::io::stderr().is_terminal())
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    handle
}

/// Returns what is logged: as much as `RUST_LOG` says, else what is as grave as `level`.
fn filter(level: LogLevel) -> EnvFilter {
    // What a client sends wrong is no error of the server's: actix-http would fill the log with it, and rPGP with what is
    // wrong in keys and signatures, which is said where they are read.
    let default = || EnvFilter::new(format!("{},actix_http=off,pgp=off", level.as_str()));
    EnvFilter::try_from_default_env().unwrap_or_else(|_| default())
}

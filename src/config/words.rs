//! Values that are one of a few words: versions of TLS, roles, how much is logged and in which form.

use super::given::{Value, Wrong};
use super::values::text;
use crate::people::Role;

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2
    V1_2,
    /// 1.3
    V1_3,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And what was done, a line a request.
    Info,
    /// And how.
    Debug,
    /// And everything.
    Trace,
}

impl LogLevel {
    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else ECS.
    Auto,
    /// Lines for people.
    Text,
    /// JSON after the Elastic Common Schema.
    Ecs,
}

fn one_of<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, Wrong> {
    let said = text(value)?.trim();
    let found = words.iter().find(|(word, _)| *word == said);
    found.map(|(_, meant)| *meant).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Wrong::with_hint(
            format!("{said:?} is none of its values"),
            format!("one of {}", known.join(", ")),
        )
    })
}

pub fn tls_version(value: &Value) -> Result<TlsVersion, Wrong> {
    one_of(
        value,
        &[("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)],
    )
}

pub fn role(value: &Value) -> Result<Role, Wrong> {
    one_of(value, &Role::ALL.map(|role| (role.name(), role)))
}

pub fn roles(value: &Value) -> Result<Vec<(String, Role)>, Wrong> {
    let Value::Table(rows) = value else {
        return Err(Wrong::with_hint(
            "a table is needed here",
            "as in { alice = \"publisher\" }",
        ));
    };
    let row = |(user, named): &(String, String)| {
        let role = role(&Value::Text(named.clone()));
        let role = role.map_err(|wrong| Wrong {
            problem: format!("{user}: {}", wrong.problem),
            ..wrong
        })?;
        Ok((user.clone(), role))
    };
    rows.iter().map(row).collect()
}

pub fn log_level(value: &Value) -> Result<LogLevel, Wrong> {
    one_of(
        value,
        &[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ],
    )
}

pub fn log_format(value: &Value) -> Result<LogFormat, Wrong> {
    one_of(
        value,
        &[
            ("auto", LogFormat::Auto),
            ("text", LogFormat::Text),
            ("ecs", LogFormat::Ecs),
        ],
    )
}

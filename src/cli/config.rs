//! `airlock config`: what holds and who said it, whether a file is right, a line of the users' file.

mod password;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{CliError, Common};
use crate::api::access::Users;
use crate::config::{Config, ConfigError, Origin, Problem, Shown, Value, check_file};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every setting, what it is, and where that was said
    Show,
    /// Tell whether the settings can be used: those of now, or a file
    Check {
        /// Look at this file alone
        file: Option<PathBuf>,
    },
    /// Print a line for `access.users_file`; the password is read from the terminal, or standard input
    Password {
        /// The user's name
        user: String,
    },
}

pub(super) fn run(common: &Common, command: ConfigCommand) -> Result<ExitCode, CliError> {
    match command {
        ConfigCommand::Show => {
            let mut config = common.settings(&[])?;
            if std::env::var_os("RUST_LOG").is_some_and(|said| !said.is_empty()) {
                let note = "RUST_LOG says what is logged, whatever log.level is";
                config.notes.push(note.to_owned());
            }
            common.print(&Settings::of(&config), Settings::text)?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Check { file } => check(common, file.as_deref()),
        ConfigCommand::Password { user } => password::run(common, user),
    }
}

/// What `airlock config show` tells.
#[derive(Debug, Serialize)]
struct Settings {
    file: Option<PathBuf>,
    settings: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    key: &'static str,
    value: Json,
    origin: String,
    variable: String,
    #[serde(skip)]
    shown: String,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            file: config.file.clone(),
            settings: config.shown().iter().map(Row::of).collect(),
            notes: config.notes.clone(),
        }
    }

    fn text(&self) -> String {
        let width = |cell: fn(&Row) -> usize| self.settings.iter().map(cell).max().unwrap_or(0);
        let (keys, values) = (width(|row| row.key.len()), width(|row| row.shown.len()));
        let mut text = String::new();
        for row in &self.settings {
            let (key, shown, origin) = (row.key, &row.shown, &row.origin);
            text.push_str(&format!("{key:keys$}  {shown:values$}  {origin}\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("Note: {note}\n"));
        }
        text
    }
}

impl Row {
    fn of(shown: &Shown) -> Self {
        let value = match &shown.value {
            None => Json::Null,
            Some(Value::Text(text)) => text.clone().into(),
            Some(Value::List(items)) => items.clone().into(),
            Some(Value::Table(rows)) => {
                let rows = rows.iter().cloned();
                Json::Object(
                    rows.map(|(name, value)| (name, value.into()))
                        .collect::<Map<_, _>>(),
                )
            }
        };
        Self {
            key: shown.key.name,
            value,
            origin: shown.origin.to_string(),
            variable: shown.key.variable(),
            shown: shown
                .value
                .as_ref()
                .map_or("-".to_owned(), ToString::to_string),
        }
    }
}

/// What `airlock config check` found.
#[derive(Debug, Serialize)]
struct Checked {
    file: Option<PathBuf>,
    is_right: bool,
    problems: Vec<Found>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Found {
    origin: String,
    key: String,
    problem: String,
    hint: Option<String>,
}

fn check(common: &Common, file: Option<&Path>) -> Result<ExitCode, CliError> {
    let config = match file {
        Some(file) => check_file(file),
        None => common.load(&[]),
    };
    let config = config.and_then(|mut config| {
        let mut problems = missing_files(&config);
        match unreadable_users(&config) {
            Some(note) => config.notes.push(note),
            None => problems.extend(users(&config).err()),
        }
        match problems.is_empty() {
            true => Ok(config),
            false => Err(ConfigError { problems }),
        }
    });
    let checked = match config {
        Ok(config) => Checked {
            file: config.file.clone(),
            is_right: true,
            problems: Vec::new(),
            notes: config.notes,
        },
        Err(error) => Checked {
            file: file.map(Path::to_owned),
            is_right: false,
            problems: error.problems.iter().map(Found::of).collect(),
            notes: Vec::new(),
        },
    };
    common.print(&checked, Checked::text)?;
    Ok(if checked.is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Returns which files of TLS are not there. What is in them `airlock tls show` tells.
fn missing_files(config: &Config) -> Vec<Problem> {
    let named = [
        ("tls.certificate", &config.tls.certificate),
        ("tls.key", &config.tls.key),
        ("tls.key_passphrase_file", &config.tls.key_passphrase_file),
        ("tls.client_ca", &config.tls.client_ca),
    ];
    let missing = named.into_iter().filter_map(|(key, setting)| {
        let file = setting.value.as_ref()?;
        let error = file.metadata().err()?;
        // Who checks may be somebody who must not look there.
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        is_missing.then(|| Problem {
            origin: setting.origin.clone(),
            key: key.to_owned(),
            problem: format!("cannot read {}: {error}", file.display()),
            hint: Some("`airlock tls install` puts a certificate and its key in place".to_owned()),
        })
    });
    missing.collect()
}

/// Returns that the users' file was not looked at, where who asks may not read it.
fn unreadable_users(config: &Config) -> Option<String> {
    let file = config.access.users_file.value.as_ref()?;
    let error = std::fs::File::open(file).err()?;
    let is_kept_out = error.kind() == std::io::ErrorKind::PermissionDenied;
    is_kept_out.then(|| format!("{} was not looked at: {error}", file.display()))
}

/// Reads the users that `config` names, `None` where it names none.
pub(super) fn users(config: &Config) -> Result<Option<Users>, Problem> {
    let setting = &config.access.users_file;
    let Some(file) = &setting.value else {
        return Ok(None);
    };
    Users::read(file).map(Some).map_err(|error| {
        let origin = match error.line() {
            Some(line) => Origin::File {
                file: file.clone(),
                line,
            },
            None => setting.origin.clone(),
        };
        Problem {
            origin,
            key: "access.users_file".to_owned(),
            problem: super::failure::chain(&error),
            hint: Some("`airlock config password USER` prints a line for it".to_owned()),
        }
    })
}

impl Found {
    fn of(problem: &Problem) -> Self {
        Self {
            origin: problem.origin.to_string(),
            key: problem.key.clone(),
            problem: problem.problem.clone(),
            hint: problem.hint.clone(),
        }
    }
}

impl Checked {
    fn text(&self) -> String {
        let mut text = String::new();
        for found in &self.problems {
            let key = match found.key.as_str() {
                "" => String::new(),
                key => format!("{key}: "),
            };
            text.push_str(&format!("{}: {key}{}\n", found.origin, found.problem));
            if let Some(hint) = &found.hint {
                text.push_str(&format!("  Hint: {hint}\n"));
            }
        }
        for note in &self.notes {
            text.push_str(&format!("Note: {note}\n"));
        }
        if self.is_right {
            match &self.file {
                Some(file) => text.push_str(&format!("{} can be used.\n", file.display())),
                None => text.push_str("The settings can be used; there is no file.\n"),
            }
        }
        text
    }
}

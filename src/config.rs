//! Settings and where each comes from: flag over environment over file over default.
//!
//! Knows what every setting is called, what it may be and where it was said; what becomes of it is decided by those who
//! are handed the values. All keys stand in one table ([`keys`]); all that is wrong is told at once ([`ConfigError`]).
//! The variables and the `config.yml` of the reference registry are understood as well (`reference.rs`).

mod environment;
mod error;
mod file;
mod given;
pub mod keys;
mod places;
mod reference;
mod values;
mod words;

use std::path::{Path, PathBuf};

use ipnet::IpNet;

pub use environment::Environment;
pub use error::{ConfigError, Problem};
pub use given::{Origin, Setting, Shown, Value};
pub use values::{HostName, ListenAddress, TcpAddress};
pub use words::{LogFormat, LogLevel, TlsVersion};

use given::Layers;
use keys::Key;

use crate::people::Role;

/// Where the file is looked for where nothing names one.
pub const DEFAULT_FILE: &str = "/etc/airlock/airlock.toml";

/// What the command line says of settings, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`, as often as it was given.
    pub listen: Vec<String>,
}

/// All settings, each with where it comes from.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// The folder of the store; `None` only where nothing says it and the user has no home.
    pub data_dir: Setting<Option<PathBuf>>,
    /// Where the server is reached.
    pub listen: Listen,
    /// TLS on the registry's TCP listeners; both files or none.
    pub tls: Tls,
    /// Who may ask the registry API.
    pub access: Access,
    /// The operator's socket.
    pub control: Control,
    /// The admin side in browsers.
    pub admin: Admin,
    /// What is logged.
    pub log: Log,
    /// How long clients may keep answers; `None` is what the branch says.
    pub cache: Cache,
    /// What was said and means nothing here, a line each for the log.
    pub notes: Vec<String>,
    shown: Vec<Shown>,
}

/// `[listen]`
#[derive(Debug, Clone)]
pub struct Listen {
    /// Where the registry is reached, at least one.
    pub api: Setting<Vec<ListenAddress>>,
    /// Where Prometheus is answered.
    pub metrics: Setting<Option<TcpAddress>>,
}

/// `[tls]`
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate and its chain, PEM.
    pub certificate: Setting<Option<PathBuf>>,
    /// Its key, PEM.
    pub key: Setting<Option<PathBuf>>,
    /// The file whose first line opens the key.
    pub key_passphrase_file: Setting<Option<PathBuf>>,
    /// The oldest version that is spoken.
    pub min_version: Setting<TlsVersion>,
    /// Whose certificates clients have to show; none are asked for without.
    pub client_ca: Setting<Option<PathBuf>>,
}

/// `[access]`
#[derive(Debug, Clone)]
pub struct Access {
    /// Names that requests may be for; empty: every one.
    pub hosts: Setting<Vec<HostName>>,
    /// Networks that may ask; empty: every one.
    pub networks: Setting<Vec<IpNet>>,
    /// Proxies whose word on their client's address is taken.
    pub trusted_proxies: Setting<Vec<IpNet>>,
    /// The users of Basic auth; `None`: nobody is asked for a password.
    pub users_file: Setting<Option<PathBuf>>,
}

/// `[control]`
#[derive(Debug, Clone)]
pub struct Control {
    /// The operator's socket; `None`: `control.sock` in the data folder.
    pub socket: Setting<Option<PathBuf>>,
    /// The group whose members may use it; `None`: the store's owner alone.
    pub group: Setting<Option<String>>,
    /// What members may do who are not in `roles`.
    pub role: Setting<Role>,
    /// What these users may do.
    pub roles: Setting<Vec<(String, Role)>>,
}

/// `[admin]`
#[derive(Debug, Clone)]
pub struct Admin {
    /// Whether it is served to browsers and scripts at all.
    pub enabled: Setting<bool>,
    /// Its own address; `None`: it is served where the registry is.
    pub listen: Setting<Option<TcpAddress>>,
    /// The header in which a proxy that is trusted says who has logged in there, in lower case.
    pub user_header: Setting<Option<String>>,
    /// What is shown before somebody logs in.
    pub banner: Setting<Option<String>>,
    /// Minutes without a request after which a session is over.
    pub idle_minutes: Setting<u32>,
    /// Hours after which a session is over in any case.
    pub session_hours: Setting<u32>,
    /// Wrong passwords in a row after which a user is locked.
    pub failures: Setting<u32>,
    /// Characters that a new password has at least.
    pub password_length: Setting<u32>,
}

/// `[log]`
#[derive(Debug, Clone)]
pub struct Log {
    /// How much.
    pub level: Setting<LogLevel>,
    /// In which form.
    pub format: Setting<LogFormat>,
}

/// `[cache]`, each in seconds
#[derive(Debug, Clone)]
pub struct Cache {
    /// `/` and package documents.
    pub index_seconds: Setting<Option<u32>>,
    /// `/search`.
    pub search_seconds: Setting<Option<u32>>,
    /// `/categories`.
    pub categories_seconds: Setting<Option<u32>>,
    /// Files, zips, signatures and the favicon.
    pub catch_all_seconds: Setting<Option<u32>>,
}

impl Config {
    /// Returns the settings that flags, environment and file make together.
    ///
    /// The file is the one that `--config` names, else `AIRLOCK_CONFIG`, else [`DEFAULT_FILE`] where it is there. Fails
    /// with everything that is wrong: a value is looked at even where another one wins.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let named = flags.file.clone().or_else(|| environment.file());
        let file = named.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()));
        Self::load_from(file, flags, environment)
    }

    /// Returns the settings that flags make alone.
    pub fn from_flags(flags: &Flags) -> Result<Self, ConfigError> {
        Self::load_from(None, flags, &Environment::default())
    }

    fn load_from(
        file: Option<PathBuf>,
        flags: &Flags,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::default();
        let mut notes = Vec::new();
        flags.give(&mut layers);
        environment.give(&mut layers, &mut notes);
        reference::give_variables(environment, &mut layers, &mut notes);
        if let Some(file) = &file {
            file::give(file, &mut layers);
        }
        reference::give_file(environment, &mut layers, &mut notes);
        places::give(environment, &mut layers);
        Self::settle(file, layers, notes)
    }

    fn settle(
        file: Option<PathBuf>,
        mut layers: Layers,
        notes: Vec<String>,
    ) -> Result<Self, ConfigError> {
        use {values as v, words as w};
        let l = &mut layers;
        let config = Self {
            file,
            data_dir: l.optional("data_dir", v::path),
            listen: Listen {
                api: l.or("listen.api", v::listen_addresses, v::default_listen()),
                metrics: l.optional("listen.metrics", v::tcp_address),
            },
            tls: Tls {
                certificate: l.optional("tls.certificate", v::path),
                key: l.optional("tls.key", v::path),
                key_passphrase_file: l.optional("tls.key_passphrase_file", v::path),
                min_version: l.or("tls.min_version", w::tls_version, TlsVersion::V1_2),
                client_ca: l.optional("tls.client_ca", v::path),
            },
            access: Access {
                hosts: l.or("access.hosts", v::host_names, Vec::new()),
                networks: l.or("access.networks", v::networks, Vec::new()),
                trusted_proxies: l.or("access.trusted_proxies", v::networks, Vec::new()),
                users_file: l.optional("access.users_file", v::path),
            },
            control: Control {
                socket: l.optional("control.socket", v::path),
                group: l.optional("control.group", v::word),
                role: l.or("control.role", w::role, Role::Admin),
                roles: l.or("control.roles", w::roles, Vec::new()),
            },
            admin: Admin {
                enabled: l.or("admin.enabled", v::switch, true),
                listen: l.optional("admin.listen", v::tcp_address),
                user_header: l.optional("admin.user_header", v::header_name),
                banner: l.optional("admin.banner", v::banner),
                idle_minutes: l.or("admin.idle_minutes", v::number(1, 24 * 60), 30),
                session_hours: l.or("admin.session_hours", v::number(1, 30 * 24), 12),
                failures: l.or("admin.failures", v::number(1, 100), 5),
                password_length: l.or("admin.password_length", v::number(8, 128), 12),
            },
            log: Log {
                level: l.or("log.level", w::log_level, LogLevel::Info),
                format: l.or("log.format", w::log_format, LogFormat::Auto),
            },
            cache: Cache {
                index_seconds: l.optional("cache.index", v::seconds),
                search_seconds: l.optional("cache.search", v::seconds),
                categories_seconds: l.optional("cache.categories", v::seconds),
                catch_all_seconds: l.optional("cache.catch_all", v::seconds),
            },
            notes,
            shown: Vec::new(),
        };
        config.tls.belong_together(&mut layers);
        let shown = layers.finish()?;
        Ok(Self { shown, ..config })
    }

    /// Returns every setting as text, in the order of the table of keys. None of them is a secret: those lie in files of
    /// their own.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }
}

impl Tls {
    fn belong_together(&self, layers: &mut Layers) {
        let (one, other, name) = match (&*self.certificate, &*self.key) {
            (Some(_), None) => (&self.certificate, "tls.key", "tls.certificate"),
            (None, Some(_)) => (&self.key, "tls.certificate", "tls.key"),
            _ => return,
        };
        layers.complain(Problem::new(
            one.origin.clone(),
            name,
            format!("{other} is missing: a certificate and its key go together"),
            Some(format!("set {other} too, or neither")),
        ));
    }
}

impl Flags {
    fn give(&self, layers: &mut Layers) {
        if let Some(folder) = &self.data_dir {
            let value = Value::Text(folder.to_string_lossy().into_owned());
            layers.give("data_dir", value, Origin::Flag("--data-dir"));
        }
        if !self.listen.is_empty() {
            let value = Value::List(self.listen.clone());
            layers.give("listen.api", value, Origin::Flag("--listen"));
        }
    }
}

/// Returns what is wrong with one file, beside what flags and environment say.
pub fn check_file(file: &Path) -> Result<Config, ConfigError> {
    Config::load_from(
        Some(file.to_owned()),
        &Flags::default(),
        &Environment::default(),
    )
}

#[cfg(test)]
mod tests;

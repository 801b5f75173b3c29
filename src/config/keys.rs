//! The table of all keys: what each is called, where else it may be said, what it is where nobody says it.
//!
//! `airlock config show`, the suggestions for misspelt keys, the sample and the documentation are held to this table.

/// The form that the value of a key has in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A string that names a file or folder; in the file it may be relative to the file's folder.
    Path,
    /// An array of strings; in a variable they stand between commas.
    List,
    /// A table of strings; in a variable `name=value` between commas.
    Table,
    /// A whole number, or a string of its digits.
    Number,
    /// `true` or `false`, or a string of one of them.
    Switch,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file, with its section: `listen.api`.
    pub name: &'static str,
    /// Its form.
    pub form: Form,
    /// What it is where nobody says it, as it is shown; empty where it is then absent.
    pub default: &'static str,
    /// The variable of the reference registry that means the same.
    pub reference: Option<&'static str>,
    /// A flag that says it.
    pub flag: Option<&'static str>,
}

impl Key {
    /// Returns its environment variable: `AIRLOCK_LISTEN_API`.
    pub fn variable(&self) -> String {
        format!("AIRLOCK_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

const fn key(name: &'static str, form: Form, default: &'static str) -> Key {
    Key {
        name,
        form,
        default,
        reference: None,
        flag: None,
    }
}

const fn also(key: Key, reference: &'static str) -> Key {
    Key {
        reference: Some(reference),
        ..key
    }
}

const fn with_flag(key: Key, flag: &'static str) -> Key {
    Key {
        flag: Some(flag),
        ..key
    }
}

/// Every key, in the order in which they are shown.
pub const KEYS: [Key; 30] = [
    with_flag(key("data_dir", Form::Path, ""), "--data-dir"),
    with_flag(
        also(
            key("listen.api", Form::List, "127.0.0.1:8080"),
            "EPR_ADDRESS",
        ),
        "--listen",
    ),
    also(key("listen.metrics", Form::Text, ""), "EPR_METRICS_ADDRESS"),
    also(key("tls.certificate", Form::Path, ""), "EPR_TLS_CERT"),
    also(key("tls.key", Form::Path, ""), "EPR_TLS_KEY"),
    key("tls.key_passphrase_file", Form::Path, ""),
    also(
        key("tls.min_version", Form::Text, "1.2"),
        "EPR_TLS_MIN_VERSION",
    ),
    key("tls.client_ca", Form::Path, ""),
    key("access.hosts", Form::List, ""),
    key("access.networks", Form::List, ""),
    key("access.trusted_proxies", Form::List, ""),
    key("access.users_file", Form::Path, ""),
    key("control.socket", Form::Path, ""),
    key("control.group", Form::Text, ""),
    key("control.role", Form::Text, "admin"),
    key("control.roles", Form::Table, ""),
    key("admin.enabled", Form::Switch, "true"),
    key("admin.listen", Form::Text, ""),
    key("admin.user_header", Form::Text, ""),
    key("admin.banner", Form::Text, ""),
    key("admin.idle_minutes", Form::Number, "30"),
    key("admin.session_hours", Form::Number, "12"),
    key("admin.failures", Form::Number, "5"),
    key("admin.password_length", Form::Number, "12"),
    also(key("log.level", Form::Text, "info"), "EPR_LOG_LEVEL"),
    also(key("log.format", Form::Text, "auto"), "EPR_LOG_TYPE"),
    key("cache.index", Form::Text, ""),
    key("cache.search", Form::Text, ""),
    key("cache.categories", Form::Text, ""),
    key("cache.catch_all", Form::Text, ""),
];

/// Returns the key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Returns the key whose name is most like `name`, where one is like it at all.
pub fn most_like(name: &str) -> Option<&'static str> {
    similar(name, KEYS.iter().map(|key| key.name))
}

/// Returns which of `names` is most like `name`: close as a whole, or the same after its last dot.
pub fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &'_ str| name.rsplit('.').next().unwrap_or_default().to_owned();
    names
        .map(|known| {
            let whole = strsim::jaro_winkler(name, known);
            let end = strsim::jaro_winkler(&last(name), &last(known));
            (whole.max(end), whole, known)
        })
        .filter(|(best, _, _)| *best > 0.85)
        .max_by(|a, b| {
            (a.0, a.1)
                .partial_cmp(&(b.0, b.1))
                .unwrap_or(std::cmp::Ordering::Equal)
        })
        .map(|(_, _, known)| known)
}

//! What was said for a key, by whom, and who wins.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;

use super::Key;
use super::error::{ConfigError, Problem};
use super::keys::{self, Form, KEYS};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// A file.
    File {
        /// Which.
        file: PathBuf,
        /// Its line, from 1; 0 where it is about the file as a whole.
        line: usize,
    },
    /// Nobody said it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => f.write_str(name),
            Self::File { file, line: 0 } => write!(f, "{}", file.display()),
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A setting as text.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its key.
    pub key: &'static Key,
    /// What was said; `None` where it is absent.
    pub value: Option<Value>,
    /// Where it comes from.
    pub origin: Origin,
}

/// What was said, before it is known whether it makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An array of strings.
    List(Vec<String>),
    /// A table of strings.
    Table(Vec<(String, String)>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(items) => f.write_str(&items.join(", ")),
            Self::Table(rows) => {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                f.write_str(&rows.join(", "))
            }
        }
    }
}

impl Value {
    /// Returns the value of `form` that a variable's text is: items stand between commas.
    pub fn from_text(text: &str, form: Form) -> Result<Self, String> {
        let items = || {
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
        };
        match form {
            Form::Text | Form::Path | Form::Number | Form::Switch => {
                Ok(Self::Text(text.to_owned()))
            }
            Form::List => Ok(Self::List(items().map(str::to_owned).collect())),
            Form::Table => items()
                .map(|item| {
                    let (name, value) = item
                        .split_once('=')
                        .ok_or_else(|| format!("{item:?} is not NAME=VALUE"))?;
                    Ok((name.trim().to_owned(), value.trim().to_owned()))
                })
                .collect::<Result<_, _>>()
                .map(Self::Table),
        }
    }
}

/// One value of one key.
#[derive(Debug)]
pub struct Given {
    key: &'static Key,
    value: Value,
    origin: Origin,
}

/// Why a value cannot be used, and what would do.
#[derive(Debug)]
pub struct Wrong {
    /// Why.
    pub problem: String,
    /// What would do.
    pub hint: Option<String>,
}

impl Wrong {
    /// Returns the reason without a hint.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            hint: None,
        }
    }

    /// Returns the reason with a hint.
    pub fn with_hint(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            hint: Some(hint.into()),
        }
    }
}

/// Everything that was said, the strongest first, and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Layers {
    given: Vec<Given>,
    problems: Vec<Problem>,
}

impl Layers {
    /// Notes that `origin` says `value` for the key called `name`; what was said before wins.
    pub fn give(&mut self, name: &str, value: Value, origin: Origin) {
        match keys::find(name) {
            Some(key) => self.given.push(Given { key, value, origin }),
            None => self.complain(Problem::new(origin, name, "no such key".to_owned(), None)),
        }
    }

    /// Notes that something is wrong.
    pub fn complain(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Returns the setting of `name` as `read` understands it, else `default`.
    pub fn or<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Value) -> Result<T, Wrong>,
        default: T,
    ) -> Setting<T> {
        let mut winner = None;
        // Each is looked at: what a file says wrong is wrong even while a variable wins.
        for given in self.given.iter().filter(|given| given.key.name == name) {
            match read(&given.value) {
                Ok(value) => {
                    winner.get_or_insert(Setting {
                        value,
                        origin: given.origin.clone(),
                    });
                }
                Err(wrong) => self.problems.push(Problem::new(
                    given.origin.clone(),
                    name,
                    wrong.problem,
                    wrong.hint,
                )),
            }
        }
        winner.unwrap_or(Setting {
            value: default,
            origin: Origin::Default,
        })
    }

    /// Returns the setting of `name` as `read` understands it, `None` where nobody says it.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Value) -> Result<T, Wrong>,
    ) -> Setting<Option<T>> {
        self.or(name, |value| read(value).map(Some), None)
    }

    /// Returns what won for every key, or all that is wrong.
    pub fn finish(mut self) -> Result<Vec<Shown>, ConfigError> {
        if !self.problems.is_empty() {
            self.problems.sort_by_key(Problem::place);
            return Err(ConfigError {
                problems: self.problems,
            });
        }
        let shown = KEYS.iter().map(|key| {
            let winner = self.given.iter().find(|given| given.key.name == key.name);
            let default = (!key.default.is_empty()).then(|| Value::Text(key.default.to_owned()));
            Shown {
                key,
                value: winner.map(|given| given.value.clone()).or(default),
                origin: winner.map_or(Origin::Default, |given| given.origin.clone()),
            }
        });
        Ok(shown.collect())
    }
}

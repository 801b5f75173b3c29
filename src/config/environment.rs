//! The environment: `AIRLOCK_<SECTION>_<KEY>`.
//!
//! An empty variable is one that nobody set: that is how compose files leave one out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::Problem;
use super::given::{Layers, Origin, Value};
use super::keys::{self, KEYS};

/// The variables that concern settings.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// What else begins with `AIRLOCK_`: the file, the older name of `AIRLOCK_LISTEN_API`, where tests find their data.
const OTHERS: [&str; 3] = ["AIRLOCK_CONFIG", "AIRLOCK_LISTEN", "AIRLOCK_SHARED"];

impl Environment {
    /// Returns the variables of this process. What is not UTF-8 is taken with replacement characters, and so refused
    /// wherever it matters.
    pub fn of_this_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        variables.collect()
    }

    /// Returns the value of the variable called `name`, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Tells whether no variable is set at all.
    pub(super) fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Returns the names of all variables that are not empty and begin with `prefix`.
    pub(super) fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.variables
            .iter()
            .filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
            .map(|(name, _)| name.as_str())
    }

    /// Returns the file of settings that `AIRLOCK_CONFIG` names.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.get("AIRLOCK_CONFIG").map(PathBuf::from)
    }

    /// Gives what it says to `layers`; a variable that looks like a misspelt one is noted.
    pub(super) fn give(&self, layers: &mut Layers, notes: &mut Vec<String>) {
        for key in &KEYS {
            let variable = key.variable();
            let older = (key.name == "listen.api").then_some("AIRLOCK_LISTEN");
            for name in [Some(variable.as_str()), older].into_iter().flatten() {
                let Some(text) = self.get(name) else { continue };
                let origin = Origin::Variable(name.to_owned());
                match Value::from_text(text, key.form) {
                    Ok(value) => layers.give(key.name, value, origin),
                    Err(problem) => {
                        layers.complain(Problem::new(origin, key.name, problem, None));
                    }
                }
            }
        }
        let known: Vec<_> = KEYS.iter().map(keys::Key::variable).collect();
        for name in self.names("AIRLOCK_") {
            if OTHERS.contains(&name) || known.iter().any(|known| known == name) {
                continue;
            }
            // Without what all of them begin with, which makes everything alike.
            let bare = |name| str::strip_prefix(name, "AIRLOCK_").unwrap_or_default();
            let names = known.iter().map(|known| bare(known));
            if let Some(meant) = keys::similar(bare(name), names) {
                notes.push(format!(
                    "{name} is no setting; did you mean AIRLOCK_{meant}?"
                ));
            }
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}

//! The settings of a server with where each was said, as people and programs read them.
//!
//! None is a secret: those lie in files of their own, of which the settings say the path.

use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The settings that hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsReport {
    /// The file that was read.
    pub file: Option<String>,
    /// Every setting, in the order of the table of keys.
    pub settings: Vec<SettingReport>,
    /// What was said and means nothing here.
    pub notes: Vec<String>,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingReport {
    /// Its key.
    pub key: String,
    /// What was said, or its default; `None` where there is neither.
    pub value: Option<String>,
    /// Who said it: a flag, a variable, a line of a file, or `default`.
    pub origin: String,
    /// The environment variable that would say it.
    pub variable: String,
}

impl SettingsReport {
    /// Returns what `config` holds.
    pub fn of(config: &Config) -> Self {
        let settings = config.shown().iter().map(|shown| SettingReport {
            key: shown.key.name.to_owned(),
            value: shown.value.as_ref().map(ToString::to_string),
            origin: shown.origin.to_string(),
            variable: shown.key.variable(),
        });
        Self {
            file: config.file.as_ref().map(|file| file.display().to_string()),
            settings: settings.collect(),
            notes: config.notes.clone(),
        }
    }
}

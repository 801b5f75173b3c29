//! A YAML tree seen as settings, the way go-ucfg does with `.` as separator: `a.b: 1` and `a: {b: 1}` are the same.
//!
//! Knows nothing of manifests. A name that is a small number is a place in a list, as in go-ucfg; both spellings of a
//! section are merged; a value set twice is an error. go-ucfg walks maps in random order, so for the few inputs whose
//! outcome depends on it we walk by name. Facts: `merge.go` and `path.go` of go-ucfg 0.9.1.

mod read;

use std::collections::BTreeMap;

use super::go_number;
use super::yaml::Yaml;
use crate::limits::Limits;

pub use read::ReadError;

/// A setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// Set to nothing, which for most purposes is not set at all.
    Nil,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond [`Setting::Int`].
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// More settings.
    Section(Section),
}

/// Settings by name and by place: a mapping has the former, a sequence the latter, few have both.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    named: BTreeMap<String, Setting>,
    /// `None` and empty differ: `{}` reads as nothing, `[]` as an empty list.
    listed: Option<Vec<Setting>>,
}

/// YAML that cannot be seen as settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A single value instead of a mapping.
    #[error("settings are one value, not a mapping")]
    NoMapping,
    /// Set to a value under two spellings.
    #[error("setting {0:?} is set twice")]
    SetTwice(String),
    /// A value that has settings below it at the same time.
    #[error("setting {0:?} lies below a plain value")]
    BelowValue(String),
    /// A place before the first.
    #[error("setting {0:?} has a negative index")]
    NegativeIndex(String),
    /// Dots in names nest deeper than [`Limits::yaml_depth`].
    #[error("setting {name:?} nested deeper than {allowed}")]
    TooDeep {
        /// The name.
        name: String,
        /// The bound.
        allowed: usize,
    },
    /// More settings, skipped places included, than [`Limits::yaml_nodes`].
    #[error("more than {0} settings")]
    TooMany(usize),
}

/// The largest name that is a place in a list, go-ucfg's default.
const MAX_INDEX: i64 = 1024;

/// How often a value is counted: when it is made, and when it is put somewhere.
const COUNTED: usize = 2;

/// Returns the settings that `yaml` holds, from its top down, and what they need of [`Limits::yaml_nodes`].
pub fn from_yaml(yaml: &Yaml, limits: &Limits) -> Result<(Setting, usize), SettingsError> {
    let mut build = Build {
        limits,
        settings: 0,
    };
    let root = match build.setting(yaml, 0)? {
        Setting::Nil => Setting::Section(Section::default()),
        section @ Setting::Section(_) => section,
        _ => return Err(SettingsError::NoMapping),
    };
    Ok((root, build.settings.div_ceil(COUNTED)))
}

/// The work of [`from_yaml`], with what the bounds count.
struct Build<'l> {
    limits: &'l Limits,
    settings: usize,
}

/// One part of a name between dots.
#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Place(usize),
}

impl Build<'_> {
    /// Recurses as deep as `yaml` is nested, which its parser bounds.
    fn setting(&mut self, yaml: &Yaml, depth: usize) -> Result<Setting, SettingsError> {
        self.count(1)?;
        Ok(match yaml {
            Yaml::Null => Setting::Nil,
            Yaml::Bool(value) => Setting::Bool(*value),
            Yaml::Int(value) => Setting::Int(*value),
            Yaml::Uint(value) => Setting::Uint(*value),
            Yaml::Float(value) => Setting::Float(*value),
            Yaml::Text(value) => Setting::Text(value.clone()),
            Yaml::List(items) => {
                let mut listed = Vec::with_capacity(items.len());
                for item in items {
                    listed.push(self.setting(item, depth + 1)?);
                }
                Setting::Section(Section {
                    named: BTreeMap::new(),
                    listed: Some(listed),
                })
            }
            Yaml::Map(entries) => {
                let mut section = Section::default();
                for (name, value) in entries {
                    let depth = depth + 1 + name.matches('.').count();
                    if depth > self.limits.yaml_depth {
                        return Err(SettingsError::TooDeep {
                            name: name.chars().take(100).collect(),
                            allowed: self.limits.yaml_depth,
                        });
                    }
                    let value = self.setting(value, depth)?;
                    let path = path(name)?;
                    self.put(&mut section, &path, value, name)?;
                }
                Setting::Section(section)
            }
        })
    }

    fn put(
        &mut self,
        section: &mut Section,
        path: &[Step],
        value: Setting,
        name: &str,
    ) -> Result<(), SettingsError> {
        let Some((&first, rest)) = path.split_first() else {
            return Ok(());
        };
        match section.get_mut(first) {
            None | Some(Setting::Nil) => {
                let mut value = value;
                for &step in rest.iter().rev() {
                    let mut outer = Section::default();
                    self.set(&mut outer, step, value)?;
                    value = Setting::Section(outer);
                }
                self.set(section, first, value)
            }
            Some(Setting::Section(old)) => match value {
                value if !rest.is_empty() => self.put(old, rest, value, name),
                Setting::Nil => Ok(()),
                Setting::Section(new) => {
                    old.merge(new);
                    Ok(())
                }
                _ => Err(SettingsError::SetTwice(name.to_owned())),
            },
            Some(_) if !rest.is_empty() => Err(SettingsError::BelowValue(name.to_owned())),
            Some(_) if value == Setting::Nil => Ok(()),
            Some(_) => Err(SettingsError::SetTwice(name.to_owned())),
        }
    }

    fn set(
        &mut self,
        section: &mut Section,
        step: Step,
        value: Setting,
    ) -> Result<(), SettingsError> {
        match step {
            Step::Name(name) => {
                self.count(1)?;
                section.named.insert(name.to_owned(), value);
            }
            Step::Place(place) => {
                let listed = section.listed.get_or_insert_default();
                if listed.len() <= place {
                    self.count(place + 1 - listed.len())?;
                    listed.resize(place + 1, Setting::Nil);
                }
                listed[place] = value;
            }
        }
        Ok(())
    }

    fn count(&mut self, settings: usize) -> Result<(), SettingsError> {
        self.settings = self.settings.saturating_add(settings);
        let allowed = self.limits.yaml_nodes.saturating_mul(COUNTED);
        match self.settings > allowed {
            true => Err(SettingsError::TooMany(allowed)),
            false => Ok(()),
        }
    }
}

impl Section {
    fn get_mut(&mut self, step: Step) -> Option<&mut Setting> {
        match step {
            Step::Name(name) => self.named.get_mut(name),
            Step::Place(place) => self.listed.as_mut()?.get_mut(place),
        }
    }

    /// Takes over what `from` has: of two plain values the new one, of two sections both.
    fn merge(&mut self, from: Section) {
        for (name, value) in from.named {
            match self.named.get_mut(&name) {
                Some(old) => old.merge(value),
                None => {
                    self.named.insert(name, value);
                }
            }
        }
        let mut new = from.listed.unwrap_or_default().into_iter();
        for (old, value) in self.listed.iter_mut().flatten().zip(&mut new) {
            old.merge(value);
        }
        let mut more = new.peekable();
        if more.peek().is_some() {
            self.listed.get_or_insert_default().extend(more);
        }
    }
}

impl Setting {
    fn merge(&mut self, from: Setting) {
        match (&mut *self, from) {
            (Setting::Section(old), Setting::Section(new)) => old.merge(new),
            (Setting::Section(_), Setting::Nil) => {}
            // go-ucfg takes nothing for an empty section here.
            (Setting::Nil, Setting::Nil) => *self = Setting::Section(Section::default()),
            (_, new) => *self = new,
        }
    }
}

fn path(name: &str) -> Result<Vec<Step<'_>>, SettingsError> {
    let step = |part| match go_number::parse_i64(part) {
        Some(place) if place <= MAX_INDEX => usize::try_from(place)
            .map(Step::Place)
            .map_err(|_| SettingsError::NegativeIndex(name.to_owned())),
        _ => Ok(Step::Name(part)),
    };
    name.split('.').map(step).collect()
}

#[cfg(test)]
mod tests;

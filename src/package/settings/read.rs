//! Settings into Rust values, with the conversions of go-ucfg, as a [`serde::Deserializer`].
//!
//! Text takes numbers and booleans; a boolean takes text that Go reads as one; a list takes a single value; a structure
//! looks up its fields by name (`a.b` is `b` in section `a`) and does not see what is nil, so that `null` and absent are
//! the same. Facts: `reify.go` and `types.go` of go-ucfg 0.9.1.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{Section, Setting};
use crate::package::go_number;

/// A setting that is not what the reader needs.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Names from the innermost out.
    path: Vec<String>,
    problem: String,
}

impl ReadError {
    fn below(mut self, name: impl fmt::Display) -> Self {
        self.path.push(name.to_string());
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.problem),
            false => {
                let names: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
                write!(f, "setting {:?}: {}", names.join("."), self.problem)
            }
        }
    }
}

impl std::error::Error for ReadError {}

impl Error for ReadError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self {
            path: Vec::new(),
            problem: problem.to_string(),
        }
    }
}

impl Setting {
    fn kind(&self) -> &'static str {
        match self {
            Setting::Nil => "nothing",
            Setting::Bool(_) => "a boolean",
            Setting::Int(_) | Setting::Uint(_) | Setting::Float(_) => "a number",
            Setting::Text(_) => "text",
            Setting::Section(_) => "a section",
        }
    }

    /// Tells whether this reads as nothing where any value may stand: nil, or a section without content.
    fn is_nothing(&self) -> bool {
        match self {
            Setting::Nil => true,
            Setting::Section(section) => section.named.is_empty() && section.listed.is_none(),
            _ => false,
        }
    }

    fn mismatch(&self, expected: &str) -> ReadError {
        ReadError::custom(format_args!("{} is no {expected}", self.kind()))
    }
}

impl Section {
    /// Returns the setting at `path`, its parts divided by dots.
    fn find(&self, path: &str) -> Option<&Setting> {
        match path.split_once('.') {
            None => self.named.get(path),
            Some((first, rest)) => match self.named.get(first)? {
                Setting::Section(section) => section.find(rest),
                _ => None,
            },
        }
    }
}

impl<'de> Deserializer<'de> for &'de Setting {
    type Error = ReadError;

    /// Any value as go-ucfg hands it out untyped: an empty section is nothing, places beside names become names.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Setting::Nil => visitor.visit_unit(),
            Setting::Bool(value) => visitor.visit_bool(*value),
            Setting::Int(value) => visitor.visit_i64(*value),
            Setting::Uint(value) => visitor.visit_u64(*value),
            Setting::Float(value) if value.is_finite() => visitor.visit_f64(*value),
            Setting::Float(_) => Err(self.mismatch("number that JSON can hold")),
            Setting::Text(value) => visitor.visit_borrowed_str(value),
            Setting::Section(section) => {
                let listed = section.listed.as_deref();
                if section.named.is_empty() {
                    return match listed {
                        None => visitor.visit_unit(),
                        Some(items) => visitor.visit_seq(Items(items.iter().enumerate())),
                    };
                }
                let named = section.named.iter().map(|(n, v)| (n.clone(), v));
                let places = listed.unwrap_or_default().iter().enumerate();
                let places = places.map(|(place, v)| (place.to_string(), v));
                visitor.visit_map(Entries::new(named.chain(places)))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let value = match self {
            Setting::Nil => false,
            Setting::Bool(value) => *value,
            Setting::Text(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
                "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
                _ => return Err(ReadError::custom(format_args!("{text:?} is no boolean"))),
            },
            _ => return Err(self.mismatch("boolean")),
        };
        visitor.visit_bool(value)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Setting::Nil => visitor.visit_string(String::new()),
            Setting::Bool(value) => visitor.visit_string(value.to_string()),
            Setting::Int(value) => visitor.visit_string(value.to_string()),
            Setting::Uint(value) => visitor.visit_string(value.to_string()),
            Setting::Float(value) => visitor.visit_string(go_number::print_float(*value)),
            Setting::Text(value) => visitor.visit_borrowed_str(value),
            Setting::Section(_) => Err(self.mismatch("text")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Setting::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let items = match self {
            Setting::Nil => &[],
            Setting::Section(section) => section.listed.as_deref().unwrap_or_default(),
            single => std::slice::from_ref(single),
        };
        visitor.visit_seq(Items(items.iter().enumerate()))
    }

    /// A free map: what lies by place is not seen, and what reads as nothing is left out.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Setting::Nil => visitor.visit_map(Entries::new(std::iter::empty())),
            Setting::Section(section) => {
                let entries = section.named.iter().filter(|(_, v)| !v.is_nothing());
                visitor.visit_map(Entries::new(entries.map(|(n, v)| (n.clone(), v))))
            }
            _ => Err(self.mismatch("section")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let found = |section: &'de Section| {
            fields.iter().filter_map(|&field| {
                let value = section.find(field).filter(|v| **v != Setting::Nil)?;
                Some((field.to_owned(), value))
            })
        };
        match self {
            Setting::Nil => visitor.visit_map(Entries::new(std::iter::empty())),
            Setting::Section(section) => visitor.visit_map(Entries::new(found(section))),
            _ => Err(self.mismatch("section")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        tuple tuple_struct enum identifier ignored_any
    }
}

/// The elements of a list.
struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Setting>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some((place, item)) = self.0.next() else {
            return Ok(None);
        };
        let element = seed.deserialize(item).map_err(|e| e.below(place));
        element.map(Some)
    }
}

/// The entries of a map or the fields of a structure.
struct Entries<'de, I> {
    entries: I,
    current: Option<(String, &'de Setting)>,
}

impl<'de, I: Iterator<Item = (String, &'de Setting)>> Entries<'de, I> {
    fn new(entries: I) -> Self {
        Self {
            entries,
            current: None,
        }
    }
}

impl<'de, I: Iterator<Item = (String, &'de Setting)>> MapAccess<'de> for Entries<'de, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        self.current = self.entries.next();
        match &self.current {
            None => Ok(None),
            Some((name, _)) => seed.deserialize(StrDeserializer::new(name)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let Some((name, value)) = self.current.take() else {
            return Err(ReadError::custom("a value without a name"));
        };
        seed.deserialize(value).map_err(|e| e.below(name))
    }
}

//! YAML text in, a tree of values out, as Go's `gopkg.in/yaml.v2` reads it into untyped values.
//!
//! That is YAML 1.1 with Go's own corners: of equal keys the last wins, `<<` merges where it stands, only the first
//! document counts. Knows nothing of manifests. Input is hostile: nesting, aliases and nodes are bounded by [`Limits`],
//! nothing recurses deeper than they say. The scanner is one of YAML 1.2, set to take what libyaml takes: brackets at
//! their parent's column, and a block without a line break at the end of a file. Facts: `resolve.go` and `decode.go` of
//! yaml.v2 2.4.0.

mod scalar;
mod tree;

use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag, YamlVersion};

use crate::limits::Limits;
use tree::{Parts, Scalar, Tree};

/// A value of a YAML document, its aliases resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` and their like.
    Bool(bool),
    /// A whole number that 64 bits hold with a sign.
    Int(i64),
    /// A whole number beyond [`Yaml::Int`].
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Everything else that is one value, dates among it.
    Text(String),
    /// A sequence. Values are shared between an anchor and its aliases.
    List(Vec<Rc<Yaml>>),
    /// A mapping.
    Map(BTreeMap<String, Rc<Yaml>>),
}

/// A document and what it cost.
#[derive(Debug)]
pub struct Document {
    /// Its top value; [`Yaml::Null`] when the text is empty.
    pub root: Yaml,
    /// Its values, those of aliases counted again, long text once more for each [`TEXT_BYTES_PER_NODE`].
    pub nodes: usize,
    /// Of these, the values that aliases stand for.
    pub alias_nodes: usize,
    /// Keys that stand twice in one mapping, with what they lie in: `vars[0].name`. The first ten, long names cut; what `<<` brings
    /// does not count.
    pub repeated_keys: Vec<String>,
}

/// Bytes of text that count as one node: bounds the memory of long text that is repeated by aliases.
const TEXT_BYTES_PER_NODE: usize = 64;

/// Text that is not the YAML we read.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// More bytes than [`Limits::manifest_bytes`].
    #[error("{bytes} bytes of YAML where {allowed} are allowed")]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// Bytes allowed.
        allowed: u64,
    },
    /// Not UTF-8.
    #[error("YAML is not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// A character that YAML does not allow anywhere.
    #[error("line {line}: YAML holds the control character U+{character:04X}")]
    Control {
        /// The code point.
        character: u32,
        /// The line, from 1.
        line: usize,
    },
    /// Not YAML.
    #[error("not YAML")]
    Syntax(#[from] ScanError),
    /// A directive for another version of YAML.
    #[error("YAML {major}.{minor} is not 1.1")]
    Version {
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A collection too many inside others.
    #[error("line {line}: YAML nested deeper than {allowed}")]
    TooDeep {
        /// The line, from 1.
        line: usize,
        /// [`Limits::yaml_depth`].
        allowed: usize,
    },
    /// More aliases than [`Limits::yaml_aliases`].
    #[error("line {line}: more than {allowed} YAML aliases")]
    TooManyAliases {
        /// The line, from 1.
        line: usize,
        /// The bound.
        allowed: usize,
    },
    /// More anchors than [`Limits::yaml_aliases`].
    #[error("line {line}: more than {allowed} YAML anchors")]
    TooManyAnchors {
        /// The line, from 1.
        line: usize,
        /// The bound.
        allowed: usize,
    },
    /// Aliases that stand for more values than [`Limits::yaml_alias_nodes`].
    #[error("line {line}: YAML aliases stand for more than {allowed} nodes")]
    TooManyAliasNodes {
        /// The line, from 1.
        line: usize,
        /// The bound.
        allowed: usize,
    },
    /// More values, those of aliases counted again, than [`Limits::yaml_nodes`].
    #[error("line {line}: more than {allowed} YAML nodes")]
    TooManyNodes {
        /// The line, from 1.
        line: usize,
        /// The bound.
        allowed: usize,
    },
    /// An alias inside the value it stands for.
    #[error("line {line}: YAML alias to a value that contains it")]
    AliasToItself {
        /// The line, from 1.
        line: usize,
    },
    /// A key that is a number, boolean, null or a collection.
    #[error("line {line}: YAML key that is no text")]
    Key {
        /// The line, from 1.
        line: usize,
    },
    /// `<<` with something else than mappings.
    #[error("line {line}: `<<` needs a mapping or a sequence of mappings")]
    Merge {
        /// The line, from 1.
        line: usize,
    },
    /// A value that is not what its tag says, as `!!int x`.
    #[error("line {line}: {text:?} is not {tag}")]
    Tag {
        /// The line, from 1.
        line: usize,
        /// The value.
        text: String,
        /// The tag, in full.
        tag: String,
    },
}

/// Returns the first document of `text`.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Document, YamlError> {
    if text.len() as u64 > limits.manifest_bytes {
        return Err(YamlError::TooLong {
            bytes: text.len(),
            allowed: limits.manifest_bytes,
        });
    }
    let text = std::str::from_utf8(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_characters(text)?;
    let options = granit_parser::options! {
        strict_indentation: false,
        block_scalar_eof_without_line_feed: true,
        emit_comments: false,
    };
    let mut tree = Tree::new(limits);
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event?;
        let line = span.start.line();
        match event {
            Event::DocumentStart(_, Some(YamlVersion { major, minor }))
                if (major, minor) != (1, 1) =>
            {
                return Err(YamlError::Version { major, minor });
            }
            Event::StreamEnd | Event::DocumentEnd => break,
            Event::Scalar(text, style, anchor, tag) => tree.scalar(Scalar {
                text: &text,
                is_plain: style == ScalarStyle::Plain,
                tag: tag.map_or_else(String::new, |tag| full_tag(&tag)),
                anchor,
                line,
            })?,
            Event::Alias(anchor) => tree.alias(anchor, line)?,
            Event::SequenceStart(_, anchor, _) => {
                tree.open(Parts::list(), anchor, line)?;
            }
            Event::MappingStart(_, anchor, _) => {
                tree.open(Parts::map(), anchor, line)?;
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close(line)?,
            _ => {}
        }
    }
    Ok(tree.finished())
}

/// Refuses what libyaml's reader refuses.
fn check_characters(text: &str) -> Result<(), YamlError> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    match text.char_indices().find(|&(_, c)| !is_allowed(c)) {
        None => Ok(()),
        Some((at, character)) => Err(YamlError::Control {
            character: character.into(),
            line: 1 + text.bytes().take(at).filter(|&b| b == b'\n').count(),
        }),
    }
}

fn full_tag(tag: &Tag) -> String {
    let (handle, suffix) = tag.parts();
    format!("{handle}{suffix}")
}

#[cfg(test)]
mod tests;

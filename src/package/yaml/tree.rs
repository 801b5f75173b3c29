//! The tree while it grows, event by event, without recursion; and the bounds on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::{Document, TEXT_BYTES_PER_NODE, Yaml, YamlError, scalar};
use crate::limits::Limits;

/// A scalar as it stands in the text.
pub(super) struct Scalar<'a> {
    pub(super) text: &'a str,
    pub(super) is_plain: bool,
    pub(super) tag: String,
    pub(super) anchor: usize,
    pub(super) line: usize,
}

/// The tree while it grows: collections that are still open, anchors already complete.
pub(super) struct Tree<'l> {
    limits: &'l Limits,
    open: Vec<Collection>,
    anchors: HashMap<usize, Built>,
    root: Option<Rc<Yaml>>,
    nodes: usize,
    aliases: usize,
    alias_nodes: usize,
    repeated_keys: Vec<String>,
}

/// Repeated keys that are told of.
const MOST_REPEATED: usize = 10;
/// Characters of a name that are told of.
const MOST_CHARACTERS: usize = 100;

/// A complete value with what the bounds need to know of it.
#[derive(Clone)]
struct Built {
    value: Rc<Yaml>,
    nodes: usize,
    height: usize,
    is_alias: bool,
}

/// A collection that is still open.
struct Collection {
    parts: Parts,
    /// Keys that `<<` brought and that may stand once more.
    merged: BTreeSet<String>,
    anchor: usize,
    nodes: usize,
    height: usize,
}

/// What an open collection holds so far.
pub(super) enum Parts {
    List(Vec<Rc<Yaml>>),
    Map(BTreeMap<String, Rc<Yaml>>, Key),
}

/// What the next value in a mapping is.
pub(super) enum Key {
    Due,
    Named(String),
    Merge,
}

impl Parts {
    pub(super) fn list() -> Self {
        Self::List(Vec::new())
    }

    pub(super) fn map() -> Self {
        Self::Map(BTreeMap::new(), Key::Due)
    }
}

impl<'l> Tree<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            nodes: 0,
            aliases: 0,
            alias_nodes: 0,
            repeated_keys: Vec::new(),
        }
    }

    pub(super) fn finished(self) -> Document {
        Document {
            root: self.root.map_or(Yaml::Null, Rc::unwrap_or_clone),
            nodes: self.nodes,
            alias_nodes: self.alias_nodes,
            repeated_keys: self.repeated_keys,
        }
    }

    pub(super) fn scalar(&mut self, scalar: Scalar) -> Result<(), YamlError> {
        let nodes = 1 + scalar.text.len() / TEXT_BYTES_PER_NODE;
        self.count(nodes, scalar.line)?;
        let is_implicit = scalar.tag == "!" || (scalar.tag.is_empty() && scalar.is_plain);
        let is_merge = scalar.text == "<<" && (is_implicit || scalar.tag == scalar::MERGE_TAG);
        if let (true, Some(Parts::Map(_, key @ Key::Due))) = (is_merge, self.innermost()) {
            *key = Key::Merge;
            return Ok(());
        }
        let value = match scalar.tag.is_empty() && !scalar.is_plain {
            true => Yaml::Text(scalar.text.to_owned()),
            false => scalar::resolve(&scalar.tag, scalar.text).ok_or_else(|| YamlError::Tag {
                line: scalar.line,
                text: scalar.text.chars().take(100).collect(),
                tag: scalar.tag,
            })?,
        };
        let built = Built {
            value: Rc::new(value),
            nodes,
            height: 0,
            is_alias: false,
        };
        self.finish(built, scalar.anchor, scalar.line)
    }

    pub(super) fn alias(&mut self, anchor: usize, line: usize) -> Result<(), YamlError> {
        self.aliases += 1;
        if self.aliases > self.limits.yaml_aliases {
            return Err(YamlError::TooManyAliases {
                line,
                allowed: self.limits.yaml_aliases,
            });
        }
        // The scanner knows only anchors that came before: one without a value is still open.
        let Some(mut built) = self.anchors.get(&anchor).cloned() else {
            return Err(YamlError::AliasToItself { line });
        };
        built.is_alias = true;
        self.alias_nodes = self.alias_nodes.saturating_add(built.nodes);
        if self.alias_nodes > self.limits.yaml_alias_nodes {
            return Err(YamlError::TooManyAliasNodes {
                line,
                allowed: self.limits.yaml_alias_nodes,
            });
        }
        self.count(built.nodes, line)?;
        self.check_depth(built.height, line)?;
        self.attach(built, line)
    }

    pub(super) fn open(
        &mut self,
        parts: Parts,
        anchor: usize,
        line: usize,
    ) -> Result<(), YamlError> {
        self.count(1, line)?;
        self.check_depth(1, line)?;
        if let Some(Parts::Map(_, Key::Due)) = self.innermost() {
            return Err(YamlError::Key { line });
        }
        self.open.push(Collection {
            parts,
            merged: BTreeSet::new(),
            anchor,
            nodes: 1,
            height: 1,
        });
        Ok(())
    }

    pub(super) fn close(&mut self, line: usize) -> Result<(), YamlError> {
        let Some(collection) = self.open.pop() else {
            return Ok(());
        };
        let value = match collection.parts {
            Parts::List(items) => Yaml::List(items),
            Parts::Map(entries, _) => Yaml::Map(entries),
        };
        let built = Built {
            value: Rc::new(value),
            nodes: collection.nodes,
            height: collection.height,
            is_alias: false,
        };
        self.finish(built, collection.anchor, line)
    }

    fn finish(&mut self, built: Built, anchor: usize, line: usize) -> Result<(), YamlError> {
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
            if self.anchors.len() > self.limits.yaml_aliases {
                return Err(YamlError::TooManyAnchors {
                    line,
                    allowed: self.limits.yaml_aliases,
                });
            }
        }
        self.attach(built, line)
    }

    fn attach(&mut self, built: Built, line: usize) -> Result<(), YamlError> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(built.value);
            return Ok(());
        };
        parent.nodes += built.nodes;
        parent.height = parent.height.max(built.height + 1);
        let mut repeated = None;
        match &mut parent.parts {
            Parts::List(items) => items.push(built.value),
            Parts::Map(entries, key) => match std::mem::replace(key, Key::Due) {
                Key::Due => match &*built.value {
                    Yaml::Text(name) => *key = Key::Named(name.clone()),
                    _ => return Err(YamlError::Key { line }),
                },
                Key::Named(name) => {
                    let may_be_there = parent.merged.remove(&name);
                    if !may_be_there && entries.contains_key(&name) {
                        repeated = Some(name.clone());
                    }
                    entries.insert(name, built.value);
                }
                Key::Merge => {
                    merge(entries, &mut parent.merged, &built).ok_or(YamlError::Merge { line })?;
                }
            },
        }
        if let Some(name) = repeated.filter(|_| self.repeated_keys.len() < MOST_REPEATED) {
            self.repeated_keys.push(self.path_of(&name));
        }
        Ok(())
    }

    /// Returns where a key of the innermost mapping stands.
    fn path_of(&self, name: &str) -> String {
        let cut = |name: &str| name.chars().take(MOST_CHARACTERS).collect::<String>();
        let mut path = String::new();
        for collection in &self.open {
            match &collection.parts {
                Parts::List(items) => path.push_str(&format!("[{}]", items.len())),
                Parts::Map(_, Key::Named(name)) => path.push_str(&format!(".{}", cut(name))),
                Parts::Map(..) => {}
            }
        }
        path.push_str(&format!(".{}", cut(name)));
        path.trim_start_matches('.').to_owned()
    }

    fn innermost(&mut self) -> Option<&mut Parts> {
        self.open.last_mut().map(|collection| &mut collection.parts)
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        match self.nodes > self.limits.yaml_nodes {
            true => Err(YamlError::TooManyNodes {
                line,
                allowed: self.limits.yaml_nodes,
            }),
            false => Ok(()),
        }
    }

    fn check_depth(&self, height: usize, line: usize) -> Result<(), YamlError> {
        match self.open.len().saturating_add(height) > self.limits.yaml_depth {
            true => Err(YamlError::TooDeep {
                line,
                allowed: self.limits.yaml_depth,
            }),
            false => Ok(()),
        }
    }
}

/// Puts the entries of `source` into `entries`, over what came before: yaml.v2 merges where `<<` stands.
///
/// Of several mappings the first has precedence. `None` when `source` is neither a mapping nor a sequence of them; an
/// alias to a sequence is none either.
fn merge(
    entries: &mut BTreeMap<String, Rc<Yaml>>,
    merged: &mut BTreeSet<String>,
    source: &Built,
) -> Option<()> {
    let mut extend = |more: &BTreeMap<String, Rc<Yaml>>| {
        for (name, value) in more {
            if entries.insert(name.clone(), Rc::clone(value)).is_none() {
                merged.insert(name.clone());
            }
        }
    };
    match &*source.value {
        Yaml::Map(more) => extend(more),
        Yaml::List(items) if !source.is_alias => {
            for item in items.iter().rev() {
                let Yaml::Map(more) = &**item else {
                    return None;
                };
                extend(more);
            }
        }
        _ => return None,
    }
    Some(())
}

//! How a catalog is made of rows: the branches of a distribution, now or as they were, laid over each other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;
use libdeflater::Decompressor;
use rusqlite::Connection;

use super::{Catalog, Element, Elements};
use crate::distribution::{Holds, offers};
use crate::package::{Categories, PackageId, Template};
use crate::store::artifacts::{self, ArtifactId};
use crate::store::branches::{self, Branch, BranchId};
use crate::store::change_sets::ChangeSetId;
use crate::store::distributions::Distribution;
use crate::store::holds::{self, Held};
use crate::store::{StoreError, documents, history, signatures};

/// Makes catalogs of one state of a store; they share their elements with each other and with those that are known.
pub(super) struct Builder<'a> {
    conn: &'a Connection,
    /// The last change set of that state.
    change_set: ChangeSetId,
    branches: HashMap<i64, Branch>,
    /// Holds that nobody has released.
    holds: Vec<Held>,
    /// Holds that end by themselves are over by then or not.
    now: Timestamp,
    /// What branches hold now, each read once.
    members: HashMap<i64, Layer>,
    /// Artifacts whose signature a branch offers, by branch and change set: a branch may be in many distributions.
    signed: HashMap<(i64, i64), Vec<ArtifactId>>,
    known: &'a Elements,
    elements: Elements,
}

/// What a branch holds: package versions and their artifacts.
type Layer = Vec<(PackageId, ArtifactId)>;

impl<'a> Builder<'a> {
    pub(super) fn load(
        conn: &'a Connection,
        change_set: ChangeSetId,
        known: &'a Elements,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let branches = branches::all(conn)?.into_iter();
        Ok(Self {
            conn,
            change_set,
            holds: holds::open(conn)?,
            now,
            branches: branches.map(|branch| (branch.id.0, branch)).collect(),
            members: HashMap::new(),
            signed: HashMap::new(),
            known,
            elements: Elements::new(),
        })
    }

    /// Returns what a distribution of these branches offers now.
    pub(super) fn now(
        &mut self,
        distribution: Distribution,
        branches: &[BranchId],
        categories: Arc<Categories>,
    ) -> Result<Catalog, StoreError> {
        let mut layers = Vec::new();
        for id in branches {
            if !self.members.contains_key(&id.0) {
                let members = branches::members(self.conn, *id)?;
                self.members.insert(id.0, layer(members));
            }
            layers.push(self.members.get(&id.0).cloned().unwrap_or_default());
        }
        let holds = holds::of(&self.holds, distribution.id);
        let exact_now = holds::exact_now(self.conn, None)?;
        let at = self.change_set;
        let catalog = self.catalog(&distribution, at, branches, layers, &holds, categories)?;
        Ok(catalog.answering_for(distribution.id, &exact_now, holds))
    }

    /// Returns what one offered right after a change set; what is withdrawn since it does not.
    pub(super) fn at(
        &mut self,
        distribution: Distribution,
        at: ChangeSetId,
        branches: &[BranchId],
        categories: Arc<Categories>,
    ) -> Result<Catalog, StoreError> {
        let mut layers = Vec::new();
        for id in branches {
            layers.push(layer(history::members_at(self.conn, *id, at)?));
        }
        let holds = holds::of(&holds::served_at(self.conn, at)?, distribution.id);
        let exact_now = holds::exact_now(self.conn, Some(at))?;
        let catalog = self.catalog(&distribution, at, branches, layers, &holds, categories)?;
        Ok(catalog.answering_for(distribution.id, &exact_now, holds))
    }

    /// Tells whether a hold has ended by itself: then what is offered is not what was offered right after the last change set.
    pub(super) fn has_ended(&self) -> bool {
        self.holds.iter().any(|it| it.hold.is_over(self.now))
    }

    /// Returns when the next hold ends by itself.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        let ends = self.holds.iter().filter_map(|it| it.hold.ends);
        ends.filter(|ends| *ends > self.now).min()
    }

    /// Returns the elements of all catalogs that were made.
    pub(super) fn into_elements(self) -> Elements {
        self.elements
    }

    fn catalog(
        &mut self,
        distribution: &Distribution,
        at: ChangeSetId,
        branches: &[BranchId],
        layers: Vec<Layer>,
        holds: &Holds,
        categories: Arc<Categories>,
    ) -> Result<Catalog, StoreError> {
        let mut cache_times = None;
        let mut signed = HashMap::new();
        for branch in branches.iter().filter_map(|id| self.branches.get(&id.0)) {
            cache_times.get_or_insert(branch.settings.cache_times());
            let asked = self.signed.entry((branch.id.0, at.0));
            let artifacts = match asked {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let policy = branch.signatures;
                    place.insert(signatures::offered(self.conn, branch.id, policy, at)?)
                }
            };
            for artifact in artifacts {
                signed.entry(*artifact).or_insert(branch.signatures);
            }
        }
        let open = branches.iter().zip(layers).map(|(id, layer)| {
            let branch = self.branches.get(&id.0);
            branch.map_or_else(Vec::new, |it| holds.part(&it.name, layer, self.now).0)
        });
        let (offered, _shadowed) = offers(open.collect::<Vec<_>>());
        let elements = offered.into_iter().map(|it| self.element(it.held));
        let elements = elements.collect::<Result<_, _>>()?;
        let cache_times = cache_times.unwrap_or_default();
        Ok(Catalog {
            signed,
            ..Catalog::new(
                distribution.name.clone(),
                at,
                cache_times,
                elements,
                categories,
            )
        })
    }

    /// Returns the element of an artifact: one that is known, or else from the store.
    fn element(&mut self, id: ArtifactId) -> Result<Arc<Element>, StoreError> {
        let known = self.elements.get(&id).or_else(|| self.known.get(&id));
        let element = match known {
            Some(element) => Arc::clone(element),
            None => Arc::new(load_element(self.conn, id)?),
        };
        self.elements.insert(id, Arc::clone(&element));
        Ok(element)
    }
}

fn layer(members: Vec<branches::Member>) -> Layer {
    let held = |member: branches::Member| (member.package, member.artifact);
    members.into_iter().map(held).collect()
}

pub(super) fn load_element(conn: &Connection, id: ArtifactId) -> Result<Element, StoreError> {
    let missing = |what| StoreError::Invalid {
        what,
        value: format!("artifact {}", id.0),
    };
    let artifact = artifacts::get(conn, id)?.ok_or_else(|| missing("artifact"))?;
    let row =
        documents::get(conn, id, documents::NEWEST_DIALECT)?.ok_or_else(|| missing("document"))?;
    let facts = serde_json::from_str(&row.facts).map_err(|_| missing("facts"))?;
    let slots = serde_json::from_str(&row.element_slots).map_err(|_| missing("element slots"))?;
    let document_slots =
        serde_json::from_str(&row.document_slots).map_err(|_| missing("document slots"))?;
    let text = inflated(&row.element, row.element_bytes as usize)
        .and_then(|text| String::from_utf8(text).ok())
        .ok_or_else(|| missing("element"))?;
    Ok(Element {
        artifact,
        facts: Arc::new(facts),
        deprecated: row.deprecated,
        template: Template { text, slots },
        document: row.document,
        document_slots,
    })
}

/// Returns the `bytes` plain bytes of a raw deflate stream, or `None` when it is not one of that many.
fn inflated(deflated: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let mut plain = vec![0; bytes];
    let inflated = Decompressor::new()
        .deflate_decompress(deflated, &mut plain)
        .ok()?;
    (inflated == bytes).then_some(plain)
}

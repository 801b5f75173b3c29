//! Catalogs of the past, built when they are asked for.
//!
//! A few are kept, as long as the store does not change: what was offered then does not, but who is believed to have
//! signed it may.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::build::Builder;
use super::{Answers, Catalog, Elements, Shelf};
use crate::distribution::DistributionName;
use crate::package::Categories;
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::{Store, StoreError, distributions, history};

/// How many are kept: somebody looks at one or two, or lets a Kibana run on one.
const KEPT: usize = 4;
/// Bytes that those have for themselves and do not share with what is served now; the last one is kept whatever it takes.
const KEPT_BYTES: usize = 64 << 20;
/// Bytes of answers that each keeps.
const ANSWER_BYTES: u64 = 2 << 20;

/// The catalogs of the past that are kept, the one asked for last at the end.
#[derive(Debug, Default)]
pub(super) struct Past(Mutex<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    catalog: Arc<Catalog>,
    bytes: usize,
}

/// Returns the catalog of a distribution right after a change set; `None` where it was not there.
pub(super) fn build(
    store: &Store,
    shelf: &Shelf,
    categories: &Arc<Categories>,
    name: &DistributionName,
    at: ChangeSetId,
) -> Result<Option<Catalog>, StoreError> {
    let known = shelf.past.elements_beside(&shelf.elements);
    store.snapshot(|conn| {
        if change_sets::get(conn, at)?.is_none() {
            return Ok(None);
        }
        let ever = distributions::ever(conn)?;
        let Some(distribution) = ever.into_iter().find(|it| it.name == *name) else {
            return Ok(None);
        };
        let branches = history::branches_at(conn, distribution.id, at)?;
        if branches.is_empty() {
            return Ok(None);
        }
        let mut builder = Builder::load(conn, at, &known)?;
        let catalog = builder.at(name.clone(), at, &branches, Arc::clone(categories))?;
        Ok(Some(Catalog {
            answers: Answers::within(ANSWER_BYTES),
            ..catalog
        }))
    })
}

impl Past {
    /// Returns the catalog of a distribution right after a change set, where it is kept.
    pub(super) fn get(&self, name: &DistributionName, at: ChangeSetId) -> Option<Arc<Catalog>> {
        let mut kept = self.kept();
        let place = kept
            .iter()
            .position(|it| it.catalog.change_set == at && it.catalog.name == *name)?;
        let found = kept.remove(place)?;
        let catalog = Arc::clone(&found.catalog);
        kept.push_back(found);
        Some(catalog)
    }

    /// Keeps a catalog, and lets go of those that were not asked for longest. `now` is what all share.
    pub(super) fn keep(&self, catalog: Catalog, now: &Elements) -> Arc<Catalog> {
        let own = catalog.elements.iter();
        let own = own.filter(|element| !now.contains_key(&element.artifact.id));
        let bytes = own.map(|element| element.template.text.len()).sum();
        let catalog = Arc::new(catalog);
        let mut kept = self.kept();
        kept.push_back(Kept {
            catalog: Arc::clone(&catalog),
            bytes,
        });
        while kept.len() > 1
            && (kept.len() > KEPT || kept.iter().map(|it| it.bytes).sum::<usize>() > KEPT_BYTES)
        {
            kept.pop_front();
        }
        catalog
    }

    /// Returns the elements that are in memory: those of `now` and those of the catalogs that are kept.
    fn elements_beside(&self, now: &Elements) -> Elements {
        let mut elements: HashMap<_, _> = now.clone();
        for kept in self.kept().iter() {
            for element in &kept.catalog.elements {
                elements
                    .entry(element.artifact.id)
                    .or_insert_with(|| Arc::clone(element));
            }
        }
        elements
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

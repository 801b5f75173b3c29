//! Catalogs of the past, built when they are asked for.
//!
//! A few are kept, as long as the store does not change: what was offered then does not, but who is believed to have
//! signed it may.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::build::Builder;
use super::{Answers, Catalog, Elements, Shelf};
use crate::distribution::DistributionName;
use crate::package::Categories;
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::{Store, StoreError, distributions, former, history, prune};

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

/// Returns the catalog of a distribution right after a change set; `None` where it was not there, and where a release of it
/// was deleted since.
pub(super) fn build(
    store: &Store,
    shelf: &Shelf,
    categories: &Arc<Categories>,
    name: &DistributionName,
    at: ChangeSetId,
) -> Result<Option<Catalog>, StoreError> {
    let known = shelf.past.elements_beside(&shelf.elements);
    store.snapshot(|conn| {
        let Some(change_set) = change_sets::get(conn, at)? else {
            return Ok(None);
        };
        if prune::pruned(conn)?.is_some_and(|pruned| at < pruned) {
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
        // Less than it was is not what it was.
        for branch in &branches {
            if former::held_at(conn, *branch, at)? {
                return Ok(None);
            }
        }
        // A hold that ended by itself was in force until then.
        let then = change_set.at.parse().unwrap_or_else(|_| Timestamp::now());
        let mut builder = Builder::load(conn, at, &known, then)?;
        let catalog = builder.at(distribution, at, &branches, Arc::clone(categories))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Element;
    use crate::crypto::Digest;
    use crate::distribution::CacheTimes;
    use crate::package::{Facts, Slots, Template};
    use crate::store::artifacts::{Artifact, ArtifactId};
    use crate::store::contents::{Content, ContentId};

    /// A catalog of one element with a text of `bytes`.
    fn catalog(at: i64, bytes: usize) -> Catalog {
        let facts = r#"{"id":["buoy","1.0.0"],"package_type":"integration","is_experimental":false,"kibana":null,
            "agent":null,"spec":null,"capabilities":null,"categories":[],"policy_templates":[],"discovery_fields":[],
            "discovery_datasets":[],"is_deprecated":false}"#;
        let facts: Facts = serde_json::from_str(facts).unwrap();
        let sha256 = Digest::of(b"");
        let artifact = Artifact {
            id: ArtifactId(at),
            package: facts.id.clone(),
            sha256,
            bytes: 0,
            tree_sha256: sha256,
            modified: 0,
        };
        let document = Content {
            id: ContentId(1),
            sha256,
            bytes: 0,
            crc32: 0,
        };
        let element = Element {
            artifact,
            facts: Arc::new(facts),
            deprecated: None,
            template: Template {
                text: "x".repeat(bytes),
                slots: Slots::default(),
            },
            document,
            document_slots: Slots::default(),
        };
        Catalog::new(
            DistributionName::default_distribution(),
            ChangeSetId(at),
            CacheTimes::default(),
            vec![Arc::new(element)],
            Arc::new(Categories::built_in()),
        )
    }

    fn kept(past: &Past) -> Vec<i64> {
        let kept = past.kept();
        kept.iter().map(|it| it.catalog.change_set.0).collect()
    }

    #[test]
    fn a_few_are_kept_and_the_one_asked_for_longest_ago_goes() {
        let (past, now) = (Past::default(), Elements::new());
        for at in 1..=4 {
            past.keep(catalog(at, 10), &now);
        }
        let name = DistributionName::default_distribution();
        assert!(past.get(&name, ChangeSetId(1)).is_some());
        past.keep(catalog(5, 10), &now);
        assert_eq!(kept(&past), [3, 4, 1, 5]);
    }

    #[test]
    fn those_that_are_large_are_kept_only_as_far_as_they_share_what_is_served_now() {
        let (past, mut now) = (Past::default(), Elements::new());
        let large = KEPT_BYTES / 2 + 1;
        past.keep(catalog(1, large), &now);
        past.keep(catalog(2, large), &now);
        assert_eq!(kept(&past), [2]);
        past.keep(catalog(3, 2 * large), &now);
        assert_eq!(kept(&past), [3], "the last one is kept whatever it takes");

        let shared = catalog(4, large);
        now.insert(ArtifactId(4), Arc::clone(&shared.elements[0]));
        past.keep(catalog(5, 10), &now);
        past.keep(shared, &now);
        assert_eq!(kept(&past), [5, 4]);
    }
}

//! What each distribution offers, in memory: immutable, built from the store, swapped whole.
//!
//! A request takes one [`Catalog`] and never sees half of a change. Catalogs share their elements, so a second release
//! with the same packages costs little. Rebuilt when the change set number moved or a
//! signature came, and at no other write.

mod answers;
mod build;
mod ever;
mod fetches;
mod past;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;

pub use answers::{Answer, Answers, Question};
pub use ever::Fetched;
pub use fetches::Fetches;

use build::Builder;
use ever::Ever;
use past::Past;

use crate::distribution::{CacheTimes, DistributionName, SignaturePolicy};
use crate::package::{
    Categories, CategoriesQuery, DamagedTemplate, Facts, Fill, Offer, PackageId, PackageName,
    PolicyTemplates, SearchQuery, Slots, Template,
};
use crate::store::artifacts::{Artifact, ArtifactId};
use crate::store::change_sets::{self, ChangeSetId};
use crate::store::contents::Content;
use crate::store::{Store, StoreError, audit, distributions, quarantine, signatures};

/// One package version as it is served.
#[derive(Debug)]
pub struct Element {
    /// Its zip.
    pub artifact: Artifact,
    /// What queries look at.
    pub facts: Arc<Facts>,
    /// The version's own notice of deprecation, compact JSON.
    pub deprecated: Option<String>,
    /// What `/search` answers for it.
    pub template: Template,
    /// Its package document.
    pub document: Content,
    /// Where serving inserts into the package document.
    pub document_slots: Slots,
}

/// What one distribution offers.
#[derive(Debug)]
pub struct Catalog {
    /// The distribution.
    pub name: DistributionName,
    /// The change set this is the state of.
    pub change_set: ChangeSetId,
    /// For how long clients may keep answers.
    pub cache_times: CacheTimes,
    /// By name and version; the offer counts in this order.
    elements: Vec<Arc<Element>>,
    by_id: HashMap<PackageId, usize>,
    offer: Offer,
    /// The notice of the newest deprecated version of a package, which all its versions carry.
    notices: HashMap<PackageName, Arc<Element>>,
    categories: Arc<Categories>,
    /// The artifacts whose signature is offered, and the policy of the branch that offers it.
    signed: HashMap<ArtifactId, SignaturePolicy>,
    /// What is answered for beside that.
    ever: Ever,
    answers: Answers,
}

/// All catalogs of a store.
#[derive(Debug)]
pub struct Catalogs {
    shelf: ArcSwap<Shelf>,
    reloading: Mutex<()>,
    categories: Arc<Categories>,
    quarantined: AtomicUsize,
    fetches: Fetches,
}

#[derive(Debug, Default)]
struct Shelf {
    /// The state of the store it was built from: the last change set, and the last signature.
    state: Option<(ChangeSetId, i64)>,
    /// When a hold ends by itself, and what is offered is no longer this.
    next_end: Option<Timestamp>,
    /// Whether one has ended by itself.
    has_ended: bool,
    by_name: HashMap<DistributionName, Arc<Catalog>>,
    elements: Elements,
    past: Past,
}

type Elements = HashMap<ArtifactId, Arc<Element>>;

impl Catalogs {
    /// Builds the catalogs of a store.
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        let catalogs = Self {
            shelf: ArcSwap::default(),
            reloading: Mutex::default(),
            categories: Arc::new(Categories::built_in()),
            quarantined: AtomicUsize::default(),
            fetches: Fetches::default(),
        };
        catalogs.reload(store)?;
        Ok(catalogs)
    }

    /// Takes up what was committed since; nothing where neither the change set number has moved, nor a signature came, nor a
    /// hold has ended by itself.
    pub fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let _only_one = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.shelf.load_full();
        let shelf = store.snapshot(|conn| {
            self.quarantined
                .store(quarantine::count(conn)?, Ordering::Relaxed);
            let change_set = change_sets::last(conn)?;
            let state = Some((change_set, signatures::last(conn)?));
            let now = Timestamp::now();
            let has_ended = before.next_end.is_some_and(|end| end <= now);
            if before.state == state && !has_ended {
                return Ok::<_, StoreError>(None);
            }
            let mut shelf = Shelf {
                state,
                ..Shelf::default()
            };
            let mut builder = Builder::load(conn, change_set, &before.elements, now)?;
            shelf.next_end = builder.next_end();
            shelf.has_ended = builder.has_ended();
            for distribution in distributions::all(conn)? {
                let layers = distributions::branches(conn, distribution.id)?;
                let categories = Arc::clone(&self.categories);
                let catalog = builder.now(distribution, &layers, categories)?;
                shelf
                    .by_name
                    .insert(catalog.name.clone(), Arc::new(catalog));
            }
            shelf.elements = builder.into_elements();
            let default = DistributionName::default_distribution();
            shelf.by_name.entry(default).or_insert_with_key(|name| {
                let cache_times = CacheTimes::default();
                let categories = Arc::clone(&self.categories);
                Arc::new(Catalog::new(
                    name.clone(),
                    change_set,
                    cache_times,
                    Vec::new(),
                    categories,
                ))
            });
            Ok(Some((shelf, audit::head(conn)?)))
        })?;
        if let Some((shelf, head)) = shelf {
            let [old, new] = [before.state, shelf.state].map(|state| state.map(|(id, _)| id));
            if old.is_some() && old != new {
                // What is written elsewhere nobody changes here: who has this line can hold the audit log to it.
                let change_set = new.map(|id| id.0);
                tracing::info!(change_set, audit_head = %head, "change set");
            }
            self.shelf.store(Arc::new(shelf));
        }
        Ok(())
    }

    /// Returns when a hold ends by itself, and [`Self::reload`] has something to take up.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.shelf.load().next_end
    }

    /// Returns what was fetched, to be noted and written down.
    pub fn fetches(&self) -> &Fetches {
        &self.fetches
    }

    /// Returns how many packages were in quarantine when the catalogs were taken up last.
    pub fn quarantined(&self) -> usize {
        self.quarantined.load(Ordering::Relaxed)
    }

    /// Returns the catalog of the distribution at `/`; in an empty store it offers nothing.
    pub fn default_catalog(&self) -> Arc<Catalog> {
        let shelf = self.shelf.load();
        Arc::clone(&shelf.by_name[&DistributionName::default_distribution()])
    }

    /// Returns the catalog of a distribution, or `None` when there is none of this name.
    pub fn get(&self, name: &DistributionName) -> Option<Arc<Catalog>> {
        self.shelf.load().by_name.get(name).cloned()
    }

    /// Returns the catalog of a distribution as it was right after a change set, where it is at hand.
    pub fn kept_past(&self, name: &DistributionName, at: ChangeSetId) -> Option<Arc<Catalog>> {
        let shelf = self.shelf.load();
        let is_at = |it: &&Arc<Catalog>| it.change_set == at && !shelf.has_ended;
        let current = shelf.by_name.get(name).filter(is_at);
        current.cloned().or_else(|| shelf.past.get(name, at))
    }

    /// Returns the same, built where it is not at hand; `None` where the distribution was not there, or there is no such
    /// change set. It reads what a new element takes, so callers keep this to one at a time.
    pub fn past(
        &self,
        store: &Store,
        name: &DistributionName,
        at: ChangeSetId,
    ) -> Result<Option<Arc<Catalog>>, StoreError> {
        let kept = self.kept_past(name, at);
        if kept.is_some() {
            return Ok(kept);
        }
        let shelf = self.shelf.load_full();
        let built = past::build(store, &shelf, &self.categories, name, at)?;
        Ok(built.map(|catalog| shelf.past.keep(catalog, &shelf.elements)))
    }
}

impl Catalog {
    fn new(
        name: DistributionName,
        change_set: ChangeSetId,
        cache_times: CacheTimes,
        elements: Vec<Arc<Element>>,
        categories: Arc<Categories>,
    ) -> Self {
        let mut notices: HashMap<PackageName, Arc<Element>> = HashMap::new();
        // Ascending by version, so the newest deprecated version is the last one inserted.
        for element in elements
            .iter()
            .filter(|element| element.deprecated.is_some())
        {
            notices.insert(element.facts.id.name.clone(), Arc::clone(element));
        }
        Self {
            name,
            change_set,
            cache_times,
            by_id: elements
                .iter()
                .enumerate()
                .map(|(index, element)| (element.facts.id.clone(), index))
                .collect(),
            offer: Offer::new(elements.iter().map(|element| Arc::clone(&element.facts))),
            notices,
            elements,
            categories,
            signed: HashMap::new(),
            ever: Ever::default(),
            answers: Answers::default(),
        }
    }

    /// Returns the answers to whole queries that are kept as long as this catalog is.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Returns how many package versions are offered.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Tells whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Returns what is offered, by name and version.
    pub fn elements(&self) -> &[Arc<Element>] {
        &self.elements
    }

    /// Returns what is offered as this package version, or `None`.
    pub fn find(&self, package: &PackageId) -> Option<&Arc<Element>> {
        self.by_id.get(package).map(|index| &self.elements[*index])
    }

    /// Returns the notice of deprecation that all versions of a package carry, compact JSON.
    pub fn notice(&self, package: &PackageName) -> Option<&str> {
        self.notices.get(package)?.deprecated.as_deref()
    }

    /// Returns the policy of the branch that offers the signature of an artifact; `None` where none is offered.
    pub fn signature(&self, artifact: ArtifactId) -> Option<SignaturePolicy> {
        self.signed.get(&artifact).copied()
    }

    /// Returns where the signature of a package version is, `None` where none is offered.
    pub fn signature_path(&self, element: &Element) -> Option<String> {
        self.signature(element.artifact.id)?;
        Some(ever::signature_path(&element.facts.id))
    }

    /// Returns the JSON that answers a search: the elements that fit, joined.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<u8>, DamagedTemplate> {
        let selected = query.select(&self.offer, &self.categories);
        if selected.is_empty() {
            return Ok(b"[]".to_vec());
        }
        let bytes: usize = selected
            .iter()
            .map(|found| self.elements[found.position].template.text.len() + 2)
            .sum();
        let mut json = Vec::with_capacity(bytes + 8);
        json.extend(b"[\n");
        for (index, found) in selected.iter().enumerate() {
            if index > 0 {
                json.extend(b",\n");
            }
            let policy_templates = match &found.policy_templates {
                PolicyTemplates::All => None,
                PolicyTemplates::Only(numbers) => Some(numbers.as_slice()),
            };
            self.write(&self.elements[found.position], policy_templates, &mut json)?;
        }
        json.extend(b"\n]\n");
        Ok(json)
    }

    /// Returns what a search answers for one element, JSON.
    pub fn listing(&self, element: &Element) -> Result<Vec<u8>, DamagedTemplate> {
        let mut json = Vec::with_capacity(element.template.text.len());
        self.write(element, None, &mut json)?;
        Ok(json)
    }

    fn write(
        &self,
        element: &Element,
        policy_templates: Option<&[usize]>,
        json: &mut Vec<u8>,
    ) -> Result<(), DamagedTemplate> {
        let deprecated = self.notice(&element.facts.id.name);
        let signature_path = self.signature_path(element);
        let fill = Fill {
            signature_path: signature_path.as_deref(),
            deprecated,
            policy_templates,
        };
        element.template.write(json, &fill)
    }

    /// Returns the JSON that answers a query for categories.
    pub fn categories(&self, query: &CategoriesQuery) -> Vec<u8> {
        crate::package::categories_document(&query.count(&self.offer, &self.categories))
    }
}

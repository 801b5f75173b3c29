//! What a distribution answers for beside what it offers: every version it ever offered, read from the store when it is asked
//! for. Nothing of it is in memory but the last few.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::build::load_element;
use super::{Catalog, Element};
use crate::distribution::{Holds, SignaturePolicy};
use crate::package::PackageId;
use crate::store::distributions::DistributionId;
use crate::store::{Store, StoreError, branches, ever, signatures};

/// How many are kept: what a Kibana asks for while it installs one package, for some of them at a time.
const KEPT: usize = 64;

/// What is answered for a package version.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The package version.
    pub element: Arc<Element>,
    /// The policy of the branch that offers its signature; `None` where none is offered.
    pub signature: Option<SignaturePolicy>,
}

/// Whom a catalog answers for, and what it found.
#[derive(Debug)]
pub(super) struct Ever {
    /// The distribution; `None` where there is none, as in an empty store.
    distribution: Option<DistributionId>,
    /// Whether it answers only for what it offers.
    is_now: bool,
    holds: Holds,
    found: Cache<PackageId, Option<Fetched>>,
}

impl Default for Ever {
    fn default() -> Self {
        Self {
            distribution: None,
            is_now: false,
            holds: Holds::default(),
            found: Cache::new(KEPT),
        }
    }
}

/// Returns where the signature of a package version is.
pub(super) fn signature_path(PackageId { name, version }: &PackageId) -> String {
    format!("/epr/{name}/{name}-{version}.zip.sig")
}

impl Fetched {
    /// Returns where the signature is, `None` where none is offered.
    pub fn signature_path(&self) -> Option<String> {
        self.signature
            .map(|_| signature_path(&self.element.facts.id))
    }
}

impl Catalog {
    /// Returns the catalog as that of a distribution with these holds.
    pub(super) fn answering_for(
        self,
        distribution: DistributionId,
        exact_now: &[DistributionId],
        holds: Holds,
    ) -> Self {
        let ever = Ever {
            distribution: Some(distribution),
            is_now: exact_now.contains(&distribution),
            holds,
            found: Cache::new(KEPT),
        };
        Self { ever, ..self }
    }

    /// Returns the distribution in the store; `None` in an empty one.
    pub fn distribution(&self) -> Option<DistributionId> {
        self.ever.distribution
    }

    /// Returns what is answered for a package version that is offered, or was asked for lately: the inner `None` where nothing
    /// is, the outer one where only [`Self::fetch`] knows.
    pub fn known(&self, package: &PackageId) -> Option<Option<Fetched>> {
        if let Some(element) = self.find(package) {
            return Some(Some(Fetched {
                element: Arc::clone(element),
                signature: self.signature(element.artifact.id),
            }));
        }
        if self.ever.is_now || self.ever.distribution.is_none() {
            return Some(None);
        }
        self.ever.found.get(package)
    }

    /// Returns what is answered for a package version: what is offered, else what was offered last. Blocks; reads what there is
    /// of that version.
    pub fn fetch(&self, store: &Store, package: &PackageId) -> Result<Option<Fetched>, StoreError> {
        if let Some(known) = self.known(package) {
            return Ok(known);
        }
        let fetched = self.last_offered(store, package)?;
        self.ever.found.insert(package.clone(), fetched.clone());
        Ok(fetched)
    }

    fn last_offered(
        &self,
        store: &Store,
        package: &PackageId,
    ) -> Result<Option<Fetched>, StoreError> {
        let Some(distribution) = self.ever.distribution else {
            return Ok(None);
        };
        if self.ever.holds.is_withdrawn(package) {
            return Ok(None);
        }
        store.snapshot(|conn| {
            let last = ever::last_offered(conn, distribution, package, self.change_set)?;
            let Some((artifact, branch)) = last else {
                return Ok(None);
            };
            let policy = branches::policy(conn, branch)?;
            let is_offered = signatures::is_offered(conn, artifact, policy)?;
            Ok(Some(Fetched {
                element: Arc::new(load_element(conn, artifact)?),
                signature: is_offered.then_some(policy),
            }))
        })
    }
}

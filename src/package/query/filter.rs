//! Which package versions answer a query, and which of their policy templates.
//!
//! The rules are the reference registry's: conditions first, then the newest of each package, then the category.

use super::offer::{Listed, Offer};
use super::{Conditions, DiscoveryFilter, Rules, SearchQuery, Wanted};
use crate::package::{Categories, Facts};

/// A package version that answers a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Its place among the facts that the offer was made of.
    pub position: usize,
    /// The policy templates to show of it.
    pub policy_templates: PolicyTemplates,
}

/// Policy templates of a package version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyTemplates {
    /// All of them.
    All,
    /// Those with these numbers, counted from 0, in order; perhaps none.
    Only(Vec<usize>),
}

impl SearchQuery {
    /// Returns what answers the query, by name, then version; of equal precedence in the order of the offer.
    ///
    /// Looks at each package version once when all are asked for, else at each package down to the version that fits.
    pub fn select(&self, offer: &Offer, categories: &Categories) -> Vec<Selected> {
        let category = self.category.as_deref().map(|id| Wide::new(id, categories));
        let mut selected = Vec::new();
        self.each(offer, |listed| {
            let policy_templates = match &category {
                None => Some(PolicyTemplates::All),
                Some(category) => category.shown(&listed.facts),
            };
            selected.extend(policy_templates.map(|policy_templates| Selected {
                position: listed.position,
                policy_templates,
            }));
        });
        selected
    }

    /// Calls `found` with what answers the query but for its category, in order.
    pub(super) fn each<'a>(&self, offer: &'a Offer, mut found: impl FnMut(&'a Listed)) {
        let mut choose = |versions: &'a [Listed]| {
            if !self.is_of_all_versions {
                self.newest(versions).into_iter().for_each(&mut found);
                return;
            }
            let is_stable =
                |l: &Listed| !l.facts.id.version.is_prerelease() && l.version().major > 0;
            let only_stable = self.wanted.by == Rules::Legacy
                && versions.iter().any(|l| is_stable(l) && self.admits(l));
            versions
                .iter()
                .filter(|l| (!only_stable || is_stable(l)) && self.admits(l))
                .for_each(&mut found);
        };
        match &self.package {
            Some(name) => offer.package(name).into_iter().for_each(&mut choose),
            None => offer.packages().for_each(&mut choose),
        }
    }

    /// The legacy rules take a prerelease only when nothing else fits.
    fn newest<'a>(&self, versions: &'a [Listed]) -> Option<&'a Listed> {
        let final_one = match self.wanted.by {
            Rules::Legacy => newest(versions, |l| {
                !l.facts.id.version.is_prerelease() && self.admits(l)
            }),
            Rules::Current(_) => None,
        };
        final_one.or_else(|| newest(versions, |l| self.admits(l)))
    }

    fn admits(&self, listed: &Listed) -> bool {
        let facts = &*listed.facts;
        let is_of_type = match &self.package_type {
            Some(wanted) => *wanted == facts.package_type,
            None => true,
        };
        is_of_type && self.wanted.admits(facts)
    }
}

/// Returns the newest of those that fit; of equal precedence the first listed.
fn newest(versions: &[Listed], fits: impl Fn(&Listed) -> bool) -> Option<&Listed> {
    let place = versions.iter().rposition(&fits)?;
    let (before, rest) = versions.split_at_checked(place)?;
    let newest = rest.first()?;
    let as_new = |l: &&Listed| l.version().cmp_precedence(newest.version()).is_eq();
    let first = before
        .iter()
        .rev()
        .take_while(as_new)
        .filter(|l| fits(l))
        .last();
    Some(first.unwrap_or(newest))
}

impl Wanted {
    fn admits(&self, facts: &Facts) -> bool {
        let runs_in_kibana = match (&self.kibana, &facts.kibana) {
            (Some(version), Some(constraint)) => constraint.admits(version),
            _ => true,
        };
        runs_in_kibana
            && match &self.by {
                Rules::Legacy => true,
                Rules::Current(conditions) => conditions.admit(facts),
            }
    }
}

impl Conditions {
    fn admit(&self, facts: &Facts) -> bool {
        let is_final = !facts.is_experimental && !facts.id.version.is_prerelease();
        (self.takes_prereleases || is_final)
            && self.admit_agent(facts)
            && self.admit_capabilities(facts)
            && self.admit_spec(facts)
            && self.discovery.iter().all(|d| d.admits(facts))
    }

    fn admit_agent(&self, facts: &Facts) -> bool {
        match (&self.agent, &facts.agent) {
            (Some(version), Some(constraint)) => constraint.admits(version),
            _ => true,
        }
    }

    fn admit_capabilities(&self, facts: &Facts) -> bool {
        match (&self.capabilities, &facts.capabilities) {
            (Some(there), Some(needed)) => needed.iter().all(|n| there.binary_search(n).is_ok()),
            _ => true,
        }
    }

    /// A package version that does not say its spec fits no bound.
    fn admit_spec(&self, facts: &Facts) -> bool {
        if self.spec_min.is_none() && self.spec_max.is_none() {
            return true;
        }
        let Some((major, minor)) = facts.spec else {
            return false;
        };
        let spec = semver::Version::new(major, minor, 0);
        let is_from = |min: &semver::Version| spec.cmp_precedence(min).is_ge();
        let is_up_to = |max: &semver::Version| spec.cmp_precedence(max).is_le();
        self.spec_min.as_ref().is_none_or(is_from) && self.spec_max.as_ref().is_none_or(is_up_to)
    }
}

impl DiscoveryFilter {
    /// A package that is not discovered this way never matches.
    fn admits(&self, facts: &Facts) -> bool {
        match self {
            Self::Fields(there) => {
                let needed = &facts.discovery_fields;
                !needed.is_empty() && needed.iter().all(|n| there.binary_search(n).is_ok())
            }
            Self::Datasets(there) => {
                let known = &facts.discovery_datasets;
                known.iter().any(|k| there.binary_search(k).is_ok())
            }
        }
    }
}

/// A category with those that are part of it.
struct Wide<'a> {
    id: &'a str,
    parts: Vec<&'a str>,
}

impl<'a> Wide<'a> {
    fn new(id: &'a str, categories: &'a Categories) -> Self {
        let parts = categories.children(id).collect();
        Self { id, parts }
    }

    fn is_among(&self, categories: &[String]) -> bool {
        let is_meant = |c: &String| *c == self.id || self.parts.contains(&c.as_str());
        categories.iter().any(is_meant)
    }

    /// Returns the policy templates to show, `None` when neither the package nor one of them is of the category.
    ///
    /// A part of the category is enough to be found, but of a package found by its policy templates alone only those are
    /// shown that carry the id itself.
    fn shown(&self, facts: &Facts) -> Option<PolicyTemplates> {
        if self.is_among(&facts.categories) {
            return Some(PolicyTemplates::All);
        }
        let of_template = || {
            facts
                .policy_templates
                .iter()
                .map(|c| c.as_deref().unwrap_or(&[]))
        };
        if !of_template().any(|c| self.is_among(c)) {
            return None;
        }
        let carries_id = |(_, c): &(usize, &[String])| c.iter().any(|c| c == self.id);
        let numbers = of_template().enumerate().filter(carries_id).map(|(n, _)| n);
        Some(PolicyTemplates::Only(numbers.collect()))
    }
}

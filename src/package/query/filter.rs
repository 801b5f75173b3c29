//! Which package versions answer a query, and which of their policy templates.
//!
//! The rules are the reference registry's: conditions first, then the newest of each package, then the category.

use super::offer::{Listed, Offer};
use super::{Condition, Conditions, DiscoveryFilter, Rules, SearchQuery};
use crate::package::{Categories, Constraint, Facts};

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
        self.unmet(&listed.facts).next().is_none()
    }

    /// Returns the conditions that a package version does not meet.
    pub(super) fn unmet(&self, facts: &Facts) -> impl Iterator<Item = Condition> {
        let is_unmet = |condition: &Condition| !self.meets(*condition, facts);
        Condition::ALL.into_iter().filter(is_unmet)
    }

    /// Tells whether a package version meets one condition; the legacy rules look at type and Kibana alone.
    fn meets(&self, condition: Condition, facts: &Facts) -> bool {
        let by = match &self.wanted.by {
            Rules::Legacy => None,
            Rules::Current(conditions) => Some(conditions),
        };
        match condition {
            Condition::Type => {
                let is_of_type = |wanted: &String| *wanted == facts.package_type;
                self.package_type.as_ref().is_none_or(is_of_type)
            }
            Condition::Kibana => is_within(&self.wanted.kibana, &facts.kibana),
            Condition::Final => by.is_none_or(|by| by.takes_prereleases || is_final(facts)),
            Condition::Agent => by.is_none_or(|by| is_within(&by.agent, &facts.agent)),
            Condition::Capabilities => by.is_none_or(|by| by.admit_capabilities(facts)),
            Condition::Spec => by.is_none_or(|by| by.admit_spec(facts)),
            Condition::Discovery => {
                by.is_none_or(|by| by.discovery.iter().all(|it| it.admits(facts)))
            }
        }
    }
}

/// Tells whether a version is one that is asked for; one that says nothing of it works with all.
fn is_within(asked: &Option<semver::Version>, constraint: &Option<Constraint>) -> bool {
    match (asked, constraint) {
        (Some(version), Some(constraint)) => constraint.admits(version),
        _ => true,
    }
}

fn is_final(facts: &Facts) -> bool {
    !facts.is_experimental && !facts.id.version.is_prerelease()
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

impl Conditions {
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
    pub(super) fn admits(&self, facts: &Facts) -> bool {
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

#[cfg(test)]
mod tests {
    use super::super::examples::{constraint, offer, package, words};
    use super::*;
    use crate::limits::Limits;

    fn select(packages: &[Facts], raw_query: &str) -> Vec<Selected> {
        let query = SearchQuery::parse(raw_query, &Limits::default()).unwrap();
        query.select(&offer(packages), &Categories::built_in())
    }

    /// Returns what is found as `name version, …`.
    fn found(packages: &[Facts], raw_query: &str) -> String {
        let selected = select(packages, raw_query);
        let ids: Vec<_> = selected
            .iter()
            .map(|s| packages[s.position].id.to_string())
            .collect();
        ids.join(", ")
    }

    #[test]
    fn the_newest_version_of_each_package_comes_by_name() {
        let packages = [
            "b 1.2.0",
            "a 1.10.0",
            "b 1.0.0",
            "a 1.9.0",
            "a_b 1.0.0",
            "ab 1.0.0",
        ]
        .map(package);
        assert_eq!(
            found(&packages, ""),
            "a 1.10.0, a_b 1.0.0, ab 1.0.0, b 1.2.0"
        );
        assert_eq!(
            found(&packages, "all=true"),
            "a 1.9.0, a 1.10.0, a_b 1.0.0, ab 1.0.0, b 1.0.0, b 1.2.0"
        );
        assert_eq!(found(&packages, "package=b"), "b 1.2.0");
        assert_eq!(found(&packages, "package=b&all=1"), "b 1.0.0, b 1.2.0");
        for absent in ["package=c", "package=B", "package=a_", "package=0"] {
            assert_eq!(found(&packages, absent), "");
        }
        assert_eq!(found(&[], ""), "");
        assert_eq!(found(&[], "package=a"), "");
    }

    #[test]
    fn of_equal_precedence_the_first_listed_is_the_newest() {
        let packages = ["a 1.0.0+z", "a 0.9.0", "a 1.0.0+b", "a 1.0.0+a"].map(package);
        for query in ["", "experimental=true"] {
            assert_eq!(found(&packages, query), "a 1.0.0+z", "{query}");
        }
        assert_eq!(
            found(&packages, "all=true"),
            "a 0.9.0, a 1.0.0+z, a 1.0.0+b, a 1.0.0+a"
        );
        let [mut first, oldest, second, third] = packages;
        first.kibana = constraint("^9.0.0");
        let packages = [first, oldest, second, third];
        assert_eq!(found(&packages, "kibana.version=8.5.0"), "a 1.0.0+b");
        assert_eq!(found(&packages, "kibana.version=9.5.0"), "a 1.0.0+z");
    }

    #[test]
    fn prereleases_and_experimental_ones_must_be_asked_for() {
        let experimental = Facts {
            is_experimental: true,
            ..package("a 1.3.0")
        };
        let packages = [
            package("a 1.1.0"),
            package("a 1.2.0-rc.1"),
            experimental,
            package("b 0.1.0-a"),
        ];
        assert_eq!(found(&packages, ""), "a 1.1.0");
        assert_eq!(found(&packages, "prerelease=true"), "a 1.3.0, b 0.1.0-a");
        assert_eq!(
            found(&packages, "all=1&prerelease=1"),
            "a 1.1.0, a 1.2.0-rc.1, a 1.3.0, b 0.1.0-a"
        );
    }

    #[test]
    fn the_legacy_rules_prefer_what_is_no_prerelease() {
        let packages = [
            "a 1.1.0",
            "a 1.2.0-rc.1",
            "b 0.1.0",
            "b 1.0.0-a",
            "c 0.1.0-a",
            "c 0.1.0-b",
        ]
        .map(package);
        assert_eq!(
            found(&packages, "experimental=true"),
            "a 1.1.0, b 0.1.0, c 0.1.0-b"
        );
        // Order does not matter.
        let mut reversed = packages.clone();
        reversed.reverse();
        assert_eq!(
            found(&reversed, "experimental=true"),
            "a 1.1.0, b 0.1.0, c 0.1.0-b"
        );
    }

    #[test]
    fn all_versions_by_the_legacy_rules_are_the_stable_ones_where_one_fits() {
        let mut packages = [
            "a 0.9.0",
            "a 1.1.0",
            "a 1.2.0-rc.1",
            "a 1.3.0",
            "b 0.1.0",
            "b 1.0.0-a",
        ]
        .map(package);
        assert_eq!(
            found(&packages, "experimental=true&all=true"),
            "a 1.1.0, a 1.3.0, b 0.1.0, b 1.0.0-a"
        );
        for stable in [1, 3] {
            packages[stable].kibana = constraint("^9.0.0");
        }
        assert_eq!(
            found(&packages, "experimental=true&all=true&kibana.version=8.5.0"),
            "a 0.9.0, a 1.2.0-rc.1, b 0.1.0, b 1.0.0-a"
        );
    }

    #[test]
    fn the_legacy_rules_look_at_kibana_and_type_alone() {
        let picky = Facts {
            is_experimental: true,
            agent: constraint("^1.0.0"),
            spec: Some((9, 9)),
            capabilities: Some(words("none_has_this")),
            kibana: constraint("^8.5.0"),
            ..package("a 1.0.0")
        };
        let packages = [picky];
        let ignored =
            "experimental=1&agent.version=9&spec.max=3.0&capabilities=a&discovery=fields:a";
        assert_eq!(found(&packages, ignored), "a 1.0.0");
        assert_eq!(found(&packages, "experimental=1&kibana.version=8.4.0"), "");
        assert_eq!(found(&packages, "experimental=1&type=input"), "");
    }

    #[test]
    fn an_older_version_answers_where_the_newest_does_not_fit() {
        let old = Facts {
            kibana: constraint("^7.17.0 || ^8.0.0"),
            agent: constraint("<9"),
            ..package("a 1.0.0")
        };
        let new = Facts {
            kibana: constraint("^8.5.0"),
            agent: constraint(">=9"),
            ..package("a 2.0.0")
        };
        let packages = [old, new];
        for (query, answer) in [
            ("kibana.version=8.5.0", "a 2.0.0"),
            ("kibana.version=v8.4", "a 1.0.0"),
            ("kibana.version=7.16.0", ""),
            ("kibana.version=8.5.0-SNAPSHOT", ""),
            ("agent.version=9.1.0", "a 2.0.0"),
            ("agent.version=8.1.0", "a 1.0.0"),
            ("agent.version=8.1.0&kibana.version=9.0.0", ""),
        ] {
            assert_eq!(found(&packages, query), answer, "{query}");
        }
        assert_eq!(
            found(
                &[package("b 1.0.0")],
                "kibana.version=1-a&agent.version=1-a"
            ),
            "b 1.0.0"
        );
    }

    #[test]
    fn spec_bounds_hold_their_ends() {
        let of_spec = |id, spec| Facts {
            spec,
            ..package(id)
        };
        let packages = [
            of_spec("a 1.0.0", Some((2, 9))),
            of_spec("b 1.0.0", Some((2, 10))),
            of_spec("c 1.0.0", None),
        ];
        for (query, answer) in [
            ("", "a 1.0.0, b 1.0.0, c 1.0.0"),
            ("spec.min=2.10", "b 1.0.0"),
            ("spec.max=2.9", "a 1.0.0"),
            ("spec.min=2.9&spec.max=2.10", "a 1.0.0, b 1.0.0"),
            ("spec.min=3.0", ""),
            ("spec.max=2.9-rc", ""),
            ("spec.min=2.9-rc", "a 1.0.0, b 1.0.0"),
        ] {
            assert_eq!(found(&packages, query), answer, "{query}");
        }
    }

    #[test]
    fn all_capabilities_that_a_package_needs_must_be_there() {
        let needing = |id, needed: &str| Facts {
            capabilities: Some(words(needed)),
            ..package(id)
        };
        let packages = [
            package("a 1.0.0"),
            needing("b 1.0.0", "x y"),
            needing("c 1.0.0", ""),
        ];
        for (query, answer) in [
            ("", "a 1.0.0, b 1.0.0, c 1.0.0"),
            ("capabilities=y,z,x", "a 1.0.0, b 1.0.0, c 1.0.0"),
            ("capabilities=x", "a 1.0.0, c 1.0.0"),
            ("capabilities=,", "a 1.0.0, c 1.0.0"),
        ] {
            assert_eq!(found(&packages, query), answer, "{query}");
        }
    }

    #[test]
    fn discovery_wants_all_fields_and_any_dataset() {
        let by_fields = Facts {
            discovery_fields: words("x y"),
            ..package("a 1.0.0")
        };
        let by_datasets = Facts {
            discovery_datasets: words("d e"),
            ..package("b 1.0.0")
        };
        let packages = [by_fields, by_datasets, package("c 1.0.0")];
        for (query, answer) in [
            ("discovery=fields:y,z,x", "a 1.0.0"),
            ("discovery=fields:x", ""),
            ("discovery=fields:", ""),
            ("discovery=datasets:f,e", "b 1.0.0"),
            ("discovery=datasets:f", ""),
            ("discovery=datasets:", ""),
            ("discovery=fields:x,y&discovery=datasets:d", ""),
            ("discovery=fields:x,y&discovery=fields:x,y,z", "a 1.0.0"),
            ("discovery=fields:x,y&discovery=fields:x", ""),
        ] {
            assert_eq!(found(&packages, query), answer, "{query}");
        }
    }

    #[test]
    fn a_type_is_taken_as_written() {
        let input = Facts {
            package_type: "input".to_owned(),
            ..package("a 2.0.0")
        };
        let packages = [package("a 1.0.0"), input];
        assert_eq!(found(&packages, "type=input"), "a 2.0.0");
        assert_eq!(found(&packages, "type=integration"), "a 1.0.0");
        assert_eq!(found(&packages, "type=Input"), "");
    }

    #[test]
    fn the_category_is_asked_of_the_newest_version_alone() {
        let old = Facts {
            categories: words("web"),
            ..package("a 1.0.0")
        };
        let packages = [old, package("a 2.0.0")];
        assert_eq!(found(&packages, "category=web"), "");
        assert_eq!(found(&packages, "category=web&all=true"), "a 1.0.0");
    }

    #[test]
    fn of_a_package_found_by_its_policy_templates_only_those_of_the_category_are_shown() {
        let templates = vec![
            Some(words("web")),
            None,
            Some(words("observability web")),
            Some(words("cloud")),
        ];
        let by_template = Facts {
            policy_templates: templates.clone(),
            ..package("a 1.0.0")
        };
        let by_package = Facts {
            categories: words("cloud web"),
            policy_templates: templates,
            ..package("b 1.0.0")
        };
        let packages = [by_template, by_package];
        let only = |numbers: &[usize]| PolicyTemplates::Only(numbers.to_vec());
        for (query, shown) in [
            ("", vec![PolicyTemplates::All, PolicyTemplates::All]),
            ("category=web", vec![only(&[0, 2]), PolicyTemplates::All]),
            // `web` is part of `observability`: both are found, but a policy template must carry the id itself.
            (
                "category=observability",
                vec![only(&[2]), PolicyTemplates::All],
            ),
            ("category=cloud", vec![only(&[3]), PolicyTemplates::All]),
            ("category=security", vec![]),
            ("category=Web", vec![]),
        ] {
            let found = select(&packages, query);
            let found: Vec<_> = found.into_iter().map(|s| s.policy_templates).collect();
            assert_eq!(found, shown, "{query}");
        }
        let parts_only = Facts {
            policy_templates: vec![Some(words("web"))],
            ..package("a 1.0.0")
        };
        let found = select(&[parts_only], "category=observability");
        assert_eq!(found[0].policy_templates, only(&[]));
    }
}

//! Why a version of a package is the one that a query answers with, or is not.
//!
//! Derived from the selection itself and from the conditions it looks at: nothing here decides.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::offer::{Listed, Offer};
use super::{Conditions, DiscoveryFilter, Rules, SearchQuery};
use crate::package::{Categories, Facts, PackageName};

/// What a query may ask of a package version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// `type`.
    Type,
    /// `kibana.version`.
    Kibana,
    /// Neither a prerelease nor experimental, without `prerelease`.
    Final,
    /// `agent.version`.
    Agent,
    /// `capabilities`.
    Capabilities,
    /// `spec.min` and `spec.max`.
    Spec,
    /// `discovery`.
    Discovery,
}

/// A condition that a package version does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unmet {
    /// The condition.
    pub condition: Condition,
    /// What the package version says of it, and what was asked.
    pub why: String,
}

/// A version of a package, and how it stands with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Its place among the facts that the offer was made of.
    pub position: usize,
    /// How it stands.
    pub standing: Standing,
}

/// How a version of a package stands with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is in the answer.
    Answered,
    /// It would be, but neither it nor a policy template of it is of the category.
    OtherCategory,
    /// It does not meet these conditions, at least one.
    Unmet(Vec<Unmet>),
    /// It meets all of them, and so does the one at this place, which is newer.
    Older(usize),
    /// It meets all of them, but is a prerelease or of major version 0, and another one that fits is not.
    LessFinal,
}

impl Condition {
    /// Every condition there is.
    pub const ALL: [Self; 7] = [
        Self::Type,
        Self::Kibana,
        Self::Final,
        Self::Agent,
        Self::Capabilities,
        Self::Spec,
        Self::Discovery,
    ];

    /// Returns the condition by what its parameter is about.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Kibana => "kibana",
            Self::Final => "final",
            Self::Agent => "agent",
            Self::Capabilities => "capabilities",
            Self::Spec => "spec",
            Self::Discovery => "discovery",
        }
    }
}

impl SearchQuery {
    /// Returns the same query, asked of one package.
    pub fn of_package(self, name: &PackageName) -> Self {
        Self {
            package: Some(name.as_str().to_owned()),
            ..self
        }
    }

    /// Returns how each version of the packages that are asked for stands, in the order of the answer to `all=true`.
    pub fn explain(&self, offer: &Offer, categories: &Categories) -> Vec<Explained> {
        let answered = self.select(offer, categories).into_iter();
        let answered: HashSet<_> = answered.map(|selected| selected.position).collect();
        let mut chosen: Vec<&Listed> = Vec::new();
        self.each(offer, |listed| chosen.push(listed));
        let explained = |listed: &Listed| Explained {
            position: listed.position,
            standing: match answered.contains(&listed.position) {
                true => Standing::Answered,
                false => self.standing(listed, &chosen),
            },
        };
        let packages: Vec<_> = match &self.package {
            Some(name) => offer.package(name).into_iter().collect(),
            None => offer.packages().collect(),
        };
        packages.into_iter().flatten().map(explained).collect()
    }

    /// Returns how a version stands that is not in the answer; `chosen` is what was looked at for its category.
    fn standing(&self, listed: &Listed, chosen: &[&Listed]) -> Standing {
        let unmet = |condition| Unmet {
            condition,
            why: self.why(condition, &listed.facts),
        };
        let unmet: Vec<_> = self.unmet(&listed.facts).map(unmet).collect();
        if !unmet.is_empty() {
            return Standing::Unmet(unmet);
        }
        if chosen.iter().any(|it| it.position == listed.position) {
            return Standing::OtherCategory;
        }
        let newer = chosen.iter().find(|it| {
            it.facts.id.name == listed.facts.id.name
                && it.version().cmp_precedence(listed.version()).is_ge()
        });
        match newer {
            Some(newer) if !self.is_of_all_versions => Standing::Older(newer.position),
            _ => Standing::LessFinal,
        }
    }

    /// Returns what a package version that does not meet a condition says of it.
    fn why(&self, condition: Condition, facts: &Facts) -> String {
        let none = Conditions::default();
        let asked = match &self.wanted.by {
            Rules::Legacy => &none,
            Rules::Current(conditions) => conditions,
        };
        let text = |text: Option<String>| text.unwrap_or_default();
        match condition {
            Condition::Type => format!("it is of type {}", facts.package_type),
            Condition::Kibana => {
                let needed = text(facts.kibana.as_ref().map(ToString::to_string));
                format!("it is for Kibana {needed}")
            }
            Condition::Final if facts.id.version.is_prerelease() => "it is a prerelease".to_owned(),
            Condition::Final => "it is experimental".to_owned(),
            Condition::Agent => {
                let needed = text(facts.agent.as_ref().map(ToString::to_string));
                format!("it is for Elastic Agent {needed}")
            }
            Condition::Capabilities => {
                let there = asked.capabilities.as_deref().unwrap_or_default();
                let needed = facts.capabilities.as_deref().unwrap_or_default();
                let missing = needed.iter().filter(|it| !there.contains(it));
                let missing: Vec<_> = missing.map(String::as_str).collect();
                format!("it needs the capability {}", missing.join(", "))
            }
            Condition::Spec => match facts.spec {
                Some((major, minor)) => format!("its format is {major}.{minor}"),
                None => "it does not say its format".to_owned(),
            },
            Condition::Discovery => {
                let by_fields = |it: &DiscoveryFilter| matches!(it, DiscoveryFilter::Fields(_));
                let failing = asked.discovery.iter().find(|it| !it.admits(facts));
                match failing.is_some_and(by_fields) {
                    true => discovered("fields", &facts.discovery_fields),
                    false => discovered("datasets", &facts.discovery_datasets),
                }
            }
        }
    }
}

fn discovered(by: &str, names: &[String]) -> String {
    match names {
        [] => format!("it is not discovered by {by}"),
        names => format!("it is discovered by the {by} {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{constraint, offer, package, words};
    use super::*;
    use crate::limits::Limits;

    /// Returns how each version stands, as `version: standing`.
    fn explained(packages: &[Facts], raw_query: &str) -> Vec<String> {
        let query = SearchQuery::parse(raw_query, &Limits::default()).unwrap();
        let categories = Categories::built_in();
        let version = |position: usize| packages[position].id.to_string();
        let shown = |it: Explained| {
            let standing = match it.standing {
                Standing::Answered => "answered".to_owned(),
                Standing::OtherCategory => "other category".to_owned(),
                Standing::Older(newer) => format!("older than {}", version(newer)),
                Standing::LessFinal => "less final".to_owned(),
                Standing::Unmet(unmet) => {
                    let why = |it: &Unmet| format!("{}: {}", it.condition.as_str(), it.why);
                    unmet.iter().map(why).collect::<Vec<_>>().join("; ")
                }
            };
            format!("{} {standing}", version(it.position))
        };
        let explained = query.explain(&offer(packages), &categories);
        explained.into_iter().map(shown).collect()
    }

    #[test]
    fn each_condition_says_what_the_version_says_of_it() {
        let picky = Facts {
            package_type: "input".to_owned(),
            kibana: constraint("^9.0.0"),
            agent: constraint("^8.0.0"),
            spec: Some((3, 4)),
            capabilities: Some(words("security uptime")),
            discovery_fields: words("ship.name"),
            ..package("a 1.0.0-rc.1")
        };
        let query = "type=integration&kibana.version=8.5.0&agent.version=7.0.0&spec.max=3.0&capabilities=uptime&\
                     discovery=fields:x";
        assert_eq!(
            explained(&[picky], query),
            [
                "a 1.0.0-rc.1 type: it is of type input; kibana: it is for Kibana ^9.0.0; final: it is a prerelease; \
              agent: it is for Elastic Agent ^8.0.0; capabilities: it needs the capability security; \
              spec: its format is 3.4; discovery: it is discovered by the fields ship.name"
            ]
        );
        let bare = Facts {
            is_experimental: true,
            spec: None,
            ..package("a 1.0.0")
        };
        assert_eq!(
            explained(&[bare], "spec.min=1.0&discovery=datasets:x"),
            [
                "a 1.0.0 final: it is experimental; spec: it does not say its format; \
              discovery: it is not discovered by datasets"
            ]
        );
    }

    #[test]
    fn what_meets_every_condition_gives_way_to_the_newest_or_to_a_final_one() {
        let mut packages = [
            "a 0.9.0",
            "a 1.0.0",
            "a 1.1.0",
            "a 1.2.0-rc.1",
            "a 2.0.0",
            "b 1.0.0",
        ]
        .map(package);
        packages[4].kibana = constraint("^9.0.0");
        assert_eq!(
            explained(&packages, "package=a&kibana.version=8.5.0"),
            [
                "a 0.9.0 older than a 1.1.0",
                "a 1.0.0 older than a 1.1.0",
                "a 1.1.0 answered",
                "a 1.2.0-rc.1 final: it is a prerelease",
                "a 2.0.0 kibana: it is for Kibana ^9.0.0",
            ]
        );
        let legacy = explained(
            &packages,
            "package=a&kibana.version=8.5.0&experimental=true",
        );
        assert_eq!(
            legacy[2..4],
            ["a 1.1.0 answered", "a 1.2.0-rc.1 less final"]
        );
        let all = explained(&packages, "package=a&experimental=true&all=true");
        assert_eq!(all[0], "a 0.9.0 less final");
        assert_eq!(all[1], "a 1.0.0 answered");
        assert_eq!(explained(&packages, "package=none"), [""; 0]);
    }

    #[test]
    fn the_category_is_looked_at_last() {
        let packages = [
            Facts {
                categories: words("web"),
                ..package("a 1.0.0")
            },
            package("a 1.1.0"),
        ];
        assert_eq!(
            explained(&packages, "category=web"),
            ["a 1.0.0 older than a 1.1.0", "a 1.1.0 other category"]
        );
    }
}

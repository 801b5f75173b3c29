//! What `/search` and `/categories` ask, and which package versions answer.
//!
//! Text of a query string in, [`SearchQuery`] or [`CategoriesQuery`] out; with an [`Offer`] they say what to show. Knows
//! nothing of HTTP and of how answers are rendered. Facts: `docs/registry-api.md`, section Parameters.

mod categories;
#[cfg(test)]
mod examples;
mod explain;
mod filter;
mod offer;
mod parameters;
mod text;

pub use categories::CategoryCount;
pub use explain::{Condition, Explained, Standing, Unmet};
pub use filter::{PolicyTemplates, Selected};
pub use offer::Offer;
pub use parameters::InvalidQuery;

use semver::Version;

/// What a `/search` asks. Queries that mean the same are equal: a cache can be keyed by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SearchQuery {
    package: Option<String>,
    package_type: Option<String>,
    category: Option<String>,
    is_of_all_versions: bool,
    wanted: Wanted,
}

/// What a `/categories` asks. Queries that mean the same are equal: a cache can be keyed by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CategoriesQuery {
    counts_policy_templates: bool,
    search: SearchQuery,
}

/// What both can ask of a package version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Wanted {
    kibana: Option<Version>,
    by: Rules,
}

/// Which rules decide between versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rules {
    /// Those of `experimental=true`, which Kibana sent up to 8.5: all count, final ones are preferred.
    Legacy,
    /// Those of every other query.
    Current(Conditions),
}

/// What the legacy rules do not look at. Lists are sorted and hold nothing twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Conditions {
    takes_prereleases: bool,
    agent: Option<Version>,
    capabilities: Option<Vec<String>>,
    spec_min: Option<Version>,
    spec_max: Option<Version>,
    discovery: Vec<DiscoveryFilter>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum DiscoveryFilter {
    /// The fields that the data has: a package matches when it asks for no other.
    Fields(Vec<String>),
    /// The datasets that there are: a package matches when it knows one.
    Datasets(Vec<String>),
}

impl Default for Rules {
    fn default() -> Self {
        Self::Current(Conditions::default())
    }
}

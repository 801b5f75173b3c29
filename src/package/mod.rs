//! What a package is and says: identity, constraints, manifest, documents, queries.
//!
//! Domain only: no I/O, SQL, clock or async. Text and file lists come in, values and bytes go out.

pub mod canonical_zip;
mod changelog;
pub mod check;
mod choice;
mod constraint;
mod content_diff;
mod document;
mod facts;
mod fleet;
mod go_number;
mod id;
mod installed;
mod json;
mod loose_version;
mod manifest;
mod query;
mod security_rule;
mod settings;
mod tables;
mod yaml;

pub use changelog::{CHANGELOG_PATH, Changelog, ChangelogEntry, ChangelogError};
pub use choice::PackageChoice;
pub use constraint::{Constraint, InvalidConstraint};
pub use content_diff::{AssetsDiff, FileDigest, NamesDiff};
pub use document::{
    DamagedTemplate, DocumentError, FileList, Fill, PackageSource, RENDERER, Rendered, Slots,
    Tables, Template, categories_document, render,
};
pub use facts::Facts;
pub use fleet::{FLEET_NEEDS, FleetNeed, takes_experimental};
pub use id::{InvalidPackageId, PackageId, PackageName, PackageVersion};
pub use installed::{Installed, InstalledList, InvalidInstalled};
pub use loose_version::{InvalidVersion, parse_loose_version};
pub use manifest::KnownDataStreams;
pub use query::{
    CategoriesQuery, CategoryCount, Condition, Explained, InvalidQuery, Offer, PolicyTemplates,
    SearchQuery, Selected, Standing, Unmet,
};
pub use security_rule::{RuleChange, RulesDiff, SecurityRule, is_security_rule};
pub use tables::{Categories, Category, IngestionMethods, InvalidTable};

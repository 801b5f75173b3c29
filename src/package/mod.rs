//! What a package is and says: identity, constraints, manifest, documents, queries.
//!
//! Domain only: no I/O, SQL, clock or async. Text and file lists come in, values and bytes go out.

mod go_number;
mod id;
mod settings;
mod yaml;

pub use id::{InvalidPackageId, PackageId, PackageName, PackageVersion};

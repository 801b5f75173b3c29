//! What a package is and says: identity, constraints, manifest, documents, queries.
//!
//! Domain only: no I/O, SQL, clock or async. Text and file lists come in, values and bytes go out.

pub mod canonical_zip;
mod id;

pub use id::{InvalidPackageId, PackageId, PackageName, PackageVersion};

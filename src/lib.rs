//! airlock: an Elastic Package Registry for networks with no way out.

pub mod archive;
pub mod limits;
pub mod package;

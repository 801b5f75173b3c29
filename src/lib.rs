//! airlock: an Elastic Package Registry for networks with no way out.

pub mod limits;
pub mod package;

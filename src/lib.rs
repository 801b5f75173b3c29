//! airlock: an Elastic Package Registry for networks with no way out.

pub mod api;
pub mod archive;
pub mod crypto;
pub mod distribution;
pub mod limits;
pub mod package;
pub mod server;
pub mod store;

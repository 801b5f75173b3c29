//! airlock: an Elastic Package Registry for networks with no way out.

pub mod admin;
pub mod api;
pub mod archive;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod distribution;
pub mod import;
pub mod limits;
pub mod package;
pub mod server;
pub mod store;

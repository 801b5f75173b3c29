//! The service on a host: what its manager hears, sockets that are handed over, who may do what, and whose the files are.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

#[path = "../support/answers.rs"]
mod answers;
#[path = "../support/archives.rs"]
mod archives;
#[path = "../support/child.rs"]
mod child;
mod host;
mod manager;
mod restart;
mod roles;
#[path = "../support/trees.rs"]
mod trees;
mod users;

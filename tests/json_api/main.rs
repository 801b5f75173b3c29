//! The JSON API: what its document says, and that its answers are what it says.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

mod asking;
mod events;
mod jobs;
mod openapi;
#[path = "../support/mod.rs"]
mod support;
mod uploads;

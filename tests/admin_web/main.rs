//! The admin side as browsers and scripts reach it: who is let in, by what, and what every answer tells browsers.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

mod answers;
#[path = "../support/child.rs"]
mod child;
mod listeners;
mod login;
mod pages;
mod requests;
mod rules;
mod shortcuts;
mod table;
mod world;

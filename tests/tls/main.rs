//! TLS: what is installed and what is refused, handshakes of every kind, certificates that change while they are served.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[allow(dead_code, reason = "some of it is for other tests")]
#[path = "../support/answers.rs"]
mod answers;
mod certificates;
mod changes;
mod clients;
mod files;
mod handshakes;
mod refusals;
#[allow(
    dead_code,
    reason = "its other half is for the tests of plain connections"
)]
#[path = "../server/shared.rs"]
mod shared;

//! Pages of the appliance and of Kibanas: that they say what is so, that what others wrote stays text, and that forms do what
//! they say to those who may, and nothing else.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

mod appliance;
mod deeds;
mod distributions;
mod kibanas;
mod people;
#[path = "../admin_web/requests.rs"]
#[allow(dead_code, reason = "another target uses the rest of it")]
mod requests;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod visits;
#[path = "../admin_web/world.rs"]
#[allow(dead_code, reason = "another target uses the rest of it")]
mod world;

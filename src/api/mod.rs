//! HTTP as Kibana speaks it: reads only.
//!
//! A request's raw path becomes a [`route::Route`]; what it names is looked up; [`selection::select`] decides which form
//! of it goes out (coding, condition, range) and [`reply`] writes the headers. Whoever asks can change nothing: there is
//! no writing hand behind this door.

pub mod body;
pub mod condition;
pub mod content_type;
pub mod encoding;
pub mod error;
pub mod gzip;
pub mod pieces;
pub mod range;
pub mod reply;
pub mod route;
pub mod selection;

//! What the operator does to a store: the operations, and the JSON API through which another process asks for them.
//!
//! The command line does the operations itself where it owns the store, and asks for them over `control.sock` where a
//! server does. Kibana's door is `crate::api`, which has none of this.

pub mod addition;
pub mod audit;
pub mod branches;
pub mod collection;
pub mod deletion;
pub mod diff;
pub mod disk;
pub mod distributions;
pub mod entrance;
mod error;
pub mod explain;
mod fetched;
pub mod history;
pub mod holds;
pub mod jobs;
pub mod keys;
pub mod kibana_config;
mod kibanas;
mod missing;
pub mod needs;
pub mod offer_record;
mod offering;
pub mod operations;
pub mod package;
pub mod pages;
pub mod password;
mod peer;
pub mod picks;
mod place;
pub mod preflight;
mod promotion;
pub mod prune;
pub mod quarantine;
pub mod record;
mod record_text;
pub mod roles;
pub mod rollback;
pub mod routes;
pub mod settings;
pub mod setup;
pub mod signatures;
pub mod signer;
pub mod sizes;
pub mod status;
pub mod support;
pub mod tag;
pub mod tls;
pub mod tokens;
pub mod uploads;
pub mod users;
mod version_diff;
pub mod wording;

pub use error::{Failure, OperationError};
pub use fetched::NoLongerOffered;
pub use kibanas::{FailedRequest, KibanaSeen, Kibanas};
pub use missing::Missing;
pub use peer::{OverTls, PeerUser};
pub use roles::{Caller, How, Role, Roles};

//! What the operator does to a store: the operations, and the JSON API through which another process asks for them.
//!
//! The command line does the operations itself where it owns the store, and asks for them over `control.sock` where a
//! server does. Kibana's door is `crate::api`, which has none of this.

mod error;
pub mod keys;
pub mod operations;
mod peer;
pub mod quarantine;
pub mod routes;
pub mod signatures;

pub use error::{Failure, OperationError};
pub use peer::PeerUser;

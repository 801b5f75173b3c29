//! TLS: certificates and keys as files, what Kibana's Node will make of them, how they are served, asked for and made.
//!
//! It knows files and bytes, not sockets or settings: it is told where things lie. What is spoken is rustls' with one
//! provider, named here and nowhere else, so that a FIPS build changes one line (see `docs/decisions/0018`). Facts about
//! Node's judgement are OpenSSL's rules (`openssl-verification-options(1)`) and RFC 5280; Node looks at subject
//! alternative names alone.

mod acceptor;
mod anyone;
mod authority;
mod certificate;
mod chain;
mod check;
mod error;
mod files;
mod key;
mod name;
mod part;
mod pem;
mod places;
mod report;
mod request;
mod served;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use acceptor::{Acceptor, TlsStream, keep_at_most};
pub use anyone::{asks_for_certificate, with_anyone};
pub use authority::Authority;
pub use certificate::Certificate;
pub use chain::{Chain, End};
pub use check::check;
pub use error::{FileError, Refusal, TlsError};
pub use files::{Checked, Install, system_roots};
pub use key::{Key, KeyKind, KeyText, Passphrase};
pub use name::{InvalidName, Name};
pub use part::{Part, Readers};
pub use pem::Pieces;
pub use places::Places;
pub use report::{CertificateReport, LinkReport};
pub use request::{NewKey, RequestKey, request};
pub use served::{MinVersion, ServedTls, Stamp, TlsFiles};

/// Returns what does the arithmetic.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

//! What is told of a certificate.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::chain::{Chain, End};

/// A chain as `airlock tls show` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CertificateReport {
    /// The hosts and addresses that the certificate is for.
    pub names: Vec<String>,
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// Whole days from now until then; below zero once it has expired.
    pub days_left: i64,
    /// The kind of its key.
    pub key: String,
    /// The SHA-256 of the certificate, 64 hexadecimal digits.
    pub sha256: String,
    /// What is sent with it, in its order.
    pub chain: Vec<LinkReport>,
    /// Whether it issued itself, so that clients have to know this very certificate.
    pub is_self_signed: bool,
    /// The root, where it is known.
    pub root: Option<LinkReport>,
}

/// A certificate beyond the server's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LinkReport {
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// Its SHA-256.
    pub sha256: String,
}

impl LinkReport {
    fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            not_after: certificate.not_after(),
            sha256: certificate.fingerprint().to_string(),
        }
    }
}

impl CertificateReport {
    /// Returns what is told of `chain` at `now`.
    pub fn of(chain: &Chain, now: Timestamp) -> Self {
        let first = chain.first();
        let left = first.not_after().as_second() - now.as_second();
        Self {
            names: first.names().iter().map(ToString::to_string).collect(),
            subject: first.subject(),
            issuer: first.issuer(),
            not_before: first.not_before(),
            not_after: first.not_after(),
            days_left: left.div_euclid(24 * 60 * 60),
            key: first.key_kind().to_string(),
            sha256: first.fingerprint().to_string(),
            chain: chain.sent.iter().skip(1).map(LinkReport::of).collect(),
            is_self_signed: chain.end == End::SelfSigned,
            root: match &chain.end {
                End::Root(root) => Some(LinkReport::of(root)),
                End::SelfSigned | End::Missing => None,
            },
        }
    }
}

//! OpenPGP: certificates, detached signatures, and what a keyring says of a signature over some bytes.
//!
//! It knows of keys and bytes, not of packages, and asks for the time instead of looking at a clock. Packets and
//! arithmetic are rPGP's; what makes a key or a signature count is decided here, as RFC 9580 has it and stricter:
//! see `policy.rs`. Everything read is hostile and bounded by [`crate::limits::Limits`].

mod certificate;
#[cfg(test)]
mod examples;
mod fingerprint;
mod key_file;
mod packets;
mod policy;
mod self_signatures;
mod signature;
mod signer;
#[cfg(test)]
mod tests;
mod verdict;

pub use certificate::{Certificate, CertificateError};
pub use fingerprint::{Fingerprint, InvalidFingerprint, KeyId};
pub use key_file::KeyFile;
pub use signature::{InvalidSignature, Signature, Verifying};
pub use signer::{Signer, SignerError, verified_text};
pub use verdict::{Verdict, WrongSignature};

use jiff::Timestamp;

/// Returns a time of OpenPGP, which counts seconds since 1970 in 32 bits.
fn timestamp(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

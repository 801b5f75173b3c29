//! What a keyring says of a signature over some bytes.

use jiff::Timestamp;

use super::{Fingerprint, KeyId};

/// What a keyring says of a signature over some bytes. That there is no signature is for the caller to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A key of the keyring made it over these bytes, and may.
    Good {
        /// The certificate, also where a subkey of it signed.
        fingerprint: Fingerprint,
        /// When it or its subkey ends: from then on the verdict is [`Verdict::ExpiredKey`].
        until: Option<Timestamp>,
    },
    /// No key of the keyring made it, so nothing can be said.
    UnknownKey {
        /// The key that it says made it.
        key_id: Option<KeyId>,
    },
    /// As good, but the key has expired since.
    ExpiredKey {
        /// The certificate.
        fingerprint: Fingerprint,
        /// When it or its subkey ended.
        expired: Timestamp,
    },
    /// It does not count.
    Wrong(WrongSignature),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongSignature {
    /// Other bytes, or another key with the same short id.
    #[error("the signature is not over these bytes")]
    OtherBytes,
    /// A digest that can be forged.
    #[error("the signature is over a digest that can be forged, {0}")]
    WeakDigest(String),
    /// A signature of type 0x01.
    #[error("the signature is over text, so that line ends may differ, and not over each byte")]
    Text,
    /// A statement that must be understood.
    #[error("the signature has a critical part that is not understood: {0}")]
    UnknownCritical(String),
    /// A key of a kind that can be forged.
    #[error("the signature is by a key that is too weak or of an unknown kind: {0}")]
    WeakKey(String),
    /// A key for encryption, or a subkey that its key does not vouch for.
    #[error("the signature is by a key that may not sign, {0}")]
    MayNotSign(KeyId),
    /// A revoked key.
    #[error("the signature is by a key that was revoked, {0}")]
    Revoked(KeyId),
    /// A signature without the time at which it was made.
    #[error("the signature does not say when it was made")]
    NoTime,
    /// A signature from before its key.
    #[error("the signature was made on {made}, before its key")]
    BeforeKey {
        /// When it says it was made.
        made: Timestamp,
    },
    /// A signature from after its key.
    #[error("the signature was made on {made}, after its key expired on {expired}")]
    AfterKey {
        /// When it says it was made.
        made: Timestamp,
        /// When the key ended.
        expired: Timestamp,
    },
    /// A signature from the future.
    #[error("the signature was made on {made}, and this machine's clock says {now}")]
    Future {
        /// When it says it was made.
        made: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// A signature with an end.
    #[error("the signature expired on {0}")]
    Expired(Timestamp),
}

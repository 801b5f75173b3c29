//! A public key with its subkeys and all that it says of them.

use std::sync::Arc;

use jiff::Timestamp;
use pgp::armor::BlockType;
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, KeyVersion, VerifyingKey};

use super::self_signatures::{self, Facts, Revocation, Seconds};
use super::{Fingerprint, KeyId, policy, timestamp};
use crate::limits::Limits;

/// A public key that was confirmed or may be. It holds nothing but what the key itself has signed.
#[derive(Debug, Clone)]
pub struct Certificate {
    key: SignedPublicKey,
    fingerprint: Fingerprint,
    user_ids: Vec<String>,
    facts: Facts,
    signers: Vec<Signer>,
}

/// The key or a subkey, as far as it concerns signatures over data.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) key: Arc<dyn VerifyingKey + Send + Sync>,
    pub(super) key_id: KeyId,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) created: Seconds,
    pub(super) facts: Facts,
}

/// Why a certificate does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The file is larger than any key.
    #[error("it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: u64,
    },
    /// The file has more packets than any key.
    #[error("it has more than {limit} packets")]
    TooManyPackets {
        /// The bound.
        limit: usize,
    },
    /// There is something else.
    #[error("it is no OpenPGP public key")]
    NoKey,
    /// A secret key.
    #[error("it is a secret key, and a registry must not have one")]
    SecretKey,
    /// It begins as a key.
    #[error("it is cut off or damaged")]
    Damaged,
    /// A version that counts no more, or not yet.
    #[error("key {0} is not of version 4 or 6")]
    Version(String),
    /// An algorithm that counts no more, or not yet.
    #[error("key {fingerprint} is too weak or of an unknown kind: {kind}")]
    Weak {
        /// The key.
        fingerprint: Fingerprint,
        /// Its kind.
        kind: String,
    },
    /// Nothing that the key says of itself holds.
    #[error("key {0} has no valid signature by itself")]
    NoSelfSignature(Fingerprint),
}

impl Certificate {
    /// Reads the packets of one certificate, as [`Self::to_bytes`] gives them.
    pub fn from_packets(bytes: &[u8]) -> Result<Self, CertificateError> {
        let key = SignedPublicKey::from_bytes(bytes).map_err(|_| CertificateError::Damaged)?;
        Self::from_key(key)
    }

    fn from_key(mut key: SignedPublicKey) -> Result<Self, CertificateError> {
        let primary = &key.primary_key;
        let fingerprint = Fingerprint::from_bytes(primary.fingerprint().as_bytes());
        let is_known = matches!(primary.version(), KeyVersion::V4 | KeyVersion::V6);
        let Some(fingerprint) = fingerprint.filter(|_| is_known) else {
            return Err(CertificateError::Version(primary.fingerprint().to_string()));
        };
        if let Some(kind) = policy::weakness(primary) {
            return Err(CertificateError::Weak { fingerprint, kind });
        }
        self_signatures::retain_own(&mut key);
        let facts = self_signatures::of_primary(&key)
            .ok_or_else(|| CertificateError::NoSelfSignature(fingerprint.clone()))?;
        let mut signers = vec![Signer::new(key.primary_key.clone(), facts.clone())];
        for subkey in &key.public_subkeys {
            if let Some(facts) = self_signatures::of_subkey(&key, subkey) {
                signers.push(Signer::new(subkey.key.clone(), facts));
            }
        }
        Ok(Self {
            user_ids: self_signatures::user_ids(&key),
            fingerprint,
            facts,
            signers,
            key,
        })
    }

    /// Returns the certificate with what `other`, of the same key, says besides: a longer life, a new subkey, a
    /// revocation. What one of the two revokes stays revoked.
    ///
    /// Fails when both together have more packets or bytes than a key file may.
    pub fn joined(&self, other: &Self, limits: &Limits) -> Result<Self, CertificateError> {
        let mut key = self.key.clone();
        let more = &other.key;
        add_missing(
            &mut key.details.revocation_signatures,
            &more.details.revocation_signatures,
        );
        add_missing(
            &mut key.details.direct_signatures,
            &more.details.direct_signatures,
        );
        for user in &more.details.users {
            match key.details.users.iter_mut().find(|own| own.id == user.id) {
                Some(own) => add_missing(&mut own.signatures, &user.signatures),
                None => key.details.users.push(user.clone()),
            }
        }
        for subkey in &more.public_subkeys {
            let mut own = key.public_subkeys.iter_mut();
            match own.find(|own| own.key.fingerprint() == subkey.key.fingerprint()) {
                Some(own) => add_missing(&mut own.signatures, &subkey.signatures),
                None => key.public_subkeys.push(subkey.clone()),
            }
        }
        let joined = Self::from_key(key)?;
        let details = &joined.key.details;
        let users = details.users.iter().map(|user| user.signatures.len() + 1);
        let subkeys = joined.key.public_subkeys.iter();
        let packets = 1
            + details.revocation_signatures.len()
            + details.direct_signatures.len()
            + users.sum::<usize>()
            + subkeys.map(|key| key.signatures.len() + 1).sum::<usize>();
        if packets > limits.key_packets {
            return Err(CertificateError::TooManyPackets {
                limit: limits.key_packets,
            });
        }
        if joined.to_bytes().len() as u64 > limits.key_file_bytes {
            return Err(CertificateError::TooLarge {
                limit_bytes: limits.key_file_bytes,
            });
        }
        Ok(joined)
    }

    /// Returns its packets, as the store keeps them.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory does not fail, and each part was read from packets.
        self.key.to_bytes().unwrap_or_default()
    }

    /// Returns its packets as text that can be sent and shown.
    pub fn to_armored(&self) -> String {
        let mut text = Vec::new();
        // As above; without a checksum, as RFC 9580, 6.1 has it.
        let _ = pgp::armor::write(&self.key, BlockType::PublicKey, &mut text, None, false);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Returns the fingerprint of its primary key: what it is known and confirmed by.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Returns whose it says it is, the primary one first, fit for a terminal; nobody has verified it.
    pub fn user_ids(&self) -> &[String] {
        &self.user_ids
    }

    /// Returns when it was made, as it says.
    pub fn created(&self) -> Timestamp {
        timestamp(self_signatures::begin(&self.key.primary_key))
    }

    /// Returns when it ends; `None` where it does not.
    pub fn expires(&self) -> Option<Timestamp> {
        self.facts.expires.map(timestamp)
    }

    /// Tells whether its owner has revoked it, from the beginning or since some time.
    pub fn is_revoked(&self) -> bool {
        self.facts.revocation.is_some()
    }

    /// Tells whether all that it says of itself is signed over SHA-1, which current programs do not accept.
    pub fn is_sha1_only(&self) -> bool {
        self.facts.is_sha1_only
    }

    /// Returns its keys, the primary one first.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Signer> {
        self.signers.iter()
    }

    /// Returns the earlier of the ends of the certificate and of its `signer`.
    pub(super) fn end_of(&self, signer: &Signer) -> Option<Seconds> {
        self_signatures::earliest(self.facts.expires, signer.facts.expires)
    }

    /// Tells whether a signature that `signer` made `at` some time is void.
    pub(super) fn is_void(&self, signer: &Signer, at: Seconds) -> bool {
        let revocations = [self.facts.revocation, signer.facts.revocation];
        revocations.into_iter().flatten().any(|it| match it {
            Revocation::Always => true,
            Revocation::Since(since) => at >= since,
        })
    }
}

impl Signer {
    fn new(key: impl VerifyingKey + Send + Sync + 'static, facts: Facts) -> Self {
        let mut key_id = [0; 8];
        key_id.copy_from_slice(key.legacy_key_id().as_ref());
        Self {
            key_id: KeyId::from_bytes(key_id),
            fingerprint: Fingerprint::from_bytes(key.fingerprint().as_bytes()),
            created: self_signatures::begin(&key),
            facts,
            key: Arc::new(key),
        }
    }
}

fn add_missing(own: &mut Vec<pgp::packet::Signature>, more: &[pgp::packet::Signature]) {
    for signature in more {
        if !own.contains(signature) {
            own.push(signature.clone());
        }
    }
}

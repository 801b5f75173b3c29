//! A detached signature, and its verification while the bytes go by.

use jiff::{SignedDuration, Timestamp};
use pgp::armor::BlockType;
use pgp::composed::{ArmorOptions, DetachedSignature};
use pgp::packet::{self, SignatureConfig, SignatureType, SignatureVersionSpecific};
use pgp::types::Tag;

use super::certificate::{Certificate, Signer};
use super::packets::{self, Frame};
use super::{KeyId, Verdict, WrongSignature, policy, self_signatures, timestamp};
use crate::limits::Limits;

/// How far in the future a signature may be: clocks of machines that nobody tells the time go wrong by hours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// A detached signature over data.
#[derive(Debug, Clone)]
pub struct Signature {
    packet: packet::Signature,
    config: SignatureConfig,
    is_armored: bool,
}

/// Bytes that are not one detached OpenPGP signature over data, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one detached OpenPGP signature")]
pub struct InvalidSignature;

/// Takes in the bytes that a signature is over.
pub struct Verifying {
    signature: Signature,
    /// What computes the digest; `None` where no digest makes the signature count.
    hasher: Option<Box<dyn digest::DynDigest + Send>>,
}

impl Signature {
    /// Reads a signature, armored or binary.
    ///
    /// Several, one of a version other than 4 and 6, one that is not over data, and anything before or behind it but
    /// white space are errors: what other programs make of these nobody can tell.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, InvalidSignature> {
        if bytes.len() > limits.signature_bytes {
            return Err(InvalidSignature);
        }
        if packets::are_binary(bytes) {
            return Self::from_packet(bytes, false).ok_or(InvalidSignature);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidSignature)?;
        let (blocks, has_more) = packets::armored(text);
        let ([block], false) = (blocks.as_slice(), has_more) else {
            return Err(InvalidSignature);
        };
        match packets::unarmored(block) {
            Some((BlockType::Signature, bytes)) => {
                Self::from_packet(&bytes, true).ok_or(InvalidSignature)
            }
            _ => Err(InvalidSignature),
        }
    }

    fn from_packet(bytes: &[u8], is_armored: bool) -> Option<Self> {
        let (frame, rest) = Frame::first(bytes)?;
        if frame.tag() != Tag::Signature || !rest.is_empty() {
            return None;
        }
        let mut body = frame.body;
        let packet = packet::Signature::try_from_reader(frame.header, &mut body).ok()?;
        let config = packet.config()?.clone();
        let is_known = matches!(
            config.version_specific,
            SignatureVersionSpecific::V4 | SignatureVersionSpecific::V6 { .. }
        );
        let is_over_data = matches!(config.typ, SignatureType::Binary | SignatureType::Text);
        (body.is_empty() && is_known && is_over_data).then_some(Self {
            packet,
            config,
            is_armored,
        })
    }

    /// Tells whether it came as text. Kibana reads no other.
    pub fn is_armored(&self) -> bool {
        self.is_armored
    }

    /// Returns it as text.
    pub fn to_armored(&self) -> Option<String> {
        let signature = DetachedSignature::new(self.packet.clone());
        signature.to_armored_string(ArmorOptions::default()).ok()
    }

    /// Returns the key that it says made it.
    pub fn key_id(&self) -> Option<KeyId> {
        let ids = self.config.issuer_key_id().into_iter();
        let of_id = |id: &pgp::types::KeyId| id.as_ref().try_into().ok();
        let of_fingerprint = |fingerprint: &pgp::types::Fingerprint| match fingerprint {
            pgp::types::Fingerprint::V4(bytes) => bytes[12..].try_into().ok(),
            pgp::types::Fingerprint::V6(bytes) => bytes[..8].try_into().ok(),
            _ => None,
        };
        let fingerprints = self.config.issuer_fingerprint().into_iter();
        ids.filter(|id| !id.is_wildcard())
            .filter_map(of_id)
            .chain(fingerprints.filter_map(of_fingerprint))
            .map(KeyId::from_bytes)
            .next()
    }

    /// Returns when it was made, as it says.
    pub fn made(&self) -> Option<Timestamp> {
        let seconds = self.config.created()?.as_secs();
        Some(timestamp(u64::from(seconds)))
    }

    /// Tells whether it says that `signer` made it, or does not say who did.
    fn may_be_by(&self, signer: &Signer) -> bool {
        let fingerprints = self.config.issuer_fingerprint();
        let is_named = fingerprints.iter().any(|named| {
            let own = signer.fingerprint.as_ref();
            own.is_some_and(|own| own.as_bytes() == named.as_bytes())
        });
        is_named || self.key_id().is_none_or(|id| id == signer.key_id)
    }

    /// Returns why no key and no bytes make it count.
    fn fault(&self) -> Option<WrongSignature> {
        if self.config.typ != SignatureType::Binary {
            return Some(WrongSignature::Text);
        }
        if !policy::is_strong(self.config.hash_alg) {
            let digest = self.config.hash_alg.to_string();
            return Some(WrongSignature::WeakDigest(digest));
        }
        if self.made().is_none() {
            return Some(WrongSignature::NoTime);
        }
        policy::unknown_critical(&self.packet).map(WrongSignature::UnknownCritical)
    }
}

impl Verifying {
    /// Begins with the first byte that `signature` is over.
    pub fn new(signature: &Signature) -> Self {
        let signature = signature.clone();
        let mut hasher = match signature.fault() {
            Some(_) => None,
            None => signature.config.hash_alg.new_hasher().ok(),
        };
        // Version 6 begins with some bytes of its own (RFC 9580, 5.2.4).
        if let SignatureVersionSpecific::V6 { salt } = &signature.config.version_specific
            && let Some(hasher) = &mut hasher
        {
            hasher.update(salt);
        }
        Self { signature, hasher }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    /// Returns the digest that a good signature over all bytes taken in has signed, for [`Signature::judge`]: at most 64
    /// bytes, and none where the signature counts over no bytes at all.
    pub fn finish(self) -> Box<[u8]> {
        let Some(mut hasher) = self.hasher else {
            return Box::default();
        };
        let config = self.signature.config;
        let trailer = config
            .hash_signature_data(&mut hasher)
            .and_then(|bytes| config.trailer(bytes));
        trailer.map_or_else(
            |_| Box::default(),
            |trailer| {
                hasher.update(&trailer);
                hasher.finalize()
            },
        )
    }
}

impl Signature {
    /// Returns what `keyring` says at the time `now` of the signature over the bytes that `digest` was made of, by
    /// [`Verifying`].
    ///
    /// A key that the keyring does not have is unknown whatever else is wrong. Costs a fraction of a millisecond a key
    /// that may have made it.
    pub fn judge(&self, digest: &[u8], keyring: &[Certificate], now: Timestamp) -> Verdict {
        let mut candidates = Vec::new();
        for certificate in keyring {
            let signers = certificate.signers();
            let may_be = signers.filter(|signer| self.may_be_by(signer));
            candidates.extend(may_be.map(|signer| (certificate, signer)));
        }
        let is_named = self.key_id().is_some();
        let unknown = Verdict::UnknownKey {
            key_id: self.key_id(),
        };
        if candidates.is_empty() {
            return unknown;
        }
        if let Some(fault) = self.fault() {
            return Verdict::Wrong(fault);
        }
        // The signature tells how its digest begins: most of what is wrong is seen without arithmetic.
        let begin = self.packet.signed_hash_value();
        if digest.is_empty() || !begin.is_some_and(|begin| digest.starts_with(&begin)) {
            return Verdict::Wrong(WrongSignature::OtherBytes);
        }
        for (certificate, signer) in candidates {
            if let Some(kind) = policy::weakness(signer.key.as_ref()) {
                if is_named {
                    return Verdict::Wrong(WrongSignature::WeakKey(kind));
                }
            } else if self.is_over(digest, signer) {
                return self.judged(certificate, signer, now);
            }
        }
        if is_named {
            Verdict::Wrong(WrongSignature::OtherBytes)
        } else {
            unknown
        }
    }

    fn is_over(&self, digest: &[u8], signer: &Signer) -> bool {
        // A key of version 6 makes signatures of version 6 and no other does (RFC 9580, 5.2.3).
        let is_v6 = matches!(
            self.config.version_specific,
            SignatureVersionSpecific::V6 { .. }
        );
        let is_by_v6 = signer.key.version() == pgp::types::KeyVersion::V6;
        let verified = self
            .packet
            .signature()
            .map(|signature| signer.key.verify(self.config.hash_alg, digest, signature));
        is_v6 == is_by_v6 && matches!(verified, Some(Ok(())))
    }

    /// Returns the verdict on a signature that `signer` made over the bytes.
    fn judged(&self, certificate: &Certificate, signer: &Signer, now: Timestamp) -> Verdict {
        let wrong = Verdict::Wrong;
        let Some(made) = self.config.created() else {
            return wrong(WrongSignature::NoTime);
        };
        let made_seconds = u64::from(made.as_secs());
        let made = timestamp(made_seconds);
        if !signer.facts.may_sign {
            return wrong(WrongSignature::MayNotSign(signer.key_id));
        }
        if certificate.is_void(signer, made_seconds) {
            return wrong(WrongSignature::Revoked(signer.key_id));
        }
        if made_seconds < signer.created {
            return wrong(WrongSignature::BeforeKey { made });
        }
        if now
            .saturating_add(CLOCK_SKEW)
            .is_ok_and(|latest| made > latest)
        {
            return wrong(WrongSignature::Future { made, now });
        }
        if let Some(end) = self_signatures::own_end(&self.packet).map(timestamp)
            && end <= now
        {
            return wrong(WrongSignature::Expired(end));
        }
        let fingerprint = certificate.fingerprint().clone();
        match certificate.end_of(signer).map(timestamp) {
            Some(expired) if made >= expired => wrong(WrongSignature::AfterKey { made, expired }),
            Some(expired) if now >= expired => Verdict::ExpiredKey {
                fingerprint,
                expired,
            },
            until => Verdict::Good { fingerprint, until },
        }
    }
}

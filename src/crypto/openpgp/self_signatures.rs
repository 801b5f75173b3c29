//! What a key says of itself and of its subkeys, as far as it is signed by the key.
//!
//! Where several signatures say the same thing, the newest counts (RFC 9580, 5.2.3.10). What a key says of itself
//! directly goes before what it says with a user id. Signatures by others are dropped, and so are revocations by others
//! on its behalf: keys of programs have none.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{
    KeyFlags, PublicKey, RevocationCode, Signature, SignatureType, SignatureVersion, SubpacketData,
};
use pgp::types::{KeyDetails, Tag};

use super::policy;

/// Seconds since 1970.
pub(super) type Seconds = u64;

/// The end that its owner put to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revocation {
    /// From this moment on: it was replaced, or is used no more. What it signed before stands.
    Since(Seconds),
    /// For ever and from the beginning: somebody else may have it, or no reason is given.
    Always,
}

/// What a key may do and until when.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) expires: Option<Seconds>,
    pub(super) may_sign: bool,
    pub(super) revocation: Option<Revocation>,
    /// Whether all that was said was signed over SHA-1.
    pub(super) is_sha1_only: bool,
}

/// Drops what is not signed by the key itself, or not by algorithms that count.
pub(super) fn retain_own(key: &mut SignedPublicKey) {
    let SignedPublicKey {
        primary_key,
        details,
        public_subkeys,
    } = key;
    let primary: &PublicKey = primary_key;
    details
        .revocation_signatures
        .retain(|signature| signature.verify_key(primary).is_ok());
    details.direct_signatures.retain(|signature| {
        signature.typ() == Some(SignatureType::Key)
            && counts(signature)
            && signature.verify_key(primary).is_ok()
    });
    for user in &mut details.users {
        let id = &user.id;
        user.signatures.retain(|signature| {
            counts(signature)
                && signature
                    .verify_certification(primary, Tag::UserId, id)
                    .is_ok()
        });
    }
    details.users.retain(|user| !user.signatures.is_empty());
    // Pictures.
    details.user_attributes.clear();
    for subkey in public_subkeys.iter_mut() {
        let SignedPublicSubKey { key, signatures } = subkey;
        signatures.retain(|signature| {
            (signature.typ() == Some(SignatureType::SubkeyRevocation) || counts(signature))
                && signature.verify_subkey_binding(primary, &*key).is_ok()
        });
    }
    public_subkeys.retain(|subkey| !subkey.signatures.is_empty());
}

/// Tells whether a self-signature is of a kind that counts, its arithmetic aside.
fn counts(signature: &Signature) -> bool {
    let hash = signature.hash_alg();
    matches!(
        signature.version(),
        SignatureVersion::V4 | SignatureVersion::V6
    ) && signature.created().is_some()
        && hash.is_some_and(|hash| policy::is_strong(hash) || is_sha1(signature))
        && policy::unknown_critical(signature).is_none()
}

fn is_sha1(signature: &Signature) -> bool {
    signature.hash_alg() == Some(pgp::crypto::hash::HashAlgorithm::Sha1)
}

/// Returns the user ids that stand, of a key that was through [`retain_own`]; the one it calls its primary first.
pub(super) fn user_ids(key: &SignedPublicKey) -> Vec<String> {
    let mut users: Vec<_> = key
        .details
        .users
        .iter()
        .filter_map(|user| Some((standing(&user.signatures)?, user)))
        .collect();
    users.sort_by_key(|(signature, _)| !signature.is_primary());
    users
        .iter()
        .map(|(_, user)| policy::plain(user.id.id()))
        .collect()
}

/// Returns what the key says of itself; `None` where it says nothing that stands.
pub(super) fn of_primary(key: &SignedPublicKey) -> Option<Facts> {
    let direct = newest(&key.details.direct_signatures, SignatureType::Key);
    let users = key.details.users.iter();
    let user = users
        .filter_map(|user| standing(&user.signatures))
        .max_by_key(|signature| created(signature));
    let said: Vec<&Signature> = [direct, user].into_iter().flatten().collect();
    if said.is_empty() {
        return None;
    }
    let lifetime = said.iter().find_map(|said| said.key_expiration_time());
    let flags = said.iter().find_map(|said| key_flags(said));
    let key_expires = end(begin(&key.primary_key), lifetime.map(|time| time.as_secs()));
    Some(Facts {
        expires: earliest(
            key_expires,
            said.iter().filter_map(|said| own_end(said)).min(),
        ),
        // Keys from before the flags were invented may do what their algorithm can.
        may_sign: flags.is_none_or(|flags| flags.sign()),
        revocation: revocation(key.details.revocation_signatures.iter()),
        is_sha1_only: said.iter().all(|said| is_sha1(said)),
    })
}

/// Returns what the key says of its subkey; `None` where it does not say that it is its own.
pub(super) fn of_subkey(key: &SignedPublicKey, subkey: &SignedPublicSubKey) -> Option<Facts> {
    let binding = newest(&subkey.signatures, SignatureType::SubkeyBinding)?;
    let lifetime = binding.key_expiration_time().map(|time| time.as_secs());
    // A key that signs has to say itself whose it is; else anybody could make it his (RFC 9580, 5.2.3.34).
    let is_willing = || {
        binding.embedded_signature().is_some_and(|back| {
            back.hash_alg().is_some_and(policy::is_strong)
                && policy::unknown_critical(back).is_none()
                && back
                    .verify_primary_key_binding(&subkey.key, &key.primary_key)
                    .is_ok()
        })
    };
    let may_sign = key_flags(binding).is_some_and(|flags| flags.sign());
    let revocations = subkey.signatures.iter();
    Some(Facts {
        expires: earliest(end(begin(&subkey.key), lifetime), own_end(binding)),
        may_sign: may_sign && !is_sha1(binding) && is_willing(),
        revocation: revocation(
            revocations
                .filter(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation)),
        ),
        is_sha1_only: is_sha1(binding),
    })
}

/// Returns the newest certification of a user id, unless a revocation is as new.
fn standing(signatures: &[Signature]) -> Option<&Signature> {
    let is_revocation =
        |signature: &&Signature| signature.typ() == Some(SignatureType::CertRevocation);
    let revoked = signatures.iter().filter(is_revocation).map(created).max();
    signatures
        .iter()
        .filter(|signature| !is_revocation(signature))
        .max_by_key(|signature| created(signature))
        .filter(|signature| revoked.is_none_or(|revoked| revoked < created(signature)))
}

fn newest(signatures: &[Signature], kind: SignatureType) -> Option<&Signature> {
    signatures
        .iter()
        .filter(|signature| signature.typ() == Some(kind))
        .max_by_key(|signature| created(signature))
}

/// Returns the strictest of these revocations.
fn revocation<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<Revocation> {
    let of = |signature: &Signature| match signature.revocation_reason_code() {
        Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired) => {
            Revocation::Since(created(signature))
        }
        _ => Revocation::Always,
    };
    let strictest = |one, other| match (one, other) {
        (Revocation::Since(one), Revocation::Since(other)) => Revocation::Since(one.min(other)),
        _ => Revocation::Always,
    };
    signatures.map(of).reduce(strictest)
}

fn key_flags(signature: &Signature) -> Option<KeyFlags> {
    let mut subpackets = signature.config()?.hashed_subpackets();
    subpackets.find_map(|subpacket| match &subpacket.data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}

/// Returns when a key was made.
pub(super) fn begin(key: &impl KeyDetails) -> Seconds {
    u64::from(key.created_at().as_secs())
}

fn created(signature: &Signature) -> Seconds {
    signature
        .created()
        .map_or(0, |time| u64::from(time.as_secs()))
}

/// Returns when a signature itself ends.
pub(super) fn own_end(signature: &Signature) -> Option<Seconds> {
    let lifetime = signature.signature_expiration_time()?.as_secs();
    end(created(signature), Some(lifetime))
}

/// Zero seconds are for ever (RFC 9580, 5.2.3.13 and 5.2.3.18).
fn end(begin: Seconds, lifetime: Option<u32>) -> Option<Seconds> {
    let lifetime = lifetime.filter(|seconds| *seconds > 0)?;
    Some(begin + u64::from(lifetime))
}

/// Returns the earlier of two ends, where there is one.
pub(super) fn earliest(one: Option<Seconds>, other: Option<Seconds>) -> Option<Seconds> {
    one.into_iter().chain(other).min()
}

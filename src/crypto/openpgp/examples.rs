//! Keys and signatures for tests, made by rPGP, and those made by gpg (`tests/fixtures/openpgp/make.sh`).

use jiff::Timestamp;
use pgp::composed::{
    ArmorOptions, DetachedSignature, EncryptionCaps, KeyType, SecretKeyParamsBuilder,
    SignedPublicKey, SignedSecretKey, SubkeyParamsBuilder, SubpacketConfig,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{Duration, KeyVersion, Password, SigningKey};

use super::{Certificate, KeyFile, Signature, Verdict, Verifying};
use crate::limits::Limits;

/// What all signatures made by gpg are over.
pub(super) const SIGNED: &[u8] = b"the bytes that are signed\n";

/// When the keys made here begin: 2020-09-13.
pub(super) const BEGIN: u32 = 1_600_000_000;
pub(super) const DAY: u32 = 86_400;

/// A secret key, as rPGP has it.
pub(super) struct Owner(pub(super) SignedSecretKey);

impl Owner {
    /// An Ed25519 key of version 4 that signs itself, with a subkey that signs as well and one that encrypts.
    pub(super) fn new() -> Self {
        Self::of(KeyVersion::V4, KeyType::Ed25519Legacy)
    }

    pub(super) fn of(version: KeyVersion, kind: KeyType) -> Self {
        let begin = pgp::types::Timestamp::from_secs(BEGIN);
        let subkey = |may_sign: bool| {
            let (kind, caps) = match (may_sign, version) {
                (true, _) => (kind.clone(), EncryptionCaps::None),
                (false, _) => (KeyType::X25519, EncryptionCaps::All),
            };
            SubkeyParamsBuilder::default()
                .version(version)
                .key_type(kind)
                .created_at(begin)
                .can_sign(may_sign)
                .can_encrypt(caps)
                .build()
                .unwrap()
        };
        let subkeys = vec![subkey(true), subkey(false)];
        let params = SecretKeyParamsBuilder::default()
            .version(version)
            .key_type(kind)
            .created_at(begin)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("Test Signer <test@example.org>".into())
            .subkeys(subkeys)
            .build()
            .unwrap();
        Self(params.generate(rand::thread_rng()).unwrap())
    }

    pub(super) fn public(&self) -> SignedPublicKey {
        self.0.clone().into()
    }

    pub(super) fn certificate(&self) -> Certificate {
        Certificate::from_packets(&self.public().to_bytes().unwrap()).unwrap()
    }

    pub(super) fn armored(&self) -> String {
        let options = ArmorOptions::default();
        self.public().to_armored_string(options).unwrap()
    }

    /// Says of the key what a user id's certification says, `at` some time, with `more`.
    pub(super) fn certify(&mut self, at: u32, more: Vec<SubpacketData>) {
        let mut config = config(&self.0.primary_key, SignatureType::CertPositive);
        config.hashed_subpackets = subpackets(at, more);
        let id = &self.0.details.users[0].id;
        let signature = config.sign_certification(
            &self.0.primary_key,
            self.0.primary_key.public_key(),
            &Password::empty(),
            pgp::types::Tag::UserId,
            id,
        );
        self.0.details.users[0].signatures.push(signature.unwrap());
    }

    /// Lets the key end so many seconds after its begin.
    pub(super) fn expire(&mut self, seconds: u32) {
        let now = pgp::types::Timestamp::now().as_secs();
        self.certify(
            now + 1,
            vec![SubpacketData::KeyExpirationTime(Duration::from_secs(
                seconds,
            ))],
        );
    }

    /// Revokes the key `at` some time, with more that is said of it.
    pub(super) fn revoke(&mut self, at: u32, more: Vec<SubpacketData>) {
        let mut config = config(&self.0.primary_key, SignatureType::KeyRevocation);
        config.hashed_subpackets = subpackets(at, more);
        let key = &self.0.primary_key;
        let signature = config.sign_key(key, &Password::empty(), key.public_key());
        self.0
            .details
            .revocation_signatures
            .push(signature.unwrap());
    }

    /// Signs [`SIGNED`] `at` some time.
    pub(super) fn sign(&self, at: u32, more: Vec<SubpacketData>) -> Vec<u8> {
        sign(&self.0.primary_key, subpackets(at, more))
    }

    pub(super) fn sign_by_subkey(&self, at: u32) -> Vec<u8> {
        sign(&self.0.secret_subkeys[0].key, subpackets(at, Vec::new()))
    }
}

/// Signs [`SIGNED`] with these hashed subpackets and the key's id.
pub(super) fn sign(key: &impl SigningKey, hashed: Vec<Subpacket>) -> Vec<u8> {
    let id = SubpacketData::IssuerFingerprint(key.fingerprint());
    let unhashed = vec![Subpacket::regular(id).unwrap()];
    sign_with(key, SubpacketConfig::UserDefined { hashed, unhashed })
}

pub(super) fn sign_with(key: &impl SigningKey, subpackets: SubpacketConfig) -> Vec<u8> {
    let signature = DetachedSignature::sign_binary_data_with_subpackets(
        rand::thread_rng(),
        key,
        &Password::empty(),
        HashAlgorithm::Sha512,
        SIGNED,
        subpackets,
    );
    signature.unwrap().to_bytes().unwrap()
}

fn config(key: &impl SigningKey, kind: SignatureType) -> SignatureConfig {
    SignatureConfig::from_key(rand::thread_rng(), key, kind).unwrap()
}

pub(super) fn subpackets(at: u32, more: Vec<SubpacketData>) -> Vec<Subpacket> {
    let at = SubpacketData::SignatureCreationTime(pgp::types::Timestamp::from_secs(at));
    let all = std::iter::once(at).chain(more);
    all.map(|data| Subpacket::regular(data).unwrap()).collect()
}

/// A day after the begin of the keys, unless a test says otherwise.
pub(super) fn later(days: u32) -> Timestamp {
    super::timestamp(u64::from(BEGIN + days * DAY))
}

pub(super) fn verdict(
    signature: &[u8],
    bytes: &[u8],
    keyring: &[Certificate],
    now: Timestamp,
) -> Verdict {
    let signature = Signature::read(signature, &Limits::default()).unwrap();
    let mut verifying = Verifying::new(&signature);
    for piece in bytes.chunks(5) {
        verifying.update(piece);
    }
    signature.judge(&verifying.finish(), keyring, now)
}

pub(super) fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openpgp");
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

/// Returns the one certificate in a file made by gpg.
pub(super) fn gpg_key(name: &str) -> Certificate {
    let mut file = KeyFile::read(&fixture(name), &Limits::default());
    assert_eq!(file.refused, []);
    assert_eq!(file.certificates.len(), 1);
    file.certificates.remove(0)
}

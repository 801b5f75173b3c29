//! Somebody who signs packages: a key made for the test, detached signatures by it.
#![allow(dead_code, reason = "each test target uses some of it")]

use airlock::crypto::openpgp::{Certificate, KeyFile};
use airlock::limits::Limits;
use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize;
use pgp::types::{Password, Timestamp};

/// Holds a secret key.
pub struct Signer(SignedSecretKey);

impl Signer {
    pub fn new() -> Self {
        // A clock that was just set back must not make the key one of the future.
        let yesterday = Timestamp::from_secs(Timestamp::now().as_secs() - 86_400);
        let parameters = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .created_at(yesterday)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("Test Signer <test@example.org>".into())
            .build()
            .unwrap();
        Self(parameters.generate(rand::thread_rng()).unwrap())
    }

    /// Returns the signature over `bytes`, armored.
    pub fn sign(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let signature = self.signature(bytes.as_ref());
        let text = signature.to_armored_string(ArmorOptions::default());
        text.unwrap().into_bytes()
    }

    /// Returns the signature over `bytes`, binary.
    pub fn sign_binary(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        self.signature(bytes.as_ref()).to_bytes().unwrap()
    }

    fn signature(&self, bytes: &[u8]) -> DetachedSignature {
        DetachedSignature::sign_binary_data(
            rand::thread_rng(),
            &self.0.primary_key,
            &Password::empty(),
            HashAlgorithm::Sha256,
            bytes,
        )
        .unwrap()
    }

    /// Returns the public key, armored.
    pub fn key(&self) -> String {
        let public: SignedPublicKey = self.0.clone().into();
        public.to_armored_string(ArmorOptions::default()).unwrap()
    }

    pub fn certificate(&self) -> Certificate {
        let mut file = KeyFile::read(self.key().as_bytes(), &Limits::default());
        file.certificates.remove(0)
    }

    pub fn fingerprint(&self) -> String {
        self.certificate().fingerprint().to_string()
    }
}

//! A key of the appliance's own: made once, kept by whoever calls, signs text that people read.
//!
//! Ed25519 in a key of version 4, which every gpg since 2.1 verifies. The text stays readable: it is signed in clear
//! (RFC 9580, section 7).

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, Deserializable, KeyType, SecretKeyParamsBuilder,
    SignedPublicKey, SignedSecretKey,
};
use pgp::types::{KeyDetails, Password};

/// A secret key that signs.
pub struct Signer(SignedSecretKey);

/// Why a key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("the signing key cannot be {what}")]
pub struct SignerError {
    what: &'static str,
    source: pgp::errors::Error,
}

fn failed(what: &'static str) -> impl FnOnce(pgp::errors::Error) -> SignerError {
    move |source| SignerError { what, source }
}

impl Signer {
    /// Makes a key for `user_id`.
    pub fn generate(user_id: &str) -> Result<Self, SignerError> {
        let parameters = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id(user_id.to_owned())
            .build()
            .map_err(|error| failed("described")(pgp::errors::Error::from(error.to_string())))?;
        let key = parameters.generate(rand::thread_rng());
        Ok(Self(key.map_err(failed("made"))?))
    }

    /// Reads what [`Self::to_armored`] wrote.
    pub fn from_armored(text: &str) -> Result<Self, SignerError> {
        let read = SignedSecretKey::from_string(text).map_err(failed("read"))?;
        Ok(Self(read.0))
    }

    /// Returns the secret key. It is not encrypted: who has this text can sign.
    pub fn to_armored(&self) -> Result<String, SignerError> {
        let armored = self.0.to_armored_string(ArmorOptions::default());
        armored.map_err(failed("written"))
    }

    /// Returns the public key, armored: what signatures are verified with.
    pub fn public_key(&self) -> Result<String, SignerError> {
        let public: SignedPublicKey = self.0.clone().into();
        let armored = public.to_armored_string(ArmorOptions::default());
        armored.map_err(failed("written"))
    }

    /// Returns the fingerprint of the key, in upper-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let fingerprint = self.0.fingerprint();
        let digits = fingerprint.as_bytes().iter();
        digits.map(|byte| format!("{byte:02X}")).collect()
    }

    /// Signs `text` in clear.
    pub fn sign(&self, text: &str) -> Result<String, SignerError> {
        let signed = CleartextSignedMessage::sign(
            rand::thread_rng(),
            text,
            &self.0.primary_key,
            &Password::empty(),
        );
        let armored = signed.and_then(|it| it.to_armored_string(ArmorOptions::default()));
        armored.map_err(failed("used"))
    }
}

/// Returns the text that `signed` holds, where the public key in `public_key` has signed it; `None` where it has not, or
/// where there is anything before or behind the signed text.
pub fn verified_text(signed: &str, public_key: &str) -> Option<String> {
    let (key, _) = SignedPublicKey::from_string(public_key).ok()?;
    let signed = signed.trim();
    let is_alone = signed.starts_with("-----BEGIN PGP SIGNED MESSAGE-----")
        && signed.ends_with("-----END PGP SIGNATURE-----")
        && signed.matches("-----END PGP SIGNATURE-----").count() == 1;
    let (message, _) = CleartextSignedMessage::from_string(signed).ok()?;
    message.verify(&key.primary_key).ok()?;
    is_alone.then(|| message.signed_text().replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_verified_by_the_key_that_did_it_and_by_no_other() {
        let signer = Signer::generate("airlock <airlock@example.org>").unwrap();
        let again = Signer::from_armored(&signer.to_armored().unwrap()).unwrap();
        assert_eq!(again.fingerprint(), signer.fingerprint());
        let text = "# Record\n\n- one\n* two\n";
        let signed = again.sign(text).unwrap();
        let key = signer.public_key().unwrap();
        assert_eq!(verified_text(&signed, &key).as_deref(), Some(text));

        assert_eq!(verified_text(&signed.replace("two", "twO"), &key), None);
        assert_eq!(verified_text(&format!("more\n{signed}"), &key), None);
        assert_eq!(verified_text(&format!("{signed}more\n"), &key), None);
        assert_eq!(verified_text(&format!("{signed}{signed}"), &key), None);
        assert_eq!(verified_text("", &key), None);
        let other = Signer::generate("other").unwrap().public_key().unwrap();
        assert_eq!(verified_text(&signed, &other), None);
    }
}

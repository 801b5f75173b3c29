//! Asking an authority for a certificate: a key, and a request by it (PKCS#10, RFC 2986).

use std::path::Path;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SanType,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::{FileError, TlsError};
use super::key::KeyText;
use super::name::Name;
use super::pem::{self, Pieces};

/// What kind of key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewKey {
    /// ECDSA with P-256: small, and quick for the server.
    #[default]
    Ecdsa,
    /// RSA with 3072 bits, for authorities that take nothing else.
    Rsa,
}

/// A key that was made, or that is used again.
pub struct RequestKey(KeyPair);

impl RequestKey {
    /// Makes a key. One of RSA takes a second or two.
    pub fn generate(kind: NewKey) -> Result<Self, TlsError> {
        Ok(Self(match kind {
            NewKey::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            NewKey::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?,
        }))
    }

    /// Reads a key that was made here.
    pub fn read(path: &Path) -> Result<Self, TlsError> {
        let keys = Pieces::keys(path)?;
        let unusable = || FileError::UnusableKey {
            path: path.to_owned(),
        };
        match keys.first() {
            Some(KeyText::Plain(PrivateKeyDer::Pkcs8(der))) => {
                Ok(Self(KeyPair::try_from(der).map_err(|_| unusable())?))
            }
            _ => Err(unusable().into()),
        }
    }

    /// Returns what kind of key it is.
    pub fn kind(&self) -> NewKey {
        match self.0.algorithm() == &PKCS_RSA_SHA256 {
            true => NewKey::Rsa,
            false => NewKey::Ecdsa,
        }
    }

    /// Returns the key as it lies in a file, not encrypted.
    pub fn to_text(&self) -> KeyText {
        KeyText::Plain(PrivatePkcs8KeyDer::from(self.0.serialize_der()).into())
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.0
    }
}

/// Returns a request for a server's certificate with these names, as PEM. The first is its common name as well, which some
/// authorities want to see and no client looks at.
pub fn request(key: &RequestKey, names: &[Name]) -> Result<String, TlsError> {
    let request = server_parameters(names)?.serialize_request(key.pair())?;
    Ok(pem::encode("CERTIFICATE REQUEST", request.der()))
}

/// Returns what a server's certificate is to say.
pub(super) fn server_parameters(names: &[Name]) -> Result<CertificateParams, TlsError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    if let Some(first) = names.first() {
        let common = parameters_text(&first.to_string());
        parameters
            .distinguished_name
            .push(DnType::CommonName, common);
    }
    for name in names {
        parameters.subject_alt_names.push(match name {
            Name::Dns(host) => SanType::DnsName(host.as_str().try_into()?),
            Name::Ip(address) => SanType::IpAddress(*address),
        });
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

/// Returns what of `text` a common name may hold: 64 characters (RFC 5280, A.1).
fn parameters_text(text: &str) -> String {
    text.chars().take(64).collect()
}

//! Private keys: their kinds, and how an encrypted one is opened.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Header, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::certificate::Certificate;
use super::error::FileError;
use super::{pem, provider};

/// Bytes of a passphrase, with the end of its line.
const PASSPHRASE_BYTES: u64 = 1 << 10;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// Curves and signatures, and what people call them.
const NAMED: [(&str, &str); 5] = [
    ("1.2.840.10045.3.1.7", "ECDSA P-256"),
    ("1.3.132.0.34", "ECDSA P-384"),
    ("1.3.132.0.35", "ECDSA P-521"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

/// The kind of a key, as people call it: `ECDSA P-256`, `RSA 2048`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyKind(String);

impl KeyKind {
    /// Returns the kind of a public key; of one that is not known the number of its algorithm.
    pub(super) fn of(key: &SubjectPublicKeyInfoOwned) -> Self {
        let algorithm = key.algorithm.oid;
        if algorithm == RSA {
            let bits = key.subject_public_key.as_bytes().and_then(modulus_bits);
            return Self(bits.map_or("RSA".to_owned(), |bits| format!("RSA {bits}")));
        }
        let parameters = key.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|it| it.decode_as::<ObjectIdentifier>().ok());
        let meant = match curve {
            Some(curve) if algorithm == ELLIPTIC => curve,
            _ => algorithm,
        };
        let meant = meant.to_string();
        let named = NAMED.iter().find(|(number, _)| *number == meant);
        Self(named.map_or(meant, |(_, name)| (*name).to_owned()))
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    Header::decode(&mut reader).ok()?;
    let modulus = UintRef::decode(&mut reader).ok()?;
    let bytes = modulus.as_bytes();
    let unused = bytes.first()?.leading_zeros() as usize;
    Some(bytes.len() * 8 - unused)
}

/// What opens an encrypted key. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl Passphrase {
    /// Reads the first line of a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(failed)?;
        file.take(PASSPHRASE_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Self(line.to_owned())),
            _ => Err(FileError::Without {
                path: path.to_owned(),
                wanted: "passphrase",
            }),
        }
    }
}

/// A key as it lies in a file.
#[derive(Debug)]
pub enum KeyText {
    /// As it is.
    Plain(PrivateKeyDer<'static>),
    /// Encrypted: an `EncryptedPrivateKeyInfo` (RFC 5958).
    Encrypted(Vec<u8>),
}

impl KeyText {
    /// Returns it as PEM, encrypted as it was.
    pub fn to_pem(&self) -> String {
        match self {
            Self::Plain(PrivateKeyDer::Pkcs1(der)) => {
                pem::encode("RSA PRIVATE KEY", der.secret_pkcs1_der())
            }
            Self::Plain(PrivateKeyDer::Sec1(der)) => {
                pem::encode("EC PRIVATE KEY", der.secret_sec1_der())
            }
            Self::Plain(der) => pem::encode("PRIVATE KEY", der.secret_der()),
            Self::Encrypted(der) => pem::encode("ENCRYPTED PRIVATE KEY", der),
        }
    }
}

/// A key that TLS can be spoken with.
#[derive(Clone)]
pub struct Key {
    signing: Arc<dyn SigningKey>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Returns the key in `text`, which lay at `path`.
    pub(super) fn open(
        text: &KeyText,
        passphrase: Option<&Passphrase>,
        path: &Path,
    ) -> Result<Self, FileError> {
        let path = || path.to_owned();
        let der = match text {
            KeyText::Plain(der) => der.clone_key(),
            KeyText::Encrypted(encrypted) => {
                let Some(Passphrase(passphrase)) = passphrase else {
                    return Err(FileError::NoPassphrase { path: path() });
                };
                let opened = pkcs8::EncryptedPrivateKeyInfo::try_from(encrypted.as_slice())
                    .and_then(|info| info.decrypt(passphrase));
                let opened = opened.map_err(|_| FileError::WrongPassphrase { path: path() })?;
                PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into()
            }
        };
        let signing = provider().key_provider.load_private_key(der);
        Ok(Self {
            signing: signing.map_err(|_| FileError::UnusableKey { path: path() })?,
        })
    }

    /// Tells whether the certificate is this key's.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        let public = self.signing.public_key();
        public.is_some_and(|key| certificate.has_key(&key))
    }

    /// Returns the key as rustls signs with it.
    pub(super) fn signing(&self) -> Arc<dyn SigningKey> {
        Arc::clone(&self.signing)
    }
}

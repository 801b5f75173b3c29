//! Files of certificates and keys: PEM in any order with anything between, or one of them as DER.
//!
//! What other tools write that is not read here (PKCS#12, PKCS#7, keys encrypted as before 2010) is told from junk, so that
//! a hint can say what makes something of it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::EncryptedPrivateKeyInfo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::certificate::Certificate;
use super::error::{self, FileError};
use super::key::KeyText;
use crate::limits::Limits;

/// What a file of certificates and keys holds, in its order.
#[derive(Debug, Default)]
pub struct Pieces {
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The keys.
    pub keys: Vec<KeyText>,
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
/// How PKCS#12 begins inside its outermost sequence: version 3 (RFC 7292).
const PKCS12: [u8; 3] = [2, 1, 3];
/// How PKCS#7 does: the number of signed data (RFC 5652).
const PKCS7: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

impl Pieces {
    /// Reads a file; all of it is bounded.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let limits = Limits::default();
        let failed = |source| FileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        // One byte over the bound tells that there are more.
        let most = limits.certificate_file_bytes;
        let mut file = file.take(most as u64 + 1);
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > most {
            return Err(FileError::TooLarge {
                path: path.to_owned(),
                most,
            });
        }
        let pieces = Self::of(&bytes, path)?;
        if pieces.certificates.len() > limits.certificates {
            return Err(FileError::TooMany {
                path: path.to_owned(),
                most: limits.certificates,
            });
        }
        Ok(pieces)
    }

    /// Reads the certificates of a file, at least one.
    pub fn certificates(path: &Path) -> Result<Vec<Certificate>, FileError> {
        let certificates = Self::read(path)?.certificates;
        if certificates.is_empty() {
            return Err(without("certificate", path));
        }
        Ok(certificates)
    }

    /// Reads the keys of a file, at least one.
    pub fn keys(path: &Path) -> Result<Vec<KeyText>, FileError> {
        let keys = Self::read(path)?.keys;
        if keys.is_empty() {
            return Err(without("key", path));
        }
        Ok(keys)
    }

    /// Returns what `bytes`, which lay at `path`, hold.
    pub(super) fn of(bytes: &[u8], path: &Path) -> Result<Self, FileError> {
        let text = String::from_utf8_lossy(bytes);
        if text.contains(BEGIN) {
            Self::of_pem(&text, path)
        } else {
            Self::of_der(bytes, path)
        }
    }

    fn of_pem(text: &str, path: &Path) -> Result<Self, FileError> {
        let mut pieces = Self::default();
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            let label = line
                .strip_prefix(BEGIN)
                .and_then(|rest| rest.strip_suffix("-----"));
            let Some(label) = label else {
                continue;
            };
            let mut body = String::new();
            let mut is_encrypted = false;
            let mut is_ended = false;
            for line in lines.by_ref() {
                if line.starts_with(END) {
                    is_ended = true;
                    break;
                }
                match line.split_once(':') {
                    Some(("Proc-Type", what)) => is_encrypted = what.contains("ENCRYPTED"),
                    Some(_) => {}
                    None => body.push_str(line),
                }
            }
            if is_encrypted {
                return Err(FileError::OldEncryption {
                    path: path.to_owned(),
                });
            }
            pieces.add(label, &body, is_ended, path)?;
        }
        Ok(pieces)
    }

    fn add(
        &mut self,
        label: &str,
        body: &str,
        is_ended: bool,
        path: &Path,
    ) -> Result<(), FileError> {
        let broken = || FileError::Broken {
            path: path.to_owned(),
            label: label.chars().take(64).collect(),
        };
        let der = || {
            STANDARD
                .decode(body)
                .ok()
                .filter(|_| is_ended)
                .ok_or_else(broken)
        };
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let certificate = Certificate::from_der(&der()?).ok_or_else(broken)?;
                self.certificates.push(certificate);
            }
            "PRIVATE KEY" => {
                let key = PrivatePkcs8KeyDer::from(der()?);
                self.keys.push(KeyText::Plain(key.into()));
            }
            "RSA PRIVATE KEY" => {
                let key = PrivatePkcs1KeyDer::from(der()?);
                self.keys.push(KeyText::Plain(key.into()));
            }
            "EC PRIVATE KEY" => {
                let key = PrivateSec1KeyDer::from(der()?);
                self.keys.push(KeyText::Plain(key.into()));
            }
            "ENCRYPTED PRIVATE KEY" => {
                let der = der()?;
                EncryptedPrivateKeyInfo::try_from(der.as_slice()).map_err(|_| broken())?;
                self.keys.push(KeyText::Encrypted(der));
            }
            "PKCS7" => {
                return Err(FileError::OtherFormat {
                    path: path.to_owned(),
                    format: error::PKCS7,
                });
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                return Err(FileError::OtherFormat {
                    path: path.to_owned(),
                    format: error::REQUEST,
                });
            }
            // The parameters of a curve before its key, and what else tools put in.
            _ => {}
        }
        Ok(())
    }

    fn of_der(bytes: &[u8], path: &Path) -> Result<Self, FileError> {
        let mut pieces = Self::default();
        let starts_inside = |begin: &[u8]| {
            let inside = bytes.get(2..16).unwrap_or_default();
            inside
                .windows(begin.len())
                .take(4)
                .any(|window| window == begin)
        };
        let other = |format| FileError::OtherFormat {
            path: path.to_owned(),
            format,
        };
        if let Some(certificate) = Certificate::from_der(bytes) {
            pieces.certificates.push(certificate);
        } else if bytes.starts_with(&[0x30]) && starts_inside(&PKCS12) {
            // Before keys: what guesses their kind takes this for one.
            return Err(other(error::PKCS12));
        } else if bytes.starts_with(&[0x30]) && starts_inside(&PKCS7) {
            return Err(other(error::PKCS7));
        } else if let Ok(key) = PrivateKeyDer::try_from(bytes) {
            pieces.keys.push(KeyText::Plain(key.clone_key()));
        } else if EncryptedPrivateKeyInfo::try_from(bytes).is_ok() {
            pieces.keys.push(KeyText::Encrypted(bytes.to_vec()));
        }
        Ok(pieces)
    }
}

fn without(wanted: &'static str, path: &Path) -> FileError {
    FileError::Without {
        path: path.to_owned(),
        wanted,
    }
}

/// Returns `der` as PEM (RFC 7468).
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

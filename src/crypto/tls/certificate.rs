//! One certificate, and what it says (RFC 5280).

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Header, Reader, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::time::Time;

use super::key::KeyKind;
use super::name::Name;
use super::{pem, provider};
use crate::crypto::Digest;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// A certificate that could be read.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    parsed: x509_cert::Certificate,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Certificate {
    /// Reads a certificate; `None` where `der` is none.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        Some(Self {
            parsed: x509_cert::Certificate::from_der(der).ok()?,
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// Returns its bytes.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Returns it as PEM.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Returns whose it is, as in RFC 4514; where it names nobody, its first host.
    pub fn subject(&self) -> String {
        let subject = self.parsed.tbs_certificate.subject.to_string();
        let first = || self.names().first().map(Name::to_string);
        if subject.is_empty() {
            first().unwrap_or_default()
        } else {
            plain(&subject)
        }
    }

    /// Returns who issued it, as in RFC 4514.
    pub fn issuer(&self) -> String {
        plain(&self.parsed.tbs_certificate.issuer.to_string())
    }

    /// Returns the hosts and addresses in its subject alternative names; other kinds of names are left out.
    pub fn names(&self) -> Vec<Name> {
        let names = self.extension::<SubjectAltName>();
        let of = |name: &GeneralName| match name {
            GeneralName::DnsName(host) => Some(Name::Dns(plain(host.as_str()))),
            GeneralName::IpAddress(bytes) => match bytes.as_bytes().len() {
                4 => <[u8; 4]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
                _ => <[u8; 16]>::try_from(bytes.as_bytes())
                    .ok()
                    .map(IpAddr::from),
            }
            .map(Name::Ip),
            _ => None,
        };
        names
            .iter()
            .flat_map(|names| &names.0)
            .filter_map(of)
            .collect()
    }

    /// Returns from when it holds.
    pub fn not_before(&self) -> Timestamp {
        timestamp(&self.parsed.tbs_certificate.validity.not_before)
    }

    /// Returns until when it holds.
    pub fn not_after(&self) -> Timestamp {
        timestamp(&self.parsed.tbs_certificate.validity.not_after)
    }

    /// Returns the digest by which people compare certificates.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Returns the kind of its key.
    pub fn key_kind(&self) -> KeyKind {
        KeyKind::of(&self.parsed.tbs_certificate.subject_public_key_info)
    }

    /// Tells whether it may issue others (basic constraints, and key usage where there is one).
    pub fn is_authority(&self) -> bool {
        let may_sign = |usage: KeyUsage| usage.key_cert_sign();
        self.extension::<BasicConstraints>().is_some_and(|it| it.ca)
            && self.extension::<KeyUsage>().is_none_or(may_sign)
    }

    /// Tells whether its key may sign handshakes.
    pub fn may_sign(&self) -> bool {
        self.extension::<KeyUsage>()
            .is_none_or(|usage| usage.digital_signature())
    }

    /// Tells whether it may be a server's.
    pub fn is_for_servers(&self) -> bool {
        let serves = |usage: &ObjectIdentifier| [SERVER_AUTH, ANY_USAGE].contains(usage);
        self.extension::<ExtendedKeyUsage>()
            .is_none_or(|usages| usages.0.iter().any(serves))
    }

    /// Tells whether its issuer is itself.
    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Tells whether `issuer` signed it: by name and by signature.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate.issuer == issuer.parsed.tbs_certificate.subject
            && self.is_signed_by(issuer).unwrap_or(false)
    }

    fn is_signed_by(&self, issuer: &Self) -> Option<bool> {
        let key = &issuer.parsed.tbs_certificate.subject_public_key_info;
        let signed_how = content(&self.parsed.signature_algorithm.to_der().ok()?)?.to_vec();
        let key_of = content(&key.algorithm.to_der().ok()?)?.to_vec();
        let signature = self.parsed.signature.as_bytes()?;
        let public_key = key.subject_public_key.as_bytes()?;
        // As it was signed, which is not always as it would be written again.
        let mut inner = SliceReader::new(content(&self.der)?).ok()?;
        let signed = inner.tlv_bytes().ok()?;
        let all = provider().signature_verification_algorithms.all;
        let mut fitting = all.iter().filter(|it| {
            it.signature_alg_id().as_ref() == signed_how
                && it.public_key_alg_id().as_ref() == key_of
        });
        Some(fitting.any(|it| it.verify_signature(public_key, signed, signature).is_ok()))
    }

    /// Tells whether this is the public key in it: its `SubjectPublicKeyInfo`.
    pub fn has_key(&self, public_key: &[u8]) -> bool {
        let own = self.parsed.tbs_certificate.subject_public_key_info.to_der();
        own.is_ok_and(|own| own == public_key)
    }

    /// Returns an extension; one that cannot be read is as one that is not there, and the TLS client decides about it.
    fn extension<'a, T: Decode<'a> + AssociatedOid>(&'a self) -> Option<T> {
        Some(self.parsed.tbs_certificate.get::<T>().ok()??.1)
    }
}

/// Returns what is inside the outermost structure of `der`.
fn content(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    reader.read_slice(header.length).ok()
}

fn timestamp(time: &Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Returns `text` fit for a terminal: what a certificate says is its issuer's, and may be anything.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).take(512).collect()
}

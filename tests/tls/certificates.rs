//! Authorities and certificates of every kind, made when they are needed.

use std::path::{Path, PathBuf};

use airlock::crypto::tls::{Certificate, KeyText};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate and its key, and what it takes to issue others by it.
pub struct Made {
    pub parameters: CertificateParams,
    pub key: KeyPair,
    pub der: Vec<u8>,
}

/// Returns a root, called `name`.
pub fn root(name: &str) -> Made {
    let parameters = authority(name);
    let key = KeyPair::generate().unwrap();
    let der = parameters.self_signed(&key).unwrap().der().to_vec();
    Made {
        parameters,
        key,
        der,
    }
}

impl Made {
    /// Returns an authority that this one has issued.
    pub fn intermediate(&self, name: &str) -> Made {
        self.issue(authority(name))
    }

    /// Returns a server's certificate for these names.
    pub fn server(&self, names: &[&str]) -> Made {
        self.issue(server(names))
    }

    /// Returns what this authority issues with these parameters.
    pub fn issue(&self, parameters: CertificateParams) -> Made {
        let key = KeyPair::generate().unwrap();
        self.certify(parameters, key)
    }

    /// Returns the certificate of this very key.
    pub fn certify(&self, parameters: CertificateParams, key: KeyPair) -> Made {
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let der = parameters.signed_by(&key, &issuer).unwrap().der().to_vec();
        Made {
            parameters,
            key,
            der,
        }
    }

    /// Returns the certificate as PEM.
    pub fn pem(&self) -> String {
        Certificate::from_der(&self.der).unwrap().to_pem()
    }

    /// Returns the key as PEM.
    pub fn key_pem(&self) -> String {
        let der = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        KeyText::Plain(der.into()).to_pem()
    }

    /// Writes certificate and key into `folder`, and returns where.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (
            folder.join(format!("{name}.pem")),
            folder.join(format!("{name}.key")),
        );
        std::fs::write(&certificate, self.pem()).unwrap();
        std::fs::write(&key, self.key_pem()).unwrap();
        (certificate, key)
    }
}

/// What an authority is to be.
pub fn authority(name: &str) -> CertificateParams {
    let mut parameters = named(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters
}

/// What a server's certificate is to be, with its alternative names.
pub fn server(names: &[&str]) -> CertificateParams {
    let mut parameters = named(names[0]);
    for name in names {
        parameters.subject_alt_names.push(match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        });
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

/// What has a common name and nothing else.
pub fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2090, 1, 1);
    parameters
}

/// Returns `parameters` for these years only.
pub fn in_years(mut parameters: CertificateParams, from: i32, to: i32) -> CertificateParams {
    parameters.not_before = date_time_ymd(from, 1, 1);
    parameters.not_after = date_time_ymd(to, 1, 1);
    parameters
}

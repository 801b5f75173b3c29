//! The certificate and key that a server speaks TLS with, taken up anew without a connection lost.
//!
//! A pair that cannot be used changes nothing: what was there stays. Dates are nobody's business here: an expired
//! certificate is served, since a client's own error says more than a connection that is refused.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::chain::Chain;
use super::error::TlsError;
use super::key::{Key, Passphrase};
use super::pem::Pieces;
use super::provider;
use super::report::CertificateReport;

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl MinVersion {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self {
            Self::Tls12 => &BOTH,
            Self::Tls13 => &BOTH[..1],
        }
    }
}

impl FromStr for MinVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            other => Err(format!(
                "{other:?} is no version of TLS that is spoken: 1.2 or 1.3"
            )),
        }
    }
}

/// Where what TLS is spoken with lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// What opens the key, where it is encrypted.
    pub key_passphrase: Option<PathBuf>,
    /// The oldest version that is spoken.
    pub min_version: MinVersion,
    /// The authorities of clients; where they are given, a client without their certificate is refused.
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// Reads the chain and its key, and fails where no key belongs to a certificate.
    pub fn pair(&self) -> Result<(Chain, Key), TlsError> {
        let passphrase = self
            .key_passphrase
            .as_deref()
            .map(Passphrase::read)
            .transpose()?;
        let certificates = Pieces::certificates(&self.certificate)?;
        let keys = Pieces::keys(&self.key)?;
        for key in &keys {
            let key = Key::open(key, passphrase.as_ref(), &self.key)?;
            if let Some(first) = certificates.iter().find(|it| key.belongs_to(it)) {
                return Ok((Chain::of(first.clone(), &certificates, &[]), key));
            }
        }
        Err(TlsError::NoPair {
            certificate: self.certificate.clone(),
            looked_at: vec![self.key.clone()],
        })
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let others = [&self.key_passphrase, &self.client_ca];
        let others = others.into_iter().filter_map(Option::as_deref);
        [self.certificate.as_path(), self.key.as_path()]
            .into_iter()
            .chain(others)
    }
}

/// What tells that a file was changed or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<Option<FileStamp>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    place: (u64, u64),
    bytes: u64,
    changed: (i64, i64),
}

/// What a server speaks TLS with.
#[derive(Debug)]
pub struct ServedTls {
    files: TlsFiles,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    chain: Chain,
}

impl ServedTls {
    /// Takes up what lies in `files`.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(Current::load(&files)?);
        Ok(Self { files, current })
    }

    /// Takes up what lies there now. Where that cannot be used, what is in force stays. Connections that are open go on with
    /// what they began with.
    pub fn reload(&self) -> Result<CertificateReport, TlsError> {
        self.current.store(Arc::new(Current::load(&self.files)?));
        Ok(self.report(Timestamp::now()))
    }

    /// Returns what is told of the certificate in force at `now`.
    pub fn report(&self, now: Timestamp) -> CertificateReport {
        CertificateReport::of(&self.current.load().chain, now)
    }

    /// Returns the hosts and addresses that the certificate in force is for.
    pub fn names(&self) -> Vec<String> {
        let current = self.current.load();
        let names = current.chain.first().names();
        names.iter().map(ToString::to_string).collect()
    }

    /// Returns where it lies.
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// Returns what changes when one of the files does. Costs a look at each file's metadata.
    pub fn stamp(&self) -> Stamp {
        let of = |it: Metadata| FileStamp {
            place: (it.dev(), it.ino()),
            bytes: it.len(),
            changed: (it.ctime(), it.ctime_nsec()),
        };
        Stamp(
            self.files
                .paths()
                .map(|path| fs::metadata(path).ok().map(of))
                .collect(),
        )
    }

    /// Returns how TLS is spoken now.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }
}

impl Current {
    fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let (chain, key) = files.pair()?;
        let library = |source| TlsError::Library {
            path: files.certificate.clone(),
            source,
        };
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(files.min_version.versions())
            .map_err(library)?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in Pieces::certificates(path)? {
                    roots.add(authority.der().clone()).map_err(library)?;
                }
                let clients =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                let clients = clients.build().map_err(|source| TlsError::Clients {
                    path: path.clone(),
                    source,
                })?;
                builder.with_client_cert_verifier(clients)
            }
        };
        let sent = chain.sent.iter().map(|it| it.der().clone()).collect();
        let certified = CertifiedKey::new(sent, key.signing());
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Whoever comes again brings its session along: the server keeps none.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().map_err(library)?;
        Ok(Self {
            config: Arc::new(config),
            chain,
        })
    }
}

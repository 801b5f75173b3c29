//! What is wrong with certificates, keys and their files.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

/// Formats that are told from junk, with their articles.
pub(super) const PKCS12: &str = "a PKCS#12 file";
pub(super) const PKCS7: &str = "a PKCS#7 file";
pub(super) const REQUEST: &str = "a request for a certificate";

/// Why a file holds nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any such file.
    #[error("{} has more than {most} bytes, as no certificate has", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        most: usize,
    },
    /// It holds more certificates than any chain has.
    #[error("{} holds more than {most} certificates", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// The bound.
        most: usize,
    },
    /// A part of it is not what it is called.
    #[error("{} holds a {label} that cannot be read", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What it is called in the file.
        label: String,
    },
    /// It is in a format that is not read here.
    #[error("{} is {format}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format, with its article.
        format: &'static str,
    },
    /// A key that is encrypted as OpenSSL did before 1.0.0.
    #[error("{} holds a key that is encrypted in a way that is no longer safe", path.display())]
    OldEncryption {
        /// The file.
        path: PathBuf,
    },
    /// Nothing of what was looked for.
    #[error("{} holds no {wanted}", path.display())]
    Without {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// A key that is encrypted, and nobody said how to open it.
    #[error("the key in {} is encrypted, and no passphrase was given", path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase that does not open the key.
    #[error("the passphrase does not open the key in {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A key that TLS cannot be spoken with.
    #[error("the key in {} is of a kind that TLS is not spoken with", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
}

/// Why a certificate is not one that Kibana would believe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No name but the common one, which Node does not look at.
    #[error(
        "the certificate of {subject} names no host in its subject alternative names, and Node ignores the common name"
    )]
    NoNames {
        /// Whose it is.
        subject: String,
    },
    /// It is not in force yet.
    #[error("the certificate of {subject} holds from {from} only")]
    NotYetValid {
        /// Whose it is.
        subject: String,
        /// The beginning.
        from: Timestamp,
    },
    /// It is not in force any more.
    #[error("the certificate of {subject} expired at {at}")]
    Expired {
        /// Whose it is.
        subject: String,
        /// The end.
        at: Timestamp,
    },
    /// Its key usage leaves out signing, which every handshake needs.
    #[error("the key of {subject} may not sign: its key usage lacks digitalSignature")]
    MayNotSign {
        /// Whose it is.
        subject: String,
    },
    /// It is for something other than servers.
    #[error(
        "the certificate of {subject} is not for servers: its extended key usage lacks serverAuth"
    )]
    NotForServers {
        /// Whose it is.
        subject: String,
    },
    /// A link of the chain is no authority.
    #[error("the certificate of {subject} issued another and is not that of an authority")]
    NoAuthority {
        /// Whose it is.
        subject: String,
    },
    /// The chain has a gap.
    #[error(
        "the chain is incomplete: the certificate of {issuer}, which issued that of {subject}, is missing"
    )]
    MissingIssuer {
        /// The last certificate that is there.
        subject: String,
        /// Who issued it.
        issuer: String,
    },
    /// The chain does not lead to the root that was given.
    #[error("the chain ends at {issuer}, which is not the root that was given")]
    OtherRoot {
        /// Who issued the last certificate.
        issuer: String,
    },
    /// What a TLS client says of the chain beyond that.
    #[error("a TLS client refuses the certificate of {subject}: {reason}")]
    Client {
        /// Whose it is.
        subject: String,
        /// Its reason.
        reason: String,
    },
}

/// Why TLS cannot be spoken with what is there, or what was given cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No certificate was given that belongs to a key that was given.
    #[error("no key that was found belongs to a certificate in {}", certificate.display())]
    NoPair {
        /// Where the certificates were looked for.
        certificate: PathBuf,
        /// Where the keys were.
        looked_at: Vec<PathBuf>,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is there that is never overwritten.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Two files that are called the same.
    #[error("{} would be two files at once", path.display())]
    Shared {
        /// The place.
        path: PathBuf,
    },
    /// The library of TLS refuses.
    #[error("TLS cannot be spoken with {}", path.display())]
    Library {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The certificates of clients cannot be checked.
    #[error("clients cannot be checked by {}", path.display())]
    Clients {
        /// The file of their authorities.
        path: PathBuf,
        /// Why.
        source: rustls::server::VerifierBuilderError,
    },
    /// A key, request or certificate cannot be made.
    #[error("cannot make a key or certificate")]
    Generate(#[from] rcgen::Error),
}

impl TlsError {
    /// Returns which kind of failure this is, for hints; stable.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(error) => match error {
                FileError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                    "tls-not-there"
                }
                FileError::Read { .. } => "tls-unreadable",
                FileError::TooLarge { .. } | FileError::TooMany { .. } => "tls-too-large",
                FileError::Broken { .. } | FileError::Without { .. } => "tls-broken",
                FileError::OtherFormat { format, .. } => match *format {
                    PKCS12 => "pkcs12",
                    PKCS7 => "pkcs7",
                    _ => "tls-request",
                },
                FileError::OldEncryption { .. } => "old-encryption",
                FileError::NoPassphrase { .. } => "no-passphrase",
                FileError::WrongPassphrase { .. } => "wrong-passphrase",
                FileError::UnusableKey { .. } => "unusable-key",
            },
            Self::Refused(refusal) => match refusal {
                Refusal::NoNames { .. } => "no-names",
                Refusal::NotYetValid { .. } => "not-yet-valid",
                Refusal::Expired { .. } => "expired",
                Refusal::MayNotSign { .. } | Refusal::NotForServers { .. } => "not-for-servers",
                Refusal::MissingIssuer { .. } => "missing-issuer",
                Refusal::OtherRoot { .. } => "other-root",
                Refusal::NoAuthority { .. } | Refusal::Client { .. } => "tls-chain",
            },
            Self::NoPair { .. } => "no-pair",
            Self::Write { .. } => "tls-unwritable",
            Self::Exists { .. } => "tls-exists",
            Self::Shared { .. } => "tls-shared",
            Self::Library { .. } | Self::Clients { .. } | Self::Generate(_) => "tls",
        }
    }
}

//! What is installed: checked whole, and only then written, so that what is refused leaves everything as it was.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::certificate::Certificate;
use super::chain::{Chain, End};
use super::check::check;
use super::error::{FileError, Refusal, TlsError};
use super::key::{Key, KeyText, Passphrase};
use super::part::{Part, Readers};
use super::pem::Pieces;
use super::places::Places;

/// Where systems keep the roots that they believe, Debian's and Red Hat's.
const SYSTEM_ROOTS: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// What is to be installed, as files.
#[derive(Debug, Clone, Default)]
pub struct Install {
    /// The certificate, what else was with it, perhaps the key.
    pub certificate: PathBuf,
    /// Its issuers.
    pub chain: Vec<PathBuf>,
    /// The key, where it is not one that is there already.
    pub key: Option<PathBuf>,
    /// The root.
    pub authority: Option<PathBuf>,
    /// What opens the key.
    pub passphrase: Option<PathBuf>,
}

/// What was checked and can be written.
#[derive(Debug)]
pub struct Checked {
    /// What will be sent.
    pub chain: Chain,
    key: KeyText,
    root: Option<Certificate>,
    /// Whether it is what a request asked for.
    is_asked_for: bool,
}

impl Install {
    /// Checks all of it as a client would see it at `now`. Nothing is changed.
    pub fn check(&self, places: &Places, now: Timestamp) -> Result<Checked, TlsError> {
        if let Some(path) = places.shared() {
            return Err(TlsError::Shared { path });
        }
        let passphrase = self
            .passphrase
            .as_deref()
            .map(Passphrase::read)
            .transpose()?;
        let given = Pieces::read(&self.certificate)?;
        let mut certificates = given.certificates;
        for path in &self.chain {
            certificates.extend(Pieces::certificates(path)?);
        }
        if certificates.is_empty() {
            let path = self.certificate.clone();
            return Err(FileError::Without {
                path,
                wanted: "certificate",
            }
            .into());
        }
        let candidates = self.candidates(places, given.keys)?;
        let (first, key) = pair(&self.certificate, &certificates, candidates, passphrase)?;

        let authorities = match &self.authority {
            Some(path) => Pieces::certificates(path)?,
            None => Vec::new(),
        };
        let mut roots = authorities.clone();
        if self.authority.is_none() {
            // The one that came with the certificate before.
            roots.extend(Pieces::certificates(&places.authority()).unwrap_or_default());
            roots.extend(system_roots());
        }
        let chain = Chain::of(first, &certificates, &roots);
        check(&chain, now)?;
        // Who names a root wants to know that clients who know this one, and no other, will believe the chain.
        if self.authority.is_some() {
            let is_given = match &chain.end {
                End::Root(root) => authorities.contains(root),
                End::SelfSigned => authorities.contains(chain.first()),
                End::Missing => false,
            };
            if !is_given {
                let issuer = chain.last().issuer();
                return Err(Refusal::OtherRoot { issuer }.into());
            }
        }
        let is_asked_for = key.path == places.request_key();
        Ok(Checked {
            is_asked_for,
            ..Checked::new(chain, key.key)
        })
    }

    /// Returns the keys that may be the certificate's, each with where it lies; those that are there already last.
    fn candidates(&self, places: &Places, given: Vec<KeyText>) -> Result<Vec<Candidate>, TlsError> {
        let at = |path: &Path, keys: Vec<KeyText>| {
            let path = path.to_owned();
            keys.into_iter().map(move |key| Candidate {
                key,
                path: path.clone(),
            })
        };
        if let Some(path) = &self.key {
            return Ok(at(path, Pieces::keys(path)?).collect());
        }
        let mut candidates: Vec<_> = at(&self.certificate, given).collect();
        for path in [places.request_key(), places.key.clone()] {
            if path.exists() {
                candidates.extend(at(&path, Pieces::read(&path)?.keys));
            }
        }
        Ok(candidates)
    }
}

struct Candidate {
    key: KeyText,
    path: PathBuf,
}

/// Returns the certificate that one of the keys belongs to, and that key.
fn pair(
    path: &Path,
    certificates: &[Certificate],
    candidates: Vec<Candidate>,
    passphrase: Option<Passphrase>,
) -> Result<(Certificate, Candidate), TlsError> {
    let mut unopened = None;
    let looked_at = candidates.iter().map(|it| it.path.clone()).collect();
    for candidate in candidates {
        match Key::open(&candidate.key, passphrase.as_ref(), &candidate.path) {
            Ok(opened) => {
                if let Some(first) = certificates.iter().find(|it| opened.belongs_to(it)) {
                    return Ok((first.clone(), candidate));
                }
            }
            Err(error) => unopened = Some(error),
        }
    }
    Err(match unopened {
        Some(error) => error.into(),
        None => TlsError::NoPair {
            certificate: path.to_owned(),
            looked_at,
        },
    })
}

/// Returns the roots that this system believes; none where they cannot be read.
pub fn system_roots() -> Vec<Certificate> {
    let read = |path: &&str| Pieces::read(Path::new(path)).ok();
    SYSTEM_ROOTS
        .iter()
        .find_map(read)
        .map(|it| it.certificates)
        .unwrap_or_default()
}

impl Checked {
    /// Returns a chain that was checked, with its key.
    pub(super) fn new(chain: Chain, key: KeyText) -> Self {
        let root = match &chain.end {
            End::Root(root) => Some(root.as_ref().clone()),
            End::SelfSigned => Some(chain.first().clone()),
            End::Missing => None,
        };
        Self {
            chain,
            key,
            root,
            is_asked_for: false,
        }
    }

    /// Puts it where a server looks for it: the key first, the certificate right behind it. Where the second cannot be
    /// written, the first is as it was.
    pub fn write(&self, places: &Places) -> Result<(), TlsError> {
        let chain: String = self.chain.sent.iter().map(Certificate::to_pem).collect();
        let certificate = Part::write(&places.certificate, chain.as_bytes(), Readers::All)?;
        let before = fs::read(&places.key).ok();
        Part::write(&places.key, self.key.to_pem().as_bytes(), Readers::Group)?.put()?;
        if let Err(error) = certificate.put() {
            if let Some(before) = before {
                Part::write(&places.key, &before, Readers::Group)?.put()?;
            }
            return Err(error);
        }
        if let Some(root) = &self.root {
            let root = root.to_pem();
            Part::write(&places.authority(), root.as_bytes(), Readers::All)?.put()?;
        }
        // Its key is where it belongs now. A request that waits for another certificate goes on waiting.
        if self.is_asked_for {
            for done in [places.request_key(), places.request()] {
                let _ = fs::remove_file(done);
            }
        }
        Ok(())
    }
}

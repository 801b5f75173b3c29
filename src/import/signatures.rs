//! Signatures beside zips: taken in while the zip's bytes go by, judged by the keyring, kept with the artifact.

use std::collections::HashMap;

use jiff::Timestamp;

use super::error::ImportError;
use super::stored;
use crate::crypto::openpgp::{Certificate, Signature, Verdict, Verifying, WrongSignature};
use crate::distribution::SignatureStatus;
use crate::limits::Limits;
use crate::store::artifacts::ArtifactId;
use crate::store::signatures::{self, Signed};
use crate::store::{Store, StoreError, keys, recipes};

/// What came as the signature of a zip, while the zip is read.
pub(super) struct Seal {
    bytes: Vec<u8>,
    /// `None` where it is no signature.
    verifying: Option<(Signature, Verifying)>,
}

/// Signatures that did not come right behind their zips, by the paths of the zips.
#[derive(Default)]
pub(super) struct LooseSignatures {
    by_zip: HashMap<String, Vec<u8>>,
    bytes: u64,
}

impl Seal {
    pub(super) fn new(bytes: Vec<u8>, limits: &Limits) -> Self {
        let verifying = Signature::read(&bytes, limits).ok().map(|signature| {
            let verifying = Verifying::new(&signature);
            (signature, verifying)
        });
        Self { bytes, verifying }
    }

    /// Takes in the next bytes of the zip.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some((_, verifying)) = &mut self.verifying {
            verifying.update(bytes);
        }
    }

    /// Keeps it with the artifact whose bytes it has taken in, and what the keyring says of it.
    pub(super) fn keep(
        self,
        store: &Store,
        artifact: ArtifactId,
        keyring: &[Certificate],
    ) -> Result<(), StoreError> {
        let (digest, status) = match self.verifying {
            Some((signature, verifying)) => {
                let digest = verifying.finish();
                let verdict = signature.judge(&digest, keyring, Timestamp::now());
                (digest, status(verdict))
            }
            None => (Box::default(), SignatureStatus::Unreadable),
        };
        let signed = Signed {
            bytes: self.bytes,
            digest,
        };
        store.write(|conn| signatures::put(conn, artifact, &signed, &status))
    }
}

impl LooseSignatures {
    /// Notes what came as the signature of the zip at `path`; `false` where there is one already.
    pub(super) fn add(
        &mut self,
        path: &str,
        bytes: Vec<u8>,
        limits: &Limits,
    ) -> Result<bool, ImportError> {
        if self.by_zip.contains_key(path) {
            return Ok(false);
        }
        self.bytes += (path.len() + bytes.len()) as u64;
        if self.bytes > limits.loose_signatures_bytes {
            return Err(ImportError::LooseSignatures {
                limit_bytes: limits.loose_signatures_bytes,
            });
        }
        self.by_zip.insert(path.to_owned(), bytes);
        Ok(true)
    }

    /// Takes out the signature of the zip at `path`.
    pub(super) fn take(&mut self, path: &str) -> Option<Vec<u8>> {
        let bytes = self.by_zip.remove(path)?;
        self.bytes -= (path.len() + bytes.len()) as u64;
        Some(bytes)
    }

    /// Returns how many have found no zip.
    pub(super) fn len(&self) -> usize {
        self.by_zip.len()
    }
}

/// Returns the keyring.
pub(super) fn keyring(store: &Store) -> Result<Vec<Certificate>, StoreError> {
    let keys = store.read(keys::all)?;
    Ok(keys.into_iter().map(|key| key.certificate).collect())
}

/// Keeps a signature that came after its zip was stored: reads the zip back.
pub(super) fn keep_late(
    store: &Store,
    artifact: ArtifactId,
    bytes: Vec<u8>,
    keyring: &[Certificate],
    limits: &Limits,
) -> Result<(), ImportError> {
    let mut seal = Seal::new(bytes, limits);
    let pieces = store.read(|conn| recipes::get(conn, artifact))?;
    stored::read_pieces(store, &pieces.unwrap_or_default(), |bytes| {
        seal.update(bytes)
    })?;
    Ok(seal.keep(store, artifact, keyring)?)
}

/// Asks the keyring again about every signature, in one transaction; tells how many are judged in another way now. Takes a
/// fraction of a millisecond a signature.
pub fn judge_again(conn: &rusqlite::Transaction<'_>, limits: &Limits) -> Result<usize, StoreError> {
    let keyring: Vec<_> = keys::all(conn)?
        .into_iter()
        .map(|key| key.certificate)
        .collect();
    let now = Timestamp::now();
    let mut changed = 0;
    signatures::for_each(conn, |id, signed, before| {
        let verdict = match Signature::read(&signed.bytes, limits) {
            Ok(signature) => status(signature.judge(&signed.digest, &keyring, now)),
            Err(_) => SignatureStatus::Unreadable,
        };
        if verdict != before.at(now) {
            signatures::set_status(conn, id, &verdict)?;
            changed += 1;
        }
        Ok(())
    })?;
    Ok(changed)
}

/// Asks the keyring again where it is another than `keyring`, which signatures were judged by so far.
pub(super) fn catch_up(
    conn: &rusqlite::Transaction<'_>,
    keyring: &[Certificate],
    limits: &Limits,
) -> Result<(), StoreError> {
    let packets = |certificate: &Certificate| certificate.to_bytes();
    let now: Vec<_> = keys::all(conn)?
        .iter()
        .map(|key| packets(&key.certificate))
        .collect();
    if now != keyring.iter().map(packets).collect::<Vec<_>>() {
        judge_again(conn, limits)?;
    }
    Ok(())
}

fn status(verdict: Verdict) -> SignatureStatus {
    match verdict {
        Verdict::Good { fingerprint, until } => SignatureStatus::Good {
            key: fingerprint.to_string(),
            until,
        },
        Verdict::ExpiredKey {
            fingerprint,
            expired,
        } => SignatureStatus::ExpiredKey {
            key: fingerprint.to_string(),
            until: expired,
        },
        Verdict::UnknownKey { key_id } => SignatureStatus::UnknownKey {
            key: key_id.map(|id| id.to_string()),
        },
        // The zip was read by now, so it opens.
        Verdict::Wrong(why @ WrongSignature::OtherBytes) => SignatureStatus::Wrong {
            why: format!(
                "{why}, though the zip opens: a scanner that disarms content on its way may have changed it"
            ),
        },
        Verdict::Wrong(why) => SignatureStatus::Wrong {
            why: why.to_string(),
        },
    }
}

//! Signatures beside zips: taken in while the zip's bytes go by, judged by the keyring, kept with the artifact.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Transaction;

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

    /// Keeps it with the artifact whose bytes it has taken in, and what the keyring says of it; `keyring` is how that was
    /// when the import began.
    pub(super) fn keep(
        self,
        store: &Store,
        artifact: ArtifactId,
        keyring: &[Certificate],
    ) -> Result<(), StoreError> {
        let (signature, digest) = match self.verifying {
            Some((signature, verifying)) => (Some(signature), verifying.finish()),
            None => (None, Box::default()),
        };
        let signed = Signed {
            bytes: self.bytes,
            digest,
        };
        let now = Timestamp::now();
        let judge = |keyring: &[Certificate]| judged(signature.as_ref(), &signed, keyring, now);
        let status = judge(keyring);
        store.write(|conn| {
            // A key that came or went meanwhile has judged again what was there, and this was not; nobody would do it
            // later, should the import not come to its end.
            let is_same = keys::are(conn, keyring)?;
            let status = if is_same {
                status
            } else {
                judge(&all_keys(conn)?)
            };
            signatures::put(conn, artifact, &signed, &status)
        })
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
    store.read(all_keys)
}

fn all_keys(conn: &rusqlite::Connection) -> Result<Vec<Certificate>, StoreError> {
    let keys = keys::all(conn)?;
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
pub fn judge_again(conn: &Transaction<'_>, limits: &Limits) -> Result<usize, StoreError> {
    judge_each(conn, None, &all_keys(conn)?, limits)
}

/// Asks the keyring again about the signatures of `artifacts`: what was too new for a clock that was slow counts once the
/// clock is right. Tells how many are judged in another way now.
pub fn judge_again_of(
    conn: &Transaction<'_>,
    artifacts: impl IntoIterator<Item = ArtifactId>,
    limits: &Limits,
) -> Result<usize, StoreError> {
    let keyring = all_keys(conn)?;
    let mut changed = 0;
    for artifact in artifacts {
        changed += judge_each(conn, Some(artifact), &keyring, limits)?;
    }
    Ok(changed)
}

fn judge_each(
    conn: &Transaction<'_>,
    of: Option<ArtifactId>,
    keyring: &[Certificate],
    limits: &Limits,
) -> Result<usize, StoreError> {
    let now = Timestamp::now();
    let mut changed = 0;
    signatures::for_each(conn, of, |id, signed, before| {
        let signature = Signature::read(&signed.bytes, limits).ok();
        let status = judged(signature.as_ref(), &signed, keyring, now);
        if status != before.at(now) {
            signatures::set_status(conn, id, &status)?;
            changed += 1;
        }
        Ok(())
    })?;
    Ok(changed)
}

/// Returns what `keyring` says of `signature`, which is `None` where what came is none.
fn judged(
    signature: Option<&Signature>,
    signed: &Signed,
    keyring: &[Certificate],
    now: Timestamp,
) -> SignatureStatus {
    let Some(signature) = signature else {
        return SignatureStatus::Unreadable;
    };
    match signature.judge(&signed.digest, keyring, now) {
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

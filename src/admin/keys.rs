//! What the operator does with the keyring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::OperationError;
use crate::crypto::openpgp::{Certificate, Fingerprint, KeyFile};
use crate::import::judge_again;
use crate::limits::Limits;
use crate::people::Actor;
use crate::store::keys::{self, StoredKey};
use crate::store::{Store, StoreError, audit};

/// Keys that are known by name: Elastic publishes this one's fingerprint beside its packages
/// (<https://www.elastic.co/docs/deploy-manage/deploy/self-managed/install-elasticsearch-with-rpm>).
const KNOWN: [(&str, &str); 1] = [(
    "46095ACC8548582C1A2699A9D27D666CD88E42B4",
    "Elastic's signing key",
)];

/// A key as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyReport {
    /// Its fingerprint, 40 or 64 hexadecimal digits.
    pub fingerprint: String,
    /// Whose it is known to be, by its fingerprint.
    pub known_as: Option<String>,
    /// Whose it says it is.
    pub user_ids: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it ends, RFC 3339; `None` where it does not.
    pub expires: Option<String>,
    /// Whether it has ended.
    pub is_expired: bool,
    /// Whether its owner revoked it.
    pub is_revoked: bool,
    /// Whether all that it says of itself is signed over SHA-1.
    pub is_sha1_only: bool,
    /// When it was added, RFC 3339; `None` where it was not.
    pub added_at: Option<String>,
    /// Who added it.
    pub added_by: Option<String>,
}

/// A key that the operator has confirmed.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// The fingerprint that was confirmed.
    pub fingerprint: String,
    /// The armored key.
    pub key: String,
}

/// What a key that was added came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyAdded {
    /// Whether the keyring is another now.
    pub is_changed: bool,
    /// The key as the keyring has it.
    pub key: KeyReport,
    /// How many signatures of packages are judged in another way by it.
    pub judged_again: usize,
}

/// What a key that was taken out came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyRemoved {
    /// The key.
    pub key: KeyReport,
    /// How many signatures of packages are judged in another way without it.
    pub judged_again: usize,
}

impl KeyReport {
    /// Returns what there is to say of a key, whether the keyring has it or not.
    pub fn new(certificate: &Certificate) -> Self {
        let fingerprint = certificate.fingerprint().to_string();
        Self {
            known_as: known_as(&fingerprint).map(str::to_owned),
            fingerprint,
            user_ids: certificate.user_ids().to_vec(),
            created: certificate.created().to_string(),
            expires: certificate.expires().map(|time| time.to_string()),
            is_expired: certificate
                .expires()
                .is_some_and(|expires| expires <= Timestamp::now()),
            is_revoked: certificate.is_revoked(),
            is_sha1_only: certificate.is_sha1_only(),
            added_at: None,
            added_by: None,
        }
    }
}

impl From<&StoredKey> for KeyReport {
    fn from(key: &StoredKey) -> Self {
        Self {
            added_at: Some(key.added_at.clone()),
            added_by: Some(key.added_by.clone()),
            ..Self::new(&key.certificate)
        }
    }
}

/// Returns whose the key with this fingerprint is known to be.
pub(super) fn known_as(fingerprint: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(known, _)| *known == fingerprint);
    known.map(|(_, name)| *name)
}

/// Returns the keyring, in the order in which it grew.
pub fn list(store: &Store) -> Result<Vec<KeyReport>, OperationError> {
    let all = store.read(keys::all)?;
    Ok(all.iter().map(KeyReport::from).collect())
}

/// Adds the key with the confirmed fingerprint; where the keyring has it, what is new in it.
pub fn add(
    store: &Store,
    who: &Actor,
    request: &KeyRequest,
    limits: &Limits,
) -> Result<KeyAdded, OperationError> {
    let fingerprint = parse(&request.fingerprint)?;
    let file = KeyFile::read(request.key.as_bytes(), limits);
    let mut certificates = file.certificates.into_iter();
    let new = certificates
        .find(|key| *key.fingerprint() == fingerprint)
        .ok_or_else(|| {
            OperationError::InvalidRequest(format!("it does not hold the key {fingerprint}"))
        })?;
    let at = Timestamp::now();
    store.write_synced(|conn| {
        let held = keys::find(conn, &fingerprint)?;
        let joined = match &held {
            Some(held) => held
                .certificate
                .joined(&new, limits)
                .map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
            None => new,
        };
        let is_changed = held
            .as_ref()
            .is_none_or(|held| held.certificate.to_bytes() != joined.to_bytes());
        let mut judged_again = 0;
        if is_changed {
            keys::put(conn, &joined, &at.to_string(), &who.name)?;
            let subject = fingerprint.to_string();
            audit::note(conn, at, who, "keys add", &subject, Value::Null)?;
            judged_again = judge_again(conn, limits)?;
        }
        let key = keys::find(conn, &fingerprint)?.ok_or_else(|| StoreError::Invalid {
            what: "key",
            value: fingerprint.to_string(),
        })?;
        Ok(KeyAdded {
            is_changed,
            key: KeyReport::from(&key),
            judged_again,
        })
    })
}

/// Takes the key out whose fingerprint ends in `end`: at least its last eight digits.
pub fn remove(
    store: &Store,
    who: &Actor,
    end: &str,
    limits: &Limits,
) -> Result<KeyRemoved, OperationError> {
    store.write_synced(|conn| {
        let mut keys = keys::all(conn)?;
        keys.retain(|key| key.certificate.fingerprint().ends_with(end));
        let shown = || end.chars().take(100).collect::<String>();
        match keys.as_slice() {
            [] => Err(OperationError::NoSuchKey(shown())),
            [key] => {
                keys::remove(conn, key.certificate.fingerprint())?;
                let subject = key.certificate.fingerprint().to_string();
                audit::note(
                    conn,
                    Timestamp::now(),
                    who,
                    "keys remove",
                    &subject,
                    Value::Null,
                )?;
                Ok(KeyRemoved {
                    key: KeyReport::from(key),
                    judged_again: judge_again(conn, limits)?,
                })
            }
            _ => Err(OperationError::SeveralKeys(shown())),
        }
    })
}

fn parse(fingerprint: &str) -> Result<Fingerprint, OperationError> {
    fingerprint
        .parse()
        .map_err(|error: crate::crypto::openpgp::InvalidFingerprint| {
            OperationError::InvalidRequest(error.to_string())
        })
}

//! The keyring: the certificates that the operator has confirmed.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StoreError;
use crate::crypto::openpgp::{Certificate, Fingerprint};

/// A key of the keyring.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key itself.
    pub certificate: Certificate,
    /// When it was added first, RFC 3339.
    pub added_at: String,
    /// Who added it.
    pub added_by: String,
}

/// Adds a key, or replaces what the keyring has of it; who added it first, and when, stays.
pub fn put(
    conn: &Transaction<'_>,
    certificate: &Certificate,
    at: &str,
    who: &str,
) -> Result<(), StoreError> {
    let user_id = certificate.user_ids().first().map_or("", String::as_str);
    conn.execute(
        "INSERT INTO key (fingerprint, certificate, user_id, created_at, expires_at, added_at, added_by)
         VALUES (:fingerprint, :certificate, :user_id, :created_at, :expires_at, :added_at, :added_by)
             ON CONFLICT (fingerprint) DO UPDATE
            SET certificate = excluded.certificate,
                user_id = excluded.user_id,
                expires_at = excluded.expires_at",
        named_params! {
            ":fingerprint": certificate.fingerprint().as_bytes(),
            ":certificate": certificate.to_bytes(),
            ":user_id": user_id,
            ":created_at": certificate.created().to_string(),
            ":expires_at": certificate.expires().map(|time| time.to_string()),
            ":added_at": at,
            ":added_by": who,
        },
    )?;
    Ok(())
}

/// Returns a key; `None` where the keyring does not have it.
pub fn find(conn: &Connection, fingerprint: &Fingerprint) -> Result<Option<StoredKey>, StoreError> {
    let row = conn
        .query_row(
            "SELECT fingerprint, certificate, added_at, added_by
               FROM key
              WHERE fingerprint = :fingerprint",
            named_params! { ":fingerprint": fingerprint.as_bytes() },
            columns,
        )
        .optional()?;
    row.map(stored).transpose()
}

/// Returns the keyring, in the order in which it grew. Verifies what each key says of itself, a fraction of a millisecond a
/// signature.
pub fn all(conn: &Connection) -> Result<Vec<StoredKey>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT fingerprint, certificate, added_at, added_by
           FROM key
          ORDER BY id",
    )?;
    let rows = query.query_map([], columns)?;
    rows.map(|row| stored(row?)).collect()
}

/// Tells whether the keyring is `keyring`, in this order, without verifying anything.
pub fn are(conn: &Connection, keyring: &[Certificate]) -> Result<bool, StoreError> {
    let mut query = conn.prepare_cached("SELECT certificate FROM key ORDER BY id")?;
    let rows = query.query_map([], |row| row.get(0))?;
    let packets: Vec<Vec<u8>> = rows.collect::<Result<_, _>>()?;
    Ok(packets
        .into_iter()
        .eq(keyring.iter().map(Certificate::to_bytes)))
}

/// Takes a key out; tells whether it was there.
pub fn remove(conn: &Transaction<'_>, fingerprint: &Fingerprint) -> Result<bool, StoreError> {
    let rows = conn.execute(
        "DELETE FROM key WHERE fingerprint = :fingerprint",
        named_params! { ":fingerprint": fingerprint.as_bytes() },
    )?;
    Ok(rows > 0)
}

type Columns = (Vec<u8>, Vec<u8>, String, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn stored((fingerprint, packets, added_at, added_by): Columns) -> Result<StoredKey, StoreError> {
    let certificate = Certificate::from_packets(&packets).ok();
    // The name is what the operator confirmed: the row of one key never speaks for another.
    let certificate =
        certificate.filter(|key| key.fingerprint().as_bytes() == fingerprint.as_slice());
    let invalid = || StoreError::Invalid {
        what: "key",
        value: Fingerprint::from_bytes(&fingerprint)
            .map_or_else(|| "without a fingerprint".to_owned(), |it| it.to_string()),
    };
    Ok(StoredKey {
        certificate: certificate.ok_or_else(invalid)?,
        added_at,
        added_by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::openpgp::KeyFile;
    use crate::limits::Limits;
    use crate::store::schema::in_memory;

    fn key(name: &str) -> Certificate {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openpgp");
        let bytes = std::fs::read(format!("{folder}/{name}-key.asc")).unwrap();
        KeyFile::read(&bytes, &Limits::default())
            .certificates
            .remove(0)
    }

    fn fingerprints(conn: &Connection) -> Vec<Fingerprint> {
        let keys = all(conn).unwrap();
        keys.iter()
            .map(|key| key.certificate.fingerprint().clone())
            .collect()
    }

    #[test]
    fn keys_are_put_found_and_removed() {
        let mut conn = in_memory();
        let [one, other] = ["nistp256", "rsa3072"].map(key);
        let transaction = conn.transaction().unwrap();
        put(&transaction, &one, "2026-01-01T00:00:00Z", "anna").unwrap();
        put(&transaction, &other, "2026-01-02T00:00:00Z", "bert").unwrap();
        put(&transaction, &one, "2026-01-03T00:00:00Z", "carl").unwrap();
        let [first, second] = [&one, &other].map(|key| key.fingerprint().clone());
        assert_eq!(fingerprints(&transaction), [first.clone(), second.clone()]);
        let found = find(&transaction, &first).unwrap().unwrap();
        assert_eq!(found.certificate.to_bytes(), one.to_bytes());
        assert_eq!(
            (&*found.added_at, &*found.added_by),
            ("2026-01-01T00:00:00Z", "anna")
        );

        assert!(remove(&transaction, &first).unwrap());
        assert!(!remove(&transaction, &first).unwrap());
        assert!(find(&transaction, &first).unwrap().is_none());
        assert_eq!(fingerprints(&transaction), [second]);
    }

    #[test]
    fn a_key_under_another_name_is_refused() {
        let mut conn = in_memory();
        let [one, other] = ["nistp256", "rsa3072"].map(key);
        let transaction = conn.transaction().unwrap();
        put(&transaction, &one, "2026-01-01T00:00:00Z", "anna").unwrap();
        let change = "UPDATE key SET fingerprint = ?1";
        transaction
            .execute(change, [other.fingerprint().as_bytes()])
            .unwrap();
        for answer in [
            all(&transaction).err(),
            find(&transaction, other.fingerprint()).err(),
        ] {
            let said = answer.unwrap().to_string();
            assert_eq!(
                said,
                format!("the store holds an invalid key: {}", other.fingerprint())
            );
        }
    }
}

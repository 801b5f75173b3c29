//! The link by which the first admin is made: one at a time, gone when it is used.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::{StoreError, times};
use crate::crypto::Digest;

/// Makes a link the only one; what was handed out before is good for nothing from then on.
pub fn put(
    conn: &Transaction<'_>,
    digest: Digest,
    at: Timestamp,
    expires: Timestamp,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO setup_link (id, sha256, made_at, expires_at)
         VALUES (1, :sha256, :at, :expires)
             ON CONFLICT (id) DO UPDATE
            SET sha256 = excluded.sha256,
                made_at = excluded.made_at,
                expires_at = excluded.expires_at",
        named_params! {
            ":sha256": digest.as_bytes(),
            ":at": times::text(at),
            ":expires": times::text(expires),
        },
    )?;
    Ok(())
}

/// Returns when the link with this digest is over; `None` where it is not the one that is out.
pub fn find(conn: &Connection, digest: Digest) -> Result<Option<Timestamp>, StoreError> {
    let row = conn.query_row(
        "SELECT expires_at FROM setup_link WHERE sha256 = :sha256",
        named_params! { ":sha256": digest.as_bytes() },
        |row| row.get(0),
    );
    times::read_if("end of a setup link", row.optional()?)
}

/// Takes the link out that is out; tells whether there was one.
pub fn remove(conn: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM setup_link", [])? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn one_link_is_out_at_a_time() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let [one, other] = ["one", "other"].map(|text| Digest::of(text.as_bytes()));
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let end: Timestamp = "2026-11-22T11:00:00Z".parse().unwrap();
        put(&conn, one, at, at).unwrap();
        assert_eq!(find(&conn, one).unwrap(), Some(at));
        put(&conn, other, at, end).unwrap();
        assert_eq!(find(&conn, one).unwrap(), None);
        assert_eq!(find(&conn, other).unwrap(), Some(end));
        assert!(remove(&conn).unwrap());
        assert!(!remove(&conn).unwrap());
        assert_eq!(find(&conn, other).unwrap(), None);
    }
}

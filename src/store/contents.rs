//! Contents: the plain bytes of files, each kept once.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use crate::crypto::Digest;

/// The number of a content in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId(pub i64);

/// What is known of a content without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its number.
    pub id: ContentId,
    /// The digest of its plain bytes.
    pub sha256: Digest,
    /// How many plain bytes it has.
    pub bytes: u64,
    /// The CRC-32 of its plain bytes, as zip and gzip want it.
    pub crc32: u32,
}

/// Returns the content with this digest, or `None` when it is not here whole.
pub fn find(conn: &Connection, sha256: &Digest) -> Result<Option<Content>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT id, sha256, bytes, crc32
           FROM content
          WHERE sha256 = :sha256",
    )?;
    Ok(query
        .query_row(named_params! { ":sha256": sha256 }, from_row)
        .optional()?)
}

/// Adds a content that is not here yet; its stream is added with [`super::streams`].
pub fn insert(
    conn: &Transaction<'_>,
    sha256: &Digest,
    bytes: u64,
    crc32: u32,
) -> Result<ContentId, StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT INTO content (sha256, bytes, crc32)
         VALUES (:sha256, :bytes, :crc32)",
    )?;
    query.execute(named_params! { ":sha256": sha256, ":bytes": bytes as i64, ":crc32": crc32 })?;
    Ok(ContentId(conn.last_insert_rowid()))
}

/// Reads the columns `id, sha256, bytes, crc32`.
pub(super) fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Content> {
    Ok(Content {
        id: row.get(0)?,
        sha256: row.get(1)?,
        bytes: row.get::<_, i64>(2)?.cast_unsigned(),
        crc32: row.get(3)?,
    })
}

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Digest::from_bytes)
    }
}

super::sql_id!(ContentId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn a_content_is_found_by_its_digest_and_kept_once() {
        let mut conn = schema::in_memory();
        let digest = Digest::of(b"hello");
        let transaction = conn.transaction().unwrap();
        assert_eq!(find(&transaction, &digest).unwrap(), None);
        let id = insert(&transaction, &digest, 5, 0x3610_a686).unwrap();

        assert_eq!(
            find(&transaction, &digest).unwrap(),
            Some(Content {
                id,
                sha256: digest,
                bytes: 5,
                crc32: 0x3610_a686
            })
        );
        assert!(insert(&transaction, &digest, 5, 0x3610_a686).is_err());
    }
}

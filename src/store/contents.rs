//! Contents: the plain bytes of files, each kept once.

use libdeflater::Decompressor;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::streams::{self, Coding};
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

/// Returns the plain bytes of a content, `None` where it has more than `max_bytes`: they are in memory together.
///
/// For what is looked into here; answers are read chunk by chunk. Fails with [`StoreError::Damaged`] where a checksum does
/// not hold.
pub fn read(
    conn: &Connection,
    content: &Content,
    max_bytes: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    if content.bytes > max_bytes {
        return Ok(None);
    }
    let stream = streams::of_content(conn, content.id)?;
    let mut encoded = Vec::new();
    for number in 0..stream.chunks() {
        encoded.extend(streams::chunk(conn, stream.id, number)?.unwrap_or_default());
    }
    let plain = match stream.coding {
        Coding::Plain => encoded,
        Coding::Deflate => {
            let mut plain = vec![0; usize::try_from(content.bytes).unwrap_or_default()];
            let inflated = Decompressor::new().deflate_decompress(&encoded, &mut plain);
            let is_whole = inflated.is_ok_and(|bytes| bytes == plain.len());
            if is_whole { plain } else { Vec::new() }
        }
    };
    if plain.len() as u64 == content.bytes {
        Ok(Some(plain))
    } else {
        Err(StoreError::Invalid {
            what: "stream",
            value: stream.id.0.to_string(),
        })
    }
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

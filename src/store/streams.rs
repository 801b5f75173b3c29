//! Streams: how a content lies on disk, in chunks that are checked before they leave.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::contents::{self, Content, ContentId};
use crate::crypto::Digest;

/// Bytes of every chunk of a stream but its last.
pub const CHUNK_BYTES: usize = 256 << 10;

/// Bytes of the largest stream that another may take the place of: so one short transaction takes it out, and one reads it.
pub const REPLACED_BYTES: u64 = 2 << 20;

/// The number of a stream in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub i64);

/// How a stream encodes its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// The plain bytes.
    Plain,
    /// Raw deflate (RFC 1951), without header or trailer.
    Deflate,
}

/// One encoding of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream {
    /// Its number.
    pub id: StreamId,
    /// How it encodes the content.
    pub coding: Coding,
    /// Bytes of the encoded form.
    pub bytes: u64,
}

/// Adds a stream of `content`, whose chunks follow in the same transaction; `sha256` and `bytes` as for [`finish`].
pub fn add(
    conn: &Transaction<'_>,
    content: ContentId,
    coding: Coding,
    sha256: Option<&Digest>,
    bytes: u64,
) -> Result<StreamId, StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT INTO stream (content, coding, sha256, bytes)
         VALUES (:content, :coding, :sha256, :bytes)",
    )?;
    query.execute(named_params! {
        ":content": content,
        ":coding": coding.as_str(),
        ":sha256": sha256,
        ":bytes": bytes as i64,
    })?;
    Ok(StreamId(conn.last_insert_rowid()))
}

/// Begins a stream whose content is not known yet. Until [`finish`] it belongs to nothing and nobody finds it.
pub fn begin(conn: &Transaction<'_>, coding: Coding) -> Result<StreamId, StoreError> {
    conn.prepare_cached("INSERT INTO stream (coding, bytes) VALUES (:coding, 0)")?
        .execute(named_params! { ":coding": coding.as_str() })?;
    Ok(StreamId(conn.last_insert_rowid()))
}

/// Adds chunk `number`. Every chunk but the last must have [`CHUNK_BYTES`] bytes.
pub fn append(
    conn: &Transaction<'_>,
    stream: StreamId,
    number: u32,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT INTO chunk (stream, number, checksum, bytes)
         VALUES (:stream, :number, :checksum, :bytes)",
    )?;
    query.execute(named_params! {
        ":stream": stream,
        ":number": number,
        ":checksum": crc32fast::hash(bytes),
        ":bytes": bytes,
    })?;
    Ok(())
}

/// Ends a stream: from here on it is `content`, encoded. `sha256` is over its `bytes` encoded bytes; `None` for one that
/// was encoded here: nothing but its content leads to it, so that it can be taken out once the content has another.
pub fn finish(
    conn: &Transaction<'_>,
    stream: StreamId,
    content: ContentId,
    sha256: Option<&Digest>,
    bytes: u64,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "UPDATE stream
            SET content = :content, sha256 = :sha256, bytes = :bytes
          WHERE id = :stream",
    )?;
    query.execute(named_params! {
        ":stream": stream,
        ":content": content,
        ":sha256": sha256,
        ":bytes": bytes as i64,
    })?;
    Ok(())
}

/// Removes a stream that was begun and is not needed after all: its content turned out to be here already.
pub fn abandon(conn: &Transaction<'_>, stream: StreamId) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM stream WHERE id = :stream AND content IS NULL",
        named_params! { ":stream": stream },
    )?;
    Ok(())
}

/// Takes out the stream that was encoded here for a content, where the content has one that came in a zip too: one is
/// enough to answer with, and recipes refer to the other. Stays where the content is or was offered, as it may be on its
/// way to a client, and where it has more than [`REPLACED_BYTES`].
pub fn drop_replaced(conn: &Transaction<'_>, content: ContentId) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "DELETE FROM stream
          WHERE content = :content
            AND sha256 IS NULL
            AND bytes <= :most_bytes
            AND EXISTS (SELECT 1 FROM stream WHERE content = :content AND sha256 IS NOT NULL)
            AND NOT EXISTS (
                SELECT 1
                  FROM file f
                  JOIN member m ON m.artifact = f.artifact
                 WHERE f.content = :content)
            AND NOT EXISTS (
                SELECT 1
                  FROM document d
                  JOIN member m ON m.artifact = d.artifact
                 WHERE d.document = :content)",
    )?;
    query.execute(named_params! { ":content": content, ":most_bytes": REPLACED_BYTES as i64 })?;
    Ok(())
}

/// Removes every stream that was begun and never finished; only for when no import runs.
pub fn abandon_unfinished(conn: &Transaction<'_>) -> Result<usize, StoreError> {
    Ok(conn.execute("DELETE FROM stream WHERE content IS NULL", [])?)
}

/// Returns the first stream of a content, the one that answers use. A content without one is damage.
pub fn of_content(conn: &Connection, content: ContentId) -> Result<Stream, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT id, coding, bytes
           FROM stream
          WHERE content = :content
          ORDER BY id
          LIMIT 1",
    )?;
    let row = query
        .query_row(named_params! { ":content": content }, |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    let (id, coding, bytes) = row.ok_or_else(|| StoreError::Invalid {
        what: "content",
        value: content.0.to_string(),
    })?;
    let coding = Coding::parse(&coding).ok_or(StoreError::Invalid {
        what: "coding",
        value: coding,
    })?;
    Ok(Stream {
        id,
        coding,
        bytes: bytes.cast_unsigned(),
    })
}

/// Returns the stream of raw deflate that has this digest, with the content it encodes, or `None`.
pub fn find_deflated(
    conn: &Connection,
    sha256: &Digest,
) -> Result<Option<(Stream, Content)>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT c.id, c.sha256, c.bytes, c.crc32, s.id, s.bytes
           FROM stream s
           JOIN content c ON c.id = s.content
          WHERE substr(s.sha256, 1, 8) = substr(:sha256, 1, 8)
            AND s.sha256 = :sha256
            AND s.coding = 'deflate'
          ORDER BY s.id
          LIMIT 1",
    )?;
    let row = query.query_row(named_params! { ":sha256": sha256 }, |row| {
        let stream = Stream {
            id: row.get(4)?,
            coding: Coding::Deflate,
            bytes: row.get::<_, i64>(5)?.cast_unsigned(),
        };
        Ok((stream, contents::from_row(row)?))
    });
    Ok(row.optional()?)
}

/// Returns the bytes of chunk `number` as they lie on disk, or `None` past the stream's end.
///
/// Fails with [`StoreError::Damaged`] when the chunk's checksum does not hold: the caller must cut what it is sending,
/// never complete it.
pub fn chunk(
    conn: &Connection,
    stream: StreamId,
    number: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT bytes, checksum
           FROM chunk
          WHERE stream = :stream AND number = :number",
    )?;
    let row: Option<(Vec<u8>, u32)> = query
        .query_row(
            named_params! { ":stream": stream, ":number": number },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match row {
        Some((bytes, checksum)) if crc32fast::hash(&bytes) != checksum => {
            Err(StoreError::Damaged {
                stream: stream.0,
                number,
            })
        }
        row => Ok(row.map(|(bytes, _)| bytes)),
    }
}

impl Coding {
    fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Deflate => "deflate",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Plain, Self::Deflate]
            .into_iter()
            .find(|coding| coding.as_str() == text)
    }
}

impl Stream {
    /// Returns how many chunks the stream has.
    pub fn chunks(&self) -> u32 {
        // At most 4 GiB / 256 KiB: the largest artifact an import takes.
        self.bytes.div_ceil(CHUNK_BYTES as u64) as u32
    }
}

super::sql_id!(StreamId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn stored(conn: &mut Connection, bytes: &[u8]) -> (ContentId, StreamId) {
        let transaction = conn.transaction().unwrap();
        let stream = begin(&transaction, Coding::Plain).unwrap();
        for (number, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            append(&transaction, stream, number as u32, chunk).unwrap();
        }
        let digest = Digest::of(bytes);
        let content = contents::insert(&transaction, &digest, bytes.len() as u64, 0).unwrap();
        finish(&transaction, stream, content, None, bytes.len() as u64).unwrap();
        transaction.commit().unwrap();
        (content, stream)
    }

    #[test]
    fn a_stream_is_read_back_chunk_by_chunk() {
        let mut conn = schema::in_memory();
        let bytes = vec![7; CHUNK_BYTES + 3];
        let (content, id) = stored(&mut conn, &bytes);

        let stream = of_content(&conn, content).unwrap();
        assert_eq!(
            stream,
            Stream {
                id,
                coding: Coding::Plain,
                bytes: bytes.len() as u64
            }
        );
        assert_eq!(stream.chunks(), 2);
        assert_eq!(chunk(&conn, id, 0).unwrap().unwrap().len(), CHUNK_BYTES);
        assert_eq!(chunk(&conn, id, 1).unwrap().unwrap(), [7; 3]);
        assert_eq!(chunk(&conn, id, 2).unwrap(), None);
    }

    #[test]
    fn a_stream_is_found_by_its_digest_once_it_is_finished_and_only_where_it_is_deflate() {
        let mut conn = schema::in_memory();
        let (content, _) = stored(&mut conn, b"plain");
        let conn = conn.transaction().unwrap();
        let packed = Digest::of(b"packed");
        let id = begin(&conn, Coding::Deflate).unwrap();
        assert_eq!(find_deflated(&conn, &packed).unwrap(), None);
        finish(&conn, id, content, Some(&packed), 6).unwrap();
        let (stream, found) = find_deflated(&conn, &packed).unwrap().unwrap();
        assert_eq!((stream.id, stream.bytes, found.id), (id, 6, content));
        assert_eq!(find_deflated(&conn, &Digest::of(b"plain")).unwrap(), None);
    }

    #[test]
    fn a_damaged_chunk_never_leaves() {
        let mut conn = schema::in_memory();
        let (_, id) = stored(&mut conn, b"hello");
        conn.execute("UPDATE chunk SET bytes = x'68656c6c70'", [])
            .unwrap();

        let error = chunk(&conn, id, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("stream {} is damaged at chunk 0", id.0)
        );
    }

    #[test]
    fn an_unfinished_stream_can_be_abandoned_with_its_chunks_and_a_finished_one_cannot() {
        let mut conn = schema::in_memory();
        let (content, _) = stored(&mut conn, b"kept");
        let transaction = conn.transaction().unwrap();
        let begun = begin(&transaction, Coding::Plain).unwrap();
        append(&transaction, begun, 0, b"half").unwrap();

        assert_eq!(abandon_unfinished(&transaction).unwrap(), 1);
        assert_eq!(chunk(&transaction, begun, 0).unwrap(), None);
        assert!(of_content(&transaction, content).is_ok());
    }
}

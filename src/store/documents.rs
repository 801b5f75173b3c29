//! Documents: what a package version says of itself, as rendered at its import.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::contents::{self, Content, ContentId};

/// The dialect of the newest registry version, which every branch is rendered in.
pub const NEWEST_DIALECT: &str = "1.40";

/// A rendering as it is kept. Slots and facts are JSON that only [`crate::package`] reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<C> {
    /// The number of the code that rendered it.
    pub renderer: u32,
    /// What queries look at.
    pub facts: String,
    /// The version's own notice of deprecation, compact JSON.
    pub deprecated: Option<String>,
    /// Where serving inserts into the `/search` element.
    pub element_slots: String,
    /// Plain bytes of the `/search` element.
    pub element_bytes: u32,
    /// The `/search` element, raw deflate.
    pub element: Vec<u8>,
    /// Where serving inserts into the package document.
    pub document_slots: String,
    /// The package document.
    pub document: C,
}

/// Keeps the rendering of an artifact in one dialect, in place of an older one; `content` is its package document.
pub fn put<C>(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    dialect: &str,
    document: &Document<C>,
    content: ContentId,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT OR REPLACE INTO document (artifact, dialect, renderer, facts, deprecated, element_slots, element_bytes,
                                          element, document_slots, document)
         VALUES (:artifact, :dialect, :renderer, :facts, :deprecated, :element_slots, :element_bytes,
                 :element, :document_slots, :document)",
    )?;
    query.execute(named_params! {
        ":artifact": artifact,
        ":dialect": dialect,
        ":renderer": document.renderer,
        ":facts": document.facts,
        ":deprecated": document.deprecated,
        ":element_slots": document.element_slots,
        ":element_bytes": document.element_bytes,
        ":element": document.element,
        ":document_slots": document.document_slots,
        ":document": content,
    })?;
    Ok(())
}

/// Returns the rendering of an artifact in one dialect, or `None`.
pub fn get(
    conn: &Connection,
    artifact: ArtifactId,
    dialect: &str,
) -> Result<Option<Document<Content>>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT c.id, c.sha256, c.bytes, c.crc32, d.renderer, d.facts, d.deprecated, d.element_slots, d.element_bytes,
                d.element, d.document_slots
           FROM document d
           JOIN content c ON c.id = d.document
          WHERE d.artifact = :artifact AND d.dialect = :dialect",
    )?;
    let row = query
        .query_row(
            named_params! { ":artifact": artifact, ":dialect": dialect },
            |row| {
                Ok(Document {
                    document: contents::from_row(row)?,
                    renderer: row.get(4)?,
                    facts: row.get(5)?,
                    deprecated: row.get(6)?,
                    element_slots: row.get(7)?,
                    element_bytes: row.get(8)?,
                    element: row.get(9)?,
                    document_slots: row.get(10)?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// Returns what queries look at of an artifact, in the newest dialect, and its own notice of deprecation, both JSON.
pub fn facts(
    conn: &Connection,
    artifact: ArtifactId,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT facts, deprecated
           FROM document
          WHERE artifact = :artifact AND dialect = :dialect",
    )?;
    let parameters = named_params! { ":artifact": artifact, ":dialect": NEWEST_DIALECT };
    let row = query.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(row.optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;
    use crate::store::examples::artifact;
    use crate::store::schema;

    fn rendered<C>(renderer: u32, document: C) -> Document<C> {
        Document {
            renderer,
            facts: "{}".into(),
            deprecated: (renderer == 2).then(|| "{\"since\":\"1.0.0\"}".into()),
            element_slots: "{\"indent\":4}".into(),
            element_bytes: 9,
            element: vec![3, 0, renderer as u8],
            document_slots: "{\"indent\":2}".into(),
            document,
        }
    }

    #[test]
    fn a_rendering_takes_the_place_of_the_older_one_of_its_dialect() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (id, other) = (artifact(&conn, "1.0.0", "a"), artifact(&conn, "1.1.0", "a"));
        let sha256 = Digest::of(b"{}\n");
        let document = contents::insert(&conn, &sha256, 3, 77).unwrap();
        put(&conn, id, "0.10", &rendered(1, document), document).unwrap();
        for renderer in [1, 2] {
            put(
                &conn,
                id,
                NEWEST_DIALECT,
                &rendered(renderer, document),
                document,
            )
            .unwrap();
        }
        let content = contents::find(&conn, &sha256).unwrap().unwrap();
        let newest = get(&conn, id, NEWEST_DIALECT).unwrap();
        assert_eq!(newest, Some(rendered(2, content)));
        let oldest = get(&conn, id, "0.10").unwrap();
        assert_eq!(oldest, Some(rendered(1, content)));
        let notice = Some("{\"since\":\"1.0.0\"}".to_owned());
        assert_eq!(facts(&conn, id).unwrap(), Some(("{}".to_owned(), notice)));
        assert_eq!(facts(&conn, other).unwrap(), None);
        assert_eq!(get(&conn, other, NEWEST_DIALECT).unwrap(), None);
    }
}

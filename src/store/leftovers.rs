//! What an import stored that stopped: taken out again where its space is needed.
//!
//! Everything is in steps that each fit a short transaction, and each step only takes what nothing refers to, so that
//! they can end anywhere.

use rusqlite::{Connection, Transaction, named_params};

use super::StoreError;

/// The numbers that were given last when an import began: what it stores comes after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    artifact: i64,
    content: i64,
    stream: i64,
}

/// Returns the mark of this moment.
pub fn mark(conn: &Connection) -> Result<Mark, StoreError> {
    let newest = |table: &str| {
        let query = format!("SELECT coalesce(max(id), 0) FROM {table}");
        conn.query_row(&query, [], |row| row.get(0))
    };
    Ok(Mark {
        artifact: newest("artifact")?,
        content: newest("content")?,
        stream: newest("stream")?,
    })
}

/// Tells whether an import is under way.
fn is_importing(conn: &Connection) -> Result<bool, StoreError> {
    let query = "SELECT EXISTS (SELECT 1 FROM stage WHERE state = 'open')";
    Ok(conn.query_row(query, [], |row| row.get(0))?)
}

/// Takes out some of what was stored after `mark` and nothing refers to; `false` once there is no more of it, and while
/// an import is under way: to what that counts on nothing may refer yet.
pub fn remove_some(conn: &Transaction<'_>, mark: Mark) -> Result<bool, StoreError> {
    if is_importing(conn)? {
        return Ok(false);
    }
    // A step begins only when the one before has nothing left to do; the numbers keep each under 100 ms.
    let steps = [
        (
            mark.artifact,
            "DELETE FROM file
          WHERE (artifact, path) IN (
                SELECT f.artifact, f.path
                  FROM artifact a
                  JOIN file f ON f.artifact = a.id
                 WHERE a.id > :mark
                   AND NOT EXISTS (SELECT 1 FROM member WHERE artifact = a.id)
                   AND NOT EXISTS (SELECT 1 FROM staged WHERE artifact = a.id)
                   AND NOT EXISTS (SELECT 1 FROM quarantine WHERE artifact = a.id)
                 LIMIT 4096)",
        ),
        (
            mark.artifact,
            "DELETE FROM artifact
          WHERE id IN (
                SELECT a.id
                  FROM artifact a
                 WHERE a.id > :mark
                   AND NOT EXISTS (SELECT 1 FROM member WHERE artifact = a.id)
                   AND NOT EXISTS (SELECT 1 FROM staged WHERE artifact = a.id)
                   AND NOT EXISTS (SELECT 1 FROM quarantine WHERE artifact = a.id)
                 LIMIT 256)",
        ),
        (
            mark.content,
            "DELETE FROM chunk
          WHERE rowid IN (
                SELECT k.rowid
                  FROM content c
                  JOIN stream s ON s.content = c.id
                  JOIN chunk k ON k.stream = s.id
                 WHERE c.id > :mark
                   AND NOT EXISTS (SELECT 1 FROM file WHERE content = c.id)
                   AND NOT EXISTS (SELECT 1 FROM document WHERE document = c.id)
                 LIMIT 256)",
        ),
        (
            mark.content,
            "DELETE FROM stream
          WHERE id IN (
                SELECT s.id
                  FROM content c
                  JOIN stream s ON s.content = c.id
                 WHERE c.id > :mark
                   AND NOT EXISTS (SELECT 1 FROM file WHERE content = c.id)
                   AND NOT EXISTS (SELECT 1 FROM document WHERE document = c.id)
                 LIMIT 4096)",
        ),
        (
            mark.content,
            "DELETE FROM content
          WHERE id IN (
                SELECT c.id
                  FROM content c
                 WHERE c.id > :mark
                   AND NOT EXISTS (SELECT 1 FROM file WHERE content = c.id)
                   AND NOT EXISTS (SELECT 1 FROM document WHERE document = c.id)
                 LIMIT 4096)",
        ),
    ];
    for (mark, step) in steps {
        if conn
            .prepare_cached(step)?
            .execute(named_params! { ":mark": mark })?
            > 0
        {
            return Ok(true);
        }
    }
    remove_second_streams(conn, mark)
}

/// Takes out streams after `mark` of contents that were here before, which zips of the import brought in other encodings.
/// Only recipes written later refer to them: where there is such a recipe all stay. So does one that took the place of
/// the stream the content had before.
fn remove_second_streams(conn: &Transaction<'_>, mark: Mark) -> Result<bool, StoreError> {
    let marks = named_params! {
        ":artifact": mark.artifact, ":content": mark.content, ":stream": mark.stream,
    };
    let steps = [
        "DELETE FROM chunk
          WHERE rowid IN (
                SELECT k.rowid
                  FROM stream s
                  JOIN chunk k ON k.stream = s.id
                 WHERE s.id > :stream
                   AND s.content <= :content
                   AND EXISTS (SELECT 1 FROM stream WHERE content = s.content AND id <= :stream)
                   AND NOT EXISTS (SELECT 1 FROM recipe WHERE artifact > :artifact)
                 LIMIT 256)",
        "DELETE FROM stream
          WHERE id IN (
                SELECT s.id
                  FROM stream s
                 WHERE s.id > :stream
                   AND s.content <= :content
                   AND EXISTS (SELECT 1 FROM stream WHERE content = s.content AND id <= :stream)
                   AND NOT EXISTS (SELECT 1 FROM recipe WHERE artifact > :artifact)
                 LIMIT 4096)",
    ];
    for step in steps {
        if conn.prepare_cached(step)?.execute(marks)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;
    use crate::store::artifacts;
    use crate::store::contents::{self, ContentId};
    use crate::store::examples::artifact;
    use crate::store::streams::{self, Coding};
    use crate::store::{recipes, schema, sources, stages};

    fn content(conn: &Transaction<'_>, text: &str) -> ContentId {
        let digest = Digest::of(text.as_bytes());
        let content = contents::insert(conn, &digest, text.len() as u64, 0).unwrap();
        let stream = streams::begin(conn, Coding::Plain).unwrap();
        streams::append(conn, stream, 0, text.as_bytes()).unwrap();
        streams::finish(conn, stream, content, None, text.len() as u64).unwrap();
        content
    }

    /// Adds a stream that a zip brought to a content that has one.
    fn second_stream(conn: &Transaction<'_>, known: ContentId) -> streams::StreamId {
        let second = streams::begin(conn, Coding::Deflate).unwrap();
        streams::append(conn, second, 0, b"second").unwrap();
        streams::finish(conn, second, known, Some(&Digest::of(b"second")), 6).unwrap();
        second
    }

    fn texts(conn: &Connection) -> Vec<String> {
        let mut query = conn
            .prepare("SELECT CAST(bytes AS TEXT) FROM chunk ORDER BY stream")
            .unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn only_what_came_after_the_mark_and_nothing_refers_to_is_taken_out() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        content(&conn, "before");
        let before = artifact(&conn, "1.0.0", "before");
        let mark = mark(&conn).unwrap();

        let source = sources::begin(&conn, "packages.tar").unwrap();
        let stage = stages::begin(&conn, source, "then", "tester", None).unwrap();
        let (kept, lost) = (
            artifact(&conn, "1.1.0", "kept"),
            artifact(&conn, "1.2.0", "lost"),
        );
        stages::add(&conn, stage, kept).unwrap();
        for (artifact, text) in [(kept, "of the kept"), (lost, "of the lost")] {
            artifacts::add_file(&conn, artifact, "a", content(&conn, text)).unwrap();
        }
        content(&conn, "of nothing");

        // While a source is read, nothing is taken: it may count on any of it.
        assert!(!remove_some(&conn, mark).unwrap());
        assert_eq!(texts(&conn).len(), 4);
        stages::finish(&conn, stage, None, &Default::default(), 0).unwrap();
        while remove_some(&conn, mark).unwrap() {}
        assert_eq!(texts(&conn), ["before", "of the kept"]);
        let is_here = |id| artifacts::get(&conn, id).unwrap().is_some();
        assert_eq!([before, kept, lost].map(is_here), [true, true, false]);
        let contents = "SELECT count(*) FROM content";
        let count: i64 = conn.query_row(contents, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 2);
    }

    #[test]
    fn a_second_stream_goes_with_the_zips_that_brought_it_and_stays_where_one_is_left() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let known = content(&conn, "known");
        let mark = mark(&conn).unwrap();
        let second = second_stream(&conn, known);
        let zip = artifact(&conn, "1.0.0", "zip");
        recipes::put(&conn, zip, &recipes::pack(&[])).unwrap();
        let source = sources::begin(&conn, "packages.tar").unwrap();
        let stage = stages::begin(&conn, source, "then", "tester", None).unwrap();
        stages::add(&conn, stage, zip).unwrap();
        stages::finish(&conn, stage, None, &Default::default(), 0).unwrap();

        while remove_some(&conn, mark).unwrap() {}
        assert_eq!(texts(&conn), ["known", "second"]);
        stages::end(&conn, stage).unwrap();
        while remove_some(&conn, mark).unwrap() {}
        assert_eq!(texts(&conn), ["known"]);
        let first = streams::of_content(&conn, known).unwrap();
        assert_eq!(first.coding, Coding::Plain);
        assert_eq!(streams::chunk(&conn, second, 0).unwrap(), None);
    }

    #[test]
    fn the_only_stream_of_a_content_stays_whoever_brought_it() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let known = content(&conn, "known");
        let mark = mark(&conn).unwrap();
        let second = second_stream(&conn, known);
        streams::drop_replaced(&conn, known).unwrap();
        assert_eq!(texts(&conn), ["second"]);

        while remove_some(&conn, mark).unwrap() {}
        assert_eq!(texts(&conn), ["second"]);
        assert_eq!(streams::of_content(&conn, known).unwrap().id, second);
    }
}

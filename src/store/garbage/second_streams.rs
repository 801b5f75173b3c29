//! Streams beyond the first of a content, which only recipes need: those that none needs any more.

use std::collections::HashSet;

use rusqlite::{Connection, named_params};

use super::{Mark, mark};
use crate::store::artifacts::ArtifactId;
use crate::store::contents::ContentId;
use crate::store::streams::StreamId;
use crate::store::{StoreError, recipes};

/// Streams that no recipe needs, of contents that have another, as they were found when no artifact was newer than `newest`.
#[derive(Debug)]
pub struct SecondStreams {
    pub(super) unused: Vec<StreamId>,
    pub(super) newest: i64,
}

/// Looks for streams to be taken out by [`Sweep::take_streams`](super::Sweep::take_streams): every recipe of a zip that has a content with several
/// streams is read, each once.
pub fn second_streams(conn: &Connection, after: Mark) -> Result<SecondStreams, StoreError> {
    let newest = mark(conn)?.artifact;
    let mut query = conn.prepare(
        "SELECT s.id, s.content
           FROM stream s
          WHERE s.id > :after
            AND s.sha256 IS NOT NULL
            AND EXISTS (SELECT 1 FROM stream WHERE content = s.content AND id < s.id)",
    )?;
    let after = after.stream;
    let rows = query.query_map(named_params! { ":after": after }, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let found: Vec<(StreamId, ContentId)> = rows.collect::<Result<_, _>>()?;
    let mut unused: HashSet<StreamId> = found.iter().map(|(stream, _)| *stream).collect();
    let mut read = HashSet::new();
    let mut holders = conn.prepare(
        "SELECT DISTINCT f.artifact
           FROM file f
           JOIN recipe r ON r.artifact = f.artifact
          WHERE f.content = :content",
    )?;
    for (_, content) in &found {
        let artifacts =
            holders.query_map(named_params! { ":content": content }, |row| row.get(0))?;
        for artifact in artifacts {
            let artifact: ArtifactId = artifact?;
            if !read.insert(artifact) {
                continue;
            }
            for piece in recipes::get(conn, artifact)?.unwrap_or_default() {
                if let recipes::Piece::Stream { stream, .. } = piece {
                    unused.remove(&stream);
                }
            }
        }
    }
    Ok(SecondStreams {
        unused: unused.into_iter().collect(),
        newest,
    })
}

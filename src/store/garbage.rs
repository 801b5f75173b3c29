//! What nothing uses (`store/in_use.rs`), taken out in steps that each fit a short transaction and can end anywhere.
//!
//! Nobody finds what a step has begun to take: an artifact first loses its digests, a content its row. While an import is
//! under way nothing is taken: to what that counts on nothing may refer yet. Foreign keys have the last word.

mod second_streams;

use std::collections::VecDeque;

use rusqlite::{Connection, Transaction, named_params};

pub use self::second_streams::{SecondStreams, second_streams};
use super::StoreError;
use super::artifacts::ArtifactId;
use super::contents::ContentId;
use super::in_use::{ARTIFACT_IN_USE, CONTENT_IN_USE, NEVER};
use super::streams::StreamId;

/// Rows that are looked at, and rows that are taken out, in one step: together under 100 ms.
const WINDOW_ROWS: i64 = 4096;
const STEP_ROWS: usize = 2048;
/// Artifacts, or contents, that are begun to be taken out at once: all that a sudden end leaves half done.
const STEP_ARTIFACTS: i64 = 64;
const STEP_CONTENTS: i64 = 512;
/// Bytes that are taken out in one step.
const STEP_BYTES: u64 = 2 << 20;

/// The newest numbers of what packages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    artifact: i64,
    content: i64,
    stream: i64,
}

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Artifacts.
    pub artifacts: u64,
    /// Contents.
    pub contents: u64,
    /// Bytes of streams.
    pub bytes: u64,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more.
    More,
    /// All is done.
    Done,
    /// An import is under way.
    Importing,
}

/// Takes out what nothing refers to.
#[derive(Debug)]
pub struct Sweep {
    /// Rows from these on stay too: the next that is added must not get the number of one that a reader knows.
    before: Mark,
    /// What was deleted later than this counts as in use, RFC 3339.
    released_after: String,
    /// What was looked at: rows up to these numbers.
    at: Mark,
    doomed: VecDeque<ArtifactId>,
    second_streams: Vec<StreamId>,
    removed: Removed,
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
pub fn is_importing(conn: &Connection) -> Result<bool, StoreError> {
    let query = "SELECT EXISTS (SELECT 1 FROM stage WHERE state = 'open')";
    Ok(conn.query_row(query, [], |row| row.get(0))?)
}

impl Sweep {
    /// Returns a sweep of what came after `mark`, for an import that is no more.
    pub fn after(mark: Mark) -> Self {
        let all = Mark {
            artifact: i64::MAX,
            content: i64::MAX,
            stream: i64::MAX,
        };
        Self::between(mark, all, NEVER)
    }

    /// Returns a sweep of everything. What was deleted after `released_after` (RFC 3339) is kept; while there may be
    /// `readers`, so are the newest rows.
    pub fn all(conn: &Connection, released_after: &str, readers: bool) -> Result<Self, StoreError> {
        let none = Self::start();
        let mut sweep = Self::between(none, none, released_after);
        sweep.before = if readers {
            mark(conn)?
        } else {
            Self::after(none).before
        };
        Ok(sweep)
    }

    fn between(after: Mark, before: Mark, released_after: &str) -> Self {
        Self {
            before,
            released_after: released_after.to_owned(),
            at: after,
            doomed: VecDeque::new(),
            second_streams: Vec::new(),
            removed: Removed::default(),
        }
    }

    /// Returns the mark that everything comes after.
    pub fn start() -> Mark {
        Mark {
            artifact: 0,
            content: 0,
            stream: 0,
        }
    }

    /// Returns what was taken out so far.
    pub fn removed(&self) -> Removed {
        self.removed
    }

    /// Takes streams out that were found to be second ones; the next steps do it.
    pub fn take_streams(
        &mut self,
        conn: &Connection,
        found: SecondStreams,
    ) -> Result<(), StoreError> {
        // A recipe that came meanwhile may need them.
        if mark(conn)?.artifact <= found.newest {
            self.second_streams = found.unused;
        }
        Ok(())
    }

    /// Takes out some more.
    pub fn step(&mut self, conn: &Transaction<'_>) -> Result<Step, StoreError> {
        if is_importing(conn)? {
            return Ok(Step::Importing);
        }
        let has_done = !self.doomed.is_empty() && self.remove_doomed(conn)?
            || self.remove_chunks(conn)?
            || self.doom_artifacts(conn)?
            || self.detach_contents(conn)?
            || self.detach_streams(conn)?;
        Ok(if has_done { Step::More } else { Step::Done })
    }

    /// Takes the digests from artifacts that are not in use: they are unfinished ones from here on.
    fn doom_artifacts(&mut self, conn: &Transaction<'_>) -> Result<bool, StoreError> {
        let last = mark(conn)?
            .artifact
            .min(self.before.artifact.saturating_sub(1));
        if self.at.artifact >= last {
            return Ok(false);
        }
        let mut query = conn.prepare_cached(&format!(
            "SELECT a.id
               FROM artifact a
              WHERE a.id > :at AND a.id <= :end AND NOT {ARTIFACT_IN_USE}
              ORDER BY a.id
              LIMIT {STEP_ARTIFACTS}"
        ))?;
        let end = last.min(self.at.artifact + WINDOW_ROWS);
        let parameters = named_params! {
            ":at": self.at.artifact, ":end": end, ":released_after": self.released_after,
        };
        let found = query.query_map(parameters, |row| row.get(0))?;
        self.doomed = found.collect::<Result<_, _>>()?;
        let mut unfinish = conn.prepare_cached(
            "UPDATE artifact SET sha256 = randomblob(32), tree_sha256 = zeroblob(32) WHERE id = :id",
        )?;
        for id in &self.doomed {
            unfinish.execute(named_params! { ":id": id })?;
        }
        self.at.artifact = match self.doomed.back() {
            Some(last) if self.doomed.len() as i64 == STEP_ARTIFACTS => last.0,
            _ => end,
        };
        Ok(true)
    }

    fn remove_doomed(&mut self, conn: &Transaction<'_>) -> Result<bool, StoreError> {
        let mut remove_files = conn.prepare_cached(
            "DELETE FROM file
              WHERE artifact = :id
                AND path IN (SELECT path FROM file WHERE artifact = :id LIMIT :rows)",
        )?;
        let mut remove = conn.prepare_cached("DELETE FROM artifact WHERE id = :id")?;
        let mut left = STEP_ROWS;
        while let Some(id) = self.doomed.front() {
            let rows = remove_files.execute(named_params! { ":id": id, ":rows": left as i64 })?;
            left = left.saturating_sub(rows);
            if left == 0 {
                break;
            }
            // Its documents, recipe and signatures go with it.
            remove.execute(named_params! { ":id": id })?;
            self.removed.artifacts += 1;
            self.doomed.pop_front();
        }
        Ok(true)
    }

    /// Takes out contents that are not in use; their streams have none from here on.
    fn detach_contents(&mut self, conn: &Transaction<'_>) -> Result<bool, StoreError> {
        let last = mark(conn)?
            .content
            .min(self.before.content.saturating_sub(1));
        if self.at.content >= last {
            return Ok(false);
        }
        let mut query = conn.prepare_cached(&format!(
            "SELECT c.id
               FROM content c
              WHERE c.id > :at AND c.id <= :end AND NOT {CONTENT_IN_USE}
              ORDER BY c.id
              LIMIT {STEP_CONTENTS}"
        ))?;
        let end = last.min(self.at.content + WINDOW_ROWS);
        let parameters = named_params! { ":at": self.at.content, ":end": end };
        let found = query.query_map(parameters, |row| row.get(0))?;
        let found: Vec<ContentId> = found.collect::<Result<_, _>>()?;
        let mut detach = conn.prepare_cached(
            "UPDATE stream SET content = NULL, sha256 = NULL WHERE content = :id",
        )?;
        let mut remove = conn.prepare_cached("DELETE FROM content WHERE id = :id")?;
        for id in &found {
            detach.execute(named_params! { ":id": id })?;
            remove.execute(named_params! { ":id": id })?;
        }
        self.removed.contents += found.len() as u64;
        self.at.content = match found.last() {
            Some(last) if found.len() as i64 == STEP_CONTENTS => last.0,
            _ => end,
        };
        Ok(true)
    }

    fn detach_streams(&mut self, conn: &Transaction<'_>) -> Result<bool, StoreError> {
        let mut detach = conn.prepare_cached(
            "UPDATE stream
                SET content = NULL, sha256 = NULL
              WHERE id = :id
                AND EXISTS (SELECT 1
                              FROM stream other
                             WHERE other.content = stream.content AND other.id < stream.id)",
        )?;
        let left = self
            .second_streams
            .len()
            .saturating_sub(STEP_CONTENTS as usize);
        let taken = self.second_streams.split_off(left);
        for id in &taken {
            detach.execute(named_params! { ":id": id })?;
        }
        Ok(!taken.is_empty())
    }

    /// Takes out chunks of streams without a content, then the streams.
    fn remove_chunks(&mut self, conn: &Transaction<'_>) -> Result<bool, StoreError> {
        let mut query = conn.prepare_cached(
            "SELECT k.rowid, length(k.bytes)
               FROM stream s
               JOIN chunk k ON k.stream = s.id
              WHERE s.content IS NULL
              LIMIT :rows",
        )?;
        let mut remove = conn.prepare_cached("DELETE FROM chunk WHERE rowid = :id")?;
        let mut rows = query.query(named_params! { ":rows": STEP_ROWS as i64 })?;
        let (mut chunks, mut bytes) = (Vec::<i64>::new(), 0);
        while let Some(row) = rows.next()? {
            chunks.push(row.get(0)?);
            bytes += row.get::<_, i64>(1)?.unsigned_abs();
            if bytes >= STEP_BYTES {
                break;
            }
        }
        drop(rows);
        for id in &chunks {
            remove.execute(named_params! { ":id": id })?;
        }
        self.removed.bytes += bytes;
        let mut remove_streams = conn.prepare_cached(
            "DELETE FROM stream
              WHERE content IS NULL
                AND id < :before
                AND NOT EXISTS (SELECT 1 FROM chunk WHERE stream = stream.id)",
        )?;
        let streams = remove_streams.execute(named_params! { ":before": self.before.stream })?;
        Ok(!chunks.is_empty() || streams > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;
    use crate::distribution::BranchKind;
    use crate::store::artifacts;
    use crate::store::branches::{self, BranchSettings};
    use crate::store::contents::{self, ContentId};
    use crate::store::examples::artifact;
    use crate::store::examples::{change_set, name};
    use crate::store::recipes;
    use crate::store::streams::{self, Coding};
    use crate::store::{former, schema, sources, stages};

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

    /// Sweeps to the end, second streams too.
    fn sweep(conn: &Transaction<'_>, after: Mark) -> Removed {
        let mut sweep = Sweep::after(after);
        let found = second_streams(conn, after).unwrap();
        sweep.take_streams(conn, found).unwrap();
        while sweep.step(conn).unwrap() == Step::More {}
        sweep.removed()
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
        assert_eq!(Sweep::after(mark).step(&conn).unwrap(), Step::Importing);
        assert_eq!(texts(&conn).len(), 4);
        stages::finish(&conn, stage, None, &Default::default(), 0).unwrap();
        sweep(&conn, mark);
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
        artifacts::add_file(&conn, zip, "a", known).unwrap();
        let piece = recipes::Piece::Stream {
            stream: second,
            bytes: 6,
        };
        recipes::put(&conn, zip, &recipes::pack(&[piece], &Default::default())).unwrap();
        let source = sources::begin(&conn, "packages.tar").unwrap();
        let stage = stages::begin(&conn, source, "then", "tester", None).unwrap();
        stages::add(&conn, stage, zip).unwrap();
        stages::finish(&conn, stage, None, &Default::default(), 0).unwrap();

        sweep(&conn, mark);
        assert_eq!(texts(&conn), ["known", "second"]);
        stages::end(&conn, stage).unwrap();
        // The recipe goes with its artifact, and only then the stream is in no use.
        sweep(&conn, mark);
        sweep(&conn, mark);
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

        sweep(&conn, mark);
        assert_eq!(texts(&conn), ["second"]);
        assert_eq!(streams::of_content(&conn, known).unwrap().id, second);
    }

    #[test]
    fn what_was_deleted_lately_stays_and_while_there_are_readers_the_newest_rows_do() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let made = change_set(&conn);
        let settings = BranchSettings::default();
        let kind = BranchKind::Release;
        let branch = branches::insert(&conn, &name("8.5.0"), kind, &settings, made).unwrap();
        let held = ["1.0.0", "1.1.0"].map(|version| {
            let held = artifact(&conn, version, "a");
            artifacts::add_file(&conn, held, "a", content(&conn, version)).unwrap();
            branches::put(&conn, branch, held, made).unwrap();
            held
        });
        let run = |released_after: &str, readers| {
            let mut sweep = Sweep::all(&conn, released_after, readers).unwrap();
            while sweep.step(&conn).unwrap() == Step::More {}
            let is_here = |id| artifacts::get(&conn, id).unwrap().is_some();
            (held.map(is_here), texts(&conn).len())
        };
        assert_eq!(run(NEVER, false), ([true, true], 2));
        former::delete_branch(&conn, branch, change_set(&conn)).unwrap();
        // The change sets of the examples are of ten o'clock.
        assert_eq!(run("2026-11-22T09:59:59Z", false), ([true, true], 2));
        assert_eq!(run("2026-11-22T10:00:00Z", true), ([false, true], 1));
        assert_eq!(run("2026-11-22T10:00:00Z", false), ([false, false], 0));
    }

    #[test]
    fn what_a_sweep_has_begun_to_take_is_found_by_no_import_that_comes_in_between() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let zip = artifact(&conn, "1.0.0", "a");
        let sha256 = artifacts::get(&conn, zip).unwrap().unwrap().sha256;
        artifacts::add_file(&conn, zip, "a", content(&conn, "text")).unwrap();
        let mut sweep = Sweep::all(&conn, NEVER, false).unwrap();
        sweep.step(&conn).unwrap();
        assert_eq!(artifacts::find(&conn, &sha256).unwrap(), None);
        let source = sources::begin(&conn, "packages.tar").unwrap();
        let stage = stages::begin(&conn, source, "then", "tester", None).unwrap();
        assert_eq!(sweep.step(&conn).unwrap(), Step::Importing);
        stages::end(&conn, stage).unwrap();
        while contents::find(&conn, &Digest::of(b"text"))
            .unwrap()
            .is_some()
        {
            assert_eq!(sweep.step(&conn).unwrap(), Step::More);
        }
        assert_eq!(texts(&conn), ["text"]);
        while sweep.step(&conn).unwrap() == Step::More {}
        assert!(texts(&conn).is_empty());
    }
}

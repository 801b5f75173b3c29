//! A zip as a code host offers it, read through its central directory, one entry at a time.
//!
//! Facts: PKWARE APPNOTE 6.3.10 and what `git archive` writes. A zip says everything twice and programs believe one or
//! the other, so the two must agree; entries must lie in the order they are listed in, side by side from the first byte
//! to the directory, which rules out overlapping entries, hidden ones and data in front with nothing to remember.
//! The crate `zip` keeps an index of all entries in memory and one of several entries with the same name, so its
//! reader is used in tests only. Zips that have to come back to the byte are read by [`exact`].

mod content;
mod directory;
pub(super) mod exact;
mod medium;
mod record;
mod whole;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::directory::Directory;
use self::record::modified;
use super::Member;
use super::error::{ArchiveError, Place};
use crate::limits::Limits;

pub(super) use self::content::Content;
pub(super) use self::medium::{Medium, Window};
pub use self::whole::Inflater;

/// Sizes of a data descriptor: with or without its signature, with 32-bit or 64-bit sizes.
const DESCRIPTOR_BYTES: [u64; 4] = [12, 16, 20, 24];

/// A zip and how far its directory was read.
pub(super) struct Zip {
    directory: Directory,
    /// Where the data of the last entry ended, and whether a data descriptor may follow.
    last_end: u64,
    last_has_descriptor: bool,
    /// What the entries so far announce to expand to.
    expanded_bytes: u64,
    bytes_read: Arc<AtomicU64>,
    expansion_ratio: u64,
}

impl Zip {
    /// Reads the end record; fails when the zip is in parts, cut off or followed by something else.
    pub(super) fn open(
        medium: Arc<Medium>,
        what: Arc<str>,
        bytes_read: Arc<AtomicU64>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        Ok(Self {
            directory: Directory::open(medium, what, limits)?,
            last_end: 0,
            last_has_descriptor: false,
            expanded_bytes: 0,
            bytes_read,
            expansion_ratio: limits.expansion_ratio,
        })
    }

    /// Returns the comment of the zip, where git writes the commit id.
    pub(super) fn comment(&self) -> Option<&str> {
        self.directory.comment.as_deref()
    }

    /// Goes to the next entry of the central directory.
    pub(super) fn next(&mut self) -> Result<Option<Member<Content>>, ArchiveError> {
        let Some(entry) = self.directory.next()? else {
            self.check_gap(self.directory.start)?;
            return Ok(None);
        };
        self.check_gap(entry.central.header_start)?;
        let located = self.directory.locate(&entry)?;
        let facts = entry.central.facts;
        self.last_end = located.data.end;
        self.last_has_descriptor = facts.has_descriptor();

        let shown = self.directory.shown(&entry.name);
        let member = match self.directory.judge(&entry) {
            Err(why) => Member::Refused(shown.clone(), why),
            Ok((path, Some(what))) => Member::Skipped(path, what),
            Ok((path, None)) if entry.name.ends_with(b"/") => Member::Directory(path),
            Ok((path, None)) => {
                self.check_ratio(facts.size_bytes)?;
                let data = self.directory.window(located.data);
                let content =
                    Content::new(data, &facts, path.as_str(), Arc::clone(&self.bytes_read));
                Member::File {
                    size_bytes: facts.size_bytes,
                    modified_seconds: modified(&entry.extra),
                    content,
                    path,
                }
            }
        };
        self.directory.place = Place::After(shown);
        Ok(Some(member))
    }

    /// Requires that another file of `size_bytes` does not make the zip a bomb: deflate can do 1,032 to one.
    fn check_ratio(&mut self, size_bytes: u64) -> Result<(), ArchiveError> {
        self.expanded_bytes = self.expanded_bytes.saturating_add(size_bytes);
        if self.expanded_bytes > self.directory.max_expanded_bytes() {
            return Err(ArchiveError::ExpandsTooFar {
                place: self.directory.place.clone(),
                ratio: self.expansion_ratio,
            });
        }
        Ok(())
    }

    /// Requires that nothing but a data descriptor lies between the last entry and `start`.
    fn check_gap(&self, start: u64) -> Result<(), ArchiveError> {
        let damaged = |why: &str| self.directory.damaged(why);
        match start.checked_sub(self.last_end) {
            Some(0) => Ok(()),
            Some(gap) if self.last_has_descriptor && DESCRIPTOR_BYTES.contains(&gap) => Ok(()),
            Some(gap) => Err(damaged(&format!("{gap} bytes in front belong to no entry"))),
            None => Err(damaged(
                "it overlaps another entry, or is listed out of order",
            )),
        }
    }
}

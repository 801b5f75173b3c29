//! The central directory of a zip and the local headers it leads to, which have to agree.
//!
//! Facts: PKWARE APPNOTE 6.3.10. A zip says everything twice and programs believe one or the other. How its entries lie is
//! judged by who reads it.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

use super::content::{DEFLATED, STORED};
use super::medium::{Medium, Window};
use super::record::{
    CENTRAL_BYTES, Central, END_BYTES, END64_BYTES, End, Facts, LOCAL_BYTES, LOCATOR64_BYTES,
    find_end, parse_locator64, unicode_path,
};
use crate::archive::error::{ArchiveError, Place};
use crate::archive::path::{self, MemberPath};
use crate::archive::{Refusal, Skipped};
use crate::limits::Limits;

const BUFFER_BYTES: usize = 256 << 10;

/// A central directory and how far it was read.
pub(super) struct Directory {
    pub(super) medium: Arc<Medium>,
    pub(super) what: Arc<str>,
    /// Bytes of the whole zip.
    pub(super) length: u64,
    /// Where the directory begins.
    pub(super) start: u64,
    /// Bytes of its entries.
    pub(super) bytes: u64,
    /// Entries that are still to come.
    pub(super) entries_left: u64,
    /// The comment of the zip, where it is text.
    pub(super) comment: Option<String>,
    pub(super) place: Place,
    reader: BufReader<Window>,
    limits: Limits,
}

/// An entry of the directory.
pub(super) struct Listed {
    pub(super) central: Central,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
}

/// Where an entry's bytes lie, and what its local header says.
pub(super) struct Located {
    pub(super) local: Facts,
    pub(super) data: Range<u64>,
}

impl Directory {
    /// Reads the end record; fails when the zip is in parts, cut off or followed by something else.
    pub(super) fn open(
        medium: Arc<Medium>,
        what: Arc<str>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let length = medium.length().map_err(|source| ArchiveError::Io {
            what: what.to_string(),
            source,
        })?;
        // The comment behind the end record has at most 65,535 bytes.
        let tail_start = length.saturating_sub((END_BYTES + usize::from(u16::MAX)) as u64);
        let window = |position, end| Window {
            medium: Arc::clone(&medium),
            what: Arc::clone(&what),
            position,
            end,
        };
        let mut tail = Vec::new();
        window(tail_start, length).read_to_end(&mut tail)?;
        let damaged = |why: &str| ArchiveError::Damaged {
            place: Place::Start,
            why: why.to_owned(),
        };
        let end_at = find_end(&tail).ok_or(ArchiveError::Truncated {
            place: Place::Start,
        })?;
        let (mut end, comment) = tail
            .get(end_at..)
            .and_then(End::parse)
            .ok_or_else(|| damaged("its end record is not the end of the file"))?;
        let mut directory_end = tail_start + end_at as u64;

        if let Some(locator_start) = directory_end.checked_sub(LOCATOR64_BYTES) {
            let locator = window(locator_start, directory_end).read_up_to(LOCATOR64_BYTES)?;
            if let Some(end64_start) = parse_locator64(&locator) {
                let record = window(end64_start, length).read_up_to(END64_BYTES)?;
                end = Some(&record)
                    .filter(|_| end64_start.checked_add(END64_BYTES) == Some(locator_start))
                    .and_then(|record| end.parse64(record))
                    .ok_or_else(|| damaged("its zip64 end record contradicts its end record"))?;
                directory_end = end64_start;
            }
        }
        if !end.is_whole {
            return Err(damaged("it is one of several parts"));
        }
        if end.directory_start.checked_add(end.directory_bytes) != Some(directory_end) {
            return Err(damaged(
                "its central directory does not end where its end record begins",
            ));
        }
        if end.entries > limits.source_members {
            return Err(ArchiveError::TooManyMembers {
                limit: limits.source_members,
            });
        }
        Ok(Self {
            reader: BufReader::with_capacity(
                BUFFER_BYTES,
                window(end.directory_start, directory_end),
            ),
            length,
            start: end.directory_start,
            bytes: end.directory_bytes,
            entries_left: end.entries,
            comment: String::from_utf8(comment.to_vec())
                .ok()
                .filter(|text| !text.is_empty()),
            place: Place::Start,
            limits: limits.clone(),
            medium,
            what,
        })
    }

    /// Goes to the next entry; `None` once the directory was read to its very end.
    pub(super) fn next(&mut self) -> Result<Option<Listed>, ArchiveError> {
        if self.entries_left == 0 {
            let mut rest = [0];
            if self.reader.read(&mut rest)? != 0 {
                return Err(self
                    .damaged("its central directory has more entries than its end record counts"));
            }
            return Ok(None);
        }
        let record = self.take(CENTRAL_BYTES)?;
        let mut central = Central::parse(&record)
            .ok_or_else(|| self.damaged("an entry of the central directory is malformed"))?;
        let name = self.take(central.facts.name_bytes)?;
        let extra = self.take(central.facts.extra_bytes)?;
        self.take(central.comment_bytes)?;
        self.entries_left -= 1;
        self.place = Place::In(self.shown(&name));
        central
            .widen(&extra)
            .ok_or_else(|| self.damaged("its extra fields are malformed"))?;
        Ok(Some(Listed {
            central,
            name,
            extra,
        }))
    }

    /// Requires that the local header of an entry says what the directory says; returns where its data lies.
    pub(super) fn locate(&self, entry: &Listed) -> Result<Located, ArchiveError> {
        let (central, name) = (&entry.central, entry.name.as_slice());
        let read =
            |start: u64, bytes: usize| self.window(start..self.start).read_up_to(bytes as u64);
        let record = read(central.header_start, LOCAL_BYTES)?;
        let mut local =
            Facts::parse_local(&record).ok_or_else(|| self.damaged("it has no local header"))?;
        let rest_start = central.header_start.saturating_add(LOCAL_BYTES as u64);
        let rest = read(rest_start, local.name_bytes + local.extra_bytes)?;
        let parts = rest
            .split_at_checked(local.name_bytes)
            .filter(|(_, extra)| extra.len() == local.extra_bytes);
        let Some((local_name, local_extra)) = parts else {
            return Err(self.damaged("its local header is cut off"));
        };
        local
            .widen(local_extra)
            .ok_or_else(|| self.damaged("its local extra fields are malformed"))?;

        let told_later =
            |here: u64, there: u64| here == there || (here == 0 && local.has_descriptor());
        let agrees = local_name == name
            && local.method == central.facts.method
            && local.has_descriptor() == central.facts.has_descriptor()
            && local.is_encrypted() == central.facts.is_encrypted()
            && told_later(local.crc32.into(), central.facts.crc32.into())
            && told_later(local.packed_bytes, central.facts.packed_bytes)
            && told_later(local.size_bytes, central.facts.size_bytes);
        if !agrees {
            return Err(self.damaged("its local header contradicts the central directory"));
        }
        let start = rest_start.saturating_add(rest.len() as u64);
        let end = start
            .checked_add(central.facts.packed_bytes)
            .filter(|end| *end <= self.start)
            .ok_or_else(|| self.damaged("its data does not end before the central directory"))?;
        Ok(Located {
            local,
            data: start..end,
        })
    }

    /// Says what is wrong with one entry only, or that it is neither file nor directory.
    pub(super) fn judge(&self, entry: &Listed) -> Result<(MemberPath, Option<Skipped>), Refusal> {
        let (facts, name) = (&entry.central.facts, entry.name.as_slice());
        if unicode_path(&entry.extra).is_some_and(|other| other != name) {
            return Err(Refusal::TwoPaths);
        }
        let path = MemberPath::parse(name, self.limits.path_bytes)?;
        let is_directory = name.ends_with(b"/");
        match entry.central.unix_type {
            0 => {}
            0o100_000 if !is_directory => {}
            0o040_000 if is_directory => {}
            0o120_000 => return Ok((path, Some(Skipped::SymbolicLink))),
            0o010_000 => return Ok((path, Some(Skipped::Fifo))),
            0o020_000 | 0o060_000 => return Ok((path, Some(Skipped::Device))),
            _ => return Ok((path, Some(Skipped::Other))),
        }
        if is_directory {
            let is_empty = facts.size_bytes == 0;
            return if is_empty {
                Ok((path, None))
            } else {
                Err(Refusal::DirectoryWithContent)
            };
        }
        if facts.is_encrypted() {
            return Err(Refusal::Encrypted);
        }
        if ![STORED, DEFLATED].contains(&facts.method) {
            return Err(Refusal::Method(facts.method));
        }
        if facts.size_bytes > self.limits.entry_bytes {
            return Err(Refusal::TooLarge {
                size_bytes: facts.size_bytes,
                limit_bytes: self.limits.entry_bytes,
            });
        }
        Ok((path, None))
    }

    /// Returns how much more than its own size the zip may expand to, in bytes.
    pub(super) fn max_expanded_bytes(&self) -> u64 {
        self.length
            .saturating_mul(self.limits.expansion_ratio)
            .saturating_add(self.limits.expansion_free_bytes)
    }

    /// Returns a reader of part of the zip.
    pub(super) fn window(&self, range: Range<u64>) -> Window {
        Window {
            medium: Arc::clone(&self.medium),
            what: Arc::clone(&self.what),
            position: range.start,
            end: range.end,
        }
    }

    /// Returns a name fit for a message.
    pub(super) fn shown(&self, name: &[u8]) -> String {
        path::shown(name, self.limits.path_bytes)
    }

    pub(super) fn damaged(&self, why: &str) -> ArchiveError {
        ArchiveError::Damaged {
            place: self.place.clone(),
            why: why.to_owned(),
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::with_capacity(length);
        self.reader
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(self.damaged("the central directory is cut off"));
        }
        Ok(bytes)
    }
}

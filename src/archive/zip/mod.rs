//! A zip as a code host offers it, read through its central directory, one entry at a time.
//!
//! Facts: PKWARE APPNOTE 6.3.10 and what `git archive` writes. A zip says everything twice and programs believe one or
//! the other, so the two must agree; entries must lie in the order they are listed in, side by side from the first byte
//! to the directory, which rules out overlapping entries, hidden ones and data in front with nothing to remember.
//! The crate `zip` keeps an index of all entries in memory and one of several entries with the same name, so its
//! reader is used in tests only.

mod content;
mod record;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::content::{DEFLATED, STORED, Window};
use self::record::{
    CENTRAL_BYTES, Central, END_BYTES, END64_BYTES, End, Facts, LOCAL_BYTES, LOCATOR64_BYTES,
    find_end, modified, parse_locator64, unicode_path,
};
use super::error::{ArchiveError, Place};
use super::path::{self, MemberPath};
use super::{Member, Refusal, Skipped};
use crate::limits::Limits;

pub(super) use self::content::Content;

const DIRECTORY_BUFFER_BYTES: usize = 256 << 10;

/// Sizes of a data descriptor: with or without its signature, with 32-bit or 64-bit sizes.
const DESCRIPTOR_BYTES: [u64; 4] = [12, 16, 20, 24];

/// A zip and how far its directory was read.
pub(super) struct Zip {
    file: Arc<File>,
    what: String,
    directory: BufReader<Window>,
    directory_start: u64,
    entries_left: u64,
    /// Where the data of the last entry ended, and whether a data descriptor may follow.
    last_end: u64,
    last_has_descriptor: bool,
    /// What the entries so far announce to expand to, and what all may.
    expanded_bytes: u64,
    max_expanded_bytes: u64,
    comment: Option<String>,
    place: Place,
    bytes_read: Arc<AtomicU64>,
    limits: Limits,
}

/// Copies a stream to a temporary file without a name; it is gone with its handle.
pub(super) fn spool(mut stream: impl Read, folder: &Path) -> Result<File, ArchiveError> {
    let failed = |source| ArchiveError::Spool {
        folder: folder.display().to_string(),
        source,
    };
    let mut copy = tempfile::tempfile_in(folder).map_err(failed)?;
    io::copy(&mut stream, &mut copy).map_err(|error| {
        // A fault of the stream was wrapped where it was read; any other is the copy's.
        match error.downcast::<ArchiveError>() {
            Ok(of_the_stream) => of_the_stream,
            Err(of_the_copy) => failed(of_the_copy),
        }
    })?;
    Ok(copy)
}

impl Zip {
    /// Reads the end record; fails when the zip is in parts, cut off or followed by something else.
    pub(super) fn open(
        mut file: File,
        what: String,
        bytes_read: Arc<AtomicU64>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let io_failed = |source| ArchiveError::Io {
            what: what.clone(),
            source,
        };
        let length = file.seek(SeekFrom::End(0)).map_err(io_failed)?;
        // The comment behind the end record has at most 65,535 bytes.
        let tail_start = length.saturating_sub((END_BYTES + usize::from(u16::MAX)) as u64);
        let file = Arc::new(file);
        let window = |start, end| Window {
            file: Arc::clone(&file),
            what: what.clone(),
            position: start,
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
        let directory = window(end.directory_start, directory_end);
        Ok(Self {
            directory: BufReader::with_capacity(DIRECTORY_BUFFER_BYTES, directory),
            directory_start: end.directory_start,
            entries_left: end.entries,
            last_end: 0,
            last_has_descriptor: false,
            expanded_bytes: 0,
            max_expanded_bytes: length
                .saturating_mul(limits.expansion_ratio)
                .saturating_add(limits.expansion_free_bytes),
            comment: String::from_utf8(comment.to_vec())
                .ok()
                .filter(|text| !text.is_empty()),
            place: Place::Start,
            bytes_read,
            limits: limits.clone(),
            file,
            what,
        })
    }

    /// Returns the comment of the zip, where git writes the commit id.
    pub(super) fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Goes to the next entry of the central directory.
    pub(super) fn next(&mut self) -> Result<Option<Member<Content>>, ArchiveError> {
        if self.entries_left == 0 {
            let mut rest = [0];
            if self.directory.read(&mut rest)? != 0 {
                return Err(self
                    .damaged("its central directory has more entries than its end record counts"));
            }
            self.check_gap(self.directory_start)?;
            return Ok(None);
        }
        let record = self.directory_bytes(CENTRAL_BYTES)?;
        let mut central = Central::parse(&record)
            .ok_or_else(|| self.damaged("an entry of the central directory is malformed"))?;
        let name = self.directory_bytes(central.facts.name_bytes)?;
        let extra = self.directory_bytes(central.facts.extra_bytes)?;
        self.directory_bytes(central.comment_bytes)?;
        self.entries_left -= 1;

        let shown = path::shown(&name, self.limits.path_bytes);
        self.place = Place::In(shown.clone());
        central
            .widen(&extra)
            .ok_or_else(|| self.damaged("its extra fields are malformed"))?;
        self.check_gap(central.header_start)?;
        let data_start = self.check_local_header(&central, &name)?;
        let data_end = data_start
            .checked_add(central.facts.packed_bytes)
            .filter(|end| *end <= self.directory_start)
            .ok_or_else(|| self.damaged("its data does not end before the central directory"))?;
        self.last_end = data_end;
        self.last_has_descriptor = central.facts.has_descriptor();

        let facts = central.facts;
        let member = match self.judge(&central, &name, &extra) {
            Err(why) => Member::Refused(shown, why),
            Ok((path, Some(what))) => Member::Skipped(path, what),
            Ok((path, None)) if name.ends_with(b"/") => Member::Directory(path),
            Ok((path, None)) => {
                self.check_ratio(facts.size_bytes)?;
                let data = Window {
                    file: Arc::clone(&self.file),
                    what: self.what.clone(),
                    position: data_start,
                    end: data_end,
                };
                Member::File {
                    size_bytes: facts.size_bytes,
                    modified_seconds: modified(&extra),
                    content: Content::new(
                        data,
                        &facts,
                        path.as_str(),
                        Arc::clone(&self.bytes_read),
                    ),
                    path,
                }
            }
        };
        self.place = Place::After(path::shown(&name, self.limits.path_bytes));
        Ok(Some(member))
    }

    /// Says what is wrong with one entry only, or that it is neither file nor directory.
    fn judge(
        &self,
        central: &Central,
        name: &[u8],
        extra: &[u8],
    ) -> Result<(MemberPath, Option<Skipped>), Refusal> {
        let facts = &central.facts;
        if unicode_path(extra).is_some_and(|other| other != name) {
            return Err(Refusal::TwoPaths);
        }
        let path = MemberPath::parse(name, self.limits.path_bytes)?;
        let is_directory = name.ends_with(b"/");
        match central.unix_type {
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

    /// Requires that another file of `size_bytes` does not make the zip a bomb: deflate can do 1,032 to one.
    fn check_ratio(&mut self, size_bytes: u64) -> Result<(), ArchiveError> {
        self.expanded_bytes = self.expanded_bytes.saturating_add(size_bytes);
        if self.expanded_bytes > self.max_expanded_bytes {
            return Err(ArchiveError::ExpandsTooFar {
                place: self.place.clone(),
                ratio: self.limits.expansion_ratio,
            });
        }
        Ok(())
    }

    /// Requires that nothing but a data descriptor lies between the last entry and `start`.
    fn check_gap(&self, start: u64) -> Result<(), ArchiveError> {
        match start.checked_sub(self.last_end) {
            Some(0) => Ok(()),
            Some(gap) if self.last_has_descriptor && DESCRIPTOR_BYTES.contains(&gap) => Ok(()),
            Some(gap) => Err(self.damaged(&format!("{gap} bytes in front belong to no entry"))),
            None => Err(self.damaged("it overlaps another entry, or is listed out of order")),
        }
    }

    /// Requires that the local header says what the central one says; returns where the data begins.
    fn check_local_header(&self, central: &Central, name: &[u8]) -> Result<u64, ArchiveError> {
        let read = |start: u64, bytes: usize| {
            Window {
                file: Arc::clone(&self.file),
                what: self.what.clone(),
                position: start,
                end: self.directory_start,
            }
            .read_up_to(bytes as u64)
        };
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
        Ok(rest_start.saturating_add(rest.len() as u64))
    }

    fn directory_bytes(&mut self, length: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::with_capacity(length);
        self.directory
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(self.damaged("the central directory is cut off"));
        }
        Ok(bytes)
    }

    fn damaged(&self, why: &str) -> ArchiveError {
        ArchiveError::Damaged {
            place: self.place.clone(),
            why: why.to_owned(),
        }
    }
}

//! A zip that has to come back to the byte: where its files lie in it, and what lies between them.
//!
//! Facts: PKWARE APPNOTE 6.3.10. What is harmless is taken as it lies, understood or not: entries in any order, comments,
//! extra fields, directory entries or none, data descriptors, gaps. What programs read in different ways is refused, and
//! with it the whole zip: headers that disagree, entries that overlap, files the directory does not list, anything that
//! is no file. It knows nothing of packages but that their zips have one root folder with a manifest in it.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

use super::content::{Content, DEFLATED};
use super::directory::Directory;
use super::medium::{Medium, Window};
use super::record::{Central, Facts};
use crate::archive::error::ArchiveError;
use crate::archive::path::MemberPath;
use crate::archive::{KeptFile, Refusal, Skipped};
use crate::limits::Limits;

/// A zip whose headers were all read and found to agree; its contents are checked as they are read.
#[derive(Debug)]
pub struct ExactZip {
    pub(super) medium: Arc<Medium>,
    what: Arc<str>,
    length: u64,
    root: String,
    entries: Vec<ExactEntry>,
}

/// A file in an [`ExactZip`].
#[derive(Debug)]
pub struct ExactEntry {
    /// Its path below the root folder.
    pub path: String,
    /// Bytes of its content.
    pub size_bytes: u64,
    /// The CRC-32 of its content.
    pub crc32: u32,
    /// Whether it is deflated; else it is stored.
    pub is_deflated: bool,
    /// Where its content lies in the zip, as it is packed.
    pub data: Range<u64>,
    facts: Facts,
}

/// Why a zip cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ExactZipError {
    /// It is damaged or says two things, or the disk failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A member that must not be taken.
    #[error("{path}: {why}")]
    Refused {
        /// Its path, fit for a message.
        path: String,
        /// What is wrong with it.
        why: Refusal,
    },
    /// A member that is neither file nor directory.
    #[error("{path}: {what}")]
    NotAFile {
        /// Its path.
        path: String,
        /// What it is.
        what: Skipped,
    },
    /// Two entries share bytes: a bomb, or one thing to some programs and another to others.
    #[error("its entries overlap")]
    Overlap,
    /// A file between the others, where only some programs find it.
    #[error("it holds a file that its central directory does not list")]
    HiddenFile,
    /// A member beside the root folder, or no member at all.
    #[error("its files do not lie in one root folder")]
    NoRoot,
    /// More entries than `Limits::package_files`, folders counted too.
    #[error("it has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// What is no content of a file would have to be in memory whole.
    #[error("it has {bytes} bytes outside its files, more than {limit_bytes}")]
    LargeRest {
        /// Bytes of headers, directory, comment and gaps.
        bytes: u64,
        /// `Limits::zip_rest_bytes`.
        limit_bytes: u64,
    },
}

impl ExactZip {
    /// Reads all headers of a zip. Memory: the paths of its files.
    pub fn open(zip: KeptFile, limits: &Limits) -> Result<Self, ExactZipError> {
        let KeptFile { medium, what } = zip;
        let mut directory = Directory::open(medium, what, limits)?;
        let limit = u64::from(limits.package_files);
        if directory.entries_left > limit {
            return Err(ExactZipError::TooManyEntries { limit });
        }
        // Before it is read: all of it is literal.
        let within = |bytes: u64| match limits.zip_rest_bytes {
            limit_bytes if bytes > limit_bytes => {
                Err(ExactZipError::LargeRest { bytes, limit_bytes })
            }
            _ => Ok(()),
        };
        within(directory.bytes)?;
        let mut extents = Vec::new();
        let mut entries = Vec::new();
        let mut root: Option<String> = None;
        let mut expanded_bytes = 0_u64;
        while let Some(listed) = directory.next()? {
            let located = directory.locate(&listed)?;
            let end = descriptor_end(&directory, &located.local, &listed.central, &located.data)?;
            extents.push(listed.central.header_start..end);
            let shown = || directory.shown(&listed.name);
            let path = match directory.judge(&listed) {
                Ok((path, None)) => path,
                Ok((_, Some(what))) => {
                    let path = shown();
                    return Err(ExactZipError::NotAFile { path, what });
                }
                Err(why) => {
                    let path = shown();
                    return Err(ExactZipError::Refused { path, why });
                }
            };
            let is_directory = listed.name.ends_with(b"/");
            let inside = inside_root(&mut root, &path, is_directory)?;
            if is_directory {
                // An encoder may write the two bytes of an empty deflate stream.
                if listed.central.facts.packed_bytes > 2 {
                    let (path, why) = (shown(), Refusal::DirectoryWithContent);
                    return Err(ExactZipError::Refused { path, why });
                }
                continue;
            }
            let facts = listed.central.facts;
            expanded_bytes = expanded_bytes.saturating_add(facts.size_bytes);
            if expanded_bytes > directory.max_expanded_bytes() {
                let place = directory.place.clone();
                let ratio = limits.expansion_ratio;
                return Err(ArchiveError::ExpandsTooFar { place, ratio }.into());
            }
            entries.push(ExactEntry {
                path: inside,
                size_bytes: facts.size_bytes,
                crc32: facts.crc32,
                is_deflated: facts.method == DEFLATED,
                data: located.data,
                facts,
            });
        }
        let in_files: u64 = entries.iter().map(ExactEntry::packed_bytes).sum();
        within(directory.length.saturating_sub(in_files))?;
        check_extents(&directory, extents)?;
        entries.sort_by_key(|entry| entry.data.start);
        Ok(Self {
            root: root.ok_or(ExactZipError::NoRoot)?,
            length: directory.length,
            medium: directory.medium,
            what: directory.what,
            entries,
        })
    }

    /// Returns the name of the folder that all its members lie in.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Returns how many bytes the whole zip has.
    pub fn bytes(&self) -> u64 {
        self.length
    }

    /// Returns its files in the order they lie in; what is between them belongs to none. No two share a byte.
    pub fn entries(&self) -> &[ExactEntry] {
        &self.entries
    }

    /// Returns a reader of part of the zip as it lies. Its errors turn back into [`ArchiveError`]s by `From`.
    pub fn raw(&self, range: Range<u64>) -> impl Read + use<> {
        self.window(range)
    }

    /// Hands part of the zip, as it lies, to `each`, by way of `buffer` where it is not in memory. Its errors turn back into
    /// [`ArchiveError`]s by `From`.
    pub fn for_each_raw(
        &self,
        range: Range<u64>,
        buffer: &mut [u8],
        each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.window(range).for_each(buffer, each)
    }

    /// Returns a reader of the content of one of its entries, which has to be read to its end: it fails there when the
    /// content is not what was announced.
    pub fn content(&self, entry: &ExactEntry) -> impl Read + use<> {
        let data = self.window(entry.data.clone());
        Checked(Content::new(
            data,
            &entry.facts,
            &entry.path,
            Arc::default(),
        ))
    }

    fn window(&self, range: Range<u64>) -> Window {
        Window {
            medium: Arc::clone(&self.medium),
            what: Arc::clone(&self.what),
            position: range.start,
            end: range.end,
        }
    }
}

impl ExactEntry {
    /// Returns how many bytes its content has in the zip.
    pub fn packed_bytes(&self) -> u64 {
        self.data.end - self.data.start
    }
}

/// The content of an entry.
struct Checked(Content);

impl Read for Checked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(buf)?)
    }
}

/// Returns the path below the root folder, which the first member names and all others must share. Empty for the root.
fn inside_root(
    root: &mut Option<String>,
    path: &MemberPath,
    is_directory: bool,
) -> Result<String, ExactZipError> {
    let (first, inside) = match path.as_str().split_once('/') {
        Some(parts) => parts,
        None if is_directory => (path.as_str(), ""),
        None => return Err(ExactZipError::NoRoot),
    };
    match root {
        Some(root) if root != first => Err(ExactZipError::NoRoot),
        _ => {
            root.get_or_insert_with(|| first.to_owned());
            Ok(inside.to_owned())
        }
    }
}

/// Returns where an entry ends: behind its data descriptor, where it has one. That has to say what the directory says.
///
/// Its signature is optional and its sizes have 32 or 64 bits, which nothing tells but the bytes themselves.
fn descriptor_end(
    directory: &Directory,
    local: &Facts,
    central: &Central,
    data: &Range<u64>,
) -> Result<u64, ArchiveError> {
    if !local.has_descriptor() {
        return Ok(data.end);
    }
    let facts = &central.facts;
    let there = directory.window(data.end..directory.start).read_up_to(24)?;
    for signature in [&b"PK\x07\x08"[..], b""] {
        let crc32 = facts.crc32.to_le_bytes();
        let wide = [facts.packed_bytes, facts.size_bytes].map(u64::to_le_bytes);
        let mut forms = vec![[signature, &crc32, &wide[0], &wide[1]].concat()];
        if let (Ok(packed), Ok(size)) = (
            u32::try_from(facts.packed_bytes),
            u32::try_from(facts.size_bytes),
        ) {
            let narrow = [packed, size].map(u32::to_le_bytes);
            forms.push([signature, &crc32, &narrow[0], &narrow[1]].concat());
        }
        if let Some(form) = forms.iter().find(|form| there.starts_with(form)) {
            return Ok(data.end + form.len() as u64);
        }
    }
    // Some writers set the flag and know everything beforehand.
    let is_told = (local.crc32, local.packed_bytes, local.size_bytes)
        == (facts.crc32, facts.packed_bytes, facts.size_bytes);
    if is_told {
        return Ok(data.end);
    }
    Err(directory.damaged("its data descriptor contradicts the central directory"))
}

/// Requires that entries do not overlap and that no file hides between them.
fn check_extents(directory: &Directory, mut extents: Vec<Range<u64>>) -> Result<(), ExactZipError> {
    extents.sort_by_key(|extent| (extent.start, extent.end));
    extents.push(directory.start..directory.start);
    let mut last_end = 0;
    for extent in extents {
        if extent.start < last_end {
            return Err(ExactZipError::Overlap);
        }
        if hides_a_file(directory.window(last_end..extent.start))? {
            return Err(ExactZipError::HiddenFile);
        }
        last_end = extent.end;
    }
    Ok(())
}

/// Tells whether a local header begins somewhere in a gap.
fn hides_a_file(gap: Window) -> Result<bool, ArchiveError> {
    const LOCAL: &[u8] = b"PK\x03\x04";
    if gap.position == gap.end {
        return Ok(false);
    }
    let mut gap = BufReader::with_capacity(64 << 10, gap);
    let mut matched = 0;
    loop {
        let bytes = gap.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        for &byte in bytes {
            matched = match byte {
                byte if byte == LOCAL[matched] => matched + 1,
                b'P' => 1,
                _ => 0,
            };
            if matched == LOCAL.len() {
                return Ok(true);
            }
        }
        let count = bytes.len();
        gap.consume(count);
    }
}

/// Returns the root folder of a zip that has a manifest right in it, as the zip of a package has and that of a code host
/// has not. `None` where the directory cannot be read: whoever reads the zip then says why.
pub(in crate::archive) fn root_of_package(
    medium: &Arc<Medium>,
    what: &Arc<str>,
    limits: &Limits,
) -> Option<String> {
    let mut directory = Directory::open(Arc::clone(medium), Arc::clone(what), limits).ok()?;
    while let Some(listed) = directory.next().ok()? {
        let root = std::str::from_utf8(&listed.name)
            .ok()
            .and_then(|name| name.strip_suffix("/manifest.yml"))
            .filter(|root| !root.contains('/'));
        if let Some(root) = root {
            return MemberPath::parse(root.as_bytes(), limits.path_bytes)
                .ok()
                .map(|root| root.to_string());
        }
    }
    None
}

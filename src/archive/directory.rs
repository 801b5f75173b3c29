//! A directory on disk, read as if it were a tar, and packed into one.
//!
//! No link is followed: each folder is opened below the one before it, with `O_NOFOLLOW`, so that a link put in its place
//! meanwhile is an error and not a way out. The order is that of the names' bytes, folder by folder: the same on every
//! machine.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use tar::EntryType;

use super::error::{ArchiveError, Place};
use super::path::{self, MemberPath};
use super::source::ReadCounter;
use super::{Member, Refusal, Skipped};
use crate::limits::Limits;

/// A directory and how far it was walked.
pub(super) struct Walk {
    root: PathBuf,
    levels: Vec<Level>,
    members: u64,
    bytes_read: Arc<AtomicU64>,
    limits: Limits,
}

/// One folder that is being walked: its names, the next one last.
struct Level {
    folder: OwnedFd,
    names: Vec<CString>,
    /// Path below the root, with a slash behind; empty for the root.
    prefix: Vec<u8>,
}

/// A member, and its path as the disk has it.
pub(super) struct Found {
    raw: Vec<u8>,
    pub(super) member: Member<Content>,
}

/// The content of a file, as long as the file was when it was opened.
pub(super) struct Content {
    file: ReadCounter<File>,
    path: PathBuf,
    left: u64,
}

impl Walk {
    pub(super) fn open(
        root: &Path,
        bytes_read: Arc<AtomicU64>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let mut walk = Self {
            root: root.to_owned(),
            levels: Vec::new(),
            members: 0,
            bytes_read,
            limits: limits.clone(),
        };
        // The root may be a link: the operator named it.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(root, flags, Mode::empty())
            .map_err(|errno| walk.failed(b"", errno))?;
        walk.enter(folder, Vec::new())?;
        Ok(walk)
    }

    /// Goes to the next member: a folder comes before what lies in it.
    pub(super) fn next(&mut self) -> Result<Option<Found>, ArchiveError> {
        let (level, name) = loop {
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            match level.names.pop() {
                Some(name) => break (&*level, name),
                None => self.levels.pop(),
            };
        };
        let raw = [level.prefix.as_slice(), name.as_bytes()].concat();
        let found = rustix::fs::statat(&level.folder, &name, AtFlags::SYMLINK_NOFOLLOW);
        let kind = match found {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(errno) => return Err(self.failed(&raw, errno)),
        };
        let member = match MemberPath::parse(&raw, self.limits.path_bytes) {
            Err(why) => self.refused(&raw, why.into()),
            Ok(path) => match kind {
                FileType::RegularFile => self.file(path, &name, &raw)?,
                FileType::Directory => {
                    self.enter_below(&name, &raw)?;
                    Member::Directory(path)
                }
                FileType::Symlink => Member::Skipped(path, Skipped::SymbolicLink),
                FileType::Fifo => Member::Skipped(path, Skipped::Fifo),
                FileType::CharacterDevice | FileType::BlockDevice => {
                    Member::Skipped(path, Skipped::Device)
                }
                _ => Member::Skipped(path, Skipped::Other),
            },
        };
        Ok(Some(Found { raw, member }))
    }

    fn file(
        &self,
        path: MemberPath,
        name: &CString,
        raw: &[u8],
    ) -> Result<Member<Content>, ArchiveError> {
        // Not blocking: should the file have become a pipe meanwhile, opening must not wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(self.open_here(name, raw, flags)?);
        let stat = rustix::fs::fstat(&file).map_err(|errno| self.failed(raw, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(Member::Skipped(path, Skipped::Other));
        }
        let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
        let limit_bytes = self.limits.member_bytes(path.as_str());
        if size_bytes > limit_bytes {
            return Ok(self.refused(
                raw,
                Refusal::TooLarge {
                    size_bytes,
                    limit_bytes,
                },
            ));
        }
        Ok(Member::File {
            path,
            size_bytes,
            modified_seconds: Some(stat.st_mtime),
            content: Content {
                file: ReadCounter::new(file, Arc::clone(&self.bytes_read)),
                path: self.full_path(raw),
                left: size_bytes,
            },
        })
    }

    fn enter_below(&mut self, name: &CString, raw: &[u8]) -> Result<(), ArchiveError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = self.open_here(name, raw, flags)?;
        self.enter(folder, [raw, b"/"].concat())
    }

    fn open_here(
        &self,
        name: &CString,
        raw: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, ArchiveError> {
        let Some(level) = self.levels.last() else {
            return Err(self.failed(raw, rustix::io::Errno::NOENT));
        };
        rustix::fs::openat(&level.folder, name, flags, Mode::empty())
            .map_err(|errno| self.failed(raw, errno))
    }

    fn enter(&mut self, folder: OwnedFd, prefix: Vec<u8>) -> Result<(), ArchiveError> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder).map_err(|errno| self.failed(&prefix, errno))? {
            let entry = entry.map_err(|errno| self.failed(&prefix, errno))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.members += 1;
            if self.members > self.limits.source_members {
                return Err(ArchiveError::TooManyMembers {
                    limit: self.limits.source_members,
                });
            }
            names.push(name.to_owned());
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        self.levels.push(Level {
            folder,
            names,
            prefix,
        });
        Ok(())
    }

    fn refused(&self, raw: &[u8], why: Refusal) -> Member<Content> {
        Member::Refused(path::shown(raw, self.limits.path_bytes), why)
    }

    fn full_path(&self, raw: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(raw))
    }

    fn failed(&self, raw: &[u8], errno: rustix::io::Errno) -> ArchiveError {
        ArchiveError::Io {
            what: self.full_path(raw).display().to_string(),
            source: errno.into(),
        }
    }
}

impl Content {
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, ArchiveError> {
        let wanted = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        let Some(target) = buf.get_mut(..wanted).filter(|target| !target.is_empty()) else {
            return Ok(0);
        };
        match self.file.read(target) {
            // It shrank while it was read.
            Ok(0) => Err(ArchiveError::Truncated {
                place: Place::In(self.path.display().to_string()),
            }),
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(source) => Err(ArchiveError::Io {
                what: self.path.display().to_string(),
                source,
            }),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(Self::read(self, buf)?)
    }
}

/// Writes a directory as a plain tar, without the folders, in the order an import of the directory itself would see it.
///
/// `prefix` stands in front of every path, as `git archive` puts one there; nothing where it is empty.
///
/// What is refused for its path is written under that path without its content, and so is what is neither file nor
/// folder, under its own type: whoever reads the tar refuses it too instead of never hearing of it. A file of any size
/// is written: the reader has the last word. Returns the number of files. Memory: the names in the folders on the way
/// down.
pub fn pack_directory(
    directory: &Path,
    prefix: &str,
    out: impl Write,
    limits: &Limits,
) -> Result<u64, ArchiveError> {
    pack_walk(directory, prefix, out, limits, |content| Box::new(content))
}

/// Returns how many bytes [`pack_directory`] would write, as far as the directory stays as it is. Reads no file.
pub fn packed_directory_bytes(
    directory: &Path,
    prefix: &str,
    limits: &Limits,
) -> Result<u64, ArchiveError> {
    let mut bytes = Counted(0);
    pack_walk(directory, prefix, &mut bytes, limits, |content| {
        Box::new(io::repeat(0).take(content.left))
    })?;
    Ok(bytes.0)
}

/// Writes files as a plain tar, each under the name beside it, in the order given.
pub fn pack_files(files: &[(String, PathBuf)], out: impl Write) -> Result<(), ArchiveError> {
    pack_list(files, out, |content| Box::new(content))
}

/// Returns how many bytes [`pack_files`] would write, as far as the files stay as they are. Reads no file.
pub fn packed_files_bytes(files: &[(String, PathBuf)]) -> Result<u64, ArchiveError> {
    let mut bytes = Counted(0);
    pack_list(files, &mut bytes, |content| {
        Box::new(io::repeat(0).take(content.left))
    })?;
    Ok(bytes.0)
}

/// Counts what is written to it.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pack_list(
    files: &[(String, PathBuf)],
    out: impl Write,
    open: impl Fn(Content) -> Box<dyn Read>,
) -> Result<(), ArchiveError> {
    let mut tar = tar::Builder::new(out);
    for (name, path) in files {
        let failed = |source| ArchiveError::Io {
            what: path.display().to_string(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let left = file.metadata().map_err(failed)?.len();
        let content = Content {
            file: ReadCounter::new(file, Arc::default()),
            path: path.clone(),
            left,
        };
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(left);
        // The time of the copy says nothing of a package in a zip, and would make equal sources differ.
        header.set_mtime(0);
        tar.append_data(&mut header, name, open(content))
            .map_err(of_file_or_writer)?;
    }
    finish(tar)
}

fn pack_walk(
    directory: &Path,
    prefix: &str,
    out: impl Write,
    limits: &Limits,
    open: impl Fn(Content) -> Box<dyn Read>,
) -> Result<u64, ArchiveError> {
    let limits = Limits {
        entry_bytes: u64::MAX,
        ..limits.clone()
    };
    let mut walk = Walk::open(directory, Arc::default(), &limits)?;
    let mut tar = tar::Builder::new(out);
    let mut files = 0;
    while let Some(found) = walk.next()? {
        let path = Path::new(prefix).join(OsStr::from_bytes(&found.raw));
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        let written = match found.member {
            Member::File {
                size_bytes,
                modified_seconds,
                content,
                ..
            } => {
                files += 1;
                header.set_size(size_bytes);
                header.set_mtime(
                    modified_seconds
                        .and_then(|time| u64::try_from(time).ok())
                        .unwrap_or(0),
                );
                tar.append_data(&mut header, &path, open(content))
            }
            Member::Refused(..) => {
                header.set_size(0);
                tar.append_data(&mut header, &path, io::empty())
            }
            Member::Skipped(_, what) => {
                header.set_entry_type(match what {
                    Skipped::SymbolicLink => EntryType::Symlink,
                    Skipped::HardLink => EntryType::Link,
                    Skipped::Device => EntryType::Char,
                    Skipped::Fifo => EntryType::Fifo,
                    // POSIX leaves the capital letters to whoever has a use for them; GNU tar has none for this one.
                    Skipped::Sparse | Skipped::Other => EntryType::new(b'Z'),
                });
                header.set_size(0);
                tar.append_data(&mut header, &path, io::empty())
            }
            Member::Directory(_) => Ok(()),
        };
        written.map_err(of_file_or_writer)?;
    }
    finish(tar)?;
    Ok(files)
}

fn of_file_or_writer(error: io::Error) -> ArchiveError {
    match error.downcast::<ArchiveError>() {
        Ok(of_the_file) => of_the_file,
        Err(of_the_writer) => ArchiveError::Write(of_the_writer),
    }
}

fn finish(tar: tar::Builder<impl Write>) -> Result<(), ArchiveError> {
    tar.into_inner()
        .and_then(|mut out| out.flush())
        .map_err(ArchiveError::Write)
}

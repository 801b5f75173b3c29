//! Hostile bytes in, bounded entries out.
//!
//! Reads a tar (plain, or under one layer of gzip, zstd or xz), the zip a code host offers, or a directory on disk, from
//! front to back, and hands out one entry at a time. The zip of one package is handed out whole, as the only entry; what
//! is in it is for [`ExactZip`], as it is for zips that are entries of a tar. It knows nothing of packages or the store,
//! creates nothing but the temporary copy of a zip that came as a stream, follows no link, undoes no second layer of
//! compression and holds no entry in memory unasked. Facts and their sources stand at the head of each file.
//!
//! Two kinds of fault are told apart. What is wrong with one member only is an entry of its own, [`Entry::Refused`], so
//! that the package it belongs to can be put aside and the rest imported. What leaves the meaning of the following bytes
//! open is an [`ArchiveError`] and ends the reading. Which entries belong together, and whether one comes twice, is the
//! caller's to judge.

mod directory;
mod error;
mod expand;
mod path;
mod source;
mod tar;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use self::directory::pack_directory;
pub use self::error::{ArchiveError, Inside, Place};
pub use self::path::{MemberPath, PathRefusal};
pub use self::source::{Format, ReadCounter};
pub use self::zip::exact::{ExactEntry, ExactZip, ExactZipError};

use self::expand::Expanded;
use self::source::Source;
use crate::limits::Limits;

/// Where the bytes come from.
pub enum Origin {
    /// A file, or a directory to be walked.
    Path(PathBuf),
    /// Standard input, an upload; read to its very end before [`Archive::next`] returns `None`.
    Stream(Box<dyn Read + Send>),
}

/// An archive whose format is known.
pub struct Archive {
    format: Format,
    body: Body,
}

enum Body {
    Tar(Box<tar::Tar>),
    Zip(Box<zip::Zip>),
    Directory(Box<directory::Walk>),
    // Handed out once.
    PackageZip(Option<(MemberPath, KeptFile)>),
}

/// A file of an archive that is kept to be read at any place, as long as this lives: in memory, or in a file without a
/// name.
#[derive(Debug)]
pub struct KeptFile {
    medium: Arc<zip::Medium>,
    what: Arc<str>,
}

/// A member of an archive.
pub enum Entry<'a> {
    /// A file, to be read or left.
    File(FileEntry<'a>),
    /// A directory; nothing says that one comes before what lies in it, or comes at all.
    Directory(MemberPath),
    /// Something that is neither, left out.
    Skipped {
        /// Its path.
        path: MemberPath,
        /// What it is.
        what: Skipped,
    },
    /// A member that must not be taken.
    Refused {
        /// Its path, fit for a message: escaped, and cut at `Limits::path_bytes`.
        path: String,
        /// What is wrong with it.
        why: Refusal,
    },
}

/// A file in an archive. Reading is optional: what is left unread is skipped by the next call of [`Archive::next`].
pub struct FileEntry<'a> {
    /// Its path.
    pub path: MemberPath,
    /// Bytes of its content; reading gives exactly these or fails.
    pub size_bytes: u64,
    /// When it was changed, in seconds since 1970, where the archive says so in UTC.
    pub modified_seconds: Option<i64>,
    content: Content<'a>,
}

enum Content<'a> {
    Tar(&'a mut tar::Tar),
    // Boxed: a deflate decoder is large beside the others.
    Zip(Box<zip::Content>),
    Directory(directory::Content),
    Kept(KeptFile, zip::Window),
}

/// What is left out because it is neither file nor directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// A symbolic link.
    #[error("symbolic link")]
    SymbolicLink,
    /// A hard link to another member.
    #[error("hard link")]
    HardLink,
    /// A character or block device.
    #[error("device")]
    Device,
    /// A named pipe.
    #[error("named pipe")]
    Fifo,
    /// A file with holes, of which an archive holds pieces and a map.
    #[error("sparse file")]
    Sparse,
    /// A socket, or a type known to one program only.
    #[error("member of an unknown type")]
    Other,
}

/// What is wrong with one member of an archive that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its path is not harmless everywhere.
    #[error(transparent)]
    Path(#[from] PathRefusal),
    /// Larger than `Limits::entry_bytes`.
    #[error("the file has {size_bytes} bytes, more than {limit_bytes}")]
    TooLarge {
        /// What the archive announces.
        size_bytes: u64,
        /// `Limits::entry_bytes`.
        limit_bytes: u64,
    },
    /// Its headers give two different paths, and programs take one or the other.
    #[error("the file has two different paths")]
    TwoPaths,
    /// A slash behind its path and bytes in it.
    #[error("a directory has content")]
    DirectoryWithContent,
    /// Encrypted, in a zip.
    #[error("the file is encrypted")]
    Encrypted,
    /// Neither stored nor deflated, in a zip.
    #[error("the file is compressed by method {0}, only 0 (stored) and 8 (deflated) are read")]
    Method(u16),
}

impl Archive {
    /// Opens an archive and tells its format by its first bytes.
    ///
    /// `bytes_read` is added to while bytes are taken from the origin (of a zip on disk: those of the contents), for
    /// others to look at. A zip that comes as a stream is copied to an unnamed temporary file in `spool` before this
    /// returns; how much may be written there is for the caller to bound. Memory: the decoder's window and 1.3 MiB.
    pub fn open(
        origin: Origin,
        spool: &Path,
        bytes_read: Arc<AtomicU64>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let (stream, what, file) = match origin {
            Origin::Stream(stream) => (stream, "the stream".to_owned(), None),
            Origin::Path(path) => {
                let what = path.display().to_string();
                let failed = |source| ArchiveError::Io {
                    what: what.clone(),
                    source,
                };
                let file = File::open(&path).map_err(failed)?;
                let metadata = file.metadata().map_err(failed)?;
                if metadata.is_dir() {
                    let walk = directory::Walk::open(&path, bytes_read, limits)?;
                    return Ok(Self {
                        format: Format::Directory,
                        body: Body::Directory(Box::new(walk)),
                    });
                }
                let other_handle = file.try_clone().map_err(failed)?;
                let seekable = metadata.is_file().then_some(other_handle);
                (Box::new(file) as Box<dyn Read + Send>, what, seekable)
            }
        };
        let counted = Box::new(ReadCounter::new(stream, Arc::clone(&bytes_read)));
        let (format, raw) = Source::new(counted, what.clone()).detect()?;
        let body = match (format, file) {
            (Format::Zip, Some(file)) => {
                Body::of_zip(zip::Medium::File(file), &what, bytes_read, limits)?
            }
            (Format::Zip, None) => {
                let copy = zip::Medium::spool(raw, spool)?;
                let what = format!("the temporary copy of {what}");
                Body::of_zip(copy, &what, Arc::default(), limits)?
            }
            _ => {
                let expanded = Expanded::new(raw, format, limits)?;
                Body::Tar(Box::new(tar::Tar::open(expanded, limits)?))
            }
        };
        Ok(Self { format, body })
    }

    /// Returns what the bytes turned out to be.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns what the archive says of itself: git writes the commit id there.
    ///
    /// Of a tar it is known once the first entry was asked for. It is bounded, but not checked to be a commit id.
    pub fn comment(&self) -> Option<&str> {
        match &self.body {
            Body::Tar(tar) => tar.comment(),
            Body::Zip(zip) => zip.comment(),
            Body::Directory(_) | Body::PackageZip(_) => None,
        }
    }

    /// Goes to the next entry, past what of the last one was not read.
    ///
    /// `None` once everything was read to its very end, so that a stream's digest covers all of it. After an error the
    /// archive is of no more use.
    // Not an iterator: an entry borrows the archive.
    #[expect(
        clippy::should_implement_trait,
        reason = "an entry borrows the archive, an iterator's item cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, ArchiveError> {
        Ok(match &mut self.body {
            Body::Tar(tar) => tar
                .next()?
                .map(|member| member.into_entry(|()| Content::Tar(tar))),
            Body::Zip(zip) => zip
                .next()?
                .map(|member| member.into_entry(|content| Content::Zip(Box::new(content)))),
            Body::Directory(walk) => walk
                .next()?
                .map(|found| found.member.into_entry(Content::Directory)),
            Body::PackageZip(zip) => match zip.take() {
                None => None,
                Some((path, kept)) => Some(Entry::File(FileEntry::of_kept(path, kept)?)),
            },
        })
    }
}

impl Body {
    /// Returns what a zip is: one that a package came in, or a container of files as a tar is.
    fn of_zip(
        medium: zip::Medium,
        what: &str,
        bytes_read: Arc<AtomicU64>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let (medium, what) = (Arc::new(medium), Arc::from(what));
        let path = zip::exact::root_of_package(&medium, &what, limits).and_then(|root| {
            MemberPath::parse(format!("{root}.zip").as_bytes(), limits.path_bytes).ok()
        });
        Ok(match path {
            Some(path) => Self::PackageZip(Some((path, KeptFile { medium, what }))),
            None => Self::Zip(Box::new(zip::Zip::open(medium, what, bytes_read, limits)?)),
        })
    }
}

impl<'a> FileEntry<'a> {
    fn of_kept(path: MemberPath, kept: KeptFile) -> Result<Self, ArchiveError> {
        let content = zip::Window::of_all(&kept.medium, &kept.what)?;
        Ok(Self {
            path,
            size_bytes: content.left_bytes(),
            modified_seconds: None,
            content: Content::Kept(kept, content),
        })
    }

    /// Keeps the file: in memory where it has at most `memory_bytes`, else in an unnamed temporary file in `spool`. The
    /// copy of a zip that came as a stream is kept where it is. How much may be written is for the caller to bound.
    pub fn keep(mut self, memory_bytes: u64, spool: &Path) -> Result<KeptFile, ArchiveError> {
        let medium = if let Content::Kept(kept, _) = self.content {
            return Ok(kept);
        } else if self.size_bytes <= memory_bytes {
            let mut bytes = Vec::with_capacity(self.size_bytes as usize);
            self.read_to_end(&mut bytes)?;
            zip::Medium::Memory(bytes)
        } else {
            zip::Medium::spool(&mut self, spool)?
        };
        Ok(KeptFile {
            medium: Arc::new(medium),
            what: Arc::from(self.path.as_str()),
        })
    }
}

/// A member as the three readers find it; `C` is what they need to read its content.
enum Member<C> {
    File {
        path: MemberPath,
        size_bytes: u64,
        modified_seconds: Option<i64>,
        content: C,
    },
    Directory(MemberPath),
    Skipped(MemberPath, Skipped),
    Refused(String, Refusal),
}

impl<C> Member<C> {
    fn into_entry<'a>(self, open: impl FnOnce(C) -> Content<'a>) -> Entry<'a> {
        match self {
            Self::File {
                path,
                size_bytes,
                modified_seconds,
                content,
            } => Entry::File(FileEntry {
                path,
                size_bytes,
                modified_seconds,
                content: open(content),
            }),
            Self::Directory(path) => Entry::Directory(path),
            Self::Skipped(path, what) => Entry::Skipped { path, what },
            Self::Refused(path, why) => Entry::Refused { path, why },
        }
    }
}

impl Read for FileEntry<'_> {
    /// Reads content; its errors turn back into [`ArchiveError`]s by `From`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Tar(tar) => tar.read(buf)?,
            Content::Zip(content) => content.read(buf)?,
            Content::Directory(content) => content.read(buf)?,
            Content::Kept(_, window) => window.read(buf)?,
        };
        Ok(count)
    }
}

//! One member of an archive, as it is handed out.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::buffers::Buffers;
use super::error::ArchiveError;
use super::path::{MemberPath, PathRefusal};
use super::{KeptFile, directory, image, tar, zip};

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

/// A file in an archive. Reading is optional: what is left unread is skipped by the next call of [`Archive::next`](super::Archive::next).
pub struct FileEntry<'a> {
    /// Its path.
    pub path: MemberPath,
    /// Bytes of its content; reading gives exactly these or fails.
    pub size_bytes: u64,
    /// When it was changed, in seconds since 1970, where the archive says so in UTC.
    pub modified_seconds: Option<i64>,
    content: Content<'a>,
}

pub(super) enum Content<'a> {
    Tar(&'a mut tar::Tar),
    Image(&'a mut image::Image),
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
    /// Larger than `Limits::member_bytes`.
    #[error("the file has {size_bytes} bytes, more than {limit_bytes}")]
    TooLarge {
        /// What the archive announces.
        size_bytes: u64,
        /// `Limits::member_bytes`, of a zip `Limits::entry_bytes`.
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

/// Bytes of a file that are read at once into memory that was not used lately: few enough that they come by way of a
/// buffer that was, which is faster than from the system directly.
const PART_BYTES: usize = 64 << 10;

impl<'a> FileEntry<'a> {
    pub(super) fn of_kept(path: MemberPath, kept: KeptFile) -> Result<Self, ArchiveError> {
        let content = zip::Window::of_all(&kept.medium, &kept.what)?;
        Ok(Self {
            path,
            size_bytes: content.left_bytes(),
            modified_seconds: None,
            content: Content::Kept(kept, content),
        })
    }

    /// Keeps the file: in memory, one of `buffers`, where it has at most `memory_bytes`, else in an unnamed temporary file in `spool`. The
    /// copy of a zip that came as a stream is kept where it is. How much may be written is for the caller to bound.
    pub fn keep(
        mut self,
        memory_bytes: u64,
        buffers: &Buffers,
        spool: &Path,
    ) -> Result<KeptFile, ArchiveError> {
        let medium = if let Content::Kept(kept, _) = self.content {
            return Ok(kept);
        } else if self.size_bytes <= memory_bytes {
            let bytes = buffers.filled(self.size_bytes as usize, |bytes| {
                let mut parts = bytes.chunks_mut(PART_BYTES);
                parts.try_for_each(|part| self.read_exact(part))
            })?;
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

impl Read for FileEntry<'_> {
    /// Reads content; its errors turn back into [`ArchiveError`]s by `From`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Tar(tar) => tar.read(buf)?,
            Content::Image(image) => image.read(buf)?,
            Content::Zip(content) => content.read(buf)?,
            Content::Directory(content) => content.read(buf)?,
            Content::Kept(_, window) => window.read(buf)?,
        };
        Ok(count)
    }
}

/// A member as the three readers find it; `C` is what they need to read its content.
pub(super) enum Member<C> {
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
    /// Returns the path, of a refused member as far as it can be shown.
    pub(super) fn path(&self) -> Option<&str> {
        Some(match self {
            Self::File { path, .. } | Self::Directory(path) | Self::Skipped(path, _) => {
                path.as_str()
            }
            Self::Refused(path, _) => path,
        })
    }

    pub(super) fn into_entry<'a>(self, open: impl FnOnce(C) -> Content<'a>) -> Entry<'a> {
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

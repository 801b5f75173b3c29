//! The bytes as they come: counted, and looked at for what they are.
//!
//! The format is told by its magic bytes (RFC 1952, RFC 8878, the xz and zip specifications, POSIX for tar), never by a
//! name.

use std::fmt;
use std::io::{self, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{ArchiveError, Place, shown_bytes};
use super::tar::Header;

/// What the bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A tar without compression.
    Tar,
    /// A tar under gzip, of one or more gzip members.
    TarGzip,
    /// A tar under zstd.
    TarZstd,
    /// A tar under xz.
    TarXz,
    /// A zip as a code host offers it.
    Zip,
    /// A directory on disk.
    Directory,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tar => "tar",
            Self::TarGzip => "gzip",
            Self::TarZstd => "zstd",
            Self::TarXz => "xz",
            Self::Zip => "zip",
            Self::Directory => "directory",
        })
    }
}

/// A reader that adds what it reads to a counter others can look at.
#[derive(Debug)]
pub struct ReadCounter<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> ReadCounter<R> {
    /// Returns a reader that adds the bytes it reads to `bytes`.
    pub fn new(inner: R, bytes: Arc<AtomicU64>) -> Self {
        Self { inner, bytes }
    }
}

impl<R: Read> Read for ReadCounter<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The raw source, its first block read ahead.
pub(super) type Raw = Chain<Cursor<Vec<u8>>, Source>;

/// The caller's reader: failures are told from damage in the bytes by being wrapped here.
pub(super) struct Source {
    inner: Box<dyn Read + Send>,
    what: String,
}

impl Source {
    pub(super) fn new(inner: Box<dyn Read + Send>, what: String) -> Self {
        Self { inner, what }
    }

    /// Reads the first block and tells the format by it.
    ///
    /// Fails when there are no bytes, or none of a known format; a source shorter than a block is told by what there is.
    pub(super) fn detect(mut self) -> Result<(Format, Raw), ArchiveError> {
        let mut head = Vec::with_capacity(Header::BYTES);
        self.by_ref()
            .take(Header::BYTES as u64)
            .read_to_end(&mut head)?;
        let format = match head.as_slice() {
            [] => return Err(ArchiveError::Empty),
            [0x1f, 0x8b, ..] => Format::TarGzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::TarZstd,
            // A skippable frame: parallel zstd writers put one in front.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Format::TarZstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::TarXz,
            // The first member, or the end record of a zip without any.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Format::Zip,
            _ => {
                tar_head(&head, super::Inside::Source)?;
                Format::Tar
            }
        };
        Ok((format, Cursor::new(head).chain(self)))
    }
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buf) {
                // Decompressors do not all try again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ArchiveError::Io {
                        what: self.what.clone(),
                        source,
                    }
                    .into());
                }
                Ok(count) => return Ok(count),
            }
        }
    }
}

/// Says whether the first block of something is that of a tar; `head` is shorter only when the bytes end there.
pub(super) fn tar_head(head: &[u8], inside: super::Inside) -> Result<Header, ArchiveError> {
    match Header::from_block(head) {
        Some(header) if header.looks_like_tar() => Ok(header),
        None if Header::begins_like_tar(head) => Err(ArchiveError::Truncated {
            place: Place::Start,
        }),
        _ if head.is_empty() => Err(ArchiveError::Empty),
        _ => Err(ArchiveError::NotAnArchive {
            format: inside,
            seen: shown_bytes(head),
        }),
    }
}

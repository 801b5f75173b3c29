//! Why an archive could not be read to its end.
//!
//! An [`ArchiveError`] ends the reading: what follows the fault cannot be trusted. What is wrong with one member only is
//! a [`Refusal`](super::Refusal), and the reading goes on.

use std::fmt;
use std::io;

use super::Format;
use super::image::ImageError;

/// Why an archive could not be read to its end.
///
/// Passes through [`io::Error`] unharmed: `ArchiveError::from(error)` gives back what a reader of this module wrapped.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The source itself failed: a disk, a pipe, an upload that broke off.
    #[error("cannot read {what}")]
    Io {
        /// The path, or "the stream".
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The temporary copy of a zip failed, most often because the disk is full.
    #[error("cannot keep a temporary copy of the zip in {folder}")]
    Spool {
        /// The folder the caller named.
        folder: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The temporary copy of an image failed, most often because the disk is full.
    #[error("cannot keep a temporary copy of the image in {folder}")]
    ImageCopy {
        /// The folder the caller named.
        folder: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// An image is not what it says it is.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A layer of an image cannot be read.
    #[error("cannot read the layer {layer}")]
    Layer {
        /// Its path in the image's file.
        layer: String,
        /// What is wrong with it.
        source: Box<Self>,
    },
    /// The receiver of a packed directory failed.
    #[error("cannot write the tar")]
    Write(#[source] io::Error),
    /// There is not a single byte, or none inside the compression.
    #[error("empty: there is nothing in it")]
    Empty,
    /// Neither a tar, plain or under one known compression, nor a zip.
    #[error("not an archive: the {format} begins with {seen}")]
    NotAnArchive {
        /// What was looked into: the file, or the one layer of compression that is undone.
        format: Inside,
        /// The first bytes, printable ones as text and the others in hexadecimal.
        seen: String,
    },
    /// The bytes ended too early.
    #[error("truncated {place}")]
    Truncated {
        /// Where.
        place: Place,
    },
    /// The bytes contradict themselves or their checksums, or programs disagree on what they mean.
    #[error("damaged {place}: {why}")]
    Damaged {
        /// Where.
        place: Place,
        /// What was found.
        why: String,
    },
    /// More members than `Limits::source_members`, extension headers and refused ones included.
    #[error("more than {limit} members")]
    TooManyMembers {
        /// `Limits::source_members`.
        limit: u64,
    },
    /// PAX or GNU headers of one member above `Limits::tar_extension_bytes`; found before they were read.
    #[error("{size} bytes of extension headers {place}, more than {limit}")]
    ExtensionTooLarge {
        /// Where.
        place: Place,
        /// What they announce.
        size: u64,
        /// `Limits::tar_extension_bytes`.
        limit: u64,
    },
    /// A zstd frame that needs a larger window than `Limits::zstd_window_log`.
    #[error("the zstd window is larger than {} MiB (2^{limit_log} bytes)", (1_u64 << limit_log) >> 20)]
    WindowTooLarge {
        /// `Limits::zstd_window_log`.
        limit_log: u32,
    },
    /// An xz stream that needs more memory than `Limits::xz_memory_bytes`.
    #[error("the xz decoder needs more than {} MiB of memory", limit_bytes >> 20)]
    MemoryTooLarge {
        /// `Limits::xz_memory_bytes`.
        limit_bytes: u64,
    },
    /// More than `ratio` bytes for each compressed one: nothing published comes near, a decompression bomb does.
    #[error("expands to more than {ratio} times its size {place}")]
    ExpandsTooFar {
        /// Where.
        place: Place,
        /// Bytes out for one byte in.
        ratio: u64,
    },
    /// Padding without end after the mark that ends a tar.
    #[error("more than {limit} bytes of padding after the end of the tar")]
    TooMuchPadding {
        /// Bytes.
        limit: u64,
    },
    /// Something other than padding after the mark that ends a tar: a second tar, or hidden data.
    #[error("the tar goes on after its end mark")]
    TrailingData,
}

/// What was looked into when no archive was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// The source as it came.
    Source,
    /// The one layer of compression that is undone.
    Layer(Format),
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source => f.write_str("source"),
            Self::Layer(format) => write!(f, "content of the {format}"),
        }
    }
}

/// Where in an archive something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before the first member was known.
    Start,
    /// In the bytes of this member.
    In(String),
    /// Behind this member, before the next was known.
    After(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("before its first member"),
            Self::In(member) => write!(f, "in {member}"),
            Self::After(member) => write!(f, "after {member}"),
        }
    }
}

impl ArchiveError {
    /// Returns the error with its place filled in, where a lower layer could not know it.
    pub(super) fn at(mut self, here: &Place) -> Self {
        if let Self::Truncated { place }
        | Self::Damaged { place, .. }
        | Self::ExpandsTooFar { place, .. } = &mut self
            && *place == Place::Start
        {
            *place = here.clone();
        }
        self
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        let kind = match &error {
            ArchiveError::Io { source, .. }
            | ArchiveError::Spool { source, .. }
            | ArchiveError::ImageCopy { source, .. }
            | ArchiveError::Write(source) => source.kind(),
            ArchiveError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<io::Error> for ArchiveError {
    /// Unwraps an error that began as an [`ArchiveError`]; any other is the source's own.
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(|source| Self::Io {
            what: "the source".to_owned(),
            source,
        })
    }
}

/// Returns the first bytes of something unknown, printable on one line.
pub(super) fn shown_bytes(bytes: &[u8]) -> String {
    let head = bytes.get(..16).unwrap_or(bytes);
    if head.iter().all(|b| (b' '..=b'~').contains(b)) {
        return format!("\"{}\"", String::from_utf8_lossy(head));
    }
    let hex: Vec<String> = head.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_error_survives_the_journey_as_an_io_error() {
        let outer = io::Error::from(ArchiveError::TooManyMembers { limit: 3 });
        assert!(matches!(
            ArchiveError::from(outer),
            ArchiveError::TooManyMembers { limit: 3 }
        ));
        let foreign = ArchiveError::from(io::Error::other("bad sector"));
        assert_eq!(foreign.to_string(), "cannot read the source");
    }

    #[test]
    fn a_known_place_is_not_overwritten() {
        let known = ArchiveError::Truncated {
            place: Place::In("a".into()),
        };
        assert_eq!(
            known.at(&Place::After("b".into())).to_string(),
            "truncated in a"
        );
    }

    #[test]
    fn unknown_bytes_are_shown_as_text_or_in_hexadecimal() {
        assert_eq!(
            shown_bytes(b"<!DOCTYPE html><html>"),
            "\"<!DOCTYPE html><\""
        );
        assert_eq!(shown_bytes(b"\x7fELF"), "7f 45 4c 46");
    }
}

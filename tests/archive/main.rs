//! Archives, sound and hostile, through the public door: what comes out is written down line by line.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

#[path = "../support/archives.rs"]
mod archives;
mod compression;
mod directory;
mod large_image;
mod shared;
mod tar;
mod truncation;
mod zip;

use std::error::Error;
use std::io::{Cursor, Read};
use std::sync::Arc;

use airlock::archive::{Archive, ArchiveError, Entry, Origin};
use airlock::limits::Limits;

/// What an archive gave: a line for each entry, then how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    entries: Vec<String>,
    /// `None` at a proper end, else the error with its causes.
    error: Option<String>,
}

impl Outcome {
    /// Returns the entries of an archive that must have been read to its end.
    fn entries(self) -> Vec<String> {
        assert_eq!(self.error, None, "after {:?}", self.entries);
        self.entries
    }

    /// Returns the error of an archive that must not have been read to its end.
    fn error(self) -> String {
        self.error.expect("the archive is at fault")
    }
}

/// Reads all of a stream.
fn read(bytes: impl AsRef<[u8]>) -> Outcome {
    read_within(bytes, &Limits::default())
}

fn read_within(bytes: impl AsRef<[u8]>, limits: &Limits) -> Outcome {
    let stream = Cursor::new(bytes.as_ref().to_vec());
    read_origin(Origin::Stream(Box::new(stream)), limits)
}

fn read_origin(origin: Origin, limits: &Limits) -> Outcome {
    let mut entries = Vec::new();
    let error = read_into(&mut entries, origin, limits).err();
    Outcome {
        entries,
        error: error.map(|error| with_causes(&error)),
    }
}

fn read_into(
    entries: &mut Vec<String>,
    origin: Origin,
    limits: &Limits,
) -> Result<(), ArchiveError> {
    let spool = std::env::temp_dir();
    let mut archive = Archive::open(origin, &spool, Arc::default(), limits)?;
    while let Some(entry) = archive.next()? {
        entries.push(line(entry)?);
    }
    assert!(archive.next()?.is_none(), "the end stays the end");
    Ok(())
}

/// Writes down an entry; a file is there only with all of its content.
fn line(entry: Entry<'_>) -> Result<String, ArchiveError> {
    Ok(match entry {
        Entry::File(mut file) => {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            assert_eq!(content.len() as u64, file.size_bytes, "of {}", file.path);
            match content.len() {
                0..40 => format!("{} = {}", file.path, content.escape_ascii()),
                length => format!("{} : {length} bytes", file.path),
            }
        }
        Entry::Directory(path) => format!("{path}/"),
        Entry::Skipped { path, what } => format!("{path} skipped: {what}"),
        Entry::Refused { path, why } => format!("{path} refused: {why}"),
    })
}

fn with_causes(error: &ArchiveError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    assert!(!text.contains('\n'), "{text:?} is one line");
    text
}

#[test]
fn an_archive_can_be_read_on_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Archive>();
    is_send::<ArchiveError>();
}

//! What an import has found in the store lately: the next version of a package has most of the same streams and contents.
//!
//! While an import is under way nothing of what it found is taken out of the store: neither a content nor a stream that came
//! in a zip.

use std::collections::HashMap;

use quick_cache::sync::Cache;

use super::error::ImportError;
use crate::crypto::Digest;
use crate::store::contents::{self, Content};
use crate::store::streams::{self, Stream};
use crate::store::{Store, StoreError};

/// How many of a kind are remembered, in some 150 bytes each: those of a dozen large packages.
const REMEMBERED: usize = 16_384;

/// Contents and streams of the store by their digests.
pub(super) struct Known {
    streams: Cache<Digest, (Stream, Content)>,
    contents: Cache<Digest, Content>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            streams: Cache::new(REMEMBERED),
            contents: Cache::new(REMEMBERED),
        }
    }
}

/// A file of a zip, as the store would hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sought {
    /// The deflate stream with this digest.
    Stream(Digest),
    /// The content with this digest.
    Content(Digest),
}

/// What the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub content: Content,
    /// The very stream, where one was sought.
    pub stream: Option<Stream>,
}

impl Known {
    /// Returns for each of `sought` what the store holds of it, in their order. One short transaction for what is not
    /// remembered.
    pub(super) fn find(
        &self,
        store: &Store,
        sought: &[Sought],
    ) -> Result<Vec<Option<Found>>, ImportError> {
        let mut found: Vec<_> = sought
            .iter()
            .map(|sought| self.remembered(sought))
            .collect();
        if found.iter().all(Option::is_some) {
            return Ok(found);
        }
        store.snapshot(|conn| {
            for (found, sought) in found.iter_mut().zip(sought) {
                if found.is_some() {
                    continue;
                }
                *found = match sought {
                    Sought::Stream(sha256) => {
                        let known = streams::find_deflated(conn, sha256)?;
                        known.inspect(|known| self.streams.insert(*sha256, *known));
                        known.map(of_stream)
                    }
                    Sought::Content(sha256) => {
                        let known = contents::find(conn, sha256)?;
                        known.inspect(|known| self.contents.insert(*sha256, *known));
                        known.map(of_content)
                    }
                };
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// Remembers what was stored in a transaction that was committed.
    pub(super) fn learn(&self, stored: HashMap<Sought, Found>) {
        for (sought, found) in stored {
            match (sought, found.stream) {
                (Sought::Stream(sha256), Some(stream)) => {
                    self.streams.insert(sha256, (stream, found.content));
                }
                (Sought::Stream(_), None) => {}
                (Sought::Content(sha256), _) => self.contents.insert(sha256, found.content),
            }
        }
    }

    fn remembered(&self, sought: &Sought) -> Option<Found> {
        match sought {
            Sought::Stream(sha256) => self.streams.get(sha256).map(of_stream),
            Sought::Content(sha256) => self.contents.get(sha256).map(of_content),
        }
    }
}

fn of_stream((stream, content): (Stream, Content)) -> Found {
    let stream = Some(stream);
    Found { content, stream }
}

fn of_content(content: Content) -> Found {
    let stream = None;
    Found { content, stream }
}

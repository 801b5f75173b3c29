//! What the entries of a package's zip hold: read and hashed where nothing is known of them, else taken from what lately
//! passed, or from the store.

use std::io::Read;
use std::ops::Range;

use super::collect::{self, Collecting};
use super::error::ImportError;
use super::known::{Found, Sought};
use super::package::Maker;
use super::recent::Seen;
use super::zip_contents::ZipFile;
use super::zip_package::Fault;
use crate::archive::{ExactEntry, ExactZip};
use crate::crypto::{Digest, Hasher};

/// Bytes of an entry, packed, that are looked at as a whole.
const WHOLE_BYTES: usize = 2 << 20;

impl Maker<'_> {
    /// Reads the contents of all files; those whose very stream the store holds need not be inflated for it.
    pub(super) fn read_files<'z>(
        &mut self,
        collected: &mut Collecting,
        zip: &'z ExactZip,
        buffer: &mut [u8],
    ) -> Result<Vec<ZipFile<'z>>, Fault> {
        let mut seen = Vec::with_capacity(zip.entries().len());
        let mut streams = Vec::with_capacity(zip.entries().len());
        for entry in zip.entries() {
            collected.admit(&entry.path, entry.size_bytes, self.limits)?;
            let packed = zip.packed(entry, WHOLE_BYTES)?;
            let mut lately = packed.as_ref().and_then(|it| self.recent.find(entry, it));
            if entry.is_deflated {
                let sha256 = match (&lately, &packed) {
                    (Some(lately), _) => lately.sha256,
                    (None, None) => raw_digest(zip, entry.data.clone(), buffer)?,
                    (None, Some(packed)) => {
                        let sha256 = Digest::of(packed);
                        lately = self.recent.remember(entry, packed, sha256);
                        sha256
                    }
                };
                streams.push(Sought::Stream(sha256));
            }
            seen.push(lately);
        }
        let found = self.known.find(self.store, &streams)?;
        let mut streams = streams.into_iter().zip(found).peekable();
        let mut files = Vec::with_capacity(zip.entries().len());
        for (entry, seen) in zip.entries().iter().zip(seen) {
            let stream = streams.next_if(|_| entry.is_deflated);
            let known = stream.and_then(|(_, known)| known);
            let mut manifest = None;
            let sha256 = match (known, seen) {
                (_, seen) if collect::is_manifest(&entry.path) => {
                    let (sha256, text) = self.manifest(zip, entry, seen.as_deref())?;
                    manifest = Some(text);
                    sha256
                }
                // What it announces is checked against what was checked before; where it lies, reading it says how.
                (Some(Found { content, .. }), _)
                    if (content.bytes, content.crc32) == (entry.size_bytes, entry.crc32) =>
                {
                    content.sha256
                }
                (_, Some(seen)) if !entry.is_deflated => seen.sha256,
                _ => self.content_digest(zip, entry, buffer)?,
            };
            files.push(ZipFile {
                entry,
                sha256,
                sought: stream.map_or(Sought::Content(sha256), |(sought, _)| sought),
                known,
                manifest,
            });
        }
        self.find_contents(&mut files)?;
        Ok(files)
    }

    /// Returns the content of a manifest, which is as announced, and its digest.
    fn manifest(
        &mut self,
        zip: &ExactZip,
        entry: &ExactEntry,
        seen: Option<&Seen>,
    ) -> Result<(Digest, Vec<u8>), Fault> {
        if let Some(read) = seen.and_then(|seen| seen.manifest.get()) {
            return Ok(read.clone());
        }
        let packed = zip.packed(entry, WHOLE_BYTES)?;
        let whole = packed.as_ref();
        let text = match whole.and_then(|packed| self.inflater.content(entry, packed)) {
            Some(text) => text.to_vec(),
            None => {
                let mut text = Vec::new();
                zip.content(entry).read_to_end(&mut text)?;
                text
            }
        };
        let read = (Digest::of(&text), text);
        let stored = packed.filter(|_| !entry.is_deflated);
        let new = stored.and_then(|packed| self.recent.remember(entry, &packed, read.0));
        if let Some(seen) = seen.or(new.as_deref()) {
            self.recent.remember_manifest(seen, read.clone());
        }
        Ok(read)
    }

    /// Returns the digest of an entry's content, which is as announced.
    fn content_digest(
        &mut self,
        zip: &ExactZip,
        entry: &ExactEntry,
        buffer: &mut [u8],
    ) -> Result<Digest, Fault> {
        if let Some(packed) = zip.packed(entry, WHOLE_BYTES)?
            && let Some(plain) = self.inflater.content(entry, &packed)
        {
            let sha256 = Digest::of(plain);
            if !entry.is_deflated {
                self.recent.remember(entry, &packed, sha256);
            }
            return Ok(sha256);
        }
        read_all(&mut zip.content(entry), buffer)
    }

    /// Looks for the contents of stored files in the store.
    fn find_contents(&self, files: &mut [ZipFile<'_>]) -> Result<(), ImportError> {
        let stored = |file: &&mut ZipFile<'_>| !file.entry.is_deflated;
        let sought: Vec<_> = files
            .iter_mut()
            .filter(stored)
            .map(|file| file.sought)
            .collect();
        let found = self.known.find(self.store, &sought)?;
        for (file, found) in files.iter_mut().filter(stored).zip(found) {
            file.known = found;
        }
        Ok(())
    }
}

/// Returns the digest of part of a zip, as it lies.
fn raw_digest(zip: &ExactZip, range: Range<u64>, buffer: &mut [u8]) -> Result<Digest, Fault> {
    let mut hasher = Hasher::default();
    zip.for_each_raw(range, buffer, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

/// Returns the digest of all that `reader` gives.
fn read_all(reader: &mut impl Read, buffer: &mut [u8]) -> Result<Digest, Fault> {
    let mut hasher = Hasher::default();
    loop {
        match reader.read(buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

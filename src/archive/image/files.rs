//! The members of an image's file, found without reading what is in them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::documents::shown;
use super::error::ImageError;
use crate::archive::Member;
use crate::archive::error::ArchiveError;
use crate::archive::tar::Tar;
use crate::crypto::Digest;
use crate::limits::Limits;

/// Links followed from one layer to another: `docker save` writes one where two layers are equal.
const MAX_LINKS: usize = 8;

/// A file on disk, or the pieces it was split into.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    files: Vec<(File, u64)>,
    what: String,
}

/// Bytes of [`Pieces`], from where a member begins to where it ends.
#[derive(Debug)]
pub(in crate::archive) struct Span {
    pieces: Arc<Pieces>,
    position: u64,
    end: u64,
}

/// Where each member lies.
pub(super) struct Files {
    pieces: Arc<Pieces>,
    places: HashMap<String, (u64, u64)>,
    links: HashMap<String, String>,
    limits: Limits,
}

impl Pieces {
    /// Returns the bytes of `files` as if they were one, called `what` in messages.
    pub(super) fn new(files: Vec<File>, what: String) -> Result<Self, ArchiveError> {
        let mut pieces = Self {
            files: Vec::new(),
            what,
        };
        for file in files {
            let bytes = file.metadata().map_err(|error| pieces.failed(error))?.len();
            pieces.files.push((file, bytes));
        }
        Ok(pieces)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    fn read_at(&self, buffer: &mut [u8], mut position: u64) -> Result<usize, ArchiveError> {
        for (file, bytes) in &self.files {
            if position < *bytes {
                return loop {
                    match file.read_at(buffer, position) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        outcome => break outcome.map_err(|error| self.failed(error)),
                    }
                };
            }
            position -= bytes;
        }
        Ok(0)
    }

    fn failed(&self, source: io::Error) -> ArchiveError {
        ArchiveError::Io {
            what: self.what.clone(),
            source,
        }
    }
}

impl Span {
    pub(super) fn of(pieces: &Arc<Pieces>, start: u64, bytes: u64) -> Self {
        Self {
            pieces: Arc::clone(pieces),
            position: start,
            end: start.saturating_add(bytes),
        }
    }

    pub(super) fn left(&self) -> u64 {
        self.end - self.position
    }

    /// Passes over bytes; what lies behind the end is not there to be read.
    pub(in crate::archive) fn skip(&mut self, bytes: u64) {
        self.position = self.position.saturating_add(bytes).min(self.end);
    }
}

impl Read for Span {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted =
            usize::try_from(self.left()).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = match buffer.get_mut(..wanted) {
            Some(target) if !target.is_empty() => self.pieces.read_at(target, self.position)?,
            _ => return Ok(0),
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Files {
    pub(super) fn new(pieces: Arc<Pieces>, limits: &Limits) -> Self {
        Self {
            pieces,
            places: HashMap::new(),
            links: HashMap::new(),
            limits: limits.clone(),
        }
    }

    /// Finds the members of a tar: its headers are read and their contents passed over.
    ///
    /// Of two members of one name the last counts, as it does for whoever unpacks the tar.
    pub(super) fn of_tar(
        mut tar: Tar,
        pieces: Arc<Pieces>,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        let mut files = Self::new(pieces, limits);
        while let Some(member) = tar.next()? {
            let link = tar.link_target().map(str::to_owned);
            let position = tar.position();
            files.note(member, link, position);
            if files.places.len() + files.links.len() > limits.image_members {
                return Err(ArchiveError::TooManyMembers {
                    limit: limits.image_members as u64,
                });
            }
        }
        Ok(files)
    }

    /// Notes a member whose content begins at `position`.
    pub(super) fn note(&mut self, member: Member<()>, link: Option<String>, position: u64) {
        match member {
            Member::File {
                path, size_bytes, ..
            } => {
                self.links.remove(path.as_str());
                self.places
                    .insert(path.as_str().to_owned(), (position, size_bytes));
            }
            Member::Skipped(path, _) => {
                self.places.remove(path.as_str());
                if let Some(link) = link {
                    self.links.insert(path.as_str().to_owned(), link);
                }
            }
            Member::Directory(_) | Member::Refused(..) => {}
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Returns the bytes of a member; fails where there is none.
    pub(super) fn span(&self, name: &str) -> Result<Span, ImageError> {
        let (start, bytes) = self
            .place(name)
            .ok_or_else(|| ImageError::Missing { what: shown(name) })?;
        Ok(Span::of(&self.pieces, start, bytes))
    }

    /// Returns a document; fails where it is missing, larger than a document may be, or not of the digest given.
    pub(super) fn document(
        &self,
        name: &str,
        digest: Option<Digest>,
    ) -> Result<Vec<u8>, ArchiveError> {
        let mut span = self.span(name)?;
        let limit = self.limits.image_document_bytes;
        if span.left() > limit {
            return Err(ImageError::Document {
                document: shown(name),
                why: format!("it has {} bytes, more than {limit}", span.left()),
            }
            .into());
        }
        let announced = span.left();
        let mut bytes = Vec::new();
        span.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != announced {
            return Err(ImageError::WrongSize {
                what: shown(name),
                announced,
                found: bytes.len() as u64,
            }
            .into());
        }
        if let Some(announced) = digest {
            check_digest(shown(name), &announced, &Digest::of(&bytes))?;
        }
        Ok(bytes)
    }

    /// Returns where a member lies, links between members followed.
    fn place(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name.to_owned();
        for _ in 0..=MAX_LINKS {
            if let Some(place) = self.places.get(&name) {
                return Some(*place);
            }
            name = linked(&name, self.links.get(&name)?)?;
        }
        None
    }
}

/// Returns where a link in `name` leads to inside the archive; `None` where it leads out of it.
fn linked(name: &str, target: &str) -> Option<String> {
    let mut components: Vec<&str> = name.split('/').collect();
    components.pop();
    for component in target.split('/') {
        match component {
            ".." => drop(components.pop()?),
            "" => return None,
            "." => {}
            _ => components.push(component),
        }
    }
    Some(components.join("/"))
}

/// Requires that what was found is what was announced.
pub(super) fn check_digest(
    what: String,
    announced: &Digest,
    found: &Digest,
) -> Result<(), ImageError> {
    if announced == found {
        return Ok(());
    }
    Err(ImageError::WrongDigest {
        what,
        announced: announced.to_string(),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_members_and_never_out_of_the_archive() {
        let table = [
            ("b/layer.tar", "../a/layer.tar", Some("a/layer.tar")),
            ("b/layer.tar", "./x", Some("b/x")),
            ("b/layer.tar", "../../etc/passwd", None),
            ("b/layer.tar", "/etc/passwd", None),
            ("x", "../y", None),
        ];
        for (name, target, expected) in table {
            assert_eq!(linked(name, target).as_deref(), expected, "{target}");
        }
    }
}

//! The members of an image's file, found without reading what is in them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::documents::shown;
use super::error::ImageError;
use crate::archive::Member;
use crate::archive::directory::Walk;
use crate::archive::error::ArchiveError;
use crate::archive::tar::Tar;
use crate::crypto::Digest;
use crate::limits::Limits;

/// Links followed from one layer to another: `docker save` writes one where two layers are equal.
const MAX_LINKS: usize = 8;

/// Files on disk, read as if they were one: a file, the pieces it was split into, the files of a folder.
#[derive(Debug)]
pub struct Pieces {
    pieces: Vec<Piece>,
    what: String,
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    /// Where it ends in the whole.
    end: u64,
}

#[derive(Debug)]
enum Bytes {
    Open(File),
    /// Opened for each read, for there may be more of them than files may be open.
    At(PathBuf),
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
    /// Takes an open file, called `what` in messages.
    pub fn of_file(file: File, what: String) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Io {
            what: what.clone(),
            source,
        };
        let end = file.metadata().map_err(failed)?.len();
        let bytes = Bytes::Open(file);
        Ok(Self {
            pieces: vec![Piece { bytes, end }],
            what,
        })
    }

    /// Takes the files at `paths`, in this order; together they are called `what` in messages.
    pub fn of_paths(
        paths: impl IntoIterator<Item = PathBuf>,
        what: String,
    ) -> Result<Self, ArchiveError> {
        let mut pieces = Self {
            pieces: Vec::new(),
            what,
        };
        for path in paths {
            let metadata = path.metadata().map_err(|error| failed(&path, error))?;
            pieces.push(path, metadata.len());
        }
        Ok(pieces)
    }

    fn push(&mut self, path: PathBuf, bytes: u64) {
        let end = self.total_bytes().saturating_add(bytes);
        let bytes = Bytes::At(path);
        self.pieces.push(Piece { bytes, end });
    }

    /// Returns how many bytes they have together.
    pub fn total_bytes(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// Returns a reader of all of them, front to back.
    pub fn into_reader(self) -> impl Read + Send {
        let bytes = self.total_bytes();
        Span::of(&Arc::new(self), 0, bytes)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> Result<usize, ArchiveError> {
        let number = self.pieces.partition_point(|piece| piece.end <= position);
        let Some(piece) = self.pieces.get(number) else {
            return Ok(0);
        };
        let before = number.checked_sub(1).and_then(|it| self.pieces.get(it));
        let start = before.map_or(0, |piece| piece.end);
        // A piece that has grown meanwhile is read as far as it went when it was taken.
        let left = usize::try_from(piece.end - position).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        match &piece.bytes {
            Bytes::Open(file) => {
                read_from(file, buffer, position - start).map_err(|source| ArchiveError::Io {
                    what: self.what.clone(),
                    source,
                })
            }
            Bytes::At(path) => File::open(path)
                .and_then(|file| read_from(&file, buffer, position - start))
                .map_err(|error| failed(path, error)),
        }
    }
}

fn read_from(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, position) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn failed(path: &Path, source: io::Error) -> ArchiveError {
    ArchiveError::Io {
        what: path.display().to_string(),
        source,
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

    /// Finds the files of a folder; no link in it is followed.
    pub(super) fn of_folder(folder: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let large = Limits {
            entry_bytes: u64::MAX,
            source_members: limits.image_members as u64,
            ..limits.clone()
        };
        let mut walk = Walk::open(folder, Arc::default(), &large)?;
        let mut pieces = Pieces {
            pieces: Vec::new(),
            what: folder.display().to_string(),
        };
        let mut places = HashMap::new();
        while let Some(found) = walk.next()? {
            if let Member::File {
                path, size_bytes, ..
            } = found.member
            {
                let path = path.as_str().to_owned();
                let start = pieces.total_bytes();
                pieces.push(folder.join(&path), size_bytes);
                places.insert(path, (start, size_bytes));
            }
        }
        let mut files = Self::new(Arc::new(pieces), limits);
        files.places = places;
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

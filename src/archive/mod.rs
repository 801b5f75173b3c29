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

mod buffers;
mod directory;
mod entry;
mod error;
mod expand;
mod image;
mod path;
mod source;
mod tar;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use self::buffers::Buffers;
pub use self::directory::{pack_directory, pack_files, packed_directory_bytes, packed_files_bytes};
pub use self::entry::{Entry, FileEntry, Refusal, Skipped};
pub use self::error::{ArchiveError, Inside, Place};
pub use self::image::{ArrangedImage, ImageError, Pieces, arrange_folder, arrange_image};
pub use self::path::{MemberPath, PathRefusal};
pub use self::source::{Format, ReadCounter};
pub use self::zip::Inflater;
pub use self::zip::exact::{ExactEntry, ExactZip, ExactZipError};

use self::entry::{Content, Member};
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

/// Is told the bytes of what is copied next, and may refuse it.
pub type BeforeCopy = Box<dyn FnMut(u64) -> io::Result<()> + Send>;

/// An archive whose format is known.
pub struct Archive {
    format: Format,
    body: Body,
    /// A tar may be that of an image; its first member tells, once it was asked for.
    unknown: Option<Unknown>,
}

/// What it takes to read a tar as an image, should it be one.
struct Unknown {
    before_copy: Option<BeforeCopy>,
    file: Option<File>,
    spool: PathBuf,
    wanted: Option<String>,
    limits: Limits,
}

enum Body {
    /// A tar, and its first member where that was looked at.
    Tar(Box<tar::Tar>, Option<Member<()>>),
    Image(Box<image::Image>),
    /// What a tar leaves behind while it is found out to be an image, and for good where that failed.
    Gone,
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

/// What a container image says of itself; nothing of it is checked but that it is short and on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFacts<'a> {
    /// Its name, such as `docker.elastic.co/package-registry/distribution:9.2.0`, or a tag alone.
    pub name: Option<&'a str>,
    /// The version of the registry in it.
    pub registry_version: Option<&'a str>,
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
                        unknown: None,
                    });
                }
                let other_handle = file.try_clone().map_err(failed)?;
                let seekable = metadata.is_file().then_some(other_handle);
                (Box::new(file) as Box<dyn Read + Send>, what, seekable)
            }
        };
        let counted = Box::new(ReadCounter::new(stream, Arc::clone(&bytes_read)));
        let (format, raw) = Source::new(counted, what.clone()).detect()?;
        let mut unknown = None;
        let body = match (format, file) {
            (Format::Zip, Some(file)) => {
                Body::of_zip(zip::Medium::File(file), &what, bytes_read, limits)?
            }
            (Format::Zip, None) => {
                let copy = zip::Medium::spool(raw, spool)?;
                let what = format!("the temporary copy of {what}");
                Body::of_zip(copy, &what, Arc::default(), limits)?
            }
            (_, file) => {
                let expanded = Expanded::new(raw, format, limits)?;
                unknown = Some(Unknown {
                    before_copy: None,
                    // Only the bytes of a tar that is not compressed can be read from anywhere.
                    file: file.filter(|_| format == Format::Tar),
                    spool: spool.to_owned(),
                    wanted: None,
                    limits: limits.clone(),
                });
                Body::Tar(Box::new(tar::Tar::open(expanded, limits)?), None)
            }
        };
        Ok(Self {
            format,
            body,
            unknown,
        })
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
            Body::Tar(tar, _) => tar.comment(),
            Body::Zip(zip) => zip.comment(),
            Body::Directory(_) | Body::PackageZip(_) | Body::Image(_) | Body::Gone => None,
        }
    }

    /// Says which image is meant, should it be the file of several: by its name, the end of its name or its tag.
    pub fn prefer_image(&mut self, wanted: &str) {
        if let Some(unknown) = &mut self.unknown {
            unknown.wanted = Some(wanted.to_owned());
        }
    }

    /// Has `ask` asked before anything of an image is copied to the spool folder, member by member.
    pub fn ask_before_copy(&mut self, ask: BeforeCopy) {
        if let Some(unknown) = &mut self.unknown {
            unknown.before_copy = Some(ask);
        }
    }

    /// Returns what is known of the image, `None` where it is none.
    ///
    /// Reads up to the first member. The image of a stream is copied to an unnamed temporary file in the spool folder by
    /// this, unless it comes in reading order.
    pub fn image(&mut self) -> Result<Option<ImageFacts<'_>>, ArchiveError> {
        self.look()?;
        Ok(match &self.body {
            Body::Image(image) => Some(ImageFacts {
                name: image.name(),
                registry_version: image.registry_version(),
            }),
            _ => None,
        })
    }

    /// Finds out whether a tar is that of an image.
    fn look(&mut self) -> Result<(), ArchiveError> {
        let (Some(unknown), Body::Tar(tar, first)) = (self.unknown.take(), &mut self.body) else {
            return Ok(());
        };
        let limits = &unknown.limits;
        let found = tar.next()?;
        let path = found.as_ref().and_then(Member::path).unwrap_or_default();
        let in_order = match &found {
            Some(Member::File { size_bytes, .. }) if image::Image::begins_with(path) => {
                Some(*size_bytes)
            }
            _ => None,
        };
        if in_order.is_none() && !image::is_of_image(path) {
            *first = found;
            return Ok(());
        }
        let Body::Tar(tar, _) = std::mem::replace(&mut self.body, Body::Gone) else {
            return Ok(());
        };
        let wanted = unknown.wanted.as_deref();
        let image = match (in_order, unknown.file, found) {
            (Some(bytes), _, _) => image::Image::open(*tar, bytes, limits)?,
            (None, Some(file), _) => {
                let arranged = image::arrange_image(
                    Pieces::of_file(file, "the image".to_owned())?,
                    wanted,
                    limits,
                )?;
                image::read_arranged(arranged.ok_or(ImageError::NoManifest)?, limits)?
            }
            (None, None, Some(found)) => {
                let mut ask = unknown.before_copy.unwrap_or_else(|| Box::new(|_| Ok(())));
                let arranged =
                    image::arrange_copy(*tar, found, &unknown.spool, &mut ask, wanted, limits)?;
                image::read_arranged(arranged, limits)?
            }
            (None, None, None) => return Ok(()),
        };
        self.body = Body::Image(Box::new(image));
        Ok(())
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
        self.look()?;
        Ok(match &mut self.body {
            Body::Tar(tar, first) => match first.take() {
                Some(first) => Some(first),
                None => tar.next()?,
            }
            .map(|member| member.into_entry(|()| Content::Tar(tar))),
            Body::Image(image) => image
                .next()?
                .map(|member| member.into_entry(|()| Content::Image(image))),
            Body::Gone => None,
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

//! What `airlock import` is given, as one stream of bytes: a file or its pieces, zips, a folder or standard input.

mod folder;
mod given;
mod packed;
mod pieces;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use self::given::Given;
use self::packed::Packed;
use super::CliError;
use crate::admin::{Failure, OperationError};
use crate::archive::{self, ArchiveError, Pieces};
use crate::crypto::{Digest, Hasher};
use crate::import::ImportError;
use crate::limits::Limits;

/// A source that was opened.
pub(super) struct OpenSource {
    /// What it is called in plans and in the history.
    pub name: String,
    /// Its size, where that is known before it is read.
    pub bytes: Option<u64>,
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
    given: Given,
    image: Option<String>,
}

/// Bytes to be read, and how many they are where that is known.
type Stream = (Option<u64>, Box<dyn Read + Send>);

impl OpenSource {
    /// Opens what `paths` are together; `-` is standard input, and folders and zips are read as the tar they would make.
    ///
    /// A container image in a file, in the pieces of one or in a folder is read in the order its layers need, so that no
    /// server has to copy it; `image` says which where there are several.
    pub(super) fn open(paths: &[PathBuf], image: Option<&str>) -> Result<Self, CliError> {
        let given = Given::of(paths)?;
        let (bytes, reader) = given.open(image)?;
        Ok(Self {
            name: given.name(),
            bytes,
            reader,
            given,
            image: image.map(str::to_owned),
        })
    }

    /// Returns the digest of the source as it is read here, read once more for it; `None` where it can be read only once.
    pub(super) fn digest(&self) -> Result<Option<Digest>, CliError> {
        if self.bytes.is_none() || matches!(self.given, Given::Input) {
            return Ok(None);
        }
        let (_, mut reader) = self.given.open(self.image.as_deref())?;
        let mut read = || -> io::Result<Digest> {
            let mut hasher = Hasher::default();
            let mut buffer = vec![0; 1 << 20];
            loop {
                match reader.read(&mut buffer)? {
                    0 => return Ok(hasher.finish()),
                    bytes => hasher.update(&buffer[..bytes]),
                }
            }
        };
        let digest = read().map_err(|error| {
            CliError::new(format!("cannot read {}", self.given.name())).caused_by(&error)
        })?;
        Ok(Some(digest))
    }
}

impl Given {
    fn open(&self, image: Option<&str>) -> Result<Stream, CliError> {
        match self {
            Self::Input => open_input(image),
            Self::File(pieces) => open_file(pieces, image),
            Self::Zips(files) => {
                let bytes = archive::packed_files_bytes(files).map_err(|error| {
                    CliError::new("cannot read the zips")
                        .caused_by(&error)
                        .hint("`airlock import` takes the zips of packages, and their folder")
                })?;
                let files = files.clone();
                let tar = Packed::by(move |out| archive::pack_files(&files, out));
                Ok((
                    Some(bytes),
                    Box::new(tar.map_err(|error| unopened(Path::new("the zips"), &error))?),
                ))
            }
            Self::Folder(folder) => open_folder(folder, image),
        }
    }

    /// Returns what the source is called in plans and in the history.
    fn name(&self) -> String {
        let (first, more) = match self {
            Self::Input => return "-".to_owned(),
            Self::Folder(folder) => (folder, 0),
            Self::File(pieces) => (&pieces[0], pieces.len() - 1),
            Self::Zips(files) => (&files[0].1, files.len() - 1),
        };
        let name = first.file_name().unwrap_or(first.as_os_str());
        let name = name.to_string_lossy().into_owned();
        match more {
            0 => name,
            more => format!("{name} and {more} more"),
        }
    }
}

fn open_input(image: Option<&str>) -> Result<Stream, CliError> {
    // A file that was redirected is read as one, unless something of it was read before.
    let redirected = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    if let Ok(mut file) = redirected
        && file.metadata().is_ok_and(|metadata| metadata.is_file())
        && file.stream_position().is_ok_and(|position| position == 0)
    {
        return of_file(file, "standard input", image);
    }
    Ok((None, Box::new(io::stdin())))
}

fn open_file(paths: &[PathBuf], image: Option<&str>) -> Result<Stream, CliError> {
    for path in paths {
        let file = File::open(path).map_err(|error| unopened(path, &error))?;
        let is_file = file
            .metadata()
            .map_err(|error| unopened(path, &error))?
            .is_file();
        match paths.len() {
            1 if is_file => return of_file(file, &path.display().to_string(), image),
            1 => return Ok((None, Box::new(file))),
            _ if !is_file => {
                return Err(CliError::new(format!("{} is no file", path.display()))
                    .hint("several sources are the pieces of one file, or zips called NAME-VERSION.zip"));
            }
            _ => {}
        }
    }
    let what = || format!("{} and {} more", paths[0].display(), paths.len() - 1);
    let open = || {
        Pieces::of_paths(paths.iter().cloned(), what()).map_err(|error| unopened(&paths[0], &error))
    };
    in_order(open, &what(), image)
}

fn of_file(file: File, what: &str, image: Option<&str>) -> Result<Stream, CliError> {
    let open = || {
        let file = file
            .try_clone()
            .map_err(|error| unopened(Path::new(what), &error))?;
        Pieces::of_file(file, what.to_owned()).map_err(|error| unopened(Path::new(what), &error))
    };
    in_order(open, what, image)
}

/// Returns the image in what is opened in reading order, else the bytes as they are.
fn in_order(
    open: impl Fn() -> Result<Pieces, CliError>,
    what: &str,
    image: Option<&str>,
) -> Result<Stream, CliError> {
    let arranged = archive::arrange_image(open()?, image, &Limits::default());
    Ok(
        match arranged.map_err(|error| unreadable_image(what, error))? {
            Some(arranged) => (Some(arranged.total_bytes()), Box::new(arranged)),
            None => {
                let pieces = open()?;
                (Some(pieces.total_bytes()), Box::new(pieces.into_reader()))
            }
        },
    )
}

fn open_folder(folder: &Path, image: Option<&str>) -> Result<Stream, CliError> {
    let limits = Limits::default();
    let what = folder.display().to_string();
    let arranged = archive::arrange_folder(folder, image, &limits);
    if let Some(arranged) = arranged.map_err(|error| unreadable_image(&what, error))? {
        return Ok((Some(arranged.total_bytes()), Box::new(arranged)));
    }
    let failed = |error: io::Error| unopened(folder, &error);
    let folder = folder.canonicalize().map_err(failed)?;
    let prefix = folder::prefix_of(&folder).map_err(failed)?;
    // What cannot be read is told with its path when it is packed.
    let bytes = archive::packed_directory_bytes(&folder, &prefix, &limits).ok();
    let tar = Packed::by(move |out| {
        archive::pack_directory(&folder, &prefix, out, &limits).map(|_files| ())
    });
    Ok((bytes, Box::new(tar.map_err(failed)?)))
}

fn unopened(path: &Path, error: &(dyn std::error::Error + 'static)) -> CliError {
    CliError::new(format!("cannot open {}", path.display()))
        .caused_by(error)
        .hint("`airlock import` takes a file or its pieces, zips, a folder or - for standard input")
}

fn unreadable_image(what: &str, error: ArchiveError) -> CliError {
    let failure = ImportError::Source(Box::new(error));
    let failure = Failure::from(OperationError::from(failure));
    CliError::from(Failure {
        error: format!("cannot read the image in {what}"),
        ..failure
    })
}

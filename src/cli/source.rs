//! What `airlock import` is given: a file, a folder or standard input, as one stream of bytes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::CliError;
use crate::archive::{self, ArchiveError, ImageError, MemberPath};
use crate::crypto::{Digest, Hasher};
use crate::limits::Limits;
use crate::package::PackageVersion;

/// A source that was opened.
pub(super) struct OpenSource {
    /// What it is called in plans and in the history.
    pub name: String,
    /// Its size, where that is known before it is read.
    pub bytes: Option<u64>,
    /// Its file, where it is one, and which image of it is meant.
    file: Option<(PathBuf, Option<String>)>,
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
}

impl OpenSource {
    /// Opens `path`; `-` is standard input, and a folder is read as the tar it would make.
    ///
    /// The file of a container image is read in the order its layers need, so that no server has to copy it; `image` says
    /// which where there are several.
    pub(super) fn open(path: &Path, image: Option<&str>) -> Result<Self, CliError> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "-".to_owned(),
                bytes: None,
                file: None,
                reader: Box::new(io::stdin()),
            });
        }
        let failed = |error: io::Error| {
            CliError::new(format!("cannot open {}", path.display()))
                .caused_by(&error)
                .hint("`airlock import` takes a file, a folder or - for standard input")
        };
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Ok(Self {
                name,
                bytes: None,
                file: None,
                reader: Box::new(BufReader::with_capacity(
                    1 << 20,
                    Packed::open(path).map_err(failed)?,
                )),
            });
        }
        let file = File::open(path).map_err(failed)?;
        if !metadata.is_file() {
            return Ok(Self {
                name,
                bytes: None,
                file: None,
                reader: Box::new(file),
            });
        }
        let other_handle = file.try_clone().map_err(failed)?;
        let what = path.display().to_string();
        let arranged = archive::arrange_image(vec![other_handle], &what, image, &Limits::default())
            .map_err(|error| unreadable_image(&what, &error))?;
        let (bytes, reader): (u64, Box<dyn Read + Send>) = match arranged {
            Some(arranged) => (arranged.total_bytes(), Box::new(arranged)),
            None => (metadata.len(), Box::new(file)),
        };
        Ok(Self {
            name,
            bytes: Some(bytes),
            file: Some((path.to_owned(), image.map(str::to_owned))),
            reader,
        })
    }

    /// Returns the digest of the file as it is read here, read once more for it; `None` where the source is no file.
    pub(super) fn digest(&self) -> Result<Option<Digest>, CliError> {
        let Some((path, image)) = &self.file else {
            return Ok(None);
        };
        let mut reader = Self::open(path, image.as_deref())?.reader;
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
            CliError::new(format!("cannot read {}", path.display())).caused_by(&error)
        })?;
        Ok(Some(digest))
    }
}

fn unreadable_image(what: &str, error: &ArchiveError) -> CliError {
    let failed = CliError::new(format!("cannot read the image in {what}")).caused_by(error);
    match error {
        ArchiveError::Image(ImageError::SeveralImages { .. } | ImageError::NoSuchImage { .. }) => {
            failed.hint("name the one that is meant with --image NAME:TAG")
        }
        _ => failed,
    }
}

/// The tar that a folder makes, packed by another thread as it is read.
struct Packed {
    tar: PipeReader,
    packing: Option<JoinHandle<Result<u64, ArchiveError>>>,
}

impl Packed {
    fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let prefix = prefix_of(&folder)?;
        let (tar, writer) = io::pipe()?;
        let packing = std::thread::spawn(move || {
            archive::pack_directory(&folder, &prefix, writer, &Limits::default())
        });
        Ok(Self {
            tar,
            packing: Some(packing),
        })
    }
}

impl Read for Packed {
    /// Reads the tar. Where packing failed its end is an error, and says why.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tar.read(buffer)?;
        if read == 0
            && !buffer.is_empty()
            && let Some(packing) = self.packing.take()
        {
            packing
                .join()
                .map_err(|_panic| io::Error::other("the thread that packs panicked"))??;
        }
        Ok(read)
    }
}

/// Returns what stands in front of the paths of a folder: its own name, which may say which release it is; nothing where
/// the folder only holds the one that counts, as when an archive was unpacked into it.
fn prefix_of(folder: &Path) -> io::Result<String> {
    let Some(name) = folder.file_name().and_then(OsStr::to_str) else {
        return Ok(String::new());
    };
    let is_safe = MemberPath::parse(name.as_bytes(), Limits::default().path_bytes).is_ok();
    let is_root = folder.join("packages").is_dir() || holds_versions(folder)?;
    Ok(if is_safe && is_root { name } else { "" }.to_owned())
}

/// Tells whether a folder holds `{version}` or `{name}/{version}`.
fn holds_versions(folder: &Path) -> io::Result<bool> {
    let has_version = |folder: &Path| -> io::Result<bool> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let is_version = entry.file_name().to_str().is_some_and(is_version);
            if is_version && entry.file_type()?.is_dir() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if has_version(folder)? {
        return Ok(true);
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // What cannot be looked into here is reported, with its path, by packing.
        if entry.file_type()?.is_dir() && has_version(&entry.path()).unwrap_or(false) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_version(name: &str) -> bool {
    PackageVersion::parse(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_as_the_leading_one_unless_it_only_holds_it() {
        for (inside, prefix) in [
            ("packages/nginx/1.5.0", "package-storage-8.5.0"),
            ("nginx/1.5.0", "package-storage-8.5.0"),
            ("1.5.0", "package-storage-8.5.0"),
            ("package-storage-7.9.0/packages/nginx/1.5.0", ""),
            ("docs", ""),
        ] {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("package-storage-8.5.0");
            std::fs::create_dir_all(folder.join(inside)).unwrap();
            assert_eq!(prefix_of(&folder).unwrap(), prefix, "{inside}");
        }
        assert_eq!(prefix_of(Path::new("/")).unwrap(), "");
    }
}

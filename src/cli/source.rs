//! What `airlock import` is given: a file, a folder or standard input, as one stream of bytes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::CliError;
use crate::archive;
use crate::crypto::{Digest, Hasher};
use crate::limits::Limits;

/// A source that was opened.
pub(super) struct OpenSource {
    /// What it is called in plans and in the history.
    pub name: String,
    /// Its size, where that is known before it is read.
    pub bytes: Option<u64>,
    /// Its file, where it is one.
    file: Option<PathBuf>,
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
}

impl OpenSource {
    /// Opens `path`; `-` is standard input, and a folder is read as the tar it would make.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "-".to_owned(),
                bytes: None,
                file: None,
                reader: Box::new(std::io::stdin()),
            });
        }
        let failed = |error: std::io::Error| {
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
                reader: packed(path).map_err(failed)?,
            });
        }
        let file = File::open(path).map_err(failed)?;
        let is_regular = metadata.is_file();
        Ok(Self {
            name,
            bytes: is_regular.then_some(metadata.len()),
            file: is_regular.then(|| path.to_owned()),
            reader: Box::new(file),
        })
    }

    /// Returns the digest of the file, read once more for it; `None` where the source is no file.
    pub(super) fn digest(&self) -> Result<Option<Digest>, CliError> {
        let Some(path) = &self.file else {
            return Ok(None);
        };
        let read = || -> std::io::Result<Digest> {
            let mut file = File::open(path)?;
            let mut hasher = Hasher::default();
            let mut buffer = vec![0; 1 << 20];
            loop {
                match file.read(&mut buffer)? {
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

/// Returns the bytes of the tar that a folder makes, with the folder's own name in front: it may say which release it is.
fn packed(folder: &Path) -> std::io::Result<Box<dyn Read + Send>> {
    let folder = folder.canonicalize()?;
    let (reader, writer) = std::io::pipe()?;
    std::thread::spawn(move || {
        // A reader that went away has its own error; one that is still there finds the tar cut off, which is an error.
        let _ = archive::pack_directory(&folder, writer, &Limits::default());
    });
    Ok(Box::new(BufReader::with_capacity(1 << 20, reader)))
}

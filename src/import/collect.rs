//! One package's files, read from a source: hashed as they come, small ones held in memory, large ones stored at once.

use std::io::Read;

use super::error::{ImportError, PackageError};
use super::stream_writer;
use crate::archive::ExactZip;
use crate::crypto::Digest;
use crate::limits::Limits;
use crate::store::Store;
use crate::store::contents::{self, ContentId};

/// A file as it came in.
pub(super) struct Collected {
    pub path: String,
    pub sha256: Digest,
    pub bytes: u64,
    pub crc32: u32,
    pub held: Held,
}

impl Collected {
    /// Returns a file whose bytes are these.
    pub(super) fn in_memory(path: String, bytes: Vec<u8>) -> Self {
        Self {
            path,
            sha256: Digest::of(&bytes),
            bytes: bytes.len() as u64,
            crc32: crc32fast::hash(&bytes),
            held: Held::Memory(bytes),
        }
    }
}

/// Where the bytes of a collected file are.
pub(super) enum Held {
    Memory(Vec<u8>),
    Store(ContentId),
}

/// The files of one package, as they come in.
pub(super) struct Collecting {
    /// The package's folder in the source, for messages.
    pub folder: String,
    /// Which of the source's packages this is, counted from 0: on equal identity the first wins.
    pub number: usize,
    pub files: Vec<Collected>,
    /// The zip it came in, in place of files.
    pub zip: Option<ExactZip>,
    /// What came as the signature of that zip.
    pub signature: Option<Vec<u8>>,
    /// Why the package cannot be taken; its further files are passed over.
    pub refused: Option<PackageError>,
    memory_bytes: u64,
    manifests_bytes: u64,
    artifact_bytes: u64,
}

impl Collecting {
    pub(super) fn new(folder: &str, number: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            number,
            files: Vec::new(),
            zip: None,
            signature: None,
            refused: None,
            memory_bytes: 0,
            manifests_bytes: 0,
            artifact_bytes: 0,
        }
    }

    /// Notes why the package cannot be taken and lets go of its files. The first reason stays.
    pub(super) fn refuse(&mut self, why: PackageError) {
        self.refused.get_or_insert(why);
        self.files.clear();
        self.zip = None;
        self.memory_bytes = 0;
    }

    /// Takes in the file `path`, of which the source announces `announced_bytes`; `false` where the package is refused.
    ///
    /// What is wrong with the package refuses the package; only failures of the source or the store are errors.
    pub(super) fn take(
        &mut self,
        path: &str,
        announced_bytes: u64,
        reader: &mut impl Read,
        store: &Store,
        limits: &Limits,
    ) -> Result<bool, ImportError> {
        if self.refused.is_some() {
            return Ok(false);
        }
        if let Err(why) = self.admit(path, announced_bytes, limits) {
            self.refuse(why);
            return Ok(false);
        }
        // What is counted is what is read: not a byte more, whatever the source holds.
        let mut reader = reader.take(announced_bytes);
        let file = if is_manifest(path) {
            into_memory(path, &mut reader)?
        } else if self.memory_bytes + announced_bytes <= limits.package_memory_bytes {
            self.memory_bytes += announced_bytes;
            into_memory(path, &mut reader)?
        } else if announced_bytes <= limits.known_file_bytes {
            known_or_stored(into_memory(path, &mut reader)?, store)?
        } else {
            stream_writer::store_file(path, &mut reader, store)?
        };
        self.files.push(file);
        Ok(true)
    }

    /// Holds a file that is announced against the limits, before a byte of it is read.
    pub(super) fn admit(
        &mut self,
        path: &str,
        announced_bytes: u64,
        limits: &Limits,
    ) -> Result<(), PackageError> {
        let too_large = |limit_bytes| PackageError::FileTooLarge {
            path: path.to_owned(),
            limit_bytes,
        };
        if announced_bytes > limits.entry_bytes {
            return Err(too_large(limits.entry_bytes));
        }
        self.artifact_bytes = self.artifact_bytes.saturating_add(announced_bytes);
        if self.artifact_bytes > limits.artifact_bytes {
            return Err(PackageError::TooLarge {
                limit_bytes: limits.artifact_bytes,
            });
        }
        if self.files.len() >= limits.package_files as usize {
            return Err(PackageError::TooManyFiles {
                limit: limits.package_files,
            });
        }
        if is_manifest(path) {
            if announced_bytes > limits.manifest_bytes {
                return Err(too_large(limits.manifest_bytes));
            }
            if self.manifests_bytes + announced_bytes > limits.package_manifests_bytes {
                return Err(PackageError::ManifestsTooLarge {
                    limit_bytes: limits.package_manifests_bytes,
                });
            }
            self.manifests_bytes += announced_bytes;
        }
        Ok(())
    }
}

/// Tells whether rendering reads this file: then it is held in memory, within its own bound.
pub(super) fn is_manifest(path: &str) -> bool {
    path == "manifest.yml" || data_stream_of_manifest(path).is_some()
}

/// Returns the data stream whose manifest `path` is.
pub(super) fn data_stream_of_manifest(path: &str) -> Option<&str> {
    let data_stream = path
        .strip_prefix("data_stream/")?
        .strip_suffix("/manifest.yml")?;
    (!data_stream.contains('/')).then_some(data_stream)
}

/// Lets go of a file's bytes: the store holds them already, as it does most files of a package's next version, or takes
/// them now.
fn known_or_stored(file: Collected, store: &Store) -> Result<Collected, ImportError> {
    let Held::Memory(bytes) = &file.held else {
        return Ok(file);
    };
    match store.read(|conn| contents::find(conn, &file.sha256))? {
        Some(known) => Ok(Collected {
            held: Held::Store(known.id),
            ..file
        }),
        None => stream_writer::store_file(&file.path, &mut bytes.as_slice(), store),
    }
}

fn into_memory(path: &str, reader: &mut impl Read) -> Result<Collected, ImportError> {
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .map_err(ImportError::source)?;
    Ok(Collected::in_memory(path.to_owned(), bytes))
}

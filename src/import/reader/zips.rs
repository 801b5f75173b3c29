//! Packages that come as zips, and their signatures: each zip is kept whole for a maker.

use std::io::Read;

use super::Reader;
use crate::archive::{ArchiveError, ExactZip, ExactZipError, FileEntry};
use crate::import::collect;
use crate::import::error::{ImportError, PackageError};
use crate::import::layout::InPackage;

impl Reader<'_> {
    /// Keeps the zip of a package for a maker: what is in it is read there, at any place. It is handed over with the next
    /// package, since its signature comes right behind it.
    pub(super) fn package_zip(
        &mut self,
        place: InPackage<'_>,
        file: FileEntry<'_>,
    ) -> Result<(), ImportError> {
        if self.package(place)?.is_none() {
            return Ok(());
        }
        let opened = self.open_zip(file)?;
        if let Ok(zip) = &opened {
            for entry in zip.entries() {
                self.work
                    .file(entry.size_bytes, collect::is_manifest(&entry.path));
            }
        }
        if let Some(package) = &mut self.collecting {
            package.signature = self.found.signatures.take(place.folder);
            match opened {
                // Two files of one path: programs that unpack the source keep the last.
                Ok(_) if package.zip.is_some() => package.refuse(PackageError::Scattered),
                Ok(zip) => package.zip = Some(zip),
                Err(why) => package.refuse(why),
            }
        }
        Ok(())
    }

    /// Takes in what is called the signature of the zip at `place`.
    pub(super) fn signature(
        &mut self,
        place: InPackage<'_>,
        file: &mut FileEntry<'_>,
    ) -> Result<(), ImportError> {
        let limit_bytes = self.limits.signature_bytes as u64;
        let mut bytes = Vec::new();
        if file.size_bytes > 0 && file.size_bytes <= limit_bytes {
            file.read_to_end(&mut bytes).map_err(ImportError::source)?;
        }
        let is_new = match &mut self.collecting {
            _ if bytes.is_empty() => false,
            Some(package) if package.folder == place.folder => {
                let is_first = package.signature.is_none();
                package.signature.get_or_insert(bytes);
                is_first
            }
            _ => self
                .found
                .signatures
                .add(place.folder, bytes, self.limits)?,
        };
        self.found.stray_files += u64::from(!is_new);
        Ok(())
    }

    fn open_zip(&self, file: FileEntry<'_>) -> Result<Result<ExactZip, PackageError>, ImportError> {
        let limits = self.limits;
        if file.size_bytes > limits.artifact_bytes {
            return Ok(Err(PackageError::TooLarge {
                limit_bytes: limits.artifact_bytes,
            }));
        }
        let memory_bytes = limits.zip_memory_bytes;
        if file.size_bytes > memory_bytes {
            self.store.disk().check_for(file.size_bytes)?;
        }
        let kept = file
            .keep(memory_bytes, &self.buffers, self.store.folder())
            .map_err(ImportError::source)?;
        match ExactZip::open(kept, limits) {
            Ok(zip) => Ok(Ok(zip)),
            Err(ExactZipError::Archive(error)) => zip_fault(error).map(Err),
            Err(why) => Ok(Err(PackageError::Zip(why.to_string()))),
        }
    }
}

/// Returns what is wrong with a zip; an error where the fault is the disk's it was kept on.
pub(in crate::import) fn zip_fault(error: ArchiveError) -> Result<PackageError, ImportError> {
    match error {
        ArchiveError::Io { .. } | ArchiveError::Spool { .. } => Err(ImportError::source(error)),
        fault => Ok(PackageError::Zip(fault.to_string())),
    }
}

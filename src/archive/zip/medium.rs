//! Where the bytes of a zip are: in a file, or in memory where they are few.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::archive::buffers::Buffer;
use crate::archive::error::ArchiveError;

/// The bytes of a zip, read at any place without a cursor that others use.
#[derive(Debug)]
pub(in crate::archive) enum Medium {
    /// A file, named or not.
    File(File),
    /// All of them.
    Memory(Buffer),
}

impl Medium {
    /// Copies a stream to a temporary file without a name; it is gone with its handle.
    pub(in crate::archive) fn spool(
        mut stream: impl Read,
        folder: &Path,
    ) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Spool {
            folder: folder.display().to_string(),
            source,
        };
        let mut copy = tempfile::tempfile_in(folder).map_err(failed)?;
        io::copy(&mut stream, &mut copy).map_err(|error| {
            // A fault of the stream was wrapped where it was read; any other is the copy's.
            match error.downcast::<ArchiveError>() {
                Ok(of_the_stream) => of_the_stream,
                Err(of_the_copy) => failed(of_the_copy),
            }
        })?;
        Ok(Self::File(copy))
    }

    /// Returns how many bytes there are.
    pub(super) fn length(&self) -> io::Result<u64> {
        match self {
            // Not by its metadata: a block device has none.
            Self::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::End(0))
            }
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read_at(&self, target: &mut [u8], position: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(target, position),
            Self::Memory(bytes) => {
                let start = usize::try_from(position).unwrap_or(usize::MAX);
                let mut rest = bytes.get(start..).unwrap_or_default();
                rest.read(target)
            }
        }
    }
}

/// Part of a zip, read from its first byte to its last.
#[derive(Debug)]
pub(in crate::archive) struct Window {
    pub(super) medium: Arc<Medium>,
    pub(super) what: Arc<str>,
    pub(super) position: u64,
    pub(super) end: u64,
}

impl Window {
    /// Returns a reader of all bytes of `medium`, which is called `what` in errors.
    pub(in crate::archive) fn of_all(
        medium: &Arc<Medium>,
        what: &Arc<str>,
    ) -> Result<Self, ArchiveError> {
        let end = medium.length().map_err(|source| ArchiveError::Io {
            what: what.to_string(),
            source,
        })?;
        Ok(Self {
            medium: Arc::clone(medium),
            what: Arc::clone(what),
            position: 0,
            end,
        })
    }

    /// Returns how many bytes are left.
    pub(in crate::archive) fn left_bytes(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// Hands all of the part to `each`, by way of `buffer` where it is not in memory.
    pub(super) fn for_each(self, buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        if let Medium::Memory(bytes) = &*self.medium {
            let range = [self.position, self.end]
                .map(|at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len()));
            each(bytes.get(range[0]..range[1]).unwrap_or_default());
            return Ok(());
        }
        let mut part = self;
        loop {
            match part.read(buffer)? {
                0 => return Ok(()),
                count => each(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Reads the first `bytes` of the part; fewer where it ends before.
    pub(super) fn read_up_to(self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        self.take(bytes).read_to_end(&mut read)?;
        Ok(read)
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.position);
        let wanted = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let target = buf.get_mut(..wanted).unwrap_or_default();
        match self.medium.read_at(target, self.position) {
            Ok(count) => {
                self.position += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(source) => Err(ArchiveError::Io {
                what: self.what.to_string(),
                source,
            }
            .into()),
        }
    }
}

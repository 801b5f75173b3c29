//! A tar that is made as it is read, of a folder or of zips.

use std::io::{self, BufReader, PipeReader, PipeWriter, Read};
use std::thread::JoinHandle;

use crate::archive::ArchiveError;

/// Bytes read at once of the pipe that a tar comes through.
const BUFFER_BYTES: usize = 1 << 20;

/// A tar, packed by another thread as it is read.
pub(super) struct Packed {
    tar: PipeReader,
    packing: Option<JoinHandle<Result<(), ArchiveError>>>,
}

impl Packed {
    /// Returns the tar that `pack` writes.
    pub(super) fn by(
        pack: impl FnOnce(PipeWriter) -> Result<(), ArchiveError> + Send + 'static,
    ) -> io::Result<BufReader<Self>> {
        let (tar, writer) = io::pipe()?;
        let packing = Some(std::thread::spawn(move || pack(writer)));
        Ok(BufReader::with_capacity(
            BUFFER_BYTES,
            Self { tar, packing },
        ))
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

//! One package's files, read from a source: hashed as they come, small ones held in memory, large ones stored at once.

use std::io::Read;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::encode;
use super::error::{ImportError, PackageError};
use crate::crypto::{Digest, Hasher};
use crate::limits::Limits;
use crate::store::Store;
use crate::store::contents::{self, ContentId};
use crate::store::streams::{self, CHUNK_BYTES, Coding, StreamId};

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
    /// Why the package cannot be taken; its further files are passed over.
    pub refused: Option<PackageError>,
    memory_bytes: u64,
    artifact_bytes: u64,
}

impl Collecting {
    pub(super) fn new(folder: &str, number: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            number,
            files: Vec::new(),
            refused: None,
            memory_bytes: 0,
            artifact_bytes: 0,
        }
    }

    /// Notes why the package cannot be taken and lets go of its files. The first reason stays.
    pub(super) fn refuse(&mut self, why: PackageError) {
        self.refused.get_or_insert(why);
        self.files.clear();
        self.memory_bytes = 0;
    }

    /// Takes in the file `path`, of which the source announces `announced_bytes`.
    ///
    /// What is wrong with the package refuses the package; only failures of the source or the store are errors.
    pub(super) fn take(
        &mut self,
        path: &str,
        announced_bytes: u64,
        reader: &mut impl Read,
        store: &Store,
        limits: &Limits,
    ) -> Result<(), ImportError> {
        if self.refused.is_some() {
            return Ok(());
        }
        self.artifact_bytes = self.artifact_bytes.saturating_add(announced_bytes);
        if announced_bytes > limits.entry_bytes {
            self.refuse(PackageError::FileTooLarge {
                path: path.to_owned(),
                limit_bytes: limits.entry_bytes,
            });
        } else if self.artifact_bytes > limits.artifact_bytes {
            self.refuse(PackageError::TooLarge {
                limit_bytes: limits.artifact_bytes,
            });
        } else if self.files.len() >= limits.package_files as usize {
            self.refuse(PackageError::TooManyFiles {
                limit: limits.package_files,
            });
        } else if is_manifest(path) && announced_bytes > limits.manifest_bytes {
            self.refuse(PackageError::FileTooLarge {
                path: path.to_owned(),
                limit_bytes: limits.manifest_bytes,
            });
        } else if is_manifest(path)
            || self.memory_bytes + announced_bytes <= limits.package_memory_bytes
        {
            self.memory_bytes += announced_bytes;
            self.files.push(into_memory(path, announced_bytes, reader)?);
        } else {
            self.files.push(into_store(path, reader, store)?);
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

fn into_memory(
    path: &str,
    announced_bytes: u64,
    reader: &mut impl Read,
) -> Result<Collected, ImportError> {
    // The announced size was checked against a limit, and is only a hint here: nothing is reserved on its word alone.
    let mut bytes = Vec::with_capacity(announced_bytes.min(1 << 20) as usize);
    reader
        .read_to_end(&mut bytes)
        .map_err(ImportError::source)?;
    Ok(Collected::in_memory(path.to_owned(), bytes))
}

/// Streams a large file into the store, a chunk a transaction, so that it is never in memory whole.
fn into_store(path: &str, reader: &mut impl Read, store: &Store) -> Result<Collected, ImportError> {
    let mut plain = Vec::with_capacity(CHUNK_BYTES);
    let mut sha256 = Hasher::default();
    let mut crc32 = crc32fast::Hasher::new();
    let mut bytes = 0;
    let mut writer: Option<StreamWriter<'_>> = None;
    loop {
        plain.clear();
        reader
            .by_ref()
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut plain)
            .map_err(ImportError::source)?;
        if plain.is_empty() && writer.is_some() {
            break;
        }
        sha256.update(&plain);
        crc32.update(&plain);
        bytes += plain.len() as u64;
        let writer = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(StreamWriter::begin(store, &plain)?),
        };
        writer.write(&plain)?;
        if plain.is_empty() {
            break;
        }
    }
    let (sha256, crc32) = (sha256.finish(), crc32.finalize());
    let writer = writer.expect("the loop begins one before it ends");
    let content = writer.finish(&sha256, bytes, crc32)?;
    Ok(Collected {
        path: path.to_owned(),
        sha256,
        bytes,
        crc32,
        held: Held::Store(content),
    })
}

/// Writes one stream of the store, chunk by chunk, each in a transaction of its own.
struct StreamWriter<'a> {
    store: &'a Store,
    stream: StreamId,
    deflate: Option<Compress>,
    pending: Vec<u8>,
    chunks: u32,
    sha256: Hasher,
    bytes: u64,
}

impl<'a> StreamWriter<'a> {
    /// Begins a stream; how it encodes is decided by what deflate makes of its first bytes.
    fn begin(store: &'a Store, first: &[u8]) -> Result<Self, ImportError> {
        let deflated_bytes = encode::Encoder::new().deflate(first).len() as u64;
        let is_deflated = encode::is_worth_it(first.len() as u64, deflated_bytes);
        let coding = if is_deflated {
            Coding::Deflate
        } else {
            Coding::Plain
        };
        Ok(Self {
            store,
            stream: store.write(|conn| streams::begin(conn, coding))?,
            deflate: is_deflated.then(|| Compress::new(Compression::new(6), false)),
            pending: Vec::with_capacity(2 * CHUNK_BYTES),
            chunks: 0,
            sha256: Hasher::default(),
            bytes: 0,
        })
    }

    fn write(&mut self, plain: &[u8]) -> Result<(), ImportError> {
        if self.deflate.is_some() {
            self.compress(plain, FlushCompress::None)
        } else {
            self.pending.extend_from_slice(plain);
            self.store_whole_chunks()
        }
    }

    fn compress(&mut self, mut plain: &[u8], flush: FlushCompress) -> Result<(), ImportError> {
        loop {
            let Some(deflate) = &mut self.deflate else {
                return Ok(());
            };
            self.pending.reserve(64 << 10);
            let before = deflate.total_in();
            let status = deflate
                .compress_vec(plain, &mut self.pending, flush)
                .expect("compressing into memory cannot fail");
            plain = &plain[(deflate.total_in() - before) as usize..];
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => plain.is_empty(),
            };
            self.store_whole_chunks()?;
            if is_done {
                return Ok(());
            }
        }
    }

    fn store_whole_chunks(&mut self) -> Result<(), ImportError> {
        while self.pending.len() >= CHUNK_BYTES {
            self.store_chunk(CHUNK_BYTES)?;
        }
        Ok(())
    }

    fn store_chunk(&mut self, bytes: usize) -> Result<(), ImportError> {
        let chunk = &self.pending[..bytes];
        self.store
            .write(|conn| streams::append(conn, self.stream, self.chunks, chunk))?;
        self.sha256.update(chunk);
        self.bytes += bytes as u64;
        self.chunks += 1;
        self.pending.drain(..bytes);
        Ok(())
    }

    /// Ends the stream and makes it the content of this digest; the content that is here already where there is one.
    fn finish(mut self, sha256: &Digest, bytes: u64, crc32: u32) -> Result<ContentId, ImportError> {
        self.compress(&[], FlushCompress::Finish)?;
        if !self.pending.is_empty() {
            self.store_chunk(self.pending.len())?;
        }
        let encoded = (self.sha256.finish(), self.bytes);
        let content = self.store.write(|conn| {
            if let Some(known) = contents::find(conn, sha256)? {
                streams::abandon(conn, self.stream)?;
                return Ok::<_, crate::store::StoreError>(known.id);
            }
            let content = contents::insert(conn, sha256, bytes, crc32)?;
            streams::finish(conn, self.stream, content, &encoded.0, encoded.1)?;
            Ok(content)
        })?;
        Ok(content)
    }
}

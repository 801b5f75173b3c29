//! Uploads: a source of any size in chunks by their offset, each read by the import as it comes.
//!
//! Nothing is kept of a chunk but a few pieces that the import has not read yet, so a client can send no faster than the
//! import reads. What has arrived is what was handed to the import; a client asks for it and goes on from there. An upload
//! lives as long as its job: after a restart of the server it is begun anew, and what was stored by then is found again by
//! its digest.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::error::{Failure, OperationError};
use super::jobs::{Job, JobId, JobKind, Jobs, NewJob, Stop};
use super::operations::{self, StagedReport};
use crate::distribution::SignaturePolicy;
use crate::import::{self, StageRequest};
use crate::limits::Limits;
use crate::people::{self, Actor};
use crate::store::{RESERVE_BYTES, Store};

/// Bytes of one chunk at most: little is sent again where a connection breaks, and no proxy has to be told to take more.
pub const CHUNK_BYTES: u64 = 32 << 20;

/// Bytes handed to the import at once, at most.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces that wait for the import.
const PIECES: usize = 4;

/// Bytes that the name of a source may have: what a file system allows, four times.
const NAME_BYTES: usize = 1020;

/// What part of a source its store takes, at the least, where nothing of it is here yet: a tar of 8.5.0 becomes a tenth.
const LEAST_PART: u64 = 10;

/// What is to be uploaded, and where it belongs.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    /// What the source is called: the name of the file.
    pub source_name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The release that is to be made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The branch that it is to be added to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// What becomes of packages without a good signature, in the branch from now on. Only an admin may say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<SignaturePolicy>,
    /// Which image of a file that holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UploadReport {
    /// What it and its job are known by.
    pub id: JobId,
    /// How many bytes have arrived: where the next chunk begins.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many bytes a chunk may have.
    pub chunk_bytes: u64,
}

/// The way from the requests that bring chunks to the thread that imports.
#[derive(Debug)]
pub struct Upload {
    bytes: u64,
    pieces: mpsc::Sender<Bytes>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    offset: u64,
    is_fed: bool,
}

/// Begins the import of what will be uploaded.
///
/// Fails with [`OperationError::UploadTooLarge`] where it cannot fit on the disk, and where as many imports are under way
/// as may be.
pub fn begin(
    jobs: &Jobs,
    store: &Arc<Store>,
    limits: &Limits,
    who: &Actor,
    request: UploadRequest,
) -> Result<UploadReport, OperationError> {
    let bytes = request.bytes;
    if request.source_name.len() > NAME_BYTES {
        let why = format!("source_name has more than {NAME_BYTES} bytes");
        return Err(OperationError::InvalidRequest(why));
    }
    check_space(store, bytes)?;
    let target = operations::target(request.release.as_deref(), request.branch.as_deref())?;
    let stage = StageRequest {
        source_name: request.source_name.clone(),
        who: who.clone(),
        target,
        // What was sent for hours is not thrown away for want of a name: the plan is told where it belongs.
        may_ask: true,
        signatures: request.signatures,
        image: request.image,
    };
    let (pieces, arriving) = mpsc::channel(PIECES);
    let new = NewJob {
        id: JobId::random(),
        kind: JobKind::Import,
        subject: request.source_name,
        who: who.name.clone(),
        upload: Some(Upload {
            bytes,
            pieces,
            state: Mutex::default(),
        }),
    };
    let (store, limits, silence) = (Arc::clone(store), limits.clone(), jobs.silence());
    let (job, _) = jobs.begin(new, move |job| {
        job.progress().expect(bytes);
        let runtime = Builder::new_current_thread().enable_time().build();
        let source = Arriving {
            pieces: arriving,
            current: Bytes::new(),
            left_bytes: bytes,
            silence,
            job: Arc::clone(job),
            runtime: runtime.map_err(OperationError::NoThread)?,
        };
        let staged = import::stage(&store, Box::new(source), &stage, job.progress(), &limits)?;
        Ok(StagedReport::from(&staged))
    })?;
    Ok(UploadReport {
        id: job.id().clone(),
        offset: 0,
        bytes,
        chunk_bytes: CHUNK_BYTES,
    })
}

/// Fails where not even the least that `bytes` of a source become would leave the service its reserve. How much they do become
/// is only known once they are read; the import looks at the disk all the time.
fn check_space(store: &Store, bytes: u64) -> Result<(), OperationError> {
    let free_bytes = store.disk().free_bytes()?;
    let needed_bytes = (bytes / LEAST_PART).saturating_add(RESERVE_BYTES);
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    Err(OperationError::UploadTooLarge {
        bytes,
        free_bytes,
        needed_bytes,
    })
}

impl Upload {
    /// Returns how far it is.
    pub fn report(&self, id: &JobId) -> UploadReport {
        UploadReport {
            id: id.clone(),
            offset: self.state().offset,
            bytes: self.bytes,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one request that may bring a chunk now.
#[derive(Debug)]
pub struct Turn {
    job: Arc<Job>,
    left_bytes: u64,
}

impl Turn {
    /// Lets a request bring `bytes` bytes from `offset` on, until the turn is dropped.
    ///
    /// Fails where the upload is somebody else's, has ended, is being fed by another request, where it has arrived at another
    /// offset, and where this is more than a chunk or than was announced.
    pub fn take(job: Arc<Job>, who: &str, offset: u64, bytes: u64) -> Result<Self, TurnError> {
        let Some(upload) = job.upload() else {
            return Err(OperationError::NoSuchUpload(job.id().to_string()).into());
        };
        if !people::are_one(job.who(), who) {
            return Err(OperationError::NotYours {
                upload: job.id().to_string(),
                whose: job.who().to_owned(),
            }
            .into());
        }
        if bytes > CHUNK_BYTES {
            return Err(OperationError::ChunkTooLarge(bytes).into());
        }
        if let Some(failure) = job.report().failure {
            return Err(TurnError(Box::new(failure)));
        }
        if let Some(why) = job.stopped() {
            return Err(OperationError::from(why).into());
        }
        let mut state = upload.state();
        if state.is_fed {
            return Err(OperationError::UploadBusy {
                offset: state.offset,
            }
            .into());
        }
        if offset != state.offset {
            return Err(OperationError::WrongOffset {
                given: offset,
                offset: state.offset,
            }
            .into());
        }
        if bytes > upload.bytes - offset {
            return Err(OperationError::MoreThanAnnounced {
                end: offset.saturating_add(bytes),
                bytes: upload.bytes,
            }
            .into());
        }
        state.is_fed = true;
        drop(state);
        Ok(Self {
            job,
            left_bytes: bytes,
        })
    }

    /// Hands bytes to the import, when it has room for them. Whatever was handed over has arrived, also where this is
    /// dropped halfway.
    ///
    /// Fails with what the import failed with.
    pub async fn feed(&mut self, mut bytes: Bytes) -> Result<(), TurnError> {
        let Some(upload) = self.job.upload() else {
            return Ok(());
        };
        while !bytes.is_empty() {
            if bytes.len() as u64 > self.left_bytes {
                // The server takes no more of a body than its length.
                let left = usize::try_from(self.left_bytes).unwrap_or(bytes.len());
                bytes.truncate(left);
                continue;
            }
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
            let room = tokio::select! {
                biased;
                () = self.job.until_stopped() => None,
                room = upload.pieces.reserve() => room.ok(),
            };
            match room {
                Some(room) => {
                    let mut state = upload.state();
                    state.offset += piece.len() as u64;
                    room.send(piece.clone());
                }
                None => {
                    if let Some(failure) = self.job.until_ended().await {
                        return Err(TurnError(Box::new(failure)));
                    }
                    // The import needs none of what is left.
                    upload.state().offset += piece.len() as u64;
                }
            }
            self.left_bytes -= piece.len() as u64;
        }
        Ok(())
    }

    /// Returns how far the upload is.
    pub fn report(&self) -> Option<UploadReport> {
        let upload = self.job.upload()?;
        Some(upload.report(self.job.id()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(upload) = self.job.upload() {
            upload.state().is_fed = false;
        }
    }
}

/// Why a chunk was not taken: a reason of its own, or what the import came to.
#[derive(Debug)]
pub struct TurnError(pub Box<Failure>);

impl<E: Into<OperationError>> From<E> for TurnError {
    fn from(error: E) -> Self {
        Self(Box::new(Failure::from(error)))
    }
}

/// The source as the import reads it.
struct Arriving {
    pieces: mpsc::Receiver<Bytes>,
    current: Bytes,
    left_bytes: u64,
    silence: Duration,
    job: Arc<Job>,
    runtime: Runtime,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() && self.left_bytes > 0 {
            let (job, pieces, silence) = (&self.job, &mut self.pieces, self.silence);
            let next = async {
                tokio::select! {
                    biased;
                    () = job.until_stopped() => None,
                    piece = pieces.recv() => piece,
                    () = sleep(silence) => {
                        job.halt(Stop::Silent(silence.as_secs() / 60));
                        None
                    }
                }
            };
            let broken_off =
                || io::Error::new(io::ErrorKind::ConnectionAborted, "the upload broke off");
            self.current = self.runtime.block_on(next).ok_or_else(broken_off)?;
            self.left_bytes = self.left_bytes.saturating_sub(self.current.len() as u64);
        }
        let bytes = self.current.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.current.split_to(bytes));
        Ok(bytes)
    }
}

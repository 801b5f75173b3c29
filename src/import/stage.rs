//! The first step of an import: a source read once, front to back, its packages stored and offered to nobody.
//!
//! One thread reads and hashes, the others make packages of what it read; the channel between them is short, so memory
//! is bounded by the largest packages in flight. Each package is stored in its own short transactions: after a crash
//! the same import finds them again by digest.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::encode::Encoder;
use super::error::{ImportError, PackageError};
use super::found::Found;
use super::known::Known;
use super::leaf_pages::LeafPages;
use super::package::{Made, Maker};
use super::progress::{Outcome, Progress};
use super::reader::{Job, Reader};
use super::recent::Recent;
use super::signatures;
use super::source_reader::SourceReader;
use super::space::Before;
use crate::archive::Inflater;
use crate::crypto::openpgp::Certificate;
use crate::distribution::{BranchKind, DistributionName, SignaturePolicy};
use crate::limits::Limits;
use crate::package::{Categories, IngestionMethods, KnownDataStreams, Tables};
use crate::people::Actor;
use crate::store::stages::{self, StageId, Target};
use crate::store::{Store, StoreError, sources};

/// What is to be read, and for what.
#[derive(Debug, Clone)]
pub struct StageRequest {
    /// What the operator calls the source: its file name, or `-`.
    pub source_name: String,
    /// Who imports.
    pub who: Actor,
    /// The branch or release the operator named; else the source has to say it.
    pub target: Option<(DistributionName, BranchKind)>,
    /// Whether a target may still be named once the source is read. If not, reading stops at the first package of a
    /// source that does not say it.
    pub may_ask: bool,
    /// The policy for signatures that the branch is to have; `None` leaves it as it is.
    pub signatures: Option<SignaturePolicy>,
    /// Which image is meant where the source is the file of several: its name, the end of its name or its tag.
    pub image: Option<String>,
}

/// What reading a source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The stage that holds what came in.
    pub stage: StageId,
    /// Where it is to go; `None` when nobody said so yet.
    pub target: Option<Target>,
    /// Where it may be to go, where nobody said so: the release that its name says, else where the last of its name went.
    pub proposal: Option<DistributionName>,
    /// Package versions that can be taken.
    pub packages: usize,
    /// Of these, how many the store did not hold.
    pub new: usize,
    /// Bytes that were copied to the data folder before they could be read.
    pub copied_bytes: u64,
}

/// Reads `source` to its end and stores what packages it holds.
///
/// After an error there is no stage; packages that were stored by then are found again by their digests.
pub fn stage(
    store: &Store,
    source: Box<dyn Read + Send>,
    request: &StageRequest,
    progress: &Arc<Progress>,
    limits: &Limits,
) -> Result<Staged, ImportError> {
    tracing::debug!(phase = "stage", source = %request.source_name, "reading");
    let before = Before::of(store)?;
    let started_at = Timestamp::now();
    let begun = store.write_within_space(|conn| {
        let source = sources::begin(conn, &request.source_name)?;
        let stage = stages::begin(
            conn,
            source,
            &started_at.to_string(),
            &request.who.name,
            request.signatures,
        )?;
        Ok::<_, StoreError>((source, stage))
    });
    let (source_id, stage_id) =
        begun.map_err(|error| before.explain(error.into(), store, progress))?;
    let found = Found::new(request, started_at);
    let outcome = signatures::keyring(store)
        .map_err(ImportError::from)
        .and_then(|keyring| {
            let reading = Reading {
                store,
                request,
                progress,
                limits,
                keyring: &keyring,
                stage: stage_id,
            };
            let mut found = reading.read(source, found)?;
            found.keep_late_signatures(store, &keyring, limits)?;
            found.settle(store, request, source_id, stage_id)
        })
        .map(|staged| Staged {
            copied_bytes: progress.report().copied_bytes,
            ..staged
        })
        // What stops reads as a source that cannot be read.
        .map_err(|error| match error {
            ImportError::Source(_) if progress.is_stopped() => ImportError::Stopped,
            error => error,
        });
    tracing::debug!(
        phase = "stage",
        is_whole = outcome.is_ok(),
        "the source is read"
    );
    outcome.map_err(|error| {
        // A failure to end the stage must not hide why the import failed; it is ended when the store is opened next.
        let _ = store.write(|conn| {
            stages::end(conn, stage_id)?;
            sources::remove_unused(conn)
        });
        before.explain(error, store, progress)
    })
}

/// What the threads of an import share.
struct Reading<'a> {
    store: &'a Store,
    request: &'a StageRequest,
    progress: &'a Arc<Progress>,
    limits: &'a Limits,
    keyring: &'a [Certificate],
    stage: StageId,
}

impl Reading<'_> {
    /// Runs the thread that reads and those that make; returns once all have ended.
    fn read(&self, source: Box<dyn Read + Send>, found: Found) -> Result<Found, ImportError> {
        let Self {
            store,
            request,
            progress,
            limits,
            keyring,
            stage,
        } = *self;
        let (categories, ingestion_methods) =
            (Categories::built_in(), IngestionMethods::built_in());
        let makers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(4);
        let (jobs, received) = sync_channel::<Job>(1);
        let queue = Queue(Mutex::new(Some(received)));
        let made = Mutex::new(Vec::new());
        let (pages, known, recent) = (LeafPages::default(), Known::default(), Recent::default());
        let data_streams = KnownDataStreams::default();
        let (source, totals) = SourceReader::new(source, Arc::clone(progress), store.disk());
        let mut found = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..makers)
                .map(|_| {
                    let maker = Maker {
                        store,
                        limits,
                        stage,
                        tables: Tables {
                            categories: &categories,
                            ingestion_methods: &ingestion_methods,
                        },
                        data_streams: &data_streams,
                        encoder: Encoder::new(),
                        keyring,
                        pages: &pages,
                        known: &known,
                        recent: &recent,
                        inflater: Inflater::default(),
                    };
                    let (queue, made) = (&queue, &made);
                    scope.spawn(move || make_all(maker, queue, made, progress))
                })
                .collect();
            // The reader owns the sender: when it has ended the queue runs dry, and the makers end.
            let read = Reader::new(store, limits, request, progress, jobs, found)
                .read(Box::new(source), &totals);
            let mut made = Ok(());
            for worker in workers {
                match worker.join() {
                    Ok(outcome) => made = made.and(outcome),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            match (read, made) {
                // The reader found the queue closed, and this is why.
                (Ok(_) | Err(ImportError::Stopped), Err(error)) => Err(error),
                (read, _) => read,
            }
        })?;
        found.take_made(made.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(found)
    }
}

/// The makers' end of the channel that packages come through.
struct Queue(Mutex<Option<Receiver<Job>>>);

impl Queue {
    /// Waits for a package; `None` when no more will come.
    fn next(&self) -> Option<Job> {
        let received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        received.as_ref()?.recv().ok()
    }

    /// Lets nothing more through: the reader's next package is an error to it. Without this a reader would wait for
    /// ever once all makers had failed.
    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

type MadePackages = Mutex<Vec<(usize, Result<Made, PackageError>)>>;

fn make_all(
    mut maker: Maker<'_>,
    queue: &Queue,
    made: &MadePackages,
    progress: &Progress,
) -> Result<(), ImportError> {
    while let Some(mut job) = queue.next() {
        let number = job.package.number;
        // A defect that one package brings to light costs that package, not the release it came in.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            maker.make(&mut job.package, job.modified)
        }))
        .unwrap_or_else(|_panic| {
            maker.encoder = Encoder::new();
            Ok(Err(PackageError::Defect))
        })
        .inspect_err(|_| queue.close())?;
        progress.end_package(match &outcome {
            Ok(made) if made.is_new => Outcome::New,
            Ok(_) => Outcome::Known,
            Err(_) => Outcome::Refused,
        });
        made.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((number, outcome));
    }
    Ok(())
}

//! Long work that goes on without its client: what is under way, how far it is, and what it came to.
//!
//! Every job has a thread of its own, so that none takes those that answer requests. Jobs are known for the life of the
//! process: what a job did to the store is in the store, and what it left undone is begun anew by whoever wants it.
//! Knows nothing of requests; what the work is, its caller says.

mod report;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::error::{Failure, OperationError};
use super::uploads::Upload;
use crate::import::{ImportError, Progress};

pub use report::{JobId, JobKind, JobReport, JobState};

/// How often it is looked whether the last jobs have ended.
const LOOK: Duration = Duration::from_millis(20);

/// How much may be under way, and how much of what has ended is kept.
#[derive(Debug, Clone)]
pub struct JobLimits {
    /// Imports at a time: each holds the largest packages in flight in memory.
    pub imports: usize,
    /// Other jobs at a time: most of what they do is done one after the other anyway.
    pub others: usize,
    /// Jobs that have ended and can still be asked for.
    pub ended: usize,
    /// Bytes of what they came to.
    pub ended_bytes: usize,
    /// How long nothing of an upload may come.
    pub silence: Duration,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            imports: 4,
            others: 4,
            ended: 50,
            ended_bytes: 4 << 20,
            silence: Duration::from_secs(30 * 60),
        }
    }
}

/// All jobs of a server.
#[derive(Debug)]
pub struct Jobs {
    limits: JobLimits,
    known: Arc<Mutex<Known>>,
    is_stopping: watch::Sender<bool>,
}

/// The jobs that can be asked for, the oldest first.
#[derive(Debug, Default)]
struct Known {
    running: Vec<Arc<Job>>,
    ended: VecDeque<Arc<Job>>,
}

/// What is to be begun.
#[derive(Debug)]
pub struct NewJob {
    /// What it is to be known by.
    pub id: JobId,
    /// What is done.
    pub kind: JobKind,
    /// What it is done to.
    pub subject: String,
    /// Who wants it.
    pub who: String,
    /// What its source comes by, where that is an upload.
    pub upload: Option<Upload>,
}

/// A job, under way or ended.
#[derive(Debug)]
pub struct Job {
    id: JobId,
    kind: JobKind,
    subject: String,
    who: String,
    begun: Timestamp,
    progress: Arc<Progress>,
    upload: Option<Upload>,
    signal: watch::Sender<Signal>,
    outcome: OnceLock<Outcome>,
}

/// What those who wait for a job are woken by.
#[derive(Debug, Clone, Copy, Default)]
struct Signal {
    stopped: Option<Stop>,
    is_over: bool,
}

/// Why a job is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Somebody asked for it.
    #[error("it was cancelled")]
    Cancelled,
    /// Nothing came of an upload.
    #[error("nothing of the upload came for {0} minutes")]
    Silent(u64),
    /// The client whose request the source was went away.
    #[error("its client went away")]
    Left,
    /// The server stops.
    #[error("the server stopped")]
    ServerStops,
}

#[derive(Debug)]
struct Outcome {
    at: Timestamp,
    state: JobState,
    result: Option<Value>,
    failure: Option<Failure>,
    bytes: usize,
}

/// What a job came to, for whoever waits for it.
pub type Ended<T> = oneshot::Receiver<Result<T, Failure>>;

impl Default for Jobs {
    fn default() -> Self {
        Self::new(JobLimits::default())
    }
}

impl Jobs {
    /// Returns no jobs.
    pub fn new(limits: JobLimits) -> Self {
        Self {
            limits,
            known: Arc::default(),
            is_stopping: watch::Sender::new(false),
        }
    }

    /// Begins `work` on a thread of its own.
    ///
    /// Fails where as much is under way as may be, where the server stops, and where there is a job with this id.
    pub fn begin<T: Serialize + Send + 'static>(
        &self,
        new: NewJob,
        work: impl FnOnce(&Arc<Job>) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<(Arc<Job>, Ended<T>), OperationError> {
        let NewJob {
            id,
            kind,
            subject,
            who,
            upload,
        } = new;
        let job = Arc::new(Job {
            id,
            kind,
            subject,
            who,
            begun: Timestamp::now(),
            progress: Arc::default(),
            upload,
            signal: watch::Sender::default(),
            outcome: OnceLock::new(),
        });
        let mut known = lock(&self.known);
        self.check_room(&known, &job)?;
        let (say, ended) = oneshot::channel();
        let thread = {
            let (job, known, limits) = (
                Arc::clone(&job),
                Arc::clone(&self.known),
                self.limits.clone(),
            );
            move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| work(&job)));
                // The panic was told where it happened.
                let outcome = outcome.unwrap_or_else(|_panic| Err(ImportError::Stopped.into()));
                let outcome = job.end(outcome);
                lock(&known).move_to_ended(&job, &limits);
                job.signal.send_modify(|signal| signal.is_over = true);
                // Nobody has to wait for it.
                let _ = say.send(outcome);
            }
        };
        thread::Builder::new()
            .name("airlock-job".to_owned())
            .spawn(thread)
            .map_err(OperationError::NoThread)?;
        // The thread waits for the lock before it moves it on.
        known.running.push(Arc::clone(&job));
        Ok((job, ended))
    }

    fn check_room(&self, known: &Known, new: &Job) -> Result<(), OperationError> {
        if *self.is_stopping.borrow() {
            return Err(Stop::ServerStops.into());
        }
        if known.all().any(|job| job.id == new.id) {
            return Err(OperationError::InvalidRequest(format!(
                "there is a job {} already",
                new.id
            )));
        }
        let reads = new.kind.reads_a_source();
        let alike = known.running.iter();
        let alike = alike
            .filter(|job| job.kind.reads_a_source() == reads)
            .count();
        match reads {
            true if alike >= self.limits.imports => Err(OperationError::TooManyImports(alike)),
            false if alike >= self.limits.others => Err(OperationError::TooManyJobs(alike)),
            _ => Ok(()),
        }
    }

    /// Returns all that is under way and what has ended, the newest first.
    pub fn list(&self) -> Vec<JobReport> {
        let known = lock(&self.known);
        let ended = known.ended.iter().rev();
        let all = known.running.iter().rev().chain(ended);
        all.map(|job| job.report()).collect()
    }

    /// Returns a job by its id.
    pub fn find(&self, id: &str) -> Result<Arc<Job>, OperationError> {
        let known = lock(&self.known);
        let job = known.all().find(|job| job.id.as_str() == id).cloned();
        job.ok_or_else(|| OperationError::NoSuchJob(id.chars().take(64).collect()))
    }

    /// Returns how long nothing of an upload may come.
    pub fn silence(&self) -> Duration {
        self.limits.silence
    }

    /// Returns what tells when the server stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.is_stopping.subscribe()
    }

    /// Takes in no more, and ends what waits for its client: the server stops. What reads a source that is coming as one
    /// request has as long as that has.
    pub fn stop(&self) {
        self.is_stopping.send_replace(true);
        for job in &lock(&self.known).running {
            if job.upload.is_some() {
                job.halt(Stop::ServerStops);
            }
        }
    }

    /// Stops what can be stopped, and waits for all that is under way, `patience` at most. What goes on beyond it ends with
    /// the process, as if that had been killed: each of its changes was made or was not.
    pub fn finish(&self, patience: Duration) {
        self.stop();
        let since = Instant::now();
        loop {
            let running = lock(&self.known).running.clone();
            if running.is_empty() || since.elapsed() >= patience {
                return;
            }
            for job in running {
                job.halt(Stop::ServerStops);
            }
            thread::sleep(LOOK);
        }
    }
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.running.iter().chain(&self.ended)
    }

    fn move_to_ended(&mut self, job: &Arc<Job>, limits: &JobLimits) {
        self.running.retain(|running| !Arc::ptr_eq(running, job));
        self.ended.push_back(Arc::clone(job));
        let bytes = |job: &Arc<Job>| job.outcome.get().map_or(0, |outcome| outcome.bytes);
        let mut all_bytes: usize = self.ended.iter().map(bytes).sum();
        while self.ended.len() > limits.ended
            || (all_bytes > limits.ended_bytes && self.ended.len() > 1)
        {
            let oldest = self.ended.pop_front();
            all_bytes -= oldest.as_ref().map_or(0, bytes);
        }
    }
}

impl Job {
    /// Returns what it is known by.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Returns who began it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Returns how far it is; its work says so.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Returns what its source comes by.
    pub fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// Returns why it is being stopped.
    pub fn stopped(&self) -> Option<Stop> {
        self.signal.borrow().stopped
    }

    /// Returns once it is being stopped or has ended.
    pub async fn until_stopped(&self) {
        let mut signal = self.signal.subscribe();
        // The sender is this job's: it is there as long as anybody waits.
        let _ = signal
            .wait_for(|signal| signal.stopped.is_some() || signal.is_over)
            .await;
    }

    /// Returns once it has ended, with the failure if that is what it came to.
    pub async fn until_ended(&self) -> Option<Failure> {
        let mut signal = self.signal.subscribe();
        let _ = signal.wait_for(|signal| signal.is_over).await;
        self.outcome
            .get()
            .and_then(|outcome| outcome.failure.clone())
    }

    /// Has it end before its time. Of several reasons the first counts, and none once it has ended.
    ///
    /// Fails where it has ended, and where it is of a kind that cannot be left half done.
    pub fn stop(&self, why: Stop) -> Result<(), OperationError> {
        if self.outcome.get().is_some() {
            return Err(OperationError::JobEnded(self.id.to_string()));
        }
        if !self.kind.reads_a_source() {
            return Err(OperationError::NotCancellable(self.kind));
        }
        self.halt(why);
        Ok(())
    }

    pub(super) fn halt(&self, why: Stop) {
        self.signal.send_if_modified(|signal| {
            let is_first = signal.stopped.is_none() && !signal.is_over;
            if is_first {
                signal.stopped = Some(why);
            }
            is_first
        });
        self.progress.stop();
    }

    /// Writes down what it came to.
    fn end<T: Serialize>(&self, outcome: Result<T, OperationError>) -> Result<T, Failure> {
        let stopped = self.stopped();
        // What it stumbled over when it was stopped is of no interest.
        let outcome = outcome.map_err(|error| match stopped {
            Some(why) => Failure::from(OperationError::from(why)),
            None => Failure::from(error),
        });
        let state = match (&outcome, stopped) {
            (Ok(_), _) => JobState::Done,
            (Err(_), Some(Stop::Cancelled)) => JobState::Cancelled,
            (Err(_), _) => JobState::Failed,
        };
        // What cannot be written is not kept; whoever waits has it.
        let result = outcome.as_ref().ok();
        let result = result.and_then(|result| serde_json::to_value(result).ok());
        let bytes = result.as_ref().map_or(0, |result| result.to_string().len());
        let _ = self.outcome.set(Outcome {
            at: Timestamp::now(),
            state,
            result,
            failure: outcome.as_ref().err().cloned(),
            bytes,
        });
        outcome
    }

    /// Returns what there is to say of it now.
    pub fn report(&self) -> JobReport {
        let outcome = self.outcome.get();
        JobReport {
            id: self.id.clone(),
            kind: self.kind,
            subject: self.subject.clone(),
            who: self.who.clone(),
            begun: self.begun,
            ended: outcome.map(|outcome| outcome.at),
            state: outcome.map_or(JobState::Running, |outcome| outcome.state),
            progress: self.progress.report(),
            upload: self.upload.as_ref().map(|upload| upload.report(&self.id)),
            result: outcome.and_then(|outcome| outcome.result.clone()),
            failure: outcome.and_then(|outcome| outcome.failure.clone()),
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

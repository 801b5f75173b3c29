//! How far an import is: counters that a bar, a log line or another process may read at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How far an import is. Shared between the threads that import and whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    read_bytes: AtomicU64,
    /// 0 where it is not known.
    total_bytes: AtomicU64,
    copied_bytes: AtomicU64,
    found: AtomicU64,
    new: AtomicU64,
    refused: AtomicU64,
    current: Mutex<String>,
    is_stopped: AtomicBool,
}

/// What a [`Progress`] said at one moment.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct ProgressReport {
    /// Bytes of the source read, as it lies on disk.
    pub read_bytes: u64,
    /// Bytes of all of it, where that is known before it is read.
    #[serde(default)]
    pub total_bytes: Option<u64>,
    /// Bytes of an image that have to be copied to the data folder before it is read, as far as they are known.
    #[serde(default)]
    pub copied_bytes: u64,
    /// Package versions read.
    pub found: u64,
    /// Of these, how many the store did not hold.
    pub new: u64,
    /// Of these, how many were quarantined.
    pub refused: u64,
    /// The package that was read last.
    pub current: String,
}

impl Progress {
    /// Returns where the import is now.
    pub fn report(&self) -> ProgressReport {
        ProgressReport {
            read_bytes: self.read_bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes(),
            copied_bytes: self.copied_bytes.load(Ordering::Relaxed),
            found: self.found.load(Ordering::Relaxed),
            new: self.new.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            current: self
                .current
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }

    /// Notes how large the source is, where that is known before it is read.
    pub fn expect(&self, total_bytes: u64) {
        self.total_bytes.store(total_bytes, Ordering::Relaxed);
    }

    pub(super) fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    /// Asks the import to stop at the next package.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Tells whether a package was met.
    pub(super) fn has_begun(&self) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        !current.is_empty()
    }

    pub(super) fn read(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that `bytes` are copied to the data folder now, and returns how many are with those before.
    pub(super) fn copy(&self, bytes: u64) -> u64 {
        let before = self.copied_bytes.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes)
    }

    pub(super) fn begin_package(&self, folder: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clear();
        current.push_str(folder);
    }

    pub(super) fn end_package(&self, outcome: Outcome) {
        self.found.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Outcome::New => self.new.fetch_add(1, Ordering::Relaxed),
            Outcome::Known => 0,
            Outcome::Refused => self.refused.fetch_add(1, Ordering::Relaxed),
        };
    }
}

/// What became of one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    New,
    Known,
    Refused,
}

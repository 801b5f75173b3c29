//! Which zips were fetched, counted in memory until somebody writes it down: no request waits for a write, and none fails
//! for want of one.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::store::fetches::{self, Fetch};
use crate::store::{Store, StoreError};

/// Fetches of one day that are told apart; what comes beyond them that day is not noted.
const MOST: usize = 20_000;

/// What was fetched today.
#[derive(Debug, Default)]
pub struct Fetches(Mutex<Today>);

#[derive(Debug, Default)]
struct Today {
    day: Date,
    /// What was fetched, once each; what is written is kept so that it is not written again.
    written: HashSet<Fetch>,
    waiting: HashSet<Fetch>,
}

impl Fetches {
    /// Notes a fetch.
    pub fn note(&self, fetch: Fetch) {
        let mut today = self.today();
        today.turn(fetches::day_of(Timestamp::now()));
        if today.written.len() + today.waiting.len() < MOST && !today.written.contains(&fetch) {
            today.waiting.insert(fetch);
        }
    }

    /// Writes down what was noted since it was done last, in one transaction; nothing where nothing was. What cannot be
    /// written waits for the next time, as long as it is the same day.
    pub fn write(&self, store: &Store) -> Result<(), StoreError> {
        let (day, waiting) = {
            let mut today = self.today();
            (today.day, std::mem::take(&mut today.waiting))
        };
        if waiting.is_empty() {
            return Ok(());
        }
        let written = store.write(|conn| fetches::note(conn, &waiting, day));
        let mut today = self.today();
        if today.day == day {
            let place = match &written {
                Ok(()) => &mut today.written,
                Err(_) => &mut today.waiting,
            };
            place.extend(waiting);
        }
        written
    }

    /// The same where it can be done now; what cannot be written down counts later.
    pub fn write_or_keep(&self, store: &Store) {
        if let Err(error) = self.write(store) {
            tracing::debug!(%error, "what was fetched is not written down yet");
        }
    }

    fn today(&self) -> MutexGuard<'_, Today> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Today {
    /// Begins a new day where it is one; what waits is written with the new day, which is at most a minute off.
    fn turn(&mut self, day: Date) {
        if self.day != day {
            self.day = day;
            self.written.clear();
        }
    }
}

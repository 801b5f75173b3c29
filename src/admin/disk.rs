//! How long the disk will last: what was free each day, and when nothing will be, at that pace.

use jiff::Timestamp;
use jiff::civil::Date;

use super::error::OperationError;
use crate::store::disk_samples::{self, DiskSample};
use crate::store::fetches::day_of;
use crate::store::{Store, StoreError};

/// Days that the pace is taken from.
const PACE_DAYS: i64 = 60;
/// Days below which nothing can be said.
const LEAST_DAYS: i64 = 3;
/// Days beyond which a forecast says nothing.
const MOST_DAYS: i64 = 5 * 365;

/// How the disk was, and when it will be full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskOutlook {
    /// A sample a day, oldest first.
    pub samples: Vec<DiskSample>,
    /// The day on which nothing will be free at the pace of late; `None` where it does not fill, not within years, or too
    /// little is known.
    pub full_on: Option<Date>,
}

/// Notes how full the disk is, where that was not done today. Tells whether it was done now.
pub fn sample(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let day = day_of(now);
    if store.read(|conn| disk_samples::has(conn, day))? {
        return Ok(false);
    }
    let sample = DiskSample {
        day,
        store_bytes: store.taken_bytes(),
        free_bytes: store.disk().free_bytes()?,
    };
    store.write(|conn| disk_samples::note(conn, &sample))?;
    Ok(true)
}

/// Returns how the disk was, and when it will be full.
pub fn outlook(store: &Store) -> Result<DiskOutlook, OperationError> {
    let samples = store.read(disk_samples::all)?;
    Ok(DiskOutlook {
        full_on: full_on(&samples),
        samples,
    })
}

/// Returns when nothing will be free, by the line from the first sample that counts to the last.
fn full_on(samples: &[DiskSample]) -> Option<Date> {
    let last = samples.last()?;
    let days_before = |it: &DiskSample| i64::from((last.day - it.day).get_days());
    let first = samples.iter().find(|it| days_before(it) <= PACE_DAYS)?;
    let days = days_before(first);
    let used_bytes = first.free_bytes.checked_sub(last.free_bytes)?;
    if days < LEAST_DAYS || used_bytes == 0 {
        return None;
    }
    let left_days =
        u128::from(last.free_bytes) * u128::from(days.unsigned_abs()) / u128::from(used_bytes);
    let left_days = i64::try_from(left_days)
        .ok()
        .filter(|days| *days <= MOST_DAYS)?;
    last.day.checked_add(jiff::Span::new().days(left_days)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(days: &[(&str, u64)]) -> Vec<DiskSample> {
        let sample = |(day, free_bytes): &(&str, u64)| DiskSample {
            day: day.parse().unwrap(),
            store_bytes: 1,
            free_bytes: *free_bytes,
        };
        days.iter().map(sample).collect()
    }

    #[test]
    fn the_day_comes_from_the_pace_of_late() {
        let day = |days: &[(&str, u64)]| full_on(&samples(days)).map(|day| day.to_string());
        // A gigabyte a day, ten left.
        let filling = [("2026-01-01", 500), ("2026-11-12", 20), ("2026-11-22", 10)];
        assert_eq!(day(&filling).as_deref(), Some("2026-12-02"));
        assert_eq!(day(&[("2026-11-12", 20), ("2026-11-22", 20)]), None);
        assert_eq!(day(&[("2026-11-12", 20), ("2026-11-22", 30)]), None);
        assert_eq!(day(&[("2026-11-21", 20), ("2026-11-22", 10)]), None);
        assert_eq!(
            day(&[("2026-11-12", u64::MAX), ("2026-11-22", u64::MAX - 1)]),
            None
        );
        assert_eq!(day(&[]), None);
    }

    #[test]
    fn a_day_is_sampled_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        assert!(sample(&store, now).unwrap());
        assert!(!sample(&store, now).unwrap());
        let outlook = outlook(&store).unwrap();
        assert_eq!(outlook.samples.len(), 1);
        assert!(outlook.samples[0].free_bytes > 0 && outlook.samples[0].store_bytes > 0);
    }
}

//! How full the disk was, once a day.

use jiff::civil::Date;
use rusqlite::{Connection, Transaction, named_params};

use super::StoreError;

/// Days that are kept.
const KEPT_DAYS: i32 = 400;

/// The disk of the store on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSample {
    /// The day, UTC.
    pub day: Date,
    /// Bytes of the store.
    pub store_bytes: u64,
    /// Bytes that were free.
    pub free_bytes: u64,
}

/// Tells whether there is a sample of a day.
pub fn has(conn: &Connection, day: Date) -> Result<bool, StoreError> {
    let mut query =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM disk_sample WHERE day = ?1)")?;
    Ok(query.query_row([day.to_string()], |row| row.get(0))?)
}

/// Keeps a sample; the first of a day counts. Those that are too old go.
pub fn note(conn: &Transaction<'_>, sample: &DiskSample) -> Result<(), StoreError> {
    conn.execute(
        "INSERT OR IGNORE INTO disk_sample (day, store_bytes, free_bytes)
         VALUES (:day, :store_bytes, :free_bytes)",
        named_params! {
            ":day": sample.day.to_string(),
            ":store_bytes": sample.store_bytes.cast_signed().max(0),
            ":free_bytes": sample.free_bytes.cast_signed().max(0),
        },
    )?;
    let oldest = sample.day.saturating_sub(jiff::Span::new().days(KEPT_DAYS));
    conn.execute(
        "DELETE FROM disk_sample WHERE day < ?1",
        [oldest.to_string()],
    )?;
    Ok(())
}

/// Returns all samples, oldest first.
pub fn all(conn: &Connection) -> Result<Vec<DiskSample>, StoreError> {
    let mut query =
        conn.prepare_cached("SELECT day, store_bytes, free_bytes FROM disk_sample ORDER BY day")?;
    let mut rows = query.query([])?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next()? {
        let day: String = row.get(0)?;
        samples.push(DiskSample {
            day: day.parse().map_err(|_| StoreError::Invalid {
                what: "day of the disk",
                value: day,
            })?,
            store_bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            free_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
        });
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn the_first_sample_of_a_day_counts_and_old_ones_go() {
        let mut conn = schema::in_memory();
        let sample = |day: &str, free_bytes| DiskSample {
            day: day.parse().unwrap(),
            store_bytes: 7,
            free_bytes,
        };
        let days = [
            sample("2025-01-01", 9),
            sample("2026-11-21", 8),
            sample("2026-11-21", 7),
        ];
        let conn = conn.transaction().unwrap();
        for day in &days {
            note(&conn, day).unwrap();
        }
        assert_eq!(all(&conn).unwrap(), [days[1]]);
        assert!(has(&conn, days[1].day).unwrap() && !has(&conn, days[0].day).unwrap());
    }
}

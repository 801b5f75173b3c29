//! Which zips some Kibana fetched, from which distribution, and when: rows written in batches, days after days the same.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction, named_params};

use super::distributions::DistributionId;
use super::{StoreError, artifacts};
use crate::package::PackageId;

/// Days for which what was fetched counts as in use, where nobody says another number.
pub const KEEP_FETCHED_DAYS: u16 = 400;
/// Rows that are kept: some tens of releases, each by some versions of Kibana. Beyond them versions of Kibana are not told apart.
const MOST: i64 = 100_000;

/// A zip that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// The package version.
    pub package: PackageId,
    /// The distribution it was fetched from.
    pub distribution: DistributionId,
    /// The version of Kibana, empty where the request did not say it.
    pub kibana: Box<str>,
}

/// What is known of a zip that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What was fetched, from where, by whom.
    pub fetch: Fetch,
    /// The first day, UTC.
    pub first_day: String,
    /// The last day, UTC.
    pub last_day: String,
}

/// Notes what was fetched on `day`. What is not known to the store is passed over.
pub fn note<'a>(
    conn: &Transaction<'_>,
    fetches: impl IntoIterator<Item = &'a Fetch>,
    day: Date,
) -> Result<(), StoreError> {
    let rows: i64 = conn.query_row("SELECT count(*) FROM fetch", [], |row| row.get(0))?;
    let mut query = conn.prepare_cached(
        "INSERT INTO fetch (package_version, distribution, kibana, first_day, last_day)
         SELECT v.id, d.id, :kibana, :day, :day
           FROM package_version v, distribution d
          WHERE v.name = :name AND v.version = :version AND d.id = :distribution
             ON CONFLICT DO UPDATE SET last_day = max(last_day, excluded.last_day)",
    )?;
    for fetch in fetches {
        let kibana = if rows < MOST { &*fetch.kibana } else { "" };
        query.execute(named_params! {
            ":kibana": kibana,
            ":day": day.to_string(),
            ":name": fetch.package.name.as_str(),
            ":version": fetch.package.version.to_string(),
            ":distribution": fetch.distribution,
        })?;
    }
    Ok(())
}

/// Returns what was fetched on `day` or later, by package version.
pub fn since(conn: &Connection, day: Date) -> Result<Vec<Fetched>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, f.distribution, f.kibana, f.first_day, f.last_day
           FROM fetch f
           JOIN package_version v ON v.id = f.package_version
          WHERE f.last_day >= :day",
    )?;
    let mut rows = query.query(named_params! { ":day": day.to_string() })?;
    let mut fetched = Vec::new();
    while let Some(row) = rows.next()? {
        let package = artifacts::package_id(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?)?;
        let kibana: String = row.get(3)?;
        fetched.push(Fetched {
            fetch: Fetch {
                package,
                distribution: row.get(2)?,
                kibana: kibana.into(),
            },
            first_day: row.get(4)?,
            last_day: row.get(5)?,
        });
    }
    fetched.sort_by(|a, b| a.fetch.package.cmp(&b.fetch.package));
    Ok(fetched)
}

/// Returns what was fetched in the last [`KEEP_FETCHED_DAYS`] days, by package version: it counts as in use.
pub fn in_use(conn: &Connection, now: Timestamp) -> Result<Vec<Fetched>, StoreError> {
    within(conn, now, KEEP_FETCHED_DAYS)
}

/// Returns what was fetched in the last `days` days, by package version.
pub fn within(conn: &Connection, now: Timestamp, days: u16) -> Result<Vec<Fetched>, StoreError> {
    let days = jiff::Span::new().days(i32::from(days));
    since(conn, day_of(now).saturating_sub(days))
}

/// Returns the day of a moment, UTC.
pub fn day_of(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::{distributions, schema};

    #[test]
    fn a_fetch_is_a_row_with_its_first_and_last_day() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        artifact(&conn, "1.5.0", "a");
        let distribution = distributions::insert(&conn, &name("mine"), at).unwrap();
        let fetch = |version, kibana: &str| Fetch {
            package: PackageId::parse("nginx", version).unwrap(),
            distribution,
            kibana: kibana.into(),
        };
        let day = |text: &str| text.parse::<Date>().unwrap();
        let fetches = [
            fetch("1.5.0", "8.5.0"),
            fetch("1.5.0", ""),
            fetch("9.9.9", ""),
        ];
        note(&conn, &fetches, day("2026-01-31")).unwrap();
        note(&conn, &fetches[..1], day("2026-02-01")).unwrap();
        note(&conn, &fetches[..1], day("2026-01-01")).unwrap();

        let shown = |from: &str| -> Vec<(String, String, String)> {
            let rows = since(&conn, day(from)).unwrap().into_iter();
            rows.map(|it| (it.fetch.kibana.into(), it.first_day, it.last_day))
                .collect()
        };
        let (january, february) = ("2026-01-31".to_owned(), "2026-02-01".to_owned());
        let said = ("8.5.0".to_owned(), january.clone(), february);
        let unsaid = (String::new(), january.clone(), january);
        assert_eq!(shown("2026-01-31"), [unsaid, said.clone()]);
        assert_eq!(shown("2026-02-01"), [said]);

        let in_use = |now: &str| in_use(&conn, now.parse().unwrap()).unwrap().len();
        assert_eq!(in_use("2027-03-07T23:59:59Z"), 2);
        assert_eq!(in_use("2027-03-08T00:00:00Z"), 1);
        assert_eq!(in_use("2027-03-09T00:00:00Z"), 0);
    }
}

//! Holds, and the distributions that answer only for what they offer now.

use rusqlite::{Connection, Params, Row, Transaction, named_params};

use super::change_sets::ChangeSetId;
use super::distributions::DistributionId;
use super::{StoreError, branches};
use crate::distribution::{Hold, HoldRule, Holds};
use crate::package::{PackageName, PackageVersion};

/// A hold with whose it is and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The distribution; `None` where it is withdrawn from all.
    pub distribution: Option<DistributionId>,
    /// The hold.
    pub hold: Hold,
    /// The change set it began with.
    pub since: ChangeSetId,
    /// The change set it was released with.
    pub until: Option<ChangeSetId>,
}

/// Adds a hold, from `change_set` on; returns its number. The number that `hold` has does not count.
pub fn insert(
    conn: &Transaction<'_>,
    distribution: Option<DistributionId>,
    hold: &Hold,
    change_set: ChangeSetId,
) -> Result<i64, StoreError> {
    conn.execute(
        "INSERT INTO hold (distribution, package, rule, version, branch, reason, ends, since)
         VALUES (:distribution, :package, :rule, :version,
                 (SELECT id FROM branch WHERE name = :branch), :reason, :ends, :change_set)",
        named_params! {
            ":distribution": distribution,
            ":package": hold.package.as_str(),
            ":rule": hold.rule.as_str(),
            ":version": hold.rule.version().map(ToString::to_string),
            ":branch": hold.rule.branch().map(ToString::to_string),
            ":reason": hold.reason,
            ":ends": hold.ends.map(|ends| ends.to_string()),
            ":change_set": change_set,
        },
    )?;
    Ok(conn.last_insert_rowid())
}

/// Releases a hold; tells whether there was one to release.
pub fn release(
    conn: &Transaction<'_>,
    number: i64,
    change_set: ChangeSetId,
) -> Result<bool, StoreError> {
    let released = conn.execute(
        "UPDATE hold SET until = :change_set WHERE id = :number AND until IS NULL",
        named_params! { ":number": number, ":change_set": change_set },
    )?;
    Ok(released > 0)
}

/// Returns the holds that nobody has released, by number; those that ended by themselves are among them.
pub fn open(conn: &Connection) -> Result<Vec<Held>, StoreError> {
    rows(conn, "h.until IS NULL", [])
}

/// Returns the same as it was right after a change set.
pub fn at(conn: &Connection, change_set: ChangeSetId) -> Result<Vec<Held>, StoreError> {
    rows(
        conn,
        "h.since <= ?1 AND (h.until IS NULL OR h.until > ?1)",
        [change_set],
    )
}

/// Returns those that stand behind what is served as it was right after a change set: what is withdrawn since then is not
/// served as it was either.
pub fn served_at(conn: &Connection, change_set: ChangeSetId) -> Result<Vec<Held>, StoreError> {
    let mut held = at(conn, change_set)?;
    held.retain(|it| it.distribution.is_some());
    let open = open(conn)?.into_iter();
    held.extend(open.filter(|it| it.distribution.is_none()));
    Ok(held)
}

/// Returns the holds that a change set began or released.
pub fn changed(conn: &Connection, change_set: ChangeSetId) -> Result<Vec<Held>, StoreError> {
    rows(conn, "h.since = ?1 OR h.until = ?1", [change_set])
}

/// Returns every hold that there ever was on a package, of one distribution or of all.
pub fn ever(
    conn: &Connection,
    distribution: DistributionId,
    package: &PackageName,
) -> Result<Vec<Held>, StoreError> {
    rows(
        conn,
        "h.package = ?2 AND (h.distribution = ?1 OR h.distribution IS NULL)",
        (distribution, package.as_str()),
    )
}

/// Returns those of `all` that concern a distribution: its own, and what is withdrawn.
pub fn of(all: &[Held], distribution: DistributionId) -> Holds {
    let concern = |it: &&Held| it.distribution.is_none_or(|id| id == distribution);
    Holds::new(all.iter().filter(concern).map(|it| it.hold.clone()))
}

fn rows(
    conn: &Connection,
    condition: &str,
    parameters: impl Params,
) -> Result<Vec<Held>, StoreError> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT h.id, h.distribution, h.package, h.rule, h.version, b.name, h.reason, h.ends, h.since, h.until
           FROM hold h
           LEFT JOIN branch b ON b.id = h.branch
          WHERE {condition}
          ORDER BY h.id"
    ))?;
    let mut rows = query.query(parameters)?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push(read(row)?);
    }
    Ok(held)
}

fn read(row: &Row<'_>) -> Result<Held, StoreError> {
    let invalid = |what: &'static str, value: &str| StoreError::Invalid {
        what,
        value: value.to_owned(),
    };
    let version: Option<String> = row.get(4)?;
    let parse =
        |text: &String| PackageVersion::parse(text).map_err(|_| invalid("version of a hold", text));
    let version = version.as_ref().map(parse).transpose()?;
    let branch: Option<String> = row.get(5)?;
    let branch = branch.as_deref().map(branches::read_name).transpose()?;
    let rule: String = row.get(3)?;
    let rule = match (rule.as_str(), version, branch) {
        ("at", Some(version), _) => HoldRule::At(version),
        ("version", Some(version), _) => HoldRule::Version(version),
        ("withdrawn", Some(version), _) => HoldRule::Withdrawn(version),
        ("only", _, Some(branch)) => HoldRule::Only(branch),
        (rule, _, _) => return Err(invalid("hold", rule)),
    };
    let package: String = row.get(2)?;
    let ends: Option<String> = row.get(7)?;
    let time = |text: &String| text.parse().map_err(|_| invalid("end of a hold", text));
    Ok(Held {
        distribution: row.get(1)?,
        hold: Hold {
            number: row.get(0)?,
            package: PackageName::parse(&package)
                .map_err(|_| invalid("package of a hold", &package))?,
            rule,
            reason: row.get(6)?,
            ends: ends.as_ref().map(time).transpose()?,
        },
        since: row.get(8)?,
        until: row.get(9)?,
    })
}

/// Says whether a distribution answers only for what it offers now, from `change_set` on; tells whether that is new.
pub fn set_exact_now(
    conn: &Transaction<'_>,
    distribution: DistributionId,
    is_now: bool,
    change_set: ChangeSetId,
) -> Result<bool, StoreError> {
    if exact_now(conn, None)?.contains(&distribution) == is_now {
        return Ok(false);
    }
    let statement = if is_now {
        "INSERT INTO exact_now (distribution, since) VALUES (:distribution, :change_set)"
    } else {
        "UPDATE exact_now SET until = :change_set WHERE distribution = :distribution AND until IS NULL"
    };
    conn.execute(
        statement,
        named_params! { ":distribution": distribution, ":change_set": change_set },
    )?;
    Ok(true)
}

/// Returns the distributions that answer only for what they offer: now, or right after a change set.
pub fn exact_now(
    conn: &Connection,
    at: Option<ChangeSetId>,
) -> Result<Vec<DistributionId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT distribution
           FROM exact_now
          WHERE (:at IS NULL AND until IS NULL)
             OR (since <= :at AND (until IS NULL OR until > :at))",
    )?;
    let rows = query.query_map(named_params! { ":at": at }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the distributions whose setting a change set changed, and whether they answer only for what they offer since.
pub fn exact_changed(
    conn: &Connection,
    change_set: ChangeSetId,
) -> Result<Vec<(DistributionId, bool)>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT distribution, since = :at FROM exact_now WHERE since = :at OR until = :at",
    )?;
    let rows = query.query_map(named_params! { ":at": change_set }, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

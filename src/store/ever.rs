//! What a distribution ever offered: for one package version, the artifact it offered last.

use jiff::Timestamp;
use rusqlite::{Connection, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::branches::{self, BranchId};
use super::change_sets::{self, ChangeSetId};
use super::distributions::DistributionId;
use super::holds::{self, Held};
use crate::distribution::DistributionName;
use crate::package::PackageId;

/// What a branch held as a package version while a distribution served that branch.
struct Span {
    artifact: ArtifactId,
    branch: BranchId,
    name: DistributionName,
    position: i64,
    from: ChangeSetId,
    /// The change set with which it ended.
    until: Option<ChangeSetId>,
}

/// Returns the artifact that a distribution offered last as `package` up to a change set, and the branch that held it; `None`
/// where it never offered one. What is held back was not offered. Reads what there is of that one version.
pub fn last_offered(
    conn: &Connection,
    distribution: DistributionId,
    package: &PackageId,
    up_to: ChangeSetId,
) -> Result<Option<(ArtifactId, BranchId)>, StoreError> {
    let spans = spans(conn, distribution, package, up_to)?;
    if spans.is_empty() {
        return Ok(None);
    }
    let holds = holds::ever(conn, distribution, &package.name)?;
    let ends = spans.iter().map(|it| it.until);
    let holds_since = holds.iter().map(|it| it.since);
    let holds_until = holds.iter().filter_map(|it| it.until);
    let mut moments: Vec<ChangeSetId> = spans.iter().map(|it| it.from).collect();
    moments.extend(ends.flatten().chain(holds_since).chain(holds_until));
    moments.retain(|moment| *moment <= up_to);
    moments.sort();
    moments.dedup();
    let mut end = None;
    for moment in moments.into_iter().rev() {
        let is_there = |from: ChangeSetId, until: Option<ChangeSetId>| {
            from <= moment && until.is_none_or(|until| until > moment)
        };
        // A hold that ended by itself before the next change kept it back no longer then.
        let over_by = match end {
            Some(end) => time_of(conn, end)?,
            None => Timestamp::now(),
        };
        let in_force: Vec<&Held> = (holds.iter())
            .filter(|it| is_there(it.since, it.until) && !it.hold.is_over(over_by))
            .collect();
        let is_open = |span: &&Span| {
            is_there(span.from, span.until)
                && !in_force
                    .iter()
                    .any(|it| it.hold.keeps_back(package, &span.name))
        };
        let offered = spans
            .iter()
            .filter(is_open)
            .min_by_key(|span| span.position);
        if let Some(span) = offered {
            return Ok(Some((span.artifact, span.branch)));
        }
        end = Some(moment);
    }
    Ok(None)
}

fn spans(
    conn: &Connection,
    distribution: DistributionId,
    package: &PackageId,
    up_to: ChangeSetId,
) -> Result<Vec<Span>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT m.artifact, b.id, b.name, d.position, max(m.since, d.since),
                nullif(min(coalesce(m.until, :never), coalesce(d.until, :never)), :never)
           FROM package_version v
           JOIN distribution_branch d ON d.distribution = :distribution
           JOIN member m ON m.branch = d.branch AND m.package_version = v.id
           JOIN branch b ON b.id = d.branch
          WHERE v.name = :name
            AND v.version = :version
            AND max(m.since, d.since) <= :up_to
            AND max(m.since, d.since) < min(coalesce(m.until, :never), coalesce(d.until, :never))",
    )?;
    let mut rows = query.query(named_params! {
        ":distribution": distribution,
        ":name": package.name.as_str(),
        ":version": package.version.to_string(),
        ":up_to": up_to,
        ":never": i64::MAX,
    })?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        spans.push(Span {
            artifact: row.get(0)?,
            branch: row.get(1)?,
            name: branches::read_name(&row.get::<_, String>(2)?)?,
            position: row.get(3)?,
            from: row.get(4)?,
            until: row.get(5)?,
        });
    }
    Ok(spans)
}

fn time_of(conn: &Connection, change_set: ChangeSetId) -> Result<Timestamp, StoreError> {
    let at = change_sets::get(conn, change_set)?.map(|it| it.at);
    let at = at.unwrap_or_default();
    at.parse().map_err(|_| StoreError::Invalid {
        what: "time of a change set",
        value: at,
    })
}

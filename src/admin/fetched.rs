//! What some Kibana fetched: it may run it still, and misses what is no longer offered.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::distributions::{Contents, served};
use super::error::OperationError;
use crate::distribution::{DistributionName, Exact, HoldRule};
use crate::package::PackageId;
use crate::store::Store;
use crate::store::change_sets::ChangeSetId;
use crate::store::distributions::{self, DistributionId};
use crate::store::ever;
use crate::store::fetches::{self, Fetched};

/// Later than every change set.
const LATEST: ChangeSetId = ChangeSetId(i64::MAX);

/// A package version that some Kibana fetched, and that a change takes out of what its distribution offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NoLongerOffered {
    /// The distribution it was fetched from.
    pub distribution: String,
    /// The package version.
    pub package: String,
    /// The versions of Kibana that fetched it, as far as they said it.
    pub kibana: Vec<String>,
    /// The last day it was fetched, UTC.
    pub last_day: String,
    /// Whether its document, files and zip are answered all the same.
    pub is_answered: bool,
}

/// A package version that was fetched, by which Kibana, from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchReport {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The distribution it was fetched from, whether it is still there or not.
    pub distribution: String,
    /// The version of Kibana, empty where the request did not say it.
    pub kibana: String,
    /// The last day it was fetched, UTC.
    pub last_day: String,
}

/// Returns what was fetched lately, by package and version.
pub fn list(store: &Store, now: Timestamp) -> Result<Vec<FetchReport>, OperationError> {
    store.snapshot(|conn| {
        let names: HashMap<DistributionId, DistributionName> = distributions::ever(conn)?
            .into_iter()
            .map(|it| (it.id, it.name))
            .collect();
        let report = |it: Fetched| FetchReport {
            package: it.fetch.package.name.to_string(),
            version: it.fetch.package.version.to_string(),
            distribution: (names.get(&it.fetch.distribution))
                .map(ToString::to_string)
                .unwrap_or_default(),
            kibana: it.fetch.kibana.into(),
            last_day: it.last_day,
        };
        let fetched = fetches::in_use(conn, now)?.into_iter();
        Ok(fetched.map(report).collect())
    })
}

/// What each distribution offers of what was fetched from it.
type Offered = HashMap<DistributionId, HashSet<PackageId>>;

/// Makes a change, and returns with what came of it what some Kibana fetched lately and is no longer offered to it.
pub(super) fn watching<T>(
    conn: &Transaction<'_>,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, OperationError>,
) -> Result<(T, Vec<NoLongerOffered>), OperationError> {
    let fetched = fetches::in_use(conn, Timestamp::now())?;
    if fetched.is_empty() {
        return Ok((change(conn)?, Vec::new()));
    }
    let names: HashMap<DistributionId, DistributionName> = distributions::ever(conn)?
        .into_iter()
        .map(|it| (it.id, it.name))
        .collect();
    let before = offered(conn, &names, &fetched)?;
    let contents_before = Contents::load(conn)?;
    let outcome = change(conn)?;
    let after = offered(conn, &names, &fetched)?;
    let contents = Contents::load(conn)?;
    let mut missed: BTreeMap<(String, PackageId), NoLongerOffered> = BTreeMap::new();
    for Fetched {
        fetch, last_day, ..
    } in fetched
    {
        let id = fetch.distribution;
        let is_offered = |by: &Offered| by.get(&id).is_some_and(|of| of.contains(&fetch.package));
        let is_answered = |by: &Offered, contents: &Contents| {
            by.contains_key(&id)
                && contents.exact(id) == Exact::Ever
                && !is_withdrawn(contents, &fetch.package)
        };
        let is_lost = !is_offered(&after)
            && (is_offered(&before)
                // It was superseded before, and answered all the same until now.
                || is_answered(&before, &contents_before)
                    && !is_answered(&after, &contents)
                    && ever::last_offered(conn, id, &fetch.package, LATEST)?.is_some());
        let Some(name) = names.get(&id).filter(|_| is_lost) else {
            continue;
        };
        let entry = missed
            .entry((name.to_string(), fetch.package.clone()))
            .or_insert_with(|| NoLongerOffered {
                distribution: name.to_string(),
                package: fetch.package.to_string(),
                kibana: Vec::new(),
                last_day: String::new(),
                is_answered: is_answered(&after, &contents),
            });
        entry.last_day = last_day.max(std::mem::take(&mut entry.last_day));
        if !fetch.kibana.is_empty() {
            entry.kibana.push(fetch.kibana.into());
        }
    }
    Ok((outcome, missed.into_values().collect()))
}

fn is_withdrawn(contents: &Contents, package: &PackageId) -> bool {
    let holds = contents.holds(None);
    let withdraws = |rule: &HoldRule| matches!(rule, HoldRule::Withdrawn(version) if *version == package.version);
    let mut on_package = holds.iter().filter(|it| it.hold.package == package.name);
    on_package.any(|it| withdraws(&it.hold.rule))
}

/// Returns what the distributions that something was fetched from offer; those that are not there are left out.
fn offered(
    conn: &Connection,
    names: &HashMap<DistributionId, DistributionName>,
    fetched: &[Fetched],
) -> Result<Offered, OperationError> {
    let contents = Contents::load(conn)?;
    let mut offered = Offered::new();
    for id in fetched.iter().map(|it| it.fetch.distribution) {
        let Some(name) = names.get(&id).filter(|_| !offered.contains_key(&id)) else {
            continue;
        };
        if distributions::find(conn, name)?.is_none() {
            continue;
        }
        let layers = served(conn, name)?;
        let packages = contents.offers(id, &layers).offered.into_iter();
        offered.insert(id, packages.map(|it| it.package).collect());
    }
    Ok(offered)
}

//! Records of a distribution: what it offered at some time, signed with the appliance's own key.
//!
//! It tells what was offered then, also where a hold or a withdrawal came later, and what was deleted since by its digests.
//! What is said of signatures is what the keyring says of them now.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::history::Names;
use super::holds::HoldReport;
use super::missing::Missing;
use super::prune;
use super::record::{ArtifactRecord, SignedRecord, sign};
use super::record_text::{artifacts, on_one_line};
use crate::distribution::{DistributionName, Exact, Fingerprint, offers};
use crate::package::PackageId;
use crate::store::{Store, StoreError, change_sets, distributions, history, holds, records};

/// The moment of which a record tells.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentRequest {
    /// A time in RFC 3339; or a day, which stands for its end in UTC, and for now while it lasts.
    pub at: String,
}

/// What a distribution offered at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OfferRecord {
    /// The distribution.
    pub distribution: String,
    /// What was asked for.
    pub asked: String,
    /// The moment that is told of, UTC, RFC 3339.
    pub at: String,
    /// The last change set before it.
    pub change_set: i64,
    /// When that was, UTC, RFC 3339.
    pub since: String,
    /// Its branches then, the winning one first.
    pub branches: Vec<String>,
    /// For which versions it answered then.
    pub exact: Exact,
    /// What tells that the same was offered elsewhere.
    pub fingerprint: String,
    /// What it offered, by name and version.
    pub artifacts: Vec<ArtifactRecord>,
    /// The holds on it that were in force, each with what it kept back; what was withdrawn only where it kept back something.
    pub holds: Vec<HoldReport>,
}

/// Returns what a distribution offered at a moment, signed with the appliance's own key.
pub fn record(
    store: &Store,
    name: &DistributionName,
    moment: &MomentRequest,
) -> Result<SignedRecord<OfferRecord>, OperationError> {
    let at = time(&moment.at, Timestamp::now())?;
    let record = store.snapshot(|conn| {
        let ever = distributions::ever(conn)?;
        let missing = |text: &str| {
            let others = ever.iter().map(|it| it.name.as_str());
            OperationError::NoSuchDistribution(Missing::among(text, others))
        };
        let distribution = ever.iter().find(|it| it.name == *name);
        let distribution = distribution.ok_or_else(|| missing(name.as_str()))?;
        let not_yet = || OperationError::NotYetThere {
            distribution: name.to_string(),
            at: at.to_string(),
        };
        let change_set = change_sets::last_up_to(conn, at)?.ok_or_else(not_yet)?;
        prune::check_is_known(conn, change_set.id)?;
        let branches = history::branches_at(conn, distribution.id, change_set.id)?;
        if branches.is_empty() {
            return Err(not_yet());
        }
        let names = Names::load(conn)?;
        let held = holds::at(conn, change_set.id)?;
        let rules = holds::of(&held, distribution.id);
        let mut layers = Vec::new();
        let mut kept_back = Vec::new();
        for id in &branches {
            let mut members = Vec::new();
            for artifact in records::held(conn, *id, change_set.id)? {
                let package = PackageId::parse(&artifact.name, &artifact.version);
                let package = package.map_err(|_| StoreError::Invalid {
                    what: "package version",
                    value: format!("{} {}", artifact.name, artifact.version),
                })?;
                members.push((package, artifact));
            }
            let branch = names.branch_name(*id)?;
            let (open, back) = rules.part(&branch, members, at);
            layers.push(open);
            kept_back.extend(back);
        }
        let (offered, _) = offers(layers);
        let digests = offered.iter().map(|it| (&it.package, it.held.sha256));
        let fingerprint = Fingerprint::of(digests).to_string();
        let in_force = held.iter().filter(|it| {
            let concerns = it.distribution.is_none_or(|id| id == distribution.id);
            concerns && !it.hold.is_over(at)
        });
        let mut reports = Vec::new();
        for it in in_force {
            let of_hold = kept_back.iter().filter(|back| back.hold == it.hold.number);
            let versions: Vec<_> = of_hold.map(|back| back.package.to_string()).collect();
            if it.distribution.is_some() || !versions.is_empty() {
                let of = it.distribution.map(|_| name.to_string());
                reports.push(HoldReport {
                    versions,
                    ..HoldReport::of(&it.hold, of)
                });
            }
        }
        let exact_now = holds::exact_now(conn, Some(change_set.id))?;
        Ok(OfferRecord {
            distribution: name.to_string(),
            asked: moment.at.clone(),
            at: at.to_string(),
            change_set: change_set.id.0,
            since: change_set.at,
            branches: names.branches(&branches),
            exact: match exact_now.contains(&distribution.id) {
                true => Exact::Now,
                false => Exact::Ever,
            },
            fingerprint,
            artifacts: offered
                .into_iter()
                .map(|it| ArtifactRecord::of(it.held))
                .collect(),
            holds: reports,
        })
    })?;
    sign(store, record, markdown)
}

/// Returns the moment that `text` means: a time, or the end of a day in UTC. What is yet to come nobody can tell of.
fn time(text: &str, now: Timestamp) -> Result<Timestamp, OperationError> {
    let invalid = |why: &str| OperationError::InvalidRequest(format!("{text:?} {why}"));
    let yet_to_come = || invalid("is yet to come");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time).filter(|it| *it <= now).ok_or_else(yet_to_come);
    }
    let form = || invalid("is neither a day, as 2026-11-01, nor a time in RFC 3339");
    let day: Date = text.parse().map_err(|_| form())?;
    let begins = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let first = begins(day).ok_or_else(form)?;
    let next = day.tomorrow().ok().and_then(begins).ok_or_else(form)?;
    if first > now {
        return Err(yet_to_come());
    }
    // The last moment of the day, to the nanosecond: what changed at midnight belongs to the next.
    Ok(next.checked_sub(1.nanosecond()).unwrap_or(next).min(now))
}

fn markdown(record: &OfferRecord) -> String {
    let count = record.artifacts.len();
    let mut text = format!("# What {} offered\n\n", record.distribution);
    for (what, value) in [
        ("Asked for", on_one_line(&record.asked)),
        ("At, in UTC", record.at.clone()),
        (
            "Change set",
            format!("{} of {}", record.change_set, record.since),
        ),
        ("Branches", record.branches.join(", then ")),
        ("Answered for", record.exact.to_string()),
        ("Package versions", count.to_string()),
        ("Fingerprint", record.fingerprint.clone()),
    ] {
        text.push_str(&format!("* {what}: {value}\n"));
    }
    if !record.holds.is_empty() {
        text.push_str("\n## Holds\n\n");
        for hold in &record.holds {
            // As JSON: a hold has more to it than a line of text tells.
            let hold = serde_json::to_string(hold).unwrap_or_default();
            text.push_str(&format!("* {hold}\n"));
        }
    }
    text.push_str("\n## Offered\n\n");
    text + &artifacts(&record.artifacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<String, String> {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let time = time(text, now).map(|it| it.to_string());
        time.map_err(|error| error.to_string())
    }

    #[test]
    fn a_day_stands_for_its_last_moment_and_today_for_now() {
        for (text, moment) in [
            ("2026-11-01", "2026-11-01T23:59:59.999999999Z"),
            ("2026-11-22", "2026-11-22T10:00:00Z"),
            ("2026-11-01T12:00:00Z", "2026-11-01T12:00:00Z"),
            ("2026-11-01T12:00:00+02:00", "2026-11-01T10:00:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Ok(moment), "{text}");
        }
    }

    #[test]
    fn what_is_yet_to_come_and_what_is_no_time_is_refused() {
        for text in ["2026-11-23", "2026-11-22T10:00:01Z"] {
            assert!(at(text).unwrap_err().contains("yet to come"), "{text}");
        }
        for text in ["", "yesterday", "2026-02-30", "1.11.2026", "12:00"] {
            assert!(at(text).unwrap_err().contains("neither"), "{text}");
        }
    }
}

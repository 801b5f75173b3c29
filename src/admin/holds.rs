//! What the operator keeps back, withdraws and lets go again.

mod report;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::branches::{self as of_branches, Done, begin, done, perform, reason};
use super::distributions::{self, Contents, served};
use super::error::OperationError;
use super::history::Names;
use super::missing::Missing;
use crate::distribution::{DistributionName, Hold, HoldRule};
use crate::limits::Limits;
use crate::package::{PackageChoice, PackageName, PackageVersion};
use crate::people::Actor;
use crate::store::change_sets;
use crate::store::distributions::DistributionId;
use crate::store::holds::{self, Held};
use crate::store::{Store, artifacts};

pub use report::{HoldDetails, HoldReport, HoldRequest, ReleaseRequest};

/// Keeps versions of a package back from a distribution. A hold of the same package and kind that is there gives way.
pub fn hold(
    store: &Store,
    who: &Actor,
    distribution: &DistributionName,
    request: &HoldRequest,
    limits: &Limits,
) -> Result<Done, OperationError> {
    let choice = choice(&request.package)?;
    let reason = reason(request.reason.as_deref())?;
    let ends = request.until.as_deref().map(end).transpose()?;
    let rule = rule(&choice, request)?;
    perform(store, request.is_dry, |conn| {
        let id = distributions::find(conn, distribution)?;
        if let HoldRule::Only(branch) = &rule {
            of_branches::find(conn, branch)?;
        }
        check_is_known(conn, &choice.name)?;
        let new = Hold {
            number: 0,
            package: choice.name,
            rule,
            reason: reason.as_ref().map(ToString::to_string),
            ends,
        };
        begin_hold(conn, who, "hold", Some(id), new, limits)
    })
}

/// Takes a package version out of every distribution: it is neither offered nor answered for.
pub fn withdraw(
    store: &Store,
    who: &Actor,
    request: &HoldRequest,
    limits: &Limits,
) -> Result<Done, OperationError> {
    let choice = choice(&request.package)?;
    let said = request.at.is_some() || request.only.is_some() || request.until.is_some();
    let version = choice.version.filter(|_| !said).ok_or_else(|| {
        invalid("one version of a package is withdrawn, as in NAME@VERSION, for good")
    })?;
    let why = reason(request.reason.as_deref())?;
    let why = why.ok_or_else(|| {
        OperationError::NeedsReason(format!("{} {version} is not withdrawn", choice.name))
    })?;
    perform(store, request.is_dry, |conn| {
        check_is_known(conn, &choice.name)?;
        let new = Hold {
            number: 0,
            package: choice.name,
            rule: HoldRule::Withdrawn(version),
            reason: Some(why.to_string()),
            ends: None,
        };
        begin_hold(conn, who, "withdraw", None, new, limits)
    })
}

/// Lets go what a hold keeps back; what is withdrawn takes a reason.
pub fn release(
    store: &Store,
    who: &Actor,
    number: i64,
    request: &ReleaseRequest,
) -> Result<Done, OperationError> {
    let reason = reason(request.reason.as_deref())?;
    perform(store, request.is_dry, |conn| {
        let open = holds::open(conn)?;
        let held = open.iter().find(|it| it.hold.number == number);
        let held = held.ok_or(OperationError::NoSuchHold(number))?;
        if held.distribution.is_none() && reason.is_none() {
            let lifted = "what is withdrawn is not offered again".to_owned();
            return Err(OperationError::NeedsReason(lifted));
        }
        let change_set = begin(conn, who, "release-hold", reason.as_ref())?;
        holds::release(conn, number, change_set)?;
        done(conn, change_set, Vec::new())
    })
}

/// Returns the holds that are not over, with what each keeps back; those of one distribution, or all.
pub fn list(
    store: &Store,
    distribution: Option<&DistributionName>,
) -> Result<Vec<HoldDetails>, OperationError> {
    store.snapshot(|conn| {
        let of = distribution
            .map(|name| distributions::find(conn, name))
            .transpose()?;
        let contents = Contents::load(conn)?;
        let names = Names::load(conn)?;
        let mut details = Vec::new();
        for held in contents.holds(of) {
            let name = held.distribution.map(|id| names.distribution(id));
            let began = change_sets::get(conn, held.since)?;
            let (at, who) = began.map(|it| (it.at, it.who)).unwrap_or_default();
            details.push(HoldDetails {
                hold: HoldReport {
                    versions: versions(conn, &contents, held)?,
                    ..HoldReport::of(&held.hold, name)
                },
                change_set: held.since.0,
                at,
                who,
            });
        }
        Ok(details)
    })
}

/// Returns what a hold keeps back at present; of what is withdrawn, whether any distribution has it.
fn versions(
    conn: &Connection,
    contents: &Contents,
    held: &Held,
) -> Result<Vec<String>, OperationError> {
    let mut packages = Vec::new();
    for distribution in crate::store::distributions::all(conn)? {
        if held.distribution.is_some_and(|id| id != distribution.id) {
            continue;
        }
        let layers = served(conn, &distribution.name)?;
        let kept_back = contents
            .offers(distribution.id, &layers)
            .kept_back
            .into_iter();
        let of_hold = kept_back.filter(|it| it.hold == held.hold.number);
        packages.extend(of_hold.map(|it| it.package));
    }
    packages.sort();
    packages.dedup();
    Ok(packages.iter().map(ToString::to_string).collect())
}

fn begin_hold(
    conn: &rusqlite::Transaction<'_>,
    who: &Actor,
    action: &str,
    distribution: Option<DistributionId>,
    new: Hold,
    limits: &Limits,
) -> Result<Done, OperationError> {
    let is_like = |it: &&Held| {
        it.distribution == distribution
            && it.hold.package == new.package
            && match (&it.hold.rule, &new.rule) {
                (HoldRule::At(_), HoldRule::At(_)) | (HoldRule::Only(_), HoldRule::Only(_)) => true,
                (old, rule) => old == rule,
            }
    };
    let open = holds::open(conn)?;
    let like: Vec<_> = open.iter().filter(is_like).collect();
    let number = like.first().map_or(0, |it| it.hold.number);
    if like.len() == 1
        && like[0].hold
            == (Hold {
                number,
                ..new.clone()
            })
    {
        return Ok(Done::default());
    }
    let now = Timestamp::now();
    let in_force = |it: &&Held| it.distribution == distribution && !it.hold.is_over(now);
    if like.is_empty() && open.iter().filter(in_force).count() >= limits.holds {
        return Err(OperationError::TooManyHolds {
            limit: limits.holds,
        });
    }
    let reason = reason(new.reason.as_deref())?;
    let change_set = begin(conn, who, action, reason.as_ref())?;
    for held in like {
        holds::release(conn, held.hold.number, change_set)?;
    }
    let number = holds::insert(conn, distribution, &new, change_set)?;
    let mut done = done(conn, change_set, Vec::new())?;
    let contents = Contents::load(conn)?;
    let held = Held {
        distribution,
        hold: Hold { number, ..new },
        since: change_set,
        until: None,
    };
    let versions = versions(conn, &contents, &held)?;
    let of_new = done
        .changes
        .holds
        .iter_mut()
        .find(|it| it.hold.number == number);
    if let Some(change) = of_new {
        change.hold.versions = versions;
    }
    Ok(done)
}

fn rule(choice: &PackageChoice, request: &HoldRequest) -> Result<HoldRule, OperationError> {
    let parse = |error: &dyn std::fmt::Display| invalid(&error.to_string());
    match (&choice.version, &request.at, &request.only) {
        (Some(version), None, None) => Ok(HoldRule::Version(version.clone())),
        (None, Some(at), None) => {
            let version = PackageVersion::parse(at).map_err(|error| parse(&error))?;
            Ok(HoldRule::At(version))
        }
        (None, None, Some(only)) => {
            let branch = DistributionName::parse(only).map_err(|error| parse(&error))?;
            Ok(HoldRule::Only(branch))
        }
        _ => Err(invalid(
            "a hold names one version, as in NAME@VERSION, or a package at a version, or one branch that it comes from",
        )),
    }
}

/// Returns the moment that `text` is: a time, or a day, at its beginning in UTC. It lies in the future.
fn end(text: &str) -> Result<Timestamp, OperationError> {
    let of_day = |day: Date| day.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
    let time = if text.len() == "2027-01-31".len() {
        text.parse::<Date>().and_then(of_day)
    } else {
        // As a day alone, `2027-01-31 10:00` would lose its time without a word.
        text.parse::<Timestamp>()
    };
    let time =
        time.map_err(|_| invalid("an end is a day, as 2027-01-31, or a time in RFC 3339"))?;
    if time <= Timestamp::now() {
        return Err(invalid(&format!("{text} is over")));
    }
    Ok(time)
}

fn check_is_known(conn: &Connection, name: &PackageName) -> Result<(), OperationError> {
    let names = artifacts::package_names(conn)?;
    if names.iter().any(|known| known == name.as_str()) {
        return Ok(());
    }
    let names = names.iter().map(String::as_str);
    Err(OperationError::NoSuchPackage(Missing::among(
        name.as_str(),
        names,
    )))
}

fn choice(text: &str) -> Result<PackageChoice, OperationError> {
    text.parse()
        .map_err(|error: crate::package::InvalidPackageId| invalid(&error.to_string()))
}

fn invalid(why: &str) -> OperationError {
    OperationError::InvalidRequest(why.to_owned())
}

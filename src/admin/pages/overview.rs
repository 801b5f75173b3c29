//! The overview: what is served to whom, and what needs somebody, in the order in which one asks.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::change_line::ChangeLine;
use super::frame::{Frame, Section};
use super::kibanas::Seen;
use super::{Asked, sparkline, view};
use crate::admin::disk;
use crate::admin::distributions::DistributionReport;
use crate::admin::error::OperationError;
use crate::admin::history::{self, ChangeSetReport};
use crate::admin::kibanas::KibanaSeen;
use crate::admin::needs::{self, Need};
use crate::admin::routes::Operator;
use crate::admin::signatures;
use crate::admin::status::{self, StatusReport};
use crate::admin::wording::{counted, day, grouped, size};
use crate::distribution::SignatureCounts;

/// Needs that are listed; the rest is counted.
const MOST_NEEDS: usize = 5;
/// Change sets that are listed.
const RECENT: usize = 5;
/// Change sets that are searched for the last one of each distribution.
const SEARCHED: u32 = 200;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    room: String,
    sparkline: Option<String>,
    full_on: Option<String>,
    certificate: String,
    sentence: Sentence,
    needs: Vec<Need>,
    more_needs: usize,
    served: Vec<Served>,
    kibanas: Vec<Seen>,
    trust: Option<String>,
    /// Whether signatures were found good, and none wrong.
    is_trusted: bool,
    recent: Vec<ChangeLine>,
}

/// The first line, made of facts.
struct Sentence {
    serving: Option<String>,
    to: String,
}

/// A distribution that is served.
struct Served {
    name: String,
    address: String,
    branches: String,
    offered: String,
    fingerprint: String,
    last: Option<ChangeLine>,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Overview, overview).await
}

fn overview(asked: Asked) -> Result<Overview, OperationError> {
    let store = asked.store();
    let status = status::look(store, Some(asked.operator.service.report()))?;
    let history = history::list(store, SEARCHED, false)?;
    let now = asked.frame.now;
    let mut counts = SignatureCounts::default();
    let of_default = branches_of(&status, "default");
    for branch in signatures::list(store, None)? {
        if of_default.contains(&branch.branch) {
            counts += branch.counts;
        }
    }
    let mut needs = needs::needs(&status, &counts, now);
    let more_needs = needs.len().saturating_sub(MOST_NEEDS);
    needs.truncate(MOST_NEEDS);
    let service = status.service.as_ref();
    let seen = service.map(|it| it.kibanas.as_slice()).unwrap_or_default();
    let served = (status.distributions.iter())
        .filter(|it| it.offered > 0 || it.name == "default")
        .map(|it| Served::of(it, &history.change_sets, now));
    let mut served: Vec<_> = served.collect();
    served.sort_by_key(|it| it.name != "default");
    let recent = history.change_sets.iter().take(RECENT);
    let disk = disk::outlook(store)?;
    Ok(Overview {
        sparkline: sparkline::draw(&disk.samples, "Free bytes of the disk, day by day"),
        full_on: disk
            .full_on
            .map(|day| day.strftime("%-d %b %Y").to_string()),
        sentence: Sentence::of(&status, seen),
        needs,
        more_needs,
        served,
        kibanas: seen.iter().map(|it| Seen::of(it, now)).collect(),
        trust: trust(&counts),
        is_trusted: counts.good > 0 && counts.wrong == 0,
        recent: recent.map(|it| ChangeLine::of(it, now)).collect(),
        room: format!(
            "the store takes {}, {} are free",
            size(status.store_bytes),
            size(status.free_bytes)
        ),
        certificate: match service.and_then(|it| it.certificate_expires) {
            Some(ends) => format!("expires on {}", day(ends)),
            None => "none: plain HTTP".to_owned(),
        },
        frame: asked.frame.titled("Overview"),
    })
}

fn branches_of(status: &StatusReport, name: &str) -> Vec<String> {
    let found = status.distributions.iter().find(|it| it.name == name);
    found.map(|it| it.branches.clone()).unwrap_or_default()
}

impl Sentence {
    fn of(status: &StatusReport, seen: &[KibanaSeen]) -> Self {
        let default = status.distributions.iter().find(|it| it.name == "default");
        let serving = default.filter(|it| it.offered > 0);
        Self {
            serving: serving.map(|it| it.branches.join(" + ")),
            to: match seen.len() {
                0 => "no Kibana yet".to_owned(),
                count => counted(count as u64, "Kibana", "Kibanas"),
            },
        }
    }
}

impl Served {
    fn of(report: &DistributionReport, history: &[ChangeSetReport], now: Timestamp) -> Self {
        let touches = |it: &&ChangeSetReport| {
            let moved = it.changes.distributions.iter();
            let changed = it.changes.branches.iter();
            let mut held = it
                .changes
                .holds
                .iter()
                .map(|it| it.hold.distribution.as_deref());
            moved
                .map(|it| &it.distribution)
                .any(|name| *name == report.name)
                || held.any(|name| name == Some(report.name.as_str()) || name.is_none())
                || changed
                    .map(|it| &it.branch)
                    .any(|name| report.branches.contains(name))
        };
        Self {
            address: match report.name.as_str() {
                "default" => "/".to_owned(),
                name => format!("/d/{name}/"),
            },
            name: report.name.clone(),
            branches: report.branches.join(" + "),
            offered: grouped(report.offered as u64),
            fingerprint: report.fingerprint.clone(),
            last: history
                .iter()
                .find(touches)
                .map(|it| ChangeLine::of(it, now)),
        }
    }
}

/// Returns how many packages are signed how; `None` where there is none.
fn trust(counts: &SignatureCounts) -> Option<String> {
    let parts = counts.told("unsigned");
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{} {what}", grouped(count as u64)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

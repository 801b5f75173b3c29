//! Which Kibanas ask, and when one got an error last.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::connect::Lines;
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::kibanas::KibanaSeen;
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, moment};

#[derive(Template)]
#[template(path = "kibanas.html")]
struct Kibanas {
    frame: Frame,
    tabs: Vec<Tab>,
    since: String,
    count: String,
    failing: usize,
    seen: Vec<Seen>,
    /// What to say to the first one.
    lines: Option<Lines>,
}

pub(super) struct Seen {
    pub(super) version: String,
    pub(super) address: String,
    pub(super) last_seen: String,
    pub(super) failure: Option<FailureLine>,
}

pub(super) struct FailureLine {
    pub(super) status: u16,
    pub(super) target: String,
    pub(super) at: String,
    /// Whether it was the last thing that was asked.
    pub(super) is_last: bool,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let host = super::connect::host(&request);
    view(&request, &operator, Section::Kibanas, move |asked| {
        kibanas(asked, host.as_deref())
    })
    .await
}

fn kibanas(asked: Asked, host: Option<&str>) -> Result<Kibanas, OperationError> {
    let service = &asked.operator.service;
    let now = asked.frame.now;
    let seen = service.kibanas.list();
    let lines = match seen.is_empty() {
        true => super::connect::lines(&asked, host)?,
        false => None,
    };
    let seen: Vec<_> = seen.iter().map(|it| Seen::of(it, now)).collect();
    let is_failing = |it: &&Seen| it.failure.as_ref().is_some_and(|it| it.is_last);
    Ok(Kibanas {
        tabs: tabs::kibanas(&asked.frame, "/kibanas"),
        since: moment(service.since, now),
        count: counted(seen.len() as u64, "Kibana", "Kibanas"),
        failing: seen.iter().filter(is_failing).count(),
        seen,
        lines,
        frame: asked.frame.titled("Kibanas"),
    })
}

impl Seen {
    pub(super) fn of(seen: &KibanaSeen, now: Timestamp) -> Self {
        let failure = seen.last_failure.as_ref();
        Self {
            version: seen.version.clone(),
            address: seen.address.map(|it| it.to_string()).unwrap_or_default(),
            last_seen: moment(seen.last_seen, now),
            failure: failure.map(|it| FailureLine {
                status: it.status,
                target: it.target.clone(),
                at: moment(it.at, now),
                is_last: it.at >= seen.last_seen,
            }),
        }
    }
}

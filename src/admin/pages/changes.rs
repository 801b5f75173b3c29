//! What waits to be committed, and what was done.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::change_line::ChangeLine;
use super::frame::{Frame, Section};
use super::{Asked, timeline, view};
use crate::admin::error::OperationError;
use crate::admin::history;
use crate::admin::operations::{self, WaitingPlan};
use crate::admin::routes::Operator;
use crate::admin::wording::{grouped, told};

/// Change sets on a page.
const SHOWN: u32 = 50;
/// Change sets on a page that shows more.
const MOST: u32 = 1000;

#[derive(Deserialize)]
pub(super) struct Asking {
    #[serde(default)]
    all: Option<u8>,
    #[serde(default)]
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes {
    frame: Frame,
    waiting: Vec<Waiting>,
    history: Vec<ChangeLine>,
    older: u64,
    timeline: Option<String>,
    is_same: bool,
}

/// A plan that waits, in a line.
struct Waiting {
    plan: i64,
    what: String,
    source: String,
    who: String,
    when: String,
    problem: Option<String>,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    asking: Query<Asking>,
) -> HttpResponse {
    let asking = asking.into_inner();
    view(&request, &operator, Section::Changes, move |asked| {
        changes(asked, &asking)
    })
    .await
}

fn changes(asked: Asked, asking: &Asking) -> Result<Changes, OperationError> {
    let store = asked.store();
    let now = asked.frame.now;
    let limit = if asking.all.is_some() { MOST } else { SHOWN };
    let history = history::list(store, limit, false)?;
    let waiting = operations::list_plans(store)?.into_iter();
    Ok(Changes {
        waiting: waiting.map(|it| Waiting::of(it, now)).collect(),
        timeline: timeline::draw(&history.change_sets, &asked.frame),
        older: history.older,
        history: history
            .change_sets
            .iter()
            .map(|it| ChangeLine::of(it, now))
            .collect(),
        is_same: asking.done.is_some(),
        frame: asked.frame.titled("Changes"),
    })
}

impl Waiting {
    fn of(plan: WaitingPlan, now: jiff::Timestamp) -> Self {
        let Some(report) = plan.report else {
            return Self {
                plan: plan.plan,
                what: "cannot be committed".to_owned(),
                source: String::new(),
                who: String::new(),
                when: String::new(),
                problem: plan.failure.map(|it| it.error),
            };
        };
        let changes = report.added.len() + report.replaced.len();
        let verb = if report.is_new_branch {
            "makes"
        } else {
            "changes"
        };
        Self {
            plan: plan.plan,
            what: format!(
                "{verb} {}: {} added or replaced",
                report.branch,
                grouped(changes as u64)
            ),
            source: report.source.name,
            who: report.staged_by,
            when: told(&report.staged_at, now),
            problem: None,
        }
    }
}

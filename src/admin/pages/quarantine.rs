//! What came in and was not taken: why, and what can be done about it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::quarantine::{self, CaseReport, CasesRequest};
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, grouped, size, told};

/// Packages that are listed; the rest is counted.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "quarantine.html")]
struct Quarantine {
    frame: Frame,
    tabs: Vec<Tab>,
    count: String,
    cases: Vec<Case>,
    more: Option<String>,
    can_be_tried: usize,
    done: Option<&'static str>,
}

/// A package that was not taken.
struct Case {
    id: i64,
    package: String,
    why: String,
    source: String,
    at: String,
    /// The branch it was for, its size and what is known of its signature, where it is kept.
    kept: Option<(String, String, String)>,
}

impl Case {
    fn of(report: CaseReport, now: Timestamp) -> Self {
        let kept = report.kept.map(|it| {
            let signature = it.signature.to_string();
            (it.branch, size(it.bytes), signature)
        });
        Self {
            id: report.id,
            package: report.package,
            why: report.why,
            source: report.source,
            at: told(&report.at, now),
            kept,
        }
    }
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Transfer, list).await
}

fn list(asked: Asked) -> Result<Quarantine, OperationError> {
    let now = asked.frame.now;
    let mut cases = quarantine::list(asked.store())?;
    let count = cases.len();
    let can_be_tried = cases.iter().filter(|it| it.kept.is_some()).count();
    cases.truncate(MOST);
    let done = match asked.frame.own("done") {
        Some("dropped") => Some("It is gone."),
        Some("not-kept") => {
            Some("Nothing was tried: no zip is kept of it. Import its source again.")
        }
        _ => None,
    };
    Ok(Quarantine {
        tabs: tabs::transfer(&asked.frame, "/transfer/quarantine"),
        count: counted(count as u64, "package is", "packages are"),
        more: (count > MOST).then(|| grouped((count - MOST) as u64)),
        cases: cases.into_iter().map(|it| Case::of(it, now)).collect(),
        can_be_tried,
        done,
        frame: asked.frame.titled("Quarantine"),
    })
}

/// Stages one package anew, or all; leads to the plan.
pub(super) async fn retry(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let ids = match doing.form.filled("id") {
            Some(_) => vec![doing.form.number("id")?],
            None => Vec::new(),
        };
        let cases = CasesRequest { ids };
        let retried = quarantine::retry(doing.store, doing.who, &cases, &doing.operator.limits)?;
        Ok(match retried.plans.as_slice() {
            [] => Next::page("/transfer/quarantine", "not-kept"),
            [plan] => Next::page(format!("/plans/{plan}"), ""),
            _ => Next::page("/changes", ""),
        })
    })
    .await
}

/// Lets one package go, once its number is typed.
pub(super) async fn forget(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let id = doing.form.number("id")?;
        doing.form.check_typed(&id.to_string())?;
        let cases = CasesRequest { ids: vec![id] };
        quarantine::drop_cases(doing.store, doing.who, &cases)?;
        Ok(Next::page("/transfer/quarantine", "dropped"))
    })
    .await
}

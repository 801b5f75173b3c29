//! How two places differ, in the layout of a plan.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::frame::{Frame, Section};
use super::ledger::{self, Ledger};
use super::{Asked, view};
use crate::admin::diff::{self, DiffRequest, SideReport};
use crate::admin::error::OperationError;
use crate::admin::picks;
use crate::admin::routes::Operator;

#[derive(Deserialize)]
pub(super) struct Asking {
    before: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "difference.html")]
struct Difference {
    frame: Frame,
    before: SideReport,
    after: SideReport,
    ledger: Ledger,
    csv: String,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    asking: Query<Asking>,
) -> HttpResponse {
    let asking = asking.into_inner();
    view(&request, &operator, Section::Changes, |asked| {
        page(asked, asking)
    })
    .await
}

fn page(asked: Asked, asking: Asking) -> Result<Difference, OperationError> {
    let (store, limits) = (asked.store(), &asked.operator.limits);
    let after = match asking.after.trim() {
        "" => asked.frame.lens.place(),
        after => after.to_owned(),
    };
    let request = DiffRequest {
        before: asking.before.trim().to_owned(),
        after: Some(after.clone()),
        query: asked.frame.lens.kibana.as_ref().map(super::lens::query_of),
        ..DiffRequest::default()
    };
    let kibanas = ledger::kibanas(&asked.frame.lens, &asked.frame.kibanas);
    let picked = picks::picks(store, &request, &ledger::queries(&kibanas), limits)?;
    let report = diff::diff(store, &request, limits)?;
    let query = [
        ("before", request.before.as_str()),
        ("after", after.as_str()),
    ];
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    Ok(Difference {
        before: report.before.clone(),
        after: report.after.clone(),
        csv: format!("/admin/api/v1/diff?{query}"),
        ledger: Ledger::of_diff(report, &picked, kibanas),
        frame: asked.frame.titled("Difference"),
    })
}

//! A change set that was made: what it did, what proves it, and the step back.

use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::change_line;
use super::form::submit;
use super::frame::{Frame, Section};
use super::ledger::Ledger;
use super::package::done_at;
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::history::{self, ChangeSetReport};
use crate::admin::rollback::{self, RollbackRequest};
use crate::admin::routes::Operator;
use crate::admin::wording::told;
use crate::distribution::Exact;

#[derive(Deserialize)]
pub(super) struct Asking {
    #[serde(default)]
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "change_set.html")]
struct ChangeSet {
    frame: Frame,
    report: ChangeSetReport,
    what: String,
    when: String,
    moves: Vec<String>,
    ledger: Ledger,
    is_new: bool,
    /// Whether none came after it.
    is_newest: bool,
    /// The change set before it, to which one may go back.
    before: Option<i64>,
}

pub(super) async fn show(
    request: HttpRequest,
    operator: Data<Operator>,
    number: Path<i64>,
    asking: Query<Asking>,
) -> HttpResponse {
    let (number, is_new) = (number.into_inner(), asking.done.is_some());
    view(&request, &operator, Section::Changes, move |asked| {
        page(asked, number, is_new)
    })
    .await
}

fn page(asked: Asked, number: i64, is_new: bool) -> Result<ChangeSet, OperationError> {
    let report = history::show(asked.store(), number)?;
    let before = history::before(asked.store(), number)?;
    Ok(ChangeSet {
        what: change_line::what(&report),
        when: told(&report.at, asked.frame.now),
        moves: moves(&report),
        ledger: Ledger::of_changes(&report.changes.branches),
        is_new,
        is_newest: asked
            .frame
            .moments
            .first()
            .is_none_or(|it| it.number == number),
        before,
        frame: asked.frame.titled(format!("Change {number}")),
        report,
    })
}

/// Returns what happened to distributions and holds, a sentence each.
fn moves(report: &ChangeSetReport) -> Vec<String> {
    let joined = |branches: &[String]| branches.join(" + ");
    let changes = &report.changes;
    let moves =
        changes
            .distributions
            .iter()
            .map(|it| match (it.from.is_empty(), it.to.is_empty()) {
                (true, _) => format!("{} serves {}.", it.distribution, joined(&it.to)),
                (_, true) => format!(
                    "{} is gone; it served {}.",
                    it.distribution,
                    joined(&it.from)
                ),
                _ => format!(
                    "{} serves {} instead of {}.",
                    it.distribution,
                    joined(&it.to),
                    joined(&it.from)
                ),
            });
    let holds = changes.holds.iter().map(|it| {
        let on = it
            .hold
            .distribution
            .as_deref()
            .unwrap_or("every distribution");
        match it.is_released {
            true => format!(
                "Hold {} on {on} is released: {}.",
                it.hold.number, it.hold.what
            ),
            false => format!("Hold {} on {on}: {}.", it.hold.number, it.hold.what),
        }
    });
    let exact = changes.exact.iter().map(|it| match it.exact {
        Exact::Ever => format!(
            "{} answers for every version it ever offered.",
            it.distribution
        ),
        Exact::Now => format!("{} answers only for what it offers now.", it.distribution),
    });
    moves.chain(holds).chain(exact).collect()
}

/// Goes back to what was right after a change set.
pub(super) async fn go_back(
    request: HttpRequest,
    operator: Data<Operator>,
    number: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let to = number.into_inner();
    submit(&request, &operator, body, move |doing| {
        doing.form.check_typed(&format!("back to {to}"))?;
        let back = RollbackRequest {
            to,
            reason: doing.form.filled("reason"),
            is_dry: false,
        };
        let done = rollback::rollback(doing.store, doing.who, &back)?;
        Ok(done_at(done.change_set))
    })
    .await
}

//! Bringing packages in: a file is chosen, said where it belongs, and read as it is sent.
//!
//! Sending is the script's, since a browser alone cannot send twenty gigabytes and go on where it was. Without it the page
//! says what to call on the host.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::jobs::{JobReport, JobState};
use crate::admin::routes::Operator;
use crate::admin::wording::{ago, size};

#[derive(Template)]
#[template(path = "transfer.html")]
struct Transfer {
    frame: Frame,
    tabs: Vec<Tab>,
    free: String,
    running: Vec<Line>,
    ended: Vec<Line>,
}

/// A job in a line.
struct Line {
    id: String,
    what: String,
    who: String,
    begun: String,
    how: String,
    class: &'static str,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Transfer, page).await
}

fn page(asked: Asked) -> Result<Transfer, OperationError> {
    let now = asked.frame.now;
    let jobs = asked.operator.jobs.list().into_iter();
    let (running, ended): (Vec<_>, Vec<_>) = jobs.partition(|job| job.state == JobState::Running);
    let lines = |jobs: Vec<JobReport>| jobs.iter().map(|job| Line::of(job, now)).collect();
    Ok(Transfer {
        free: size(asked.store().disk().free_bytes()?),
        running: lines(running),
        ended: lines(ended),
        tabs: tabs::transfer(&asked.frame, "/transfer"),
        frame: asked.frame.titled("Import"),
    })
}

impl Line {
    fn of(job: &JobReport, now: Timestamp) -> Self {
        let (how, class) = how(job);
        Self {
            id: job.id.to_string(),
            what: format!("{}: {}", job.kind, job.subject),
            who: job.who.clone(),
            begun: ago(job.begun, now),
            how,
            class,
        }
    }
}

/// Returns how a job is, and the name of that style.
pub(super) fn how(job: &JobReport) -> (String, &'static str) {
    match job.state {
        JobState::Running => ("under way".to_owned(), "quiet"),
        JobState::Done => ("done".to_owned(), "good"),
        JobState::Cancelled => ("cancelled".to_owned(), "quiet"),
        JobState::Failed => {
            let why = job.failure.as_ref().map(|it| it.error.clone());
            (why.unwrap_or_default(), "care")
        }
    }
}

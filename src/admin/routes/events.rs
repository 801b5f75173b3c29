//! A job as server-sent events: how far it is, each time that has changed, and its end.
//!
//! Facts: the HTML Standard, 9.2. Every stream begins with how the job is now, so whoever has lost one just asks again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::describe::{Content, Description, Given, Schemas};
use crate::admin::jobs::{Job, JobReport, JobState};

/// From one event to the next, at the least.
const PAUSE: Duration = Duration::from_millis(250);
/// How long nothing is said: proxies close what is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a stream lasts: whoever goes on asks again, and is asked again who they are.
const LONGEST: Duration = Duration::from_mins(5);

/// A stream of events.
pub(super) struct Events(HttpResponse);

/// Returns the events of a job, until it has ended or the server stops.
pub(super) fn of(job: Arc<Job>, stopping: watch::Receiver<bool>) -> Events {
    let watched = Watched {
        job,
        stopping,
        told: None,
        begun: Instant::now(),
        told_at: Instant::now(),
        is_over: false,
    };
    let events = unfold(watched, |mut watched| async move {
        let event = watched.next().await?;
        Some((Ok::<_, Infallible>(event), watched))
    });
    let answer = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx keeps an answer back until it has a page of it, unless it is told not to.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events);
    Events(answer)
}

struct Watched {
    job: Arc<Job>,
    stopping: watch::Receiver<bool>,
    told: Option<JobReport>,
    begun: Instant,
    told_at: Instant,
    is_over: bool,
}

impl Watched {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        loop {
            if self.told.is_some() {
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    _ = self.stopping.wait_for(|is_stopping| *is_stopping) => {}
                }
            }
            let report = self.job.report();
            if report.state != JobState::Running {
                self.is_over = true;
                return Some(event("end", &report));
            }
            if *self.stopping.borrow() || self.begun.elapsed() >= LONGEST {
                return None;
            }
            if self.told.as_ref() != Some(&report) {
                let event = event("progress", &report);
                self.told = Some(report);
                self.told_at = Instant::now();
                return Some(event);
            }
            if self.told_at.elapsed() >= HEARTBEAT {
                self.told_at = Instant::now();
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }
}

fn event(name: &str, report: &JobReport) -> Bytes {
    // A report has nothing that JSON cannot say; a line that is no JSON would be told as what it is.
    let data = serde_json::to_string(report).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

impl Responder for Events {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Given for Events {
    fn tell(description: &mut Description, _: &mut Schemas) {
        let content = Content::other("text/event-stream");
        description.answers.insert(200, content);
    }
}

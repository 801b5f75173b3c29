//! What went wrong, as a page: what happened, what is untouched, what to do.

use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::frame::{Frame, FrameRequest, Section};
use super::see;
use crate::admin::error::{Failure, OperationError};
use crate::admin::routes::{Operator, Refusal};

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem {
    frame: Frame,
    failure: Failure,
    status: u16,
    advice: &'static str,
}

/// What is told where no frame can be made: nobody is known, or the store does not answer.
#[derive(Template)]
#[template(path = "problem_alone.html")]
struct ProblemAlone {
    failure: Failure,
    advice: &'static str,
    style: String,
}

/// Answers a path that no page has.
pub(super) async fn no_such_page(request: HttpRequest) -> HttpResponse {
    page(
        &request,
        OperationError::NoSuchPage(request.path().to_owned()),
    )
    .await
}

/// Answers with the page of a failure; who has to log in before they look is led there.
pub(in crate::admin) async fn page(request: &HttpRequest, error: OperationError) -> HttpResponse {
    if matches!(error, OperationError::NotSignedIn) && request.method() == Method::GET {
        return to_login(request);
    }
    let failure = Failure::from(error);
    let status = Refusal::from_failure(failure.clone()).status_code();
    if status.is_server_error() {
        tracing::error!(error = failure.error, causes = ?failure.causes, path = request.path(), "a page failed");
    }
    let failure = Failure {
        error: as_sentence(&failure.error),
        ..failure
    };
    let advice = advice(&failure.kind);
    let framed = match request.app_data::<Data<Operator>>() {
        Some(operator) => framed(request, operator, &failure, status, advice).await,
        None => None,
    };
    let html = framed.or_else(|| {
        let style = super::assets::address("airlock.css");
        ProblemAlone {
            failure,
            advice,
            style,
        }
        .render()
        .ok()
    });
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(html.unwrap_or_default())
}

/// Returns what is wrong as the beginning of a sentence.
fn as_sentence(error: &str) -> String {
    let error = error.strip_prefix("invalid request: ").unwrap_or(error);
    let mut letters = error.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Leads to the login, and from there back.
fn to_login(request: &HttpRequest) -> HttpResponse {
    let here = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    let here = here.strip_prefix("/admin").unwrap_or("/");
    let query = serde_urlencoded::to_string([("next", here)]).unwrap_or_default();
    match here {
        "" | "/" => see("/login"),
        _ => see(&format!("/login?{query}")),
    }
}

async fn framed(
    request: &HttpRequest,
    operator: &Data<Operator>,
    failure: &Failure,
    status: StatusCode,
    advice: &'static str,
) -> Option<String> {
    let asked = FrameRequest::of(request, Section::of_path(request.path()));
    let (operator, failure) = (operator.clone(), failure.clone());
    let made = web::block(move || {
        let frame = Frame::load(&operator.store, asked, &operator.service).ok()?;
        let problem = Problem {
            frame: frame.titled("Not done"),
            failure,
            status: status.as_u16(),
            advice,
        };
        problem.render().ok()
    });
    made.await.ok().flatten()
}

/// Returns what to do about a kind of failure.
fn advice(kind: &str) -> &'static str {
    match kind {
        "no-such-page" => "Overview leads to every page: /admin/",
        "no-such-plan" => {
            "It was committed or dropped since. Changes lists what waits, and what was done."
        }
        "no-such-package" | "no-such-version" => "Packages lists what is there.",
        "no-such-distribution" | "no-such-branch" => "The lens above lists all distributions.",
        "no-such-change-set" | "pruned" => "Changes lists the history that is kept.",
        "needs-role" => {
            "Somebody with that role can do it, or give it to you: System, People and tokens."
        }
        "not-signed-in" => "Log in: /admin/login",
        "bad-csrf" | "other-origin" => {
            "The page is from another session. Go back, load it again, and try again."
        }
        "other-host" => {
            "Add the name to access.hosts in the settings, or ask for a name of the certificate."
        }
        "needs-tls" => {
            "Reach it over TLS, or from the host itself: ssh -L 8080:localhost:8080 HOST"
        }
        "disk-full" => {
            "Free some room on the disk of the data folder, or let System, Storage collect what nothing needs."
        }
        "in-service" => "Let those distributions serve something else first.",
        "importing" => "Wait until the import has ended, or cancel it: Transfer shows it.",
        "needs-reason" => "Go back and say why.",
        "not-typed" => "Go back and type it exactly as it is shown there.",
        "store" | "damaged" | "data-folder" => {
            "The service log has the details: journalctl -u airlock"
        }
        _ => "Go back, change what is said there, and try again.",
    }
}

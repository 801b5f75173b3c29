//! Deleting a release: what would be lost, then the deed, once its name is typed.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::deletion::{self, DeletionRequest};
use crate::admin::error::OperationError;
use crate::admin::routes::{Operator, parse_name};
use crate::admin::wording::{counted, size};

/// Fetched versions that are named; the rest is counted.
const MOST_NAMED: usize = 50;

#[derive(Template)]
#[template(path = "release_delete.html")]
struct Deletion {
    frame: Frame,
    tabs: Vec<Tab>,
    release: String,
    action: String,
    versions: String,
    own: String,
    fetched: usize,
    named: Vec<String>,
    days: u16,
}

pub(super) async fn show_delete(
    request: HttpRequest,
    operator: Data<Operator>,
    release: Path<String>,
) -> HttpResponse {
    view(&request, &operator, Section::System, move |asked| {
        look(asked, &release)
    })
    .await
}

fn look(asked: Asked, release: &str) -> Result<Deletion, OperationError> {
    let release = parse_name(release)?;
    let dry = DeletionRequest {
        is_dry: true,
        ..DeletionRequest::default()
    };
    let who = &asked.frame.actor;
    let mut would = deletion::delete_release(asked.store(), who, &release, &dry)?;
    let fetched = would.fetched.len();
    would.fetched.truncate(MOST_NAMED);
    let path = format!("/system/releases/{release}/delete");
    Ok(Deletion {
        action: asked.frame.to(&path),
        tabs: tabs::system(&asked.frame, "/system"),
        versions: counted(would.versions as u64, "package version", "package versions"),
        own: size(would.own_bytes),
        fetched,
        named: would.fetched,
        days: would.keep_fetched_days,
        release: would.release,
        frame: asked.frame.titled("Delete a release"),
    })
}

pub(super) async fn delete(
    request: HttpRequest,
    operator: Data<Operator>,
    release: Path<String>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, move |doing| {
        let release = parse_name(&release)?;
        doing.form.check_typed(release.as_str())?;
        let request = DeletionRequest {
            reason: doing.form.filled("reason"),
            also_fetched: doing.form.filled("also_fetched").is_some(),
            ..DeletionRequest::default()
        };
        deletion::delete_release(doing.store, doing.who, &release, &request)?;
        Ok(Next::page("/system", "deleted"))
    })
    .await
}

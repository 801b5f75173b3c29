//! What somebody who helps asks first, and the file that tells them the rest.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, problem, view};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::status;
use crate::admin::support::{self, BuildReport};
use crate::admin::wording::{counted, moment, size, told};
use crate::import::ImportError;
use crate::store::SCHEMA_VERSION;

#[derive(Template)]
#[template(path = "support.html")]
struct Support {
    frame: Frame,
    tabs: Vec<Tab>,
    facts: Vec<(&'static str, String)>,
    prints: Vec<(String, String)>,
    version: &'static str,
    file: String,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, page).await
}

fn page(asked: Asked) -> Result<Support, OperationError> {
    let service = asked.operator.service.report();
    let now = asked.frame.now;
    let since = moment(service.since, now);
    let (process, addresses) = (service.process, service.addresses.join(", "));
    let status = status::look(asked.store(), Some(service))?;
    let build = BuildReport::of_this();
    let offered: usize = status.distributions.iter().map(|it| it.offered).sum();
    let last = status.last_change.as_ref().map(|it| {
        let at = told(&it.at, now);
        format!("{}, {} by {}, {at}", it.number, it.action, it.who)
    });
    let facts = vec![
        (
            "Program",
            format!(
                "airlock {} for {}{}",
                build.version,
                build.target,
                if build.is_debug {
                    ", built to be debugged"
                } else {
                    ""
                }
            ),
        ),
        ("Runs", format!("since {since}, as process {process}")),
        ("Listens at", addresses),
        ("Data folder", status.data_dir.clone()),
        (
            "Store",
            format!("{}, schema {SCHEMA_VERSION}", size(status.store_bytes)),
        ),
        ("Disk", format!("{} free", size(status.free_bytes))),
        (
            "Offers",
            format!(
                "{} at {}",
                counted(offered as u64, "package version", "package versions"),
                counted(status.distributions.len() as u64, "address", "addresses")
            ),
        ),
        ("Last change", last.unwrap_or_else(|| "none yet".to_owned())),
        (
            "Waits",
            format!(
                "{}, {} in quarantine",
                counted(status.plans as u64, "plan", "plans"),
                counted(status.quarantined as u64, "package", "packages")
            ),
        ),
    ];
    let prints = status.distributions.into_iter();
    Ok(Support {
        tabs: tabs::system(&asked.frame, "/system/support"),
        facts,
        prints: prints.map(|it| (it.name, it.fingerprint)).collect(),
        version: build.version,
        file: asked.frame.to("/system/support.json"),
        frame: asked.frame.titled("Support"),
    })
}

/// Answers with the bundle, as a file.
pub(super) async fn bundle(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let made = web::block(move || {
        let now = Timestamp::now();
        let bundle = support::bundle(&operator.store, &operator.service, now)?;
        let json = serde_json::to_vec_pretty(&bundle);
        let json = json.map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
        Ok::<_, OperationError>((json, now))
    });
    let error = match made.await {
        Ok(Ok((json, now))) => {
            let name = format!("airlock-support-{}.json", now.strftime("%Y-%m-%d"));
            return HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "application/json"))
                .insert_header((
                    CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{name}\""),
                ))
                .body(json);
        }
        Ok(Err(error)) => error,
        Err(_stopped) => ImportError::Stopped.into(),
    };
    problem::page(&request, error).await
}

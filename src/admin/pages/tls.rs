//! The certificate that Kibana is shown, and taking up a new one.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, day, moment};
use crate::crypto::tls::{CertificateReport, LinkReport};

/// Days before its end from which on a certificate needs care.
const CARE_DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "tls.html")]
struct Tls {
    frame: Frame,
    tabs: Vec<Tab>,
    served: Option<Served>,
    host: String,
    is_taken_up: bool,
}

/// The certificate that is served.
struct Served {
    names: Vec<String>,
    subject: String,
    issuer: String,
    begins: String,
    ends: String,
    left: String,
    class: &'static str,
    key: String,
    sha256: String,
    chain: Vec<Link>,
    trust: String,
    path: String,
}

/// A certificate beyond the server's own.
struct Link {
    subject: String,
    issuer: String,
    ends: String,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let host = super::connect::host(&request);
    let host = host.map(|it| it.split(':').next().unwrap_or("").to_owned());
    view(&request, &operator, Section::System, move |asked| {
        tls(asked, host.unwrap_or_default())
    })
    .await
}

fn tls(asked: Asked, host: String) -> Result<Tls, OperationError> {
    let now = asked.frame.now;
    let served = asked.operator.service.tls.as_ref();
    let served = served.map(|it| {
        let path = it.files().certificate.display().to_string();
        let report = it.report(now);
        Served {
            begins: moment(report.not_before, now),
            ends: day(report.not_after),
            ..Served::of(report, path)
        }
    });
    let is_name = host.contains('.') && host.chars().any(char::is_alphabetic);
    Ok(Tls {
        tabs: tabs::system(&asked.frame, "/system/tls"),
        served,
        host: match is_name {
            true => host,
            false => "epr.example.org".to_owned(),
        },
        is_taken_up: asked.frame.own("done") == Some("taken-up"),
        frame: asked.frame.titled("TLS"),
    })
}

impl Served {
    fn of(report: CertificateReport, path: String) -> Self {
        let days = report.days_left;
        let (left, class) = match days {
            ..0 => ("expired".to_owned(), "bad"),
            0 => ("ends today".to_owned(), "bad"),
            days => (
                format!("{} left", counted(days.unsigned_abs(), "day", "days")),
                if days > CARE_DAYS { "good" } else { "care" },
            ),
        };
        let trust = match (&report.root, report.is_self_signed) {
            (Some(root), _) => format!("Kibana has to know the root {}.", root.subject),
            (None, true) => {
                "It issued itself: Kibana has to know this very certificate.".to_owned()
            }
            (None, false) => {
                "Its root is not known here: Kibana has to know who issued the last of the chain."
                    .to_owned()
            }
        };
        Self {
            names: report.names,
            subject: report.subject,
            issuer: report.issuer,
            begins: String::new(),
            ends: String::new(),
            left,
            class,
            key: report.key,
            sha256: report.sha256,
            chain: report.chain.iter().map(Link::of).collect(),
            trust,
            path,
        }
    }
}

impl Link {
    fn of(link: &LinkReport) -> Self {
        Self {
            subject: link.subject.clone(),
            issuer: link.issuer.clone(),
            ends: day(link.not_after),
        }
    }
}

pub(super) async fn reload(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let served = doing.operator.service.tls.as_ref();
        served.ok_or(OperationError::NoTls)?.reload()?;
        Ok(Next::page("/system/tls", "taken-up"))
    })
    .await
}

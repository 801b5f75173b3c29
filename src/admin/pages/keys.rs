//! Whose signatures are believed: the keyring, and what each branch makes of what is not signed well.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::form::{Form, Next, submit};
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, problem, view};
use crate::admin::error::OperationError;
use crate::admin::keys::{self, KeyReport, KeyRequest};
use crate::admin::routes::{Operator, parse_name};
use crate::admin::signatures::{self, BranchSignatures};
use crate::admin::wording::{day, grouped};
use crate::crypto::openpgp::{Fingerprint, KeyFile};
use crate::distribution::{SignaturePolicy, SignatureStatus};

/// Bytes of a form with a key: a key file is at most a third of it once its signs are encoded.
const KEY_FORM_BYTES: usize = 3 << 20;
/// Packages of a branch that are named one by one; the rest is counted.
const MOST_NAMED: usize = 200;

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    frame: Frame,
    tabs: Vec<Tab>,
    keys: Vec<Key>,
    branches: Vec<Branch>,
    done: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "keys_confirm.html")]
struct Confirm {
    frame: Frame,
    tabs: Vec<Tab>,
    keys: Vec<Key>,
    refused: Vec<String>,
    text: String,
}

/// A key, of the keyring or to be.
struct Key {
    fingerprint: String,
    grouped: String,
    known_as: Option<String>,
    user_ids: Vec<String>,
    created: String,
    ends: String,
    /// What speaks against it.
    against: Vec<&'static str>,
    added: Option<String>,
}

/// What a branch holds, by what is known of its signatures.
struct Branch {
    name: String,
    policy: &'static str,
    counts: Vec<Count>,
    /// What is not good: the package version, and why.
    bad: Vec<(String, String)>,
    more: usize,
}

struct Count {
    count: String,
    what: &'static str,
    class: &'static str,
}

impl Key {
    fn of(report: &KeyReport) -> Self {
        let fingerprint: Result<Fingerprint, _> = report.fingerprint.parse();
        let against = [
            (report.is_expired, "it has expired"),
            (report.is_revoked, "its owner revoked it"),
            (
                report.is_sha1_only,
                "all it says of itself is signed over SHA-1",
            ),
        ];
        let against = against.into_iter().filter(|(is_so, _)| *is_so);
        let added = report.added_at.as_deref().zip(report.added_by.as_deref());
        Self {
            grouped: fingerprint.map_or_else(|_| report.fingerprint.clone(), |it| it.grouped()),
            fingerprint: report.fingerprint.clone(),
            known_as: report.known_as.clone(),
            user_ids: report.user_ids.clone(),
            created: of_day(&report.created),
            ends: match report.expires.as_deref() {
                Some(expires) => of_day(expires),
                None => "never".to_owned(),
            },
            against: against.map(|(_, what)| what).collect(),
            added: added.map(|(at, who)| format!("{} by {who}", of_day(at))),
        }
    }
}

fn of_day(text: &str) -> String {
    text.parse::<Timestamp>()
        .map_or_else(|_| text.to_owned(), day)
}

impl Branch {
    fn of(report: BranchSignatures) -> Self {
        let counts = report.counts.told("unsigned");
        let counts = counts.map(|(count, what)| Count {
            count: grouped(count as u64),
            what,
            class: match what {
                "good" => "good",
                "wrong" | "unreadable" => "bad",
                "unsigned" => "",
                _ => "care",
            },
        });
        let mut bad: Vec<_> = report
            .packages
            .into_iter()
            .filter(|it| {
                !matches!(
                    it.status,
                    SignatureStatus::Good { .. } | SignatureStatus::Absent
                )
            })
            .map(|it| (it.package, it.status.to_string()))
            .collect();
        let more = bad.len().saturating_sub(MOST_NAMED);
        bad.truncate(MOST_NAMED);
        Self {
            name: report.branch,
            policy: report.policy.as_str(),
            counts: counts.collect(),
            bad,
            more,
        }
    }
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, keyring).await
}

fn keyring(asked: Asked) -> Result<Keys, OperationError> {
    let store = asked.store();
    let branches = signatures::list(store, None)?.into_iter();
    let done = match asked.frame.own("done") {
        Some("added") => Some("The key is in the keyring. What it signed was judged again."),
        Some("removed") => Some("The key is out. What it signed was judged again."),
        Some("policy") => Some("The policy holds for what comes in from now on."),
        _ => None,
    };
    Ok(Keys {
        tabs: tabs::system(&asked.frame, "/system/keys"),
        keys: keys::list(store)?.iter().map(Key::of).collect(),
        branches: branches.map(Branch::of).collect(),
        done,
        frame: asked.frame.titled("Keys"),
    })
}

/// Shows what was pasted: whose key it says it is, and by which digits it is confirmed. Nothing is added.
pub(super) async fn show_pasted(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let form = match Form::read(&request, body, KEY_FORM_BYTES).await {
        Ok(form) => form,
        Err(error) => return problem::page(&request, error).await,
    };
    view(&request, &operator, Section::System, move |asked| {
        let text = form.text("key").to_owned();
        let file = KeyFile::read(text.as_bytes(), &asked.operator.limits);
        let reports = file.certificates.iter().map(KeyReport::new);
        Ok(Confirm {
            tabs: tabs::system(&asked.frame, "/system/keys"),
            keys: reports.map(|report| Key::of(&report)).collect(),
            refused: file.refused.iter().map(ToString::to_string).collect(),
            text,
            frame: asked.frame.titled("Add a key"),
        })
    })
    .await
}

pub(super) async fn add(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    super::form::submit_large(&request, &operator, body, KEY_FORM_BYTES, |doing| {
        let request = KeyRequest {
            fingerprint: doing.form.text("fingerprint").to_owned(),
            key: doing.form.text("key").to_owned(),
        };
        check_digits(doing.form, &request.fingerprint)?;
        keys::add(doing.store, doing.who, &request, &doing.operator.limits)?;
        Ok(Next::page("/system/keys", "added"))
    })
    .await
}

pub(super) async fn remove(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let fingerprint = doing.form.text("fingerprint");
        check_digits(doing.form, fingerprint)?;
        keys::remove(doing.store, doing.who, fingerprint, &doing.operator.limits)?;
        Ok(Next::page("/system/keys", "removed"))
    })
    .await
}

/// Fails where the last digits of a fingerprint were not typed.
fn check_digits(form: &Form, fingerprint: &str) -> Result<(), OperationError> {
    let parsed: Fingerprint = fingerprint
        .parse()
        .map_err(|_| OperationError::InvalidRequest("that is no fingerprint".to_owned()))?;
    match parsed.is_confirmed_by(form.text("typed")) {
        true => Ok(()),
        false => Err(OperationError::NotTyped(
            "the last eight digits of the fingerprint".to_owned(),
        )),
    }
}

pub(super) async fn set_policy(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let branch = parse_name(doing.form.text("branch"))?;
        let policy: SignaturePolicy = doing.form.text("policy").parse().map_err(
            |error: crate::distribution::InvalidPolicy| {
                OperationError::InvalidRequest(error.to_string())
            },
        )?;
        signatures::set_policy(doing.store, doing.who, &branch, policy)?;
        Ok(Next::page("/system/keys", "policy"))
    })
    .await
}

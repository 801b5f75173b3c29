//! The audit log: who did what, who was refused, and whether the chain holds.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::audit::{self, AuditRequest, EntryReport, Verification, VerificationRequest};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::wording::counted;

/// Entries of a page.
const ROWS: usize = 100;
/// Entries that are looked through for a page of what is filtered.
const MOST_SEARCHED: usize = 10_000;
/// Entries that are read at a time.
const READ: u32 = 500;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    frame: Frame,
    tabs: Vec<Tab>,
    count: String,
    head: Option<String>,
    outcome: String,
    who: String,
    rows: Vec<Row>,
    older: Option<String>,
    first_page: Option<String>,
    verified: Option<Verification>,
    written: String,
    invalid: Option<String>,
}

struct Row {
    number: i64,
    at: String,
    who: String,
    from: String,
    action: String,
    subject: String,
    outcome: String,
    class: &'static str,
    detail: String,
}

impl Row {
    fn of(entry: EntryReport, now: Timestamp) -> Self {
        let at = entry.at.parse();
        Self {
            number: entry.number,
            at: at.map_or(entry.at, |at| second(at, now)),
            who: entry.who,
            from: entry.from,
            action: entry.action,
            subject: entry.subject,
            class: match entry.outcome.as_str() {
                "done" => "",
                "refused" => "care",
                _ => "bad",
            },
            outcome: entry.outcome,
            detail: detail(&entry.detail),
        }
    }
}

/// Returns a moment to the second, in one line.
fn second(at: Timestamp, now: Timestamp) -> String {
    let is_of_year = at.strftime("%Y").to_string() == now.strftime("%Y").to_string();
    let form = if is_of_year {
        "%-d %b %H:%M:%S"
    } else {
        "%-d %b %Y %H:%M:%S"
    };
    at.strftime(form).to_string()
}

/// Returns the text of a JSON object as names and values; what is none is told as it is.
fn detail(text: &str) -> String {
    let Ok(value) = serde_json::from_str::<Option<Map<String, Value>>>(text) else {
        return text.to_owned();
    };
    let told = |(name, value): (&String, &Value)| {
        let name = name.replace('_', " ");
        match value {
            Value::String(value) => format!("{name} {value}"),
            Value::Bool(true) => name,
            Value::Bool(false) => format!("{name}: no"),
            value => format!("{name} {value}"),
        }
    };
    let parts: Vec<_> = value.iter().flatten().map(told).collect();
    parts.join("; ")
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, log).await
}

fn log(asked: Asked) -> Result<Audit, OperationError> {
    let store = asked.store();
    let now = asked.frame.now;
    let own = |name: &str| asked.frame.own(name).unwrap_or("").trim().to_owned();
    let (outcome, who, written) = (own("outcome"), own("who"), own("head"));
    let before = own("before").parse::<i64>().ok();
    let newest = audit::list(
        store,
        AuditRequest {
            limit: Some(1),
            ..AuditRequest::default()
        },
    )?;
    let newest = newest.first();
    let is_wanted = |it: &EntryReport| {
        (outcome.is_empty() || it.outcome == outcome) && (who.is_empty() || it.who == who)
    };
    let (entries, next) = page(store, before, is_wanted)?;
    let older = next.map(|number| {
        let number = number.to_string();
        let mut more = vec![("before", number.as_str())];
        more.extend((!outcome.is_empty()).then_some(("outcome", outcome.as_str())));
        more.extend((!who.is_empty()).then_some(("who", who.as_str())));
        asked.frame.lens.address("/system/audit", &more)
    });
    let (verified, invalid) = match asked.frame.own("verify") {
        Some(_) => {
            let head = (!written.is_empty()).then(|| written.clone());
            match audit::verify(store, &VerificationRequest { head }) {
                Ok(found) => (Some(found), None),
                Err(OperationError::InvalidRequest(why)) => (None, Some(why)),
                Err(error) => return Err(error),
            }
        }
        None => (None, None),
    };
    Ok(Audit {
        tabs: tabs::system(&asked.frame, "/system/audit"),
        count: counted(
            newest.map_or(0, |it| it.number.unsigned_abs()),
            "entry",
            "entries",
        ),
        head: newest.map(|it| format!("{}:{}", it.number, it.digest)),
        rows: entries.into_iter().map(|it| Row::of(it, now)).collect(),
        first_page: before.map(|_| asked.frame.to("/system/audit")),
        outcome,
        who,
        older,
        verified,
        written,
        invalid,
        frame: asked.frame.titled("Audit"),
    })
}

/// Returns a page of entries before one, the newest first, and before which number the next page begins.
fn page(
    store: &crate::store::Store,
    mut before: Option<i64>,
    is_wanted: impl Fn(&EntryReport) -> bool,
) -> Result<(Vec<EntryReport>, Option<i64>), OperationError> {
    let mut found = Vec::new();
    let mut searched = 0;
    loop {
        let request = AuditRequest {
            before,
            limit: Some(READ),
            ..AuditRequest::default()
        };
        let entries = audit::list(store, request)?;
        if entries.is_empty() {
            return Ok((found, None));
        }
        for entry in entries {
            before = Some(entry.number);
            searched += 1;
            if is_wanted(&entry) {
                found.push(entry);
            }
            if found.len() == ROWS || searched == MOST_SEARCHED {
                return Ok((found, before.filter(|number| *number > 1)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_told_as_names_and_values() {
        for (text, expected) in [
            ("null", ""),
            ("{}", ""),
            (
                r#"{"change_set":4,"why":"a <b>"}"#,
                "change set 4; why a <b>",
            ),
            (r#"{"cases":[1,2]}"#, "cases [1,2]"),
            (r#"{"has_password":true}"#, "has password"),
            ("no json", "no json"),
        ] {
            assert_eq!(detail(text), expected);
        }
    }
}

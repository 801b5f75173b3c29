//! Tokens: what programs come in by. The page of people lists them.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::form::{FEW_BYTES, Form, Next, submit};
use super::frame::{Frame, Section};
use super::people::role_of;
use super::tabs::{self, Tab};
use super::{Asked, problem, view};
use crate::admin::error::OperationError;
use crate::admin::roles::Role;
use crate::admin::routes::{Operator, caller};
use crate::admin::tokens::{self, TokenReport, TokenRequest};
use crate::admin::wording::{day, told};

/// Days that a new token is proposed to be good for.
pub(super) const PROPOSED_DAYS: u16 = 90;

/// A token in the list.
pub(super) struct Token {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) owner: String,
    pub(super) made: String,
    pub(super) ends: String,
    pub(super) is_over: bool,
    pub(super) used: String,
    pub(super) remove: String,
}

#[derive(Template)]
#[template(path = "token_made.html")]
struct TokenMade {
    frame: Frame,
    tabs: Vec<Tab>,
    name: String,
    role: Role,
    ends: String,
    secret: String,
}

/// Returns the tokens that the person who asks may see.
pub(super) fn listed(asked: &Asked) -> Result<Vec<Token>, OperationError> {
    let frame = &asked.frame;
    let tokens = tokens::list(asked.store(), &frame.actor, frame.role)?;
    let tokens = tokens.into_iter();
    Ok(tokens.map(|it| Token::of(it, frame, frame.now)).collect())
}

impl Token {
    fn of(report: TokenReport, frame: &Frame, now: Timestamp) -> Self {
        let ends = report.expires_at.parse().map_or(report.expires_at, day);
        let used = report.last_used_at.map(|at| told(&at, now));
        Self {
            remove: frame.to(format!("/system/tokens/{}/remove", report.number)),
            made: told(&report.made_at, now),
            number: report.number,
            name: report.name,
            role: report.role,
            owner: report.owner,
            ends,
            is_over: report.is_expired,
            used: used.unwrap_or_else(|| "never".to_owned()),
        }
    }
}

/// Makes a token, and shows it this once: no address leads to it again.
pub(super) async fn make(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let form = match Form::read(&request, body, FEW_BYTES).await {
        Ok(form) => form,
        Err(error) => return problem::page(&request, error).await,
    };
    view(&request, &operator, Section::System, move |asked| {
        let days = u16::try_from(form.number("days")?);
        let wanted = TokenRequest {
            name: form.text("name").to_owned(),
            role: role_of(&form)?,
            days: days.unwrap_or(0),
        };
        let (store, frame) = (asked.store(), &asked.frame);
        let made = tokens::make(store, &frame.actor, frame.role, &wanted)?;
        Ok(TokenMade {
            tabs: tabs::system(frame, "/system/people"),
            name: made.token.name,
            role: made.token.role,
            ends: (made.token.expires_at.parse()).map_or(made.token.expires_at, day),
            secret: made.secret,
            frame: asked.frame.titled("A token"),
        })
    })
    .await
}

pub(super) async fn remove(
    request: HttpRequest,
    operator: Data<Operator>,
    number: Path<i64>,
    body: Payload,
) -> HttpResponse {
    let role = caller(&request).map_or(Role::Viewer, |it| it.role);
    submit(&request, &operator, body, move |doing| {
        tokens::remove(doing.store, doing.who, role, *number)?;
        Ok(Next::page("/system/people", "token-removed"))
    })
    .await
}

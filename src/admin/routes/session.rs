//! Who asks: logging in and out, and what is known of the session.

use actix_web::body::BoxBody;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::describe::{Content, Description, Given, Schemas};
use super::refusal::Refusal;
use super::{Answer, Operator, caller};
use crate::admin::entrance::{self, Door, LoggedIn, Web};
use crate::admin::error::OperationError;
use crate::admin::password::Password;
use crate::admin::roles::{Caller, How, Role};
use crate::admin::setup::SetupRequest;
use crate::store::users::Login;

/// Bytes of a body that asks to log in.
const MOST_BODY_BYTES: usize = 8 << 10;

/// A name and a password.
#[derive(Deserialize, JsonSchema)]
pub struct LoginRequest {
    name: String,
    password: Password,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionReport {
    /// The name as it is recorded.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// How they are known: `socket`, `session`, `token`, `proxy`.
    pub how: String,
    /// What changes have to bring in `X-CSRF-Token`, where browsers send of their own who asks.
    pub csrf: Option<String>,
    /// The login before this one.
    pub last_login: Option<LastLogin>,
    /// Logins that failed between that and this one.
    pub failures: u32,
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastLogin {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: String,
}

impl From<&Caller> for SessionReport {
    fn from(caller: &Caller) -> Self {
        let last_login = |login: &Login| LastLogin {
            at: login.at,
            from: login.from.clone(),
        };
        let (how, last, failures) = match &caller.how {
            How::Socket => ("socket", None, 0),
            How::Token { .. } => ("token", None, 0),
            How::Proxy { .. } => ("proxy", None, 0),
            How::Session {
                former_login,
                former_failures,
                ..
            } => ("session", former_login.as_ref(), *former_failures),
        };
        Self {
            name: caller.name.clone(),
            role: caller.role,
            how: how.to_owned(),
            csrf: caller.csrf().map(|csrf| csrf.reveal()),
            last_login: last.map(last_login),
            failures,
        }
    }
}

pub(super) async fn show(request: HttpRequest) -> Answer<SessionReport> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    Ok(Json(SessionReport::from(&caller)))
}

/// Somebody who has just logged in: who they are, and the cookie of their session.
pub(super) struct Entered(LoggedIn);

/// Somebody who has just logged out: the cookie that takes the other away.
pub(super) struct Left {
    cookie: String,
}

impl Responder for Entered {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((SET_COOKIE, self.0.cookie))
            .json(SessionReport::from(&self.0.caller))
    }
}

impl Given for Entered {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        Json::<SessionReport>::tell(description, schemas);
    }
}

impl Responder for Left {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent()
            .insert_header((SET_COOKIE, self.cookie))
            .finish()
    }
}

impl Given for Left {
    fn tell(description: &mut Description, _: &mut Schemas) {
        description.answers.insert(204, Content::none());
    }
}

pub(super) async fn log_in(
    operator: Data<Operator>,
    request: HttpRequest,
    body: Payload,
) -> Result<Entered, Refusal> {
    let web = web_of(&request)?;
    let LoginRequest { name, password } = small_json(&request, body).await?;
    let logged_in = entrance::log_in(&operator, &web, &request, name, password).await?;
    Ok(Entered(logged_in))
}

pub(super) async fn set_up(
    operator: Data<Operator>,
    request: HttpRequest,
    body: Payload,
) -> Result<Entered, Refusal> {
    let web = web_of(&request)?;
    let asked: SetupRequest = small_json(&request, body).await?;
    let logged_in = entrance::set_up(&operator, &web, &request, asked).await?;
    Ok(Entered(logged_in))
}

pub(super) async fn log_out(
    operator: Data<Operator>,
    request: HttpRequest,
) -> Result<Left, Refusal> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    let web = web_of(&request)?;
    let cookie = entrance::log_out(&operator, &web, &request, &caller).await?;
    Ok(Left { cookie })
}

/// Reads a small JSON document: nobody is known yet who could answer for a large one.
async fn small_json<T: DeserializeOwned>(
    request: &HttpRequest,
    body: Payload,
) -> Result<T, OperationError> {
    let invalid = |why: &str| OperationError::InvalidRequest(why.to_owned());
    if request.content_type() != "application/json" {
        return Err(invalid("the body is not called application/json"));
    }
    let bytes = body.to_bytes_limited(MOST_BODY_BYTES).await;
    let bytes = bytes.map_err(|_too_large| {
        OperationError::InvalidRequest(format!("the body has more than {MOST_BODY_BYTES} bytes"))
    })?;
    let bytes = bytes.map_err(|_broken_off| invalid("the body broke off"))?;
    // What is wrong with it is not repeated: it holds a password.
    serde_json::from_slice(&bytes)
        .map_err(|_| invalid("the body is not the JSON that is asked for"))
}

/// Returns what serves the web, where that is the door.
pub(in crate::admin) fn web_of(request: &HttpRequest) -> Result<Data<Web>, OperationError> {
    match request.app_data::<Door>() {
        Some(Door::Web(web)) => Ok(web.clone()),
        _ => Err(OperationError::InvalidRequest(
            "there are no sessions at control.sock".to_owned(),
        )),
    }
}

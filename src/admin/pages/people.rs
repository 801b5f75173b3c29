//! People: who may come in, and one's own password. The page shows the tokens too.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::form::{Doing, Form, Next, submit};
use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::tokens::{self, Token};
use super::{Asked, problem, view};
use crate::admin::entrance::{password_rules, turn};
use crate::admin::error::OperationError;
use crate::admin::password::Password;
use crate::admin::roles::{How, Role};
use crate::admin::routes::{Operator, caller};
use crate::admin::users::{self, PasswordRequest, PasswordRules, UserReport, UserRequest};
use crate::admin::wording::{counted, told};
use crate::people::are_one;

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    frame: Frame,
    tabs: Vec<Tab>,
    sentence: String,
    people: Vec<Person>,
    tokens: Vec<Token>,
    has_password: bool,
    least_length: usize,
    roles: Vec<&'static str>,
    token_roles: Vec<&'static str>,
    token_days: u16,
    done: Option<&'static str>,
}

struct Person {
    name: String,
    path: String,
    role: &'static str,
    is_oneself: bool,
    last_login: String,
    locked: Option<String>,
    failures: u32,
    has_password: bool,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let rules = password_rules(&request);
    view(&request, &operator, Section::System, move |asked| {
        people(asked, rules)
    })
    .await
}

fn people(asked: Asked, rules: PasswordRules) -> Result<People, OperationError> {
    let store = asked.store();
    let (frame, now) = (&asked.frame, asked.frame.now);
    let all = users::list(store)?;
    let own = all.iter().find(|it| are_one(&it.name, &frame.who));
    let tokens = tokens::listed(&asked)?;
    let done = match frame.own("done") {
        Some("added") => Some("They can log in from now on."),
        Some("role") => Some("The role holds from their next request on."),
        Some("unlocked") => Some("They can log in again."),
        Some("password") => Some("The password is another one. Their sessions are over."),
        Some("own-password") => Some("Your password is another one. Your other sessions are over."),
        Some("removed") => Some("They are gone, and so are their sessions and tokens."),
        Some("token-removed") => Some("The token is good for nothing from now on."),
        _ => None,
    };
    let count = counted(all.len() as u64, "person", "people");
    let tokens_are = match tokens.len() {
        0 => "no token is".to_owned(),
        count => counted(count as u64, "token is", "tokens are"),
    };
    Ok(People {
        tabs: tabs::system(frame, "/system/people"),
        has_password: own.is_some_and(|it| it.has_password),
        sentence: match frame.role == Role::Admin {
            true => format!("{count} can log in; {tokens_are} out."),
            false => format!("You are {}, {}.", frame.who, frame.role),
        },
        people: match frame.role == Role::Admin {
            true => all.iter().map(|it| Person::of(it, frame, now)).collect(),
            false => Vec::new(),
        },
        tokens,
        least_length: rules.least_length,
        roles: Role::ALL.map(Role::name).to_vec(),
        token_roles: (Role::ALL.into_iter())
            .filter(|role| *role <= frame.role)
            .map(Role::name)
            .collect(),
        token_days: tokens::PROPOSED_DAYS,
        done,
        frame: asked.frame.titled("People and tokens"),
    })
}

impl Person {
    fn of(report: &UserReport, frame: &Frame, now: Timestamp) -> Self {
        let login = report.last_login_at.as_deref().map(|at| told(at, now));
        let from = report.last_login_from.as_deref();
        Self {
            path: frame.to(format!("/system/people/{}", encoded(&report.name))),
            is_oneself: are_one(&report.name, &frame.who),
            last_login: match (login, from) {
                (Some(at), Some(from)) => format!("{at} from {from}"),
                (Some(at), None) => at,
                (None, _) => "never".to_owned(),
            },
            locked: report.locked_since.as_deref().map(|at| told(at, now)),
            failures: report.failures,
            has_password: report.has_password,
            role: report.role.name(),
            name: report.name.clone(),
        }
    }

    /// Returns where something is done to them.
    fn to(&self, what: &str) -> String {
        match self.path.split_once('?') {
            Some((path, query)) => format!("{path}/{what}?{query}"),
            None => format!("{}/{what}", self.path),
        }
    }
}

fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Returns the password that was typed twice.
fn typed_twice(form: &Form) -> Result<Password, OperationError> {
    match form.as_sent("password") == form.as_sent("again") {
        true => Ok(Password::new(form.as_sent("password"))),
        false => Err(OperationError::WeakPassword(
            "the two are not the same".to_owned(),
        )),
    }
}

pub(super) fn role_of(form: &Form) -> Result<Role, OperationError> {
    let role = form.text("role").parse();
    role.map_err(|error: crate::people::InvalidRole| {
        OperationError::InvalidRequest(error.to_string())
    })
}

/// As [`submit`], for what takes the hash of a password.
async fn submit_in_turn(
    request: &HttpRequest,
    operator: &Data<Operator>,
    body: Payload,
    operation: impl FnOnce(&Doing<'_>) -> Result<Next, OperationError> + Send + 'static,
) -> HttpResponse {
    let turn = match turn(request).await {
        Ok(turn) => turn,
        Err(error) => return problem::page(request, error).await,
    };
    submit(request, operator, body, move |doing| {
        let _until_hashed = turn;
        operation(doing)
    })
    .await
}

pub(super) async fn add(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let rules = password_rules(&request);
    submit_in_turn(&request, &operator, body, move |doing| {
        let user = UserRequest {
            name: doing.form.text("name").to_owned(),
            role: role_of(doing.form)?,
            password: Some(typed_twice(doing.form)?),
        };
        users::add(doing.store, doing.who, &user, rules.least_length)?;
        Ok(Next::page("/system/people", "added"))
    })
    .await
}

pub(super) async fn set_role(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, move |doing| {
        let role = role_of(doing.form)?;
        users::set_role(doing.store, doing.who, &name, role)?;
        Ok(Next::page("/system/people", "role"))
    })
    .await
}

pub(super) async fn unlock(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, move |doing| {
        users::unlock(doing.store, doing.who, &name)?;
        Ok(Next::page("/system/people", "unlocked"))
    })
    .await
}

/// Gives somebody else another password: one's own takes the old one, whoever sits at an open browser.
pub(super) async fn reset_password(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    let rules = password_rules(&request);
    let by = caller(&request);
    let is_own = by.is_some_and(|it| it.how != How::Socket && are_one(it.user(), &name));
    submit_in_turn(&request, &operator, body, move |doing| {
        if is_own {
            return Err(OperationError::InvalidRequest(
                "one's own password is changed with the old one".to_owned(),
            ));
        }
        let password = typed_twice(doing.form)?;
        users::reset_password(doing.store, doing.who, &name, &password, rules.least_length)?;
        Ok(Next::page("/system/people", "password"))
    })
    .await
}

pub(super) async fn remove(
    request: HttpRequest,
    operator: Data<Operator>,
    name: Path<String>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, move |doing| {
        doing.form.check_typed(&name)?;
        users::remove(doing.store, doing.who, &name)?;
        Ok(Next::page("/system/people", "removed"))
    })
    .await
}

/// Changes one's own password.
pub(super) async fn change_password(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let rules = password_rules(&request);
    let Some(by) = caller(&request) else {
        return problem::page(&request, OperationError::Nobody).await;
    };
    submit_in_turn(&request, &operator, body, move |doing| {
        let asked = PasswordRequest {
            password: typed_twice(doing.form)?,
            old: Some(Password::new(doing.form.as_sent("old"))),
        };
        let session = match by.how {
            How::Session { id, .. } => Some(id),
            How::Token { .. } => return Err(OperationError::ByToken(by.name)),
            How::Socket | How::Proxy { .. } => None,
        };
        users::change_password(doing.store, doing.who, &by.name, &asked, session, rules)?;
        Ok(Next::page("/system/people", "own-password"))
    })
    .await
}

//! The pages before all others: logging in, and the first admin's name and password.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::form::{FEW_BYTES, Form};
use super::{assets, problem, see};
use crate::admin::entrance::{self, Web};
use crate::admin::error::{Failure, OperationError};
use crate::admin::password::Password;
use crate::admin::routes::{Operator, Refusal, caller, web_of};
use crate::admin::setup::SetupRequest;

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    style: String,
    banner: Option<String>,
    next: String,
    name: String,
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup {
    style: String,
    banner: Option<String>,
    link: String,
    name: String,
    least_length: u32,
    refused: Option<String>,
}

/// Answers with the page to log in at.
pub(super) async fn login(request: HttpRequest) -> HttpResponse {
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let next = query.into_iter().find(|(name, _)| name == "next");
    let next = next.map(|(_, path)| within(&path)).unwrap_or_default();
    match web_of(&request) {
        Ok(web) => login_page(&web, next, String::new(), None),
        Err(error) => problem::page(&request, error).await,
    }
}

/// Logs in, and leads to the page that was asked for before.
pub(super) async fn log_in(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let read = async {
        let web = web_of(&request)?;
        Ok((web, Form::read(&request, body, FEW_BYTES).await?))
    };
    let (web, form) = match read.await {
        Ok(read) => read,
        Err(error) => return problem::page(&request, error).await,
    };
    let (name, next) = (form.text("name").to_owned(), within(form.text("next")));
    let password = Password::new(form.as_sent("password"));
    match entrance::log_in(&operator, &web, &request, name.clone(), password).await {
        Ok(logged_in) => HttpResponse::SeeOther()
            .insert_header((SET_COOKIE, logged_in.cookie))
            .insert_header((LOCATION, format!("/admin{next}")))
            .finish(),
        Err(error) => login_page(&web, next, name, Some(error)),
    }
}

/// Logs out.
pub(super) async fn log_out(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let ended = async {
        Form::read(&request, body, FEW_BYTES).await?;
        let caller = caller(&request).ok_or(OperationError::Nobody)?;
        entrance::log_out(&operator, &web_of(&request)?, &request, &caller).await
    };
    match ended.await {
        Ok(cookie) => {
            let mut answer = see("/login");
            if let Ok(cookie) = cookie.parse() {
                answer.headers_mut().insert(SET_COOKIE, cookie);
            }
            answer
        }
        Err(error) => problem::page(&request, error).await,
    }
}

/// Answers with the page at which the first admin chooses a name and a password. Whether the link is good is said when it is
/// used: looking at it is no use.
pub(super) async fn setup(request: HttpRequest, link: Path<String>) -> HttpResponse {
    match web_of(&request) {
        Ok(web) => setup_page(&web, link.into_inner(), String::new(), None),
        Err(error) => problem::page(&request, error).await,
    }
}

/// Makes the first admin, and logs them in.
pub(super) async fn set_up(
    request: HttpRequest,
    operator: Data<Operator>,
    link: Path<String>,
    body: Payload,
) -> HttpResponse {
    let read = async {
        let web = web_of(&request)?;
        Ok((web, Form::read(&request, body, FEW_BYTES).await?))
    };
    let (web, form) = match read.await {
        Ok(read) => read,
        Err(error) => return problem::page(&request, error).await,
    };
    let (link, name) = (link.into_inner(), form.text("name").to_owned());
    if form.as_sent("password") != form.as_sent("again") {
        let error = OperationError::WeakPassword("the two are not the same".to_owned());
        return setup_page(&web, link, name, Some(error));
    }
    let asked = SetupRequest {
        link: link.clone(),
        name: name.clone(),
        password: Password::new(form.as_sent("password")),
    };
    match entrance::set_up(&operator, &web, &request, asked).await {
        Ok(logged_in) => HttpResponse::SeeOther()
            .insert_header((SET_COOKIE, logged_in.cookie))
            .insert_header((LOCATION, "/admin/"))
            .finish(),
        Err(error) => setup_page(&web, link, name, Some(error)),
    }
}

fn login_page(
    web: &Web,
    next: String,
    name: String,
    refused: Option<OperationError>,
) -> HttpResponse {
    let (status, refused) = told(refused);
    let page = Login {
        style: assets::address("airlock.css"),
        banner: web.rules.load().banner.clone(),
        next,
        name,
        refused,
    };
    answer(status, &page)
}

fn setup_page(
    web: &Web,
    link: String,
    name: String,
    refused: Option<OperationError>,
) -> HttpResponse {
    let (status, refused) = told(refused);
    let rules = web.rules.load();
    let page = Setup {
        style: assets::address("airlock.css"),
        banner: rules.banner.clone(),
        link,
        name,
        least_length: rules.password_length,
        refused,
    };
    answer(status, &page)
}

/// Returns how a refusal is answered, and in which words.
fn told(refused: Option<OperationError>) -> (StatusCode, Option<String>) {
    let Some(error) = refused else {
        return (StatusCode::OK, None);
    };
    let failure = Failure::from(error);
    let text = failure.error.clone();
    (Refusal::from_failure(failure).status_code(), Some(text))
}

fn answer(status: StatusCode, page: &impl std::fmt::Display) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(page.to_string())
}

/// Returns a path below `/admin` on this host, `/` for everything else: nobody is led elsewhere by a login.
fn within(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_here = path.starts_with('/') && path.chars().all(is_plain);
    // Browsers resolve `..` and `%2e%2e` alike, and a proxy may make one `/` of two.
    let own = path.split(['?', '#']).next().unwrap_or_default();
    let own = percent_encoding::percent_decode_str(own).decode_utf8_lossy();
    let is_step = |part: &str| part == "." || part == "..";
    let is_here = is_here && !own.contains("//") && !own.split(['/', '\\']).any(is_step);
    let is_entry = path.starts_with("/login") || path.starts_with("/logout");
    match is_here && !is_entry && path.len() < 2_000 {
        true => path.to_owned(),
        false => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_no_other_host() {
        for path in ["/", "/packages?q=nginx", "/changes/7", "/a..b?x=../y//z"] {
            assert_eq!(within(path), path);
        }
        for path in [
            "",
            "//evil.site",
            "https://evil.site",
            "/\\evil.site",
            "/a\r\nSet-Cookie: x",
            "/logout",
            "x",
            "/../d/evil",
            "/packages/..//evil.site",
            "/a/%2e%2E/%2e./x",
            "/a//evil.site",
            "/%2f/evil.site",
            "/a%5c..%5cx",
        ] {
            assert_eq!(within(path), "/", "{path}");
        }
    }
}

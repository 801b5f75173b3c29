//! The doors to the operations: `control.sock`, where the user at the other end says who asks, and the web, `/admin`, where a
//! session, a token or a trusted proxy does.
//!
//! On the web all of it passes the same rules first (`rules`), is told to browsers with the same headers (`headers`),
//! and each route asks one guard who asks and whether they may (`guard`). What comes over a Unix socket of the registry is the
//! web too: the user at its other end is the proxy's. What is served behind the doors stands in the tables of `routes`.

mod cookies;
mod guard;
mod headers;
mod login;
mod origin;
mod rules;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};

use super::audit::Refusals;
use super::error::OperationError;
use super::pages;
use super::routes::{self, Refusal};
use super::users::PasswordRules;
use crate::api::access::{Hosts, SharedAccess};
use crate::crypto::Secret;
use crate::crypto::password::PasswordHash;
use crate::crypto::tls::ServedTls;

pub use guard::{CsrfIn, check, check_form};
pub use login::{LoggedIn, log_in, log_out, set_up};
use throttle::Throttle;
pub use throttle::Turn;

/// Where the web is served, on whichever listener.
pub const PATH: &str = "/admin";

/// Through which door a request came; kept with the routes behind it.
#[derive(Debug, Clone)]
pub enum Door {
    /// `control.sock`: whoever may connect is who the system says they are.
    ControlSocket,
    /// A listener that browsers and proxies reach.
    Web(Data<Web>),
}

/// What the web is served by.
#[derive(Debug)]
pub struct Web {
    /// The rules of now.
    pub rules: ArcSwap<WebRules>,
    /// The registry's rules: networks, and whose word on their client is taken.
    pub access: SharedAccess,
    /// The certificate in force, whose names are this host's.
    pub tls: Option<Arc<ServedTls>>,
    /// What is refused, on its way to the audit log.
    pub refusals: Refusals,
    clock: Clock,
    /// What CSRF tokens of those are made of who have no session.
    key: Secret,
    throttle: Throttle,
    /// What the password of somebody unknown is compared with, so that it takes as long.
    nobodys_password: PasswordHash,
}

/// What may change while the web is served.
#[derive(Debug, Clone)]
pub struct WebRules {
    /// The hosts that it answers for, beside the certificate's.
    pub hosts: Hosts,
    /// The header in which a proxy that is trusted names who has logged in there.
    pub user_header: Option<HeaderName>,
    /// What is shown before somebody logs in.
    pub banner: Option<String>,
    /// How long a session lasts that is not used.
    pub idle: SignedDuration,
    /// How long one lasts in any case.
    pub longest: SignedDuration,
    /// Wrong passwords in a row after which a user is locked.
    pub failures: u32,
    /// Characters that a new password has at least.
    pub password_length: u32,
}

/// What tells the time.
struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", (self.0)())
    }
}

impl WebRules {
    /// Returns since when a session must have been used, and begun, so that it is not over at `now`.
    fn ends(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let before = |time: SignedDuration| now.checked_sub(time).unwrap_or(Timestamp::MIN);
        (before(self.idle), before(self.longest))
    }
}

impl Web {
    /// Returns what serves the web by these rules.
    pub fn new(rules: WebRules, access: SharedAccess, tls: Option<Arc<ServedTls>>) -> Self {
        Self {
            rules: ArcSwap::from_pointee(rules),
            access,
            tls,
            refusals: Refusals::default(),
            clock: Clock(Arc::new(Timestamp::now)),
            key: Secret::random(),
            throttle: Throttle::default(),
            nobodys_password: PasswordHash::make(&crate::crypto::random_bytes::<32>()),
        }
    }

    /// Returns the same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let clock = Clock(Arc::new(clock));
        Self { clock, ..self }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Returns the address that asks; `None` where proxies do not agree on it.
    pub fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.access.load().client(request).address
    }

    /// Tells whether a request came over TLS: to this process, or to a proxy that is trusted and says so.
    pub fn is_secure(&self, request: &HttpRequest) -> bool {
        rules::is_secure(&self.access.load(), request)
    }
}

/// Waits for a turn to have a password hashed, which is held until the hash is made: many at once keep nobody from the
/// threads that read. At `control.sock` there is nothing to wait for.
pub async fn turn(request: &HttpRequest) -> Result<Option<Turn>, OperationError> {
    match request.app_data::<Door>() {
        Some(Door::Web(web)) => {
            let turn = web.throttle.turn().await;
            Ok(Some(turn.map_err(|wait| {
                OperationError::TooManyLogins { seconds: wait.0 }
            })?))
        }
        Some(Door::ControlSocket) | None => Ok(None),
    }
}

/// Returns what the settings ask of passwords, whichever door a request came through; the defaults where nothing serves the
/// web.
pub fn password_rules(request: &HttpRequest) -> PasswordRules {
    let web = request.app_data::<Data<Web>>();
    let web = web.or_else(|| match request.app_data::<Door>() {
        Some(Door::Web(web)) => Some(web),
        Some(Door::ControlSocket) | None => None,
    });
    web.map_or_else(PasswordRules::default, |web| {
        let rules = web.rules.load();
        PasswordRules {
            least_length: rules.password_length as usize,
            most_failures: rules.failures,
        }
    })
}

/// Adds the web at `/admin` to an application whose data holds an [`routes::Operator`].
pub fn configure(config: &mut ServiceConfig, web: &Data<Web>) {
    let api = web::scope("/api")
        .app_data(JsonConfig::default().error_handler(|error, _| unreadable(&error)))
        .app_data(QueryConfig::default().error_handler(|error, _| unreadable(&error)))
        .app_data(PathConfig::default().error_handler(|error, _| unreadable(&error)))
        .default_service(web::to(nothing_there))
        .service(routes::add_to(web::scope("/v1")).default_service(web::to(nothing_there)));
    let scope = web::scope(PATH)
        .app_data(Door::Web(web.clone()))
        .service(api);
    config.service(pages::add_to(scope).wrap(from_fn(pass)));
}

/// Returns the answer to a request that does not say what its route needs.
fn unreadable(error: &dyn std::fmt::Display) -> actix_web::Error {
    Refusal::from(OperationError::InvalidRequest(error.to_string())).into()
}

/// Answers a path of the JSON API where nothing is.
async fn nothing_there(request: HttpRequest) -> HttpResponse {
    let path = request.path().to_owned();
    Refusal::from(OperationError::NoSuchPage(path)).error_response()
}

/// Answers what passes the rules, and tells browsers what to make of every answer.
async fn pass(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    let passed = match request.app_data::<Door>() {
        Some(Door::Web(web)) => rules::look(web, request.request()),
        Some(Door::ControlSocket) | None => Err(OperationError::Nobody),
    };
    let mut answer = match passed {
        Ok(()) => next.call(request).await?,
        Err(error) => {
            let refusal = refused(request.request(), error).await;
            request.into_response(refusal)
        }
    };
    headers::add(answer.headers_mut());
    Ok(answer)
}

/// Answers a request that is refused: JSON where programs ask, else a page.
async fn refused(request: &HttpRequest, error: OperationError) -> HttpResponse {
    let is_api = request.path().strip_prefix(PATH);
    if is_api.is_some_and(|path| path == "/api" || path.starts_with("/api/")) {
        return Refusal::from(error).error_response();
    }
    pages::problem::page(request, error).await
}

/// Returns a request's path and query as logs may have them: what follows `/admin/setup` may be a setup link, which is a secret.
pub fn loggable<'a>(path: &'a str, query: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    const SETUP: &str = "/admin/setup";
    let plain = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let parts = plain.split('/').filter(|part| !part.is_empty());
    let is_setup = parts.take(2).eq(SETUP.split('/').skip(1));
    if is_setup {
        return (SETUP, None);
    }
    (path, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setup_link_is_in_what_logs_may_have() {
        for path in [
            "/admin/setup/0123",
            "/admin/setup",
            "//admin//setup/0123",
            "/admin/%73etup/0123",
            "/%61dmin/setup%2f0123",
        ] {
            assert_eq!(
                loggable(path, Some("link=0123")),
                ("/admin/setup", None),
                "{path}"
            );
        }
        for path in [
            "/admin/setups/1",
            "/admin",
            "/",
            "/package/setup",
            "/admin/people",
            "/%ff/x",
        ] {
            assert_eq!(loggable(path, Some("a=b")), (path, Some("a=b")), "{path}");
        }
    }
}

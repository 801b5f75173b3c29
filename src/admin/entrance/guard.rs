//! Who asks, and whether they may: the one guard of all routes behind a door.
//!
//! On the web, in this order: a token (`Authorization: Bearer`), a name that a trusted proxy vouches for, the cookie of a
//! session. What is there and does not hold is refused, and nothing else is tried. People and sessions are read for each
//! request, so that who is removed or has another role is so at once. Browsers send cookies, and proxies names, with every
//! site's requests: changes that come so have to be asked for by a page of the admin side, which knows the CSRF token.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::web::{self, Data};
use actix_web::{HttpMessage, HttpRequest};
use serde_json::json;

use super::{Door, Web, cookies, origin};
use crate::admin::error::OperationError;
use crate::admin::peer::PeerUser;
use crate::admin::roles::{Caller, How, Role, Roles};
use crate::admin::routes::Operator;
use crate::admin::tokens as of_tokens;
use crate::api::access::User;
use crate::crypto::Secret;
use crate::people;
use crate::store::audit::{NewEntry, Outcome};
use crate::store::{Store, sessions, tokens, users};

/// Where JSON requests say the CSRF token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// Bytes of a name that a proxy vouches for.
const MOST_NAME_BYTES: usize = 128;

/// Where the CSRF token of a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrfIn {
    /// In the header `X-CSRF-Token`: looked at here.
    Header,
    /// In the field `csrf` of a form: whoever reads the form hands it to [`check_form`].
    Form,
}

/// Fails where who asks may not do what needs the role `needs`; where that is `None` nobody has to be logged in, and it fails where
/// a change was not asked for by a page of the admin side. Of a request that is refused no byte of the body is read.
pub async fn check(
    needs: Option<Role>,
    csrf: CsrfIn,
    request: &HttpRequest,
) -> Result<(), OperationError> {
    match needs {
        Some(needs) => admit(needs, csrf, request).await.map(drop),
        None => admit_anybody(request),
    }
}

/// Returns who asks, where they may do what needs the role `needs`; of a request that is refused no byte of the body is read.
///
/// The caller is also put into the request's extensions, for handlers and the log.
async fn admit(needs: Role, csrf: CsrfIn, request: &HttpRequest) -> Result<Caller, OperationError> {
    let operator = request.app_data::<Data<Operator>>();
    let operator = operator.ok_or(OperationError::Nobody)?;
    let (caller, judged) = match request.app_data::<Door>() {
        Some(Door::ControlSocket) => (at_socket(operator, needs, request).await?, Ok(())),
        Some(Door::Web(web)) => on_web(operator, web, needs, csrf, request).await?,
        None => return Err(OperationError::Nobody),
    };
    if caller.how != How::Socket {
        let user = User(caller.name.as_str().into());
        request.extensions_mut().insert(user);
    }
    // Who is refused is told so by a page with their name on it.
    request.extensions_mut().insert(caller.clone());
    judged.map(|()| caller)
}

/// Fails where a request that needs nobody to be logged in, such as a login, was not asked for by a page of the admin side.
fn admit_anybody(request: &HttpRequest) -> Result<(), OperationError> {
    match request.app_data::<Door>() {
        Some(Door::ControlSocket) => Err(OperationError::InvalidRequest(
            "nobody logs in at control.sock: the system says who asks".to_owned(),
        )),
        Some(Door::Web(web)) if is_change(request.method()) => asked_from_here(web, request),
        Some(Door::Web(_)) => Ok(()),
        None => Err(OperationError::Nobody),
    }
}

async fn at_socket(
    operator: &Data<Operator>,
    needs: Role,
    request: &HttpRequest,
) -> Result<Caller, OperationError> {
    let peer = request.conn_data::<PeerUser>().copied();
    let peer = peer.ok_or(OperationError::Nobody)?;
    let roles = operator.roles.load_full();
    // Names are looked up in files, or by asking a directory.
    let found = web::block(move || {
        let caller = roles.caller(peer);
        roles.check(&caller, needs).map(|()| caller)
    });
    found.await.map_err(|_stopped| OperationError::Nobody)?
}

async fn on_web(
    operator: &Data<Operator>,
    web: &Data<Web>,
    needs: Role,
    csrf: CsrfIn,
    request: &HttpRequest,
) -> Result<(Caller, Result<(), OperationError>), OperationError> {
    let shown = Shown::by(web, request)?;
    let asking = Asking {
        shown,
        from: from(web, request),
        what: what(request),
        csrf: match csrf {
            CsrfIn::Header => Some(csrf_header(request)),
            CsrfIn::Form => None,
        },
        // Of a form that a page sent it is looked at before it is known who asks: it is the same for everybody.
        is_from_here: !is_change(request.method()) || asked_from_here(web, request).is_ok(),
        is_change: is_change(request.method()),
        needs,
    };
    let (web, store, roles) = (
        web.clone(),
        operator.store.clone(),
        operator.roles.load_full(),
    );
    let found = web::block(move || asking.judge(&web, &store, &roles));
    found.await.map_err(|_stopped| OperationError::Nobody)?
}

/// Fails where the form that a request brings was not sent by a page of who asks; that goes to the audit log, as what the guard
/// refuses does. `sent` is its field `csrf`.
pub async fn check_form(request: &HttpRequest, sent: &str) -> Result<(), OperationError> {
    // Who is nobody yet has no page of a session that could prove it.
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Ok(());
    };
    let Err(refusal) = caller.check_csrf(sent) else {
        return Ok(());
    };
    let operator = request.app_data::<Data<Operator>>().cloned();
    if let (Some(Door::Web(web)), Some(operator)) = (request.app_data::<Door>(), operator) {
        let (web, what) = (web.clone(), what(request));
        let noted = web::block(move || {
            note(
                &web,
                &operator.store,
                &caller,
                &what,
                &OperationError::BadCsrf,
            )
        });
        noted.await.map_err(|_stopped| OperationError::Nobody)??;
    }
    Err(refusal)
}

/// Notes what is refused to somebody who is known.
fn note(
    web: &Web,
    store: &Store,
    caller: &Caller,
    what: &str,
    refusal: &OperationError,
) -> Result<(), OperationError> {
    let entry = NewEntry {
        at: web.now(),
        who: &caller.name,
        from: &caller.from,
        action: "request",
        subject: what,
        outcome: Outcome::Refused,
        detail: &json!({ "why": refusal.kind() }),
    };
    Ok(web.refusals.append(store, &entry)?)
}

/// Returns what a request asks for, as the audit log has it.
fn what(request: &HttpRequest) -> String {
    let path = super::loggable(request.uri().path(), None).0;
    format!("{} {path}", request.method())
}

/// Returns where a request comes from, as the audit log has it.
pub(super) fn from(web: &Web, request: &HttpRequest) -> String {
    let client = web.client(request);
    client.map_or_else(|| "unknown".to_owned(), |client| client.to_string())
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn asked_from_here(web: &Web, request: &HttpRequest) -> Result<(), OperationError> {
    if origin::is_same(request, web.is_secure(request)) {
        return Ok(());
    }
    Err(OperationError::OtherOrigin)
}

/// Returns the one CSRF token that a request's header holds.
fn csrf_header(request: &HttpRequest) -> Option<Secret> {
    let mut sent = request.headers().get_all(CSRF_HEADER);
    match (sent.next(), sent.next()) {
        (Some(value), None) => Secret::parse(value.to_str().ok()?),
        _ => None,
    }
}

/// What a request shows of who asks.
#[derive(Debug)]
enum Shown {
    Token(Secret),
    Name(String),
    Session(Secret),
}

impl Shown {
    fn by(web: &Web, request: &HttpRequest) -> Result<Self, OperationError> {
        if let Some(token) = token(request)? {
            return Ok(Self::Token(token));
        }
        if let Some(name) = vouched_for(web, request)? {
            return Ok(Self::Name(name));
        }
        match cookies::sent(request, web.is_secure(request)) {
            cookies::Sent::Secret(text) => Secret::parse(text).map(Self::Session),
            cookies::Sent::Nothing | cookies::Sent::Unclear => None,
        }
        .ok_or(OperationError::NotSignedIn)
    }
}

/// Returns the token that a request brings; `None` where it brings none. A password for the registry, which browsers send
/// along to all of a host, is none.
fn token(request: &HttpRequest) -> Result<Option<Secret>, OperationError> {
    let mut sent = request.headers().get_all(AUTHORIZATION);
    let bearer = |value: &HeaderValue| {
        let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then(|| of_tokens::secret_of(rest.trim()))
    };
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match bearer(value) {
            None => Ok(None),
            Some(token) => token.map(Some).ok_or(OperationError::NotSignedIn),
        },
        (Some(_), Some(_)) => Err(OperationError::NotSignedIn),
    }
}

/// Returns the name that a trusted proxy vouches for; `None` where nobody is trusted to, or nobody is named. Others that
/// send the header are not believed, and asked for something better.
fn vouched_for(web: &Web, request: &HttpRequest) -> Result<Option<String>, OperationError> {
    let rules = web.rules.load();
    let Some(header) = &rules.user_header else {
        return Ok(None);
    };
    let mut sent = request.headers().get_all(header);
    let (first, second) = (sent.next(), sent.next());
    let Some(first) = first.filter(|_| web.access.load().is_by_trusted_proxy(request)) else {
        return Ok(None);
    };
    // Proxies write it so where nobody has logged in.
    if first.is_empty() && second.is_none() {
        return Ok(None);
    }
    let name = std::str::from_utf8(first.as_bytes()).ok();
    let name = name.filter(|name| second.is_none() && people::is_user_name(name));
    match name {
        Some(name) => Ok(Some(name.to_owned())),
        None => {
            let told = String::from_utf8_lossy(first.as_bytes());
            let told = &told[..told.floor_char_boundary(MOST_NAME_BYTES)];
            Err(OperationError::UnknownUser(told.to_owned()))
        }
    }
}

/// A request, as far as it says who asks and whether they may.
#[derive(Debug)]
struct Asking {
    shown: Shown,
    from: String,
    what: String,
    /// The token of a header, `None` where it stands elsewhere.
    csrf: Option<Option<Secret>>,
    is_from_here: bool,
    is_change: bool,
    needs: Role,
}

impl Asking {
    /// Returns who asks, and whether they may. What is refused to somebody who is known goes to the audit log.
    fn judge(
        &self,
        web: &Web,
        store: &Store,
        roles: &Roles,
    ) -> Result<(Caller, Result<(), OperationError>), OperationError> {
        let caller = self.caller(web, store, roles)?;
        let judged = self.may(&caller);
        if let Err(refusal) = &judged {
            note(web, store, &caller, &self.what, refusal)?;
        }
        Ok((caller, judged))
    }

    fn may(&self, caller: &Caller) -> Result<(), OperationError> {
        let is_sent_by_browsers = caller.csrf().is_some();
        if self.is_change && is_sent_by_browsers {
            if !self.is_from_here {
                return Err(OperationError::OtherOrigin);
            }
            if let Some(sent) = &self.csrf {
                caller.is_proven_by(sent.as_ref())?;
            }
        }
        if caller.role < self.needs {
            return Err(OperationError::NeedsRole {
                needed: self.needs,
                who: caller.name.clone(),
                has: caller.role,
                who_may: format!("whoever is {} here", article(self.needs)),
            });
        }
        Ok(())
    }

    fn caller(&self, web: &Web, store: &Store, roles: &Roles) -> Result<Caller, OperationError> {
        match &self.shown {
            Shown::Token(secret) => self.by_token(web, store, roles, secret),
            Shown::Name(name) => self.by_name(web, store, name),
            Shown::Session(secret) => self.by_session(web, store, secret),
        }
    }

    fn by_token(
        &self,
        web: &Web,
        store: &Store,
        roles: &Roles,
        secret: &Secret,
    ) -> Result<Caller, OperationError> {
        let now = web.now();
        let token = store.read(|conn| tokens::find(conn, secret.digest()))?;
        let token = token.filter(|token| !token.is_over(now));
        let token = token.ok_or(OperationError::NotSignedIn)?;
        if token.is_touch_due(now) {
            store.write(|conn| tokens::touch(conn, token.id, now))?;
        }
        // The store caps by the roles of users alone: those of the host's stand in the settings.
        let role = match token.is_of_user {
            true => token.role,
            false => token.role.min(roles.of_name(&token.owner)),
        };
        Ok(Caller {
            name: people::by_token(&token.owner, &token.name),
            role,
            from: self.from.clone(),
            how: How::Token { owner: token.owner },
        })
    }

    fn by_name(&self, web: &Web, store: &Store, name: &str) -> Result<Caller, OperationError> {
        let user = store.read(|conn| users::find(conn, name))?;
        let user = user.ok_or_else(|| OperationError::UnknownUser(name.to_owned()))?;
        let csrf = web.key.derived(&format!("csrf of {}", user.name));
        Ok(Caller {
            name: user.name,
            role: user.role,
            from: self.from.clone(),
            how: How::Proxy { csrf },
        })
    }

    fn by_session(
        &self,
        web: &Web,
        store: &Store,
        secret: &Secret,
    ) -> Result<Caller, OperationError> {
        let now = web.now();
        let session = store.read(|conn| sessions::find(conn, secret.digest()))?;
        let (idle_since, made_since) = web.rules.load().ends(now);
        let session = session.filter(|session| !session.is_over(idle_since, made_since));
        let session = session.ok_or(OperationError::NotSignedIn)?;
        if session.is_touch_due(now) {
            store.write(|conn| sessions::touch(conn, session.id, now))?;
        }
        Ok(Caller {
            name: session.user.name,
            role: session.user.role,
            from: self.from.clone(),
            how: How::Session {
                id: session.id,
                csrf: secret.derived("csrf"),
                former_login: session.former_login,
                former_failures: session.former_failures,
            },
        })
    }
}

fn article(role: Role) -> String {
    match role {
        Role::Approver | Role::Admin => format!("an {role}"),
        Role::Viewer | Role::Publisher => format!("a {role}"),
    }
}

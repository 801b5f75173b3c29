//! Logging in and out.
//!
//! Whoever fails to is told nothing of why: an unknown name, a wrong password and a user who is locked are one answer, and each
//! costs a hash. A login begins a session with a secret of its own, whatever the browser sent before.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::web::{self, Data};
use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::throttle::{Turn, Wait};
use super::{Web, cookies, guard};
use crate::admin::error::OperationError;
use crate::admin::password::Password;
use crate::admin::roles::{Caller, How};
use crate::admin::routes::Operator;
use crate::admin::setup::{self, SetupRequest};
use crate::crypto::Secret;
use crate::people;
use crate::store::audit::{self, NewEntry, Outcome};
use crate::store::users::User;
use crate::store::{Store, StoreError, sessions, users};

/// Browsers that one user may be logged in with; the one that was used longest ago gives way.
const MOST_SESSIONS: u32 = 20;
/// Bytes of a password that are looked at.
const MOST_PASSWORD_BYTES: usize = 1_024;

/// Somebody who has just logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub caller: Caller,
    /// The header `Set-Cookie` of the answer.
    pub cookie: String,
}

/// Logs a user in who says this name and password; `request` is the one that says it.
///
/// Takes a hash of a password, and waits until those before it have theirs. Fails with [`OperationError::WrongLogin`], and
/// with [`OperationError::TooManyLogins`] where too many failed from the client's address, or too many wait.
pub async fn log_in(
    operator: &Data<Operator>,
    web: &Data<Web>,
    request: &HttpRequest,
    name: String,
    password: Password,
) -> Result<LoggedIn, OperationError> {
    let client = web.client(request);
    let is_secure = web.is_secure(request);
    let former = match cookies::sent(request, is_secure) {
        cookies::Sent::Secret(text) => Secret::parse(text),
        cookies::Sent::Nothing | cookies::Sent::Unclear => None,
    };
    let attempt = Attempt {
        name,
        password,
        from: guard::from(web, request),
        former,
    };
    let secret = attempt.decide(operator, web, client).await?;
    let (caller, secret) = secret;
    Ok(LoggedIn {
        caller,
        cookie: cookies::keep(&secret.reveal(), is_secure),
    })
}

/// Makes the first admin by a setup link, and logs them in.
///
/// Fails with [`OperationError::NoSuchLink`] and [`OperationError::WeakPassword`]; takes turns as [`log_in`] does.
pub async fn set_up(
    operator: &Data<Operator>,
    web: &Data<Web>,
    request: &HttpRequest,
    asked: SetupRequest,
) -> Result<LoggedIn, OperationError> {
    let client = web.client(request);
    web.throttle.count(client, web.now()).map_err(too_many)?;
    let turn = turn(web, client).await?;
    let (name, password) = (asked.name.clone(), asked.password.clone());
    let (store, from) = (operator.store.clone(), guard::from(web, request));
    let least = web.rules.load().password_length as usize;
    let made = web::block(move || {
        let made = setup::use_link(&store, &from, &asked, least);
        drop(turn);
        made
    });
    let made = made.await.map_err(|_stopped| OperationError::Nobody)?;
    // A password that is too short is no guess.
    if !matches!(made, Err(OperationError::NoSuchLink)) {
        web.throttle.forgive(client);
    }
    made?;
    log_in(operator, web, request, name, password).await
}

/// Ends the session of whoever asks, and returns the header `Set-Cookie` that has the browser forget it. Fails where they
/// have none: a token is taken back, and who logs in at a proxy logs out there.
pub async fn log_out(
    operator: &Data<Operator>,
    web: &Data<Web>,
    request: &HttpRequest,
    caller: &Caller,
) -> Result<String, OperationError> {
    let How::Session { id, .. } = caller.how else {
        return Err(OperationError::InvalidRequest(
            "this was not asked in a session that could end".to_owned(),
        ));
    };
    let (store, caller, now) = (operator.store.clone(), caller.clone(), web.now());
    let end = move || {
        store.write(|conn| {
            sessions::end(conn, id)?;
            let entry = NewEntry {
                at: now,
                who: &caller.name,
                from: &caller.from,
                action: "logout",
                subject: &caller.name,
                outcome: Outcome::Done,
                detail: &Value::Null,
            };
            audit::append(conn, &entry).map(drop)
        })
    };
    let ended = web::block(end).await;
    ended.map_err(|_stopped| OperationError::Nobody)??;
    Ok(cookies::forget(web.is_secure(request)))
}

/// Waits for a turn; who finds too many waiting has not failed.
async fn turn(web: &Web, client: Option<IpAddr>) -> Result<Turn, OperationError> {
    let turn = web.throttle.turn().await;
    if turn.is_err() {
        web.throttle.forgive(client);
    }
    turn.map_err(too_many)
}

fn too_many(Wait(seconds): Wait) -> OperationError {
    OperationError::TooManyLogins { seconds }
}

/// A name and a password that somebody says.
struct Attempt {
    name: String,
    password: Password,
    from: String,
    /// What the browser's session was until now.
    former: Option<Secret>,
}

impl Attempt {
    async fn decide(
        self,
        operator: &Data<Operator>,
        web: &Data<Web>,
        client: Option<IpAddr>,
    ) -> Result<(Caller, Secret), OperationError> {
        web.throttle.count(client, web.now()).map_err(too_many)?;
        let turn = turn(web, client).await?;
        let (store, of_web) = (operator.store.clone(), web.clone());
        let decided = web::block(move || {
            let decided = self.judge(&of_web, &store);
            // Not before: whoever goes away keeps their turn until it is over.
            drop(turn);
            decided
        });
        let decided = decided.await.map_err(|_stopped| OperationError::Nobody)?;
        if decided.is_ok() {
            web.throttle.forgive(client);
        }
        decided
    }

    fn judge(&self, web: &Web, store: &Store) -> Result<(Caller, Secret), OperationError> {
        let is_name = people::is_user_name(&self.name)
            && self.password.as_bytes().len() <= MOST_PASSWORD_BYTES;
        let user = match is_name {
            true => store.read(|conn| users::find(conn, &self.name))?,
            false => None,
        };
        let hash = user.as_ref().and_then(|user| user.password.as_ref());
        let is_right = hash
            .unwrap_or(&web.nobodys_password)
            .is_of(self.password.as_bytes());
        let now = web.now();
        let decided = store.write(|conn| {
            // As it is now: it may have been changed while the hash was computed.
            let user = match &user {
                Some(user) => {
                    users::find(conn, &user.name)?.filter(|it| it.password == user.password)
                }
                None => None,
            };
            match user {
                Some(user)
                    if is_right && user.password.is_some() && user.locked_since.is_none() =>
                {
                    self.begin(conn, web, &user, now).map(Ok)
                }
                user => self.fail(conn, web, user, now).map(Err),
            }
        });
        let (name, why) = match decided.map_err(|error: StoreError| OperationError::from(error))? {
            Ok(logged_in) => return Ok(logged_in),
            Err(failed) => failed,
        };
        // Who fails may be anybody: who they say they are is what it was done to.
        let entry = self.entry("", &name, now, Outcome::Refused, &why);
        web.refusals.append(store, &entry)?;
        Err(OperationError::WrongLogin)
    }

    fn begin(
        &self,
        conn: &Transaction<'_>,
        web: &Web,
        user: &User,
        now: Timestamp,
    ) -> Result<(Caller, Secret), StoreError> {
        let (idle_since, made_since) = web.rules.load().ends(now);
        sessions::end_over(conn, idle_since, made_since)?;
        if let Some(former) = &self.former
            && let Some(session) = sessions::find(conn, former.digest())?
        {
            sessions::end(conn, session.id)?;
        }
        let secret = Secret::random();
        let id = sessions::begin(conn, secret.digest(), user, now, &self.from, MOST_SESSIONS)?;
        users::note_login(conn, user.id, now, &self.from)?;
        let entry = self.entry(&user.name, &user.name, now, Outcome::Done, &Value::Null);
        audit::append(conn, &entry)?;
        let caller = Caller {
            name: user.name.clone(),
            role: user.role,
            from: self.from.clone(),
            how: How::Session {
                id,
                csrf: secret.derived("csrf"),
                former_login: user.last_login.clone(),
                former_failures: user.failures,
            },
        };
        Ok((caller, secret))
    }

    /// Notes that it failed; returns whose login it was to be, and why.
    fn fail(
        &self,
        conn: &Transaction<'_>,
        web: &Web,
        user: Option<User>,
        now: Timestamp,
    ) -> Result<(String, Value), StoreError> {
        let why = match &user {
            None => json!({ "why": "no such user" }),
            Some(user) if user.locked_since.is_some() => json!({ "why": "locked" }),
            Some(user) if user.password.is_none() => json!({ "why": "has no password" }),
            Some(user) => {
                let failures = users::note_failure(conn, user.id)?;
                let is_locked = failures >= web.rules.load().failures;
                if is_locked {
                    users::lock(conn, user.id, now)?;
                }
                json!({ "why": "wrong password", "failures": failures, "is_locked": is_locked })
            }
        };
        // What nobody is called may be a password that was typed one line too high.
        let name = user.map_or_else(String::new, |user| user.name);
        Ok((name, why))
    }

    fn entry<'a>(
        &'a self,
        who: &'a str,
        name: &'a str,
        at: Timestamp,
        outcome: Outcome,
        detail: &'a Value,
    ) -> NewEntry<'a> {
        NewEntry {
            at,
            who,
            from: &self.from,
            action: "login",
            subject: name,
            outcome,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;
    use jiff::SignedDuration;

    use super::*;
    use crate::admin::entrance::WebRules;
    use crate::api::access::{Access, Hosts};

    #[actix_web::test]
    async fn who_finds_too_many_waiting_has_not_failed() {
        let rules = WebRules {
            hosts: Hosts::only(Vec::new(), &[]),
            user_header: None,
            banner: None,
            idle: SignedDuration::from_mins(30),
            longest: SignedDuration::from_hours(12),
            failures: 5,
            password_length: 12,
        };
        let access = ArcSwap::from_pointee(Access::default());
        let web = Data::new(Web::new(rules, access.into(), None));
        let first = turn(&web, None).await.unwrap();
        let mut waiting = Vec::new();
        loop {
            let mut next = Box::pin(web.throttle.turn());
            match std::future::poll_fn(|cx| std::task::Poll::Ready(next.as_mut().poll(cx))).await {
                std::task::Poll::Pending => waiting.push(next),
                std::task::Poll::Ready(full) => {
                    assert!(full.is_err());
                    break;
                }
            }
        }
        // Far more than may fail from one address.
        for _ in 0..100 {
            web.throttle.count(None, web.now()).unwrap();
            assert!(turn(&web, None).await.is_err());
        }
        drop((first, waiting));
    }
}

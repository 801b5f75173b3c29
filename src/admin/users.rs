//! The people who may use the admin side: added, changed, removed.
//!
//! There is always one admin with a password, once there was one: the last is neither removed nor given another role. Who is
//! removed is gone with sessions and tokens; who gets another password has to log in again. No token adds or changes people: it
//! would outlive itself in them. Logging in is not done here.

mod report;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::error::OperationError;
use super::missing::Missing;
use super::password::{LEAST_LENGTH, Password};
use crate::people::{Actor, Role, are_one, is_by_token, is_user_name};
use crate::store::audit::{NewEntry, Outcome};
use crate::store::sessions::{self, SessionId};
use crate::store::users::{self, User};
use crate::store::{Store, StoreError, audit, tokens};

pub use report::{PasswordRequest, RoleRequest, UserChanged, UserReport, UserRequest};

/// Users there may be: beyond any site, and little enough to be listed whole.
const MOST_USERS: u64 = 10_000;

/// Returns all users, by name.
pub fn list(store: &Store) -> Result<Vec<UserReport>, OperationError> {
    let all = store.read(users::all)?;
    Ok(all.iter().map(UserReport::from).collect())
}

/// Adds a user, whose password has at least `least` characters.
pub fn add(
    store: &Store,
    who: &Actor,
    request: &UserRequest,
    least: usize,
) -> Result<UserReport, OperationError> {
    check_is_person(who)?;
    check_name(&request.name)?;
    let password = request.password.as_ref();
    let hash = password.map(|password| password.hashed(&request.name, least));
    let hash = hash.transpose()?;
    let at = Timestamp::now();
    store.write_synced(|conn| {
        if users::count(conn)? >= MOST_USERS {
            return Err(OperationError::TooMany {
                what: "users",
                limit: MOST_USERS,
            });
        }
        let added = users::insert(conn, &request.name, request.role, hash.as_ref(), at)?;
        added.ok_or_else(|| OperationError::UserTaken(request.name.clone()))?;
        let detail = json!({ "role": request.role, "has_password": hash.is_some() });
        audit::note(conn, at, who, "users add", &request.name, detail)?;
        Ok(UserReport::from(&find(conn, &request.name)?))
    })
}

/// Gives a user another role.
pub fn set_role(
    store: &Store,
    who: &Actor,
    name: &str,
    role: Role,
) -> Result<UserChanged, OperationError> {
    check_is_person(who)?;
    store.write_synced(|conn| {
        let user = find(conn, name)?;
        if user.role == role {
            return Ok(changed(&user, false, 0));
        }
        check_not_last(conn, &user)?;
        users::set_role(conn, user.id, role)?;
        let detail = json!({ "from": user.role, "to": role });
        audit::note(
            conn,
            Timestamp::now(),
            who,
            "users role",
            &user.name,
            detail,
        )?;
        Ok(changed(&find(conn, name)?, true, 0))
    })
}

/// Removes a user, with sessions and tokens.
pub fn remove(store: &Store, who: &Actor, name: &str) -> Result<UserChanged, OperationError> {
    check_is_person(who)?;
    store.write_synced(|conn| {
        let user = find(conn, name)?;
        check_not_last(conn, &user)?;
        let ended = sessions::end_of(conn, user.id, None)?;
        users::remove(conn, user.id)?;
        let detail = json!({ "role": user.role });
        audit::note(
            conn,
            Timestamp::now(),
            who,
            "users remove",
            &user.name,
            detail,
        )?;
        Ok(changed(&user, true, ended))
    })
}

/// Lets a user who is locked log in again.
pub fn unlock(store: &Store, who: &Actor, name: &str) -> Result<UserChanged, OperationError> {
    store.write_synced(|conn| {
        let user = find(conn, name)?;
        let was_locked = users::unlock(conn, user.id)?;
        if was_locked {
            audit::note(
                conn,
                Timestamp::now(),
                who,
                "users unlock",
                &user.name,
                Value::Null,
            )?;
        }
        Ok(changed(&find(conn, name)?, was_locked, 0))
    })
}

/// Gives a user another password, with at least `least` characters, and ends their sessions and tokens: whoever knew the old one
/// may have made some. Who was locked is not any more.
pub fn reset_password(
    store: &Store,
    who: &Actor,
    name: &str,
    password: &Password,
    least: usize,
) -> Result<UserChanged, OperationError> {
    check_is_person(who)?;
    store.read(|conn| find(conn, name))?;
    let hash = password.hashed(name, least)?;
    store.write_synced(|conn| {
        let user = find(conn, name)?;
        users::set_password(conn, user.id, Some(&hash))?;
        let ended = sessions::end_of(conn, user.id, None)?;
        let detail = match end_tokens(conn, &user)? {
            0 => Value::Null,
            tokens => json!({ "ended_tokens": tokens }),
        };
        audit::note(
            conn,
            Timestamp::now(),
            who,
            "users reset",
            &user.name,
            detail,
        )?;
        Ok(changed(&find(conn, name)?, true, ended))
    })
}

/// Gives a user another password who says the old one, and ends their other sessions than `but`.
///
/// A wrong one counts as a failed login and locks at `most_failures`: who sits down at an open browser tries no list of them.
pub fn change_password(
    store: &Store,
    who: &Actor,
    name: &str,
    request: &PasswordRequest,
    but: Option<SessionId>,
    rules: PasswordRules,
) -> Result<UserChanged, OperationError> {
    check_is_person(who)?;
    let user = store.read(|conn| find(conn, name))?;
    let (hash, old) = (user.password.as_ref(), request.old.as_ref());
    let is_right = hash
        .zip(old)
        .is_some_and(|(hash, old)| user.locked_since.is_none() && hash.is_of(old.as_bytes()));
    let at = Timestamp::now();
    if !is_right {
        store.write(|conn| {
            let user = find(conn, name)?;
            let failures = users::note_failure(conn, user.id)?;
            let is_locked = failures >= rules.most_failures;
            if is_locked {
                users::lock(conn, user.id, at)?;
            }
            // Of who is locked already no more is told: an open browser is not to fill the log.
            if user.locked_since.is_none() {
                let entry = NewEntry {
                    at,
                    who: &who.name,
                    from: &who.from,
                    action: "password",
                    subject: &user.name,
                    outcome: Outcome::Refused,
                    detail: &json!({ "why": "wrong password", "is_locked": is_locked }),
                };
                audit::append(conn, &entry)?;
            }
            Ok::<_, OperationError>(())
        })?;
        return Err(OperationError::WrongPassword);
    }
    let new = request.password.hashed(name, rules.least_length)?;
    store.write_synced(|conn| {
        let now = find(conn, name)?;
        if now.password != user.password {
            return Err(OperationError::WrongPassword);
        }
        users::set_password(conn, now.id, Some(&new))?;
        let ended = sessions::end_of(conn, now.id, but)?;
        audit::note(conn, at, who, "password", &now.name, Value::Null)?;
        Ok(changed(&find(conn, name)?, true, ended))
    })
}

/// What the settings ask of passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters it has at least.
    pub least_length: usize,
    /// Failures after which a user is locked.
    pub most_failures: u32,
}

impl Default for PasswordRules {
    /// Returns what holds where no setting says it.
    fn default() -> Self {
        Self {
            least_length: LEAST_LENGTH,
            most_failures: 5,
        }
    }
}

/// Tells whether there is an admin who can log in with a password.
pub(super) fn has_admin(conn: &Connection) -> Result<bool, OperationError> {
    Ok(users::all(conn)?.iter().any(is_admin))
}

/// Fails where nobody may be called `name`.
pub(super) fn check_name(name: &str) -> Result<(), OperationError> {
    if is_user_name(name) {
        return Ok(());
    }
    Err(OperationError::InvalidRequest(format!(
        "{:?} is no name: one has up to 128 bytes, no blank, no colon and nothing invisible, and does not begin with #",
        name.chars().take(140).collect::<String>()
    )))
}

/// Fails where a token acts: whoever stole one would make themselves somebody who stays.
pub(super) fn check_is_person(who: &Actor) -> Result<(), OperationError> {
    match is_by_token(&who.name) {
        true => Err(OperationError::ByToken(who.name.clone())),
        false => Ok(()),
    }
}

/// Takes out the tokens that stand for a user; returns how many there were.
fn end_tokens(conn: &Transaction<'_>, user: &User) -> Result<usize, StoreError> {
    let mut own = tokens::all(conn)?;
    own.retain(|token| are_one(&token.owner, &user.name));
    for token in &own {
        tokens::remove(conn, token.id)?;
    }
    Ok(own.len())
}

fn find(conn: &Connection, name: &str) -> Result<User, OperationError> {
    if let Some(user) = users::find(conn, name)? {
        return Ok(user);
    }
    let all = users::all(conn)?;
    let names = all.iter().map(|user| user.name.as_str());
    Err(OperationError::NoSuchUser(Missing::among(name, names)))
}

fn is_admin(user: &User) -> bool {
    user.role == Role::Admin && user.password.is_some()
}

/// Fails where nobody could log in as admin without `user`.
fn check_not_last(conn: &Transaction<'_>, user: &User) -> Result<(), OperationError> {
    let mut others = users::all(conn)?;
    others.retain(|other| other.id != user.id);
    if is_admin(user) && !others.iter().any(is_admin) {
        return Err(OperationError::LastAdmin(user.name.clone()));
    }
    Ok(())
}

fn changed(user: &User, is_changed: bool, ended_sessions: usize) -> UserChanged {
    UserChanged {
        user: UserReport::from(user),
        is_changed,
        ended_sessions,
    }
}

#[cfg(test)]
mod tests;

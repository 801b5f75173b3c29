//! The people who may use the admin side: added, changed, removed.
//!
//! There is always one admin with a password, once there was one: the last is neither removed nor given another role. Who is
//! removed is gone with sessions and tokens; who gets another password has to log in again. Logging in is not done here.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::OperationError;
use super::missing::Missing;
use super::password::{LEAST_LENGTH, Password};
use crate::people::{Actor, Role, is_user_name};
use crate::store::sessions::{self, SessionId};
use crate::store::users::{self, User};
use crate::store::{Store, audit};

/// Users there may be: beyond any site, and little enough to be listed whole.
const MOST_USERS: u64 = 10_000;

/// A user as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserReport {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they have a password; without one they come by a trusted header only.
    pub has_password: bool,
    /// When they were added, RFC 3339.
    pub made_at: String,
    /// When they logged in last, RFC 3339.
    pub last_login_at: Option<String>,
    /// From where.
    pub last_login_from: Option<String>,
    /// Failed logins since.
    pub failures: u32,
    /// Since when they are locked, RFC 3339.
    pub locked_since: Option<String>,
}

/// A user to be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Their password; none where they come by a trusted header only.
    pub password: Option<Password>,
}

/// Another role.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// The role.
    pub role: Role,
}

/// Another password.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The new one.
    pub password: Password,
    /// The old one, which only oneself is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Password>,
}

/// What became of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserChanged {
    /// The user, as they are, or were where they were removed.
    pub user: UserReport,
    /// Whether anything was changed.
    pub is_changed: bool,
    /// How many sessions of theirs ended by it.
    pub ended_sessions: usize,
}

impl From<&User> for UserReport {
    fn from(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            role: user.role,
            has_password: user.password.is_some(),
            made_at: user.made_at.to_string(),
            last_login_at: user.last_login.as_ref().map(|login| login.at.to_string()),
            last_login_from: user.last_login.as_ref().map(|login| login.from.clone()),
            failures: user.failures,
            locked_since: user.locked_since.map(|time| time.to_string()),
        }
    }
}

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

/// Gives a user another password, with at least `least` characters, and ends their sessions; who was locked is not any more.
pub fn reset_password(
    store: &Store,
    who: &Actor,
    name: &str,
    password: &Password,
    least: usize,
) -> Result<UserChanged, OperationError> {
    store.read(|conn| find(conn, name))?;
    let hash = password.hashed(name, least)?;
    store.write_synced(|conn| {
        let user = find(conn, name)?;
        users::set_password(conn, user.id, Some(&hash))?;
        let ended = sessions::end_of(conn, user.id, None)?;
        audit::note(
            conn,
            Timestamp::now(),
            who,
            "users reset",
            &user.name,
            Value::Null,
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
            if failures >= rules.most_failures {
                users::lock(conn, user.id, at)?;
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
        "{:?} is no name: one has up to 128 bytes, no blank and no colon, and does not begin with #",
        name.chars().take(140).collect::<String>()
    )))
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

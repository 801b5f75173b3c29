//! The first admin: who has the setup link chooses a name and a password.
//!
//! A link is good for an hour and once, and only while there is no admin with a password; who can make one has the store in
//! hands already. Its secret is shown to who made it and kept as a digest.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::OperationError;
use super::password::Password;
use super::users::{self as of_users, UserReport};
use crate::crypto::Secret;
use crate::people::{Actor, Role};
use crate::store::{Store, audit, setup_links, users};

/// How long a link is good: time to walk to the jump host.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A link that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkMade {
    /// The secret, 64 hexadecimal digits, which nobody can show again.
    pub secret: String,
    /// From when on it is good for nothing, RFC 3339.
    pub expires_at: String,
}

impl std::fmt::Debug for LinkMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkMade(…)")
    }
}

/// The use of a link.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// Its secret.
    pub link: String,
    /// The admin's name.
    pub name: String,
    /// The admin's password.
    pub password: Password,
}

impl std::fmt::Debug for SetupRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetupRequest({:?})", self.name)
    }
}

/// Tells whether there is an admin with a password, and no link is needed.
pub fn is_done(store: &Store) -> Result<bool, OperationError> {
    store.read(of_users::has_admin)
}

/// Makes the link; one that was made before is good for nothing from then on.
pub fn make_link(store: &Store, who: &Actor) -> Result<LinkMade, OperationError> {
    of_users::check_is_person(who)?;
    let (secret, at) = (Secret::random(), Timestamp::now());
    let expires = at
        .checked_add(GOOD_FOR)
        .map_err(|_| OperationError::InvalidRequest("the clock is wrong".to_owned()))?;
    store.write_synced(|conn| {
        if of_users::has_admin(conn)? {
            return Err(OperationError::SetUp);
        }
        setup_links::put(conn, secret.digest(), at, expires)?;
        audit::note(conn, at, who, "setup-link", "", Value::Null)?;
        Ok(())
    })?;
    Ok(LinkMade {
        secret: secret.reveal(),
        expires_at: expires.to_string(),
    })
}

/// Fails where `link` is not good for anything at `now`.
pub fn check_link(store: &Store, link: &str, now: Timestamp) -> Result<(), OperationError> {
    let secret = Secret::parse(link).ok_or(OperationError::NoSuchLink)?;
    let expires = store.read(|conn| setup_links::find(conn, secret.digest()))?;
    match expires {
        Some(expires) if now < expires => Ok(()),
        _ => Err(OperationError::NoSuchLink),
    }
}

/// Makes the first admin, who asks from `from`, and takes the link out.
pub fn use_link(
    store: &Store,
    from: &str,
    request: &SetupRequest,
    least: usize,
) -> Result<UserReport, OperationError> {
    let at = Timestamp::now();
    check_link(store, &request.link, at)?;
    of_users::check_name(&request.name)?;
    let hash = request.password.hashed(&request.name, least)?;
    let secret = Secret::parse(&request.link).ok_or(OperationError::NoSuchLink)?;
    store.write_synced(|conn| {
        // Somebody else may have used it while the password was hashed.
        if setup_links::find(conn, secret.digest())?.is_none() {
            return Err(OperationError::NoSuchLink);
        }
        if of_users::has_admin(conn)? {
            return Err(OperationError::SetUp);
        }
        let added = users::insert(conn, &request.name, Role::Admin, Some(&hash), at)?;
        added.ok_or_else(|| OperationError::UserTaken(request.name.clone()))?;
        setup_links::remove(conn)?;
        let who = Actor {
            name: request.name.clone(),
            from: from.to_owned(),
        };
        let detail = json!({ "role": Role::Admin, "has_password": true });
        audit::note(conn, at, &who, "setup", &request.name, detail)?;
        let user = users::find(conn, &request.name)?;
        let user = user.ok_or(OperationError::NoSuchLink)?;
        Ok(UserReport::from(&user))
    })
}

#[cfg(test)]
mod tests;

//! People as people and programs read them, and what is asked for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admin::password::Password;
use crate::people::Role;
use crate::store::users::User;

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

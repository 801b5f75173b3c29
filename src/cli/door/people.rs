//! People, tokens, the setup link, the audit log.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Door, who};
use crate::admin::Failure;
use crate::admin::audit::{self, AuditRequest, EntryReport, Verification, VerificationRequest};
use crate::admin::setup::{self, LinkMade};
use crate::admin::tokens::{self, TokenMade, TokenReport, TokenRequest};
use crate::admin::users::{
    self, PasswordRequest, RoleRequest, UserChanged, UserReport, UserRequest,
};
use crate::people::Role;

/// All that a name may have and a segment of a path may not, and more.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Returns where a user is asked for.
fn path(name: &str, rest: &str) -> String {
    format!("/users/{}{rest}", utf8_percent_encode(name, ENCODED))
}

impl Door {
    pub(in crate::cli) fn users(&self) -> Result<Vec<UserReport>, Failure> {
        match self {
            Self::Here(store) => Ok(users::list(store)?),
            Self::There(client) => client.get("/users", &()),
        }
    }

    pub(in crate::cli) fn add_user(
        &self,
        user: &UserRequest,
        least_length: usize,
    ) -> Result<UserReport, Failure> {
        match self {
            Self::Here(store) => Ok(users::add(store, &who(), user, least_length)?),
            Self::There(client) => client.post("/users", user),
        }
    }

    pub(in crate::cli) fn set_role(&self, name: &str, role: Role) -> Result<UserChanged, Failure> {
        match self {
            Self::Here(store) => Ok(users::set_role(store, &who(), name, role)?),
            Self::There(client) => client.put(&path(name, ""), &RoleRequest { role }),
        }
    }

    pub(in crate::cli) fn remove_user(&self, name: &str) -> Result<UserChanged, Failure> {
        match self {
            Self::Here(store) => Ok(users::remove(store, &who(), name)?),
            Self::There(client) => client.delete(&path(name, "")),
        }
    }

    pub(in crate::cli) fn unlock_user(&self, name: &str) -> Result<UserChanged, Failure> {
        match self {
            Self::Here(store) => Ok(users::unlock(store, &who(), name)?),
            Self::There(client) => client.post(&path(name, "/unlock"), &()),
        }
    }

    pub(in crate::cli) fn reset_password(
        &self,
        name: &str,
        request: &PasswordRequest,
        least_length: usize,
    ) -> Result<UserChanged, Failure> {
        match self {
            Self::Here(store) => {
                let password = &request.password;
                Ok(users::reset_password(
                    store,
                    &who(),
                    name,
                    password,
                    least_length,
                )?)
            }
            Self::There(client) => client.put(&path(name, "/password"), request),
        }
    }

    pub(in crate::cli) fn tokens(&self) -> Result<Vec<TokenReport>, Failure> {
        match self {
            Self::Here(store) => Ok(tokens::list(store, &who(), Role::Admin)?),
            Self::There(client) => client.get("/tokens", &()),
        }
    }

    pub(in crate::cli) fn make_token(&self, token: &TokenRequest) -> Result<TokenMade, Failure> {
        match self {
            Self::Here(store) => Ok(tokens::make(store, &who(), Role::Admin, token)?),
            Self::There(client) => client.post("/tokens", token),
        }
    }

    pub(in crate::cli) fn remove_token(&self, number: i64) -> Result<TokenReport, Failure> {
        match self {
            Self::Here(store) => Ok(tokens::remove(store, &who(), Role::Admin, number)?),
            Self::There(client) => client.delete(&format!("/tokens/{number}")),
        }
    }

    pub(in crate::cli) fn make_setup_link(&self) -> Result<LinkMade, Failure> {
        match self {
            Self::Here(store) => Ok(setup::make_link(store, &who())?),
            Self::There(client) => client.post("/setup-link", &()),
        }
    }

    pub(in crate::cli) fn audit(&self, request: AuditRequest) -> Result<Vec<EntryReport>, Failure> {
        match self {
            Self::Here(store) => Ok(audit::list(store, request)?),
            Self::There(client) => client.get("/audit", &request),
        }
    }

    pub(in crate::cli) fn verify_audit(
        &self,
        request: &VerificationRequest,
    ) -> Result<Verification, Failure> {
        match self {
            Self::Here(store) => Ok(audit::verify(store, request)?),
            Self::There(client) => client.get("/audit/verification", request),
        }
    }
}

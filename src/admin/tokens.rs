//! Tokens, by which programs act: made, listed, removed.
//!
//! The secret is shown once, to who made it. A token stands for that person: what is done by it counts as done by them
//! ([`crate::people::are_one`]), and it may do no more than they may. No token makes another, so that one that was stolen
//! ends with its time.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::OperationError;
use super::users::{check_is_person, check_name};
use crate::crypto::Secret;
use crate::people::{Actor, Role, are_one};
use crate::store::tokens::{self, NewToken, Token, TokenId};
use crate::store::{Store, StoreError, audit};

/// What the text of a token begins with, by which scanners for secrets know it.
pub const PREFIX: &str = "airlock_";
/// Days that a token may be good for.
const MOST_DAYS: u16 = 365;
/// Tokens there may be; those that are over count until they are removed.
const MOST_TOKENS: usize = 1_000;
/// Tokens that one person may have, so that nobody takes all there may be.
const MOST_OF_ONE: usize = 50;

/// A token as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenReport {
    /// Its number.
    pub number: i64,
    /// What its owner calls it.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// Who made it, and stands for what is done by it.
    pub owner: String,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// From when on it is good for nothing, RFC 3339.
    pub expires_at: String,
    /// Whether that is over.
    pub is_expired: bool,
    /// When it was used last, to a minute, RFC 3339.
    pub last_used_at: Option<String>,
}

/// A token to be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What its owner calls it.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// Days that it is good for, 1 to 365.
    pub days: u16,
}

/// A token that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMade {
    /// What was made.
    pub token: TokenReport,
    /// Its text, which nobody can show again.
    pub secret: String,
}

impl std::fmt::Debug for TokenMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenMade({})", self.token.number)
    }
}

impl TokenReport {
    fn new(token: &Token, now: Timestamp) -> Self {
        Self {
            number: token.id.0,
            name: token.name.clone(),
            role: token.role,
            owner: token.owner.clone(),
            made_at: token.made_at.to_string(),
            expires_at: token.expires_at.to_string(),
            is_expired: token.is_over(now),
            last_used_at: token.last_used_at.map(|time| time.to_string()),
        }
    }
}

/// Returns the secret in the text of a token; `None` where it is none.
pub fn secret_of(text: &str) -> Option<Secret> {
    text.strip_prefix(PREFIX).and_then(Secret::parse)
}

/// Returns the tokens that `who` may see, in the order in which they were made: their own, or all where `role` is admin.
pub fn list(store: &Store, who: &Actor, role: Role) -> Result<Vec<TokenReport>, OperationError> {
    let now = Timestamp::now();
    let mut all = store.read(tokens::all)?;
    all.retain(|token| role == Role::Admin || are_one(&token.owner, &who.name));
    Ok(all.iter().map(|it| TokenReport::new(it, now)).collect())
}

/// Makes a token of `who`, who has `role`.
pub fn make(
    store: &Store,
    who: &Actor,
    role: Role,
    request: &TokenRequest,
) -> Result<TokenMade, OperationError> {
    check_is_person(who)?;
    check_name(&request.name)?;
    if request.role > role {
        return Err(OperationError::TokenAboveOwner {
            wanted: request.role,
            has: role,
        });
    }
    if request.days == 0 || request.days > MOST_DAYS {
        return Err(OperationError::InvalidRequest(format!(
            "a token is good for 1 to {MOST_DAYS} days, and {} were asked for",
            request.days
        )));
    }
    let secret = Secret::random();
    let at = Timestamp::now();
    // A year after any time that a clock of today shows is a time.
    let expires = at
        .checked_add(SignedDuration::from_hours(24 * i64::from(request.days)))
        .map_err(|_| OperationError::InvalidRequest("the clock is wrong".to_owned()))?;
    let new = NewToken {
        name: &request.name,
        digest: secret.digest(),
        role: request.role,
        owner: &who.name,
        at,
        expires,
    };
    let token = store.write_synced(|conn| {
        let all = tokens::all(conn)?;
        let own = all.iter().filter(|it| are_one(&it.owner, &who.name));
        for (count, what, limit) in [
            (all.len(), "tokens", MOST_TOKENS),
            (own.count(), "tokens of one person", MOST_OF_ONE),
        ] {
            if count >= limit {
                return Err(OperationError::TooMany {
                    what,
                    limit: limit as u64,
                });
            }
        }
        let taken = || OperationError::TokenTaken {
            owner: who.name.clone(),
            name: request.name.clone(),
        };
        let id = tokens::insert(conn, &new)?.ok_or_else(taken)?;
        let token = tokens::get(conn, id)?.ok_or(OperationError::NoSuchToken(id.0))?;
        let detail = json!({
            "name": token.name, "role": token.role, "expires_at": token.expires_at.to_string(),
        });
        audit::note(conn, at, who, "tokens add", &subject(&token), detail)?;
        Ok(token)
    })?;
    Ok(TokenMade {
        token: TokenReport::new(&token, at),
        secret: format!("{PREFIX}{}", secret.reveal()),
    })
}

/// Removes a token: one's own, or anybody's where `role` is admin.
pub fn remove(
    store: &Store,
    who: &Actor,
    role: Role,
    number: i64,
) -> Result<TokenReport, OperationError> {
    let at = Timestamp::now();
    store.write_synced(|conn| {
        let token = tokens::get(conn, TokenId(number))?;
        let token = token.ok_or(OperationError::NoSuchToken(number))?;
        if role < Role::Admin && !are_one(&token.owner, &who.name) {
            return Err(OperationError::NeedsRole {
                needed: Role::Admin,
                who: who.name.clone(),
                has: role,
                who_may: format!("{} and every admin", token.owner),
            });
        }
        if !tokens::remove(conn, token.id)? {
            return Err(StoreError::Invalid {
                what: "token",
                value: number.to_string(),
            }
            .into());
        }
        let detail = json!({ "name": token.name, "owner": token.owner });
        audit::note(conn, at, who, "tokens remove", &subject(&token), detail)?;
        Ok(TokenReport::new(&token, at))
    })
}

fn subject(token: &Token) -> String {
    format!("token {}", token.id.0)
}

#[cfg(test)]
mod tests;

//! Who may do what: four roles, each of which may do what the one before it may, and whose they are.
//!
//! Who may connect to `control.sock` at all is said by its file; which role an operation needs stands in one table, in
//! `routes`. Users come from the operating system by their number, names from the settings.

use std::collections::BTreeMap;

use super::error::OperationError;
use super::peer::PeerUser;
use super::wording::listed;

use crate::crypto::Secret;
use crate::people::Actor;
pub use crate::people::Role;
use crate::store::sessions::SessionId;
use crate::store::users::Login;

/// Which role each user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Users who are admin whatever the settings say: root, the store's owner, and who the server runs as.
    pub always_admin: Vec<PeerUser>,
    /// The role of who may connect and is not named.
    pub of_members: Role,
    /// The roles of users by their name, or by their number where they have none.
    pub named: BTreeMap<String, Role>,
}

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name as change sets record it: `alice`, `alice by token ci`.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// From where, as the audit log records it: an address, or `control.sock`.
    pub from: String,
    /// How they are known.
    pub how: How,
}

/// How it is known who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The system says who is at the other end of `control.sock`.
    Socket,
    /// By the session that they began when they logged in.
    Session {
        /// Its number.
        id: SessionId,
        /// What pages of this session prove themselves by.
        csrf: Secret,
        /// The login before it.
        former_login: Option<Login>,
        /// Failed logins between that and this one.
        former_failures: u32,
    },
    /// By a token.
    Token {
        /// The user whose token it is.
        owner: String,
    },
    /// A proxy that is trusted says who has logged in there.
    Proxy {
        /// What pages prove themselves by.
        csrf: Secret,
    },
}

impl Caller {
    /// Returns the person's own name, whatever they act by.
    pub fn user(&self) -> &str {
        match &self.how {
            How::Token { owner } => owner,
            How::Socket | How::Session { .. } | How::Proxy { .. } => &self.name,
        }
    }

    /// Returns the session by which they are known, where one is.
    pub fn session(&self) -> Option<SessionId> {
        match self.how {
            How::Session { id, .. } => Some(id),
            How::Socket | How::Token { .. } | How::Proxy { .. } => None,
        }
    }

    /// Returns what pages prove themselves by, in the field `csrf` or the header `X-CSRF-Token`; `None` where no browser
    /// sends of its own who asks.
    pub fn csrf(&self) -> Option<&Secret> {
        match &self.how {
            How::Session { csrf, .. } | How::Proxy { csrf } => Some(csrf),
            How::Socket | How::Token { .. } => None,
        }
    }

    /// Fails where `sent`, the field `csrf` of a form, is not what the caller's pages prove themselves by.
    pub fn check_csrf(&self, sent: &str) -> Result<(), OperationError> {
        self.is_proven_by(Secret::parse(sent).as_ref())
    }

    /// As [`Self::check_csrf`]; `None` is something that cannot be one.
    pub(super) fn is_proven_by(&self, sent: Option<&Secret>) -> Result<(), OperationError> {
        let is_proven = self
            .csrf()
            .is_none_or(|csrf| sent.is_some_and(|sent| csrf.is(sent)));
        is_proven.then_some(()).ok_or(OperationError::BadCsrf)
    }

    /// Returns who acts, as change sets and the audit log record it.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.clone(),
            from: self.from.clone(),
        }
    }
}

impl Roles {
    /// Returns who `peer` is. Looks the name up, which may take seconds where a directory is asked: not for async threads.
    pub fn caller(&self, peer: PeerUser) -> Caller {
        let name = peer.name();
        let role = if peer.0 == 0 || self.always_admin.contains(&peer) {
            Role::Admin
        } else {
            let named = self.named.get(&name);
            let named = named.or_else(|| self.named.get(&peer.0.to_string()));
            named.copied().unwrap_or(self.of_members)
        };
        let Actor { name, from } = Actor::over_the_socket(name);
        Caller {
            name,
            role,
            from,
            how: How::Socket,
        }
    }

    /// Returns the role of the user of this host who is recorded as `name`. Looks names up, as [`Self::caller`] does.
    pub fn of_name(&self, name: &str) -> Role {
        let is_named = |user: PeerUser| user.name() == name;
        if name == "root" || self.always_admin.iter().copied().any(is_named) {
            return Role::Admin;
        }
        let by_number = || {
            let mut named = self.named.iter();
            let found = named.find(|(key, _)| {
                let number = key.parse().ok();
                number.is_some_and(|number| is_named(PeerUser(number)))
            });
            found.map(|(_, role)| role)
        };
        let named = self.named.get(name).or_else(by_number);
        named.copied().unwrap_or(self.of_members)
    }

    /// Fails with [`OperationError::NeedsRole`] where `caller` may not do what needs a role; says who may.
    pub fn check(&self, caller: &Caller, needed: Role) -> Result<(), OperationError> {
        if caller.role >= needed {
            return Ok(());
        }
        let named = self.named.iter().filter(|(_, role)| **role >= needed);
        let mut who_may: Vec<_> = named.map(|(name, _)| name.clone()).collect();
        if self.of_members >= needed {
            who_may.push("every other member of its group".to_owned());
        }
        for owner in &self.always_admin {
            let name = owner.name();
            if owner.0 != 0 && !who_may.contains(&name) {
                who_may.push(name);
            }
        }
        who_may.push("root".to_owned());
        Err(OperationError::NeedsRole {
            needed,
            who: caller.name.clone(),
            has: caller.role,
            who_may: listed(&who_may),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: PeerUser = PeerUser(4_000_000_001);

    fn roles() -> Roles {
        Roles {
            always_admin: vec![OWNER],
            of_members: Role::Viewer,
            named: BTreeMap::from([
                ("4000000002".to_owned(), Role::Publisher),
                ("uid 4000000003".to_owned(), Role::Approver),
                ("root".to_owned(), Role::Viewer),
                ("uid 4000000001".to_owned(), Role::Viewer),
            ]),
        }
    }

    #[test]
    fn root_and_the_owner_are_admin_whatever_is_set_and_others_have_what_is() {
        let roles = roles();
        for (peer, expected) in [
            (PeerUser(0), Role::Admin),
            (OWNER, Role::Admin),
            (PeerUser(4_000_000_002), Role::Publisher),
            (PeerUser(4_000_000_003), Role::Approver),
            (PeerUser(4_000_000_004), Role::Viewer),
        ] {
            assert_eq!(roles.caller(peer).role, expected, "{peer:?}");
            assert_eq!(roles.of_name(&peer.name()), expected, "{peer:?}");
        }
    }

    #[test]
    fn each_role_may_what_the_one_before_it_may() {
        let roles = roles();
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let caller = Caller {
                name: "alice".to_owned(),
                role,
                from: "control.sock".to_owned(),
                how: How::Socket,
            };
            for (needs, needed) in Role::ALL.into_iter().enumerate() {
                assert_eq!(roles.check(&caller, needed).is_ok(), index >= needs);
            }
        }
    }

    #[test]
    fn a_refusal_says_what_is_needed_who_has_what_and_who_may() {
        let roles = roles();
        let caller = roles.caller(PeerUser(4_000_000_002));
        let refused = roles.check(&caller, Role::Approver).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this needs the role approver, and uid 4000000002 has publisher; uid 4000000003, uid 4000000001 and root may do it"
        );
        let roles = Roles {
            of_members: Role::Admin,
            ..roles
        };
        let refused = roles.check(&caller, Role::Admin).unwrap_err();
        assert!(refused.to_string().contains("every other member"));
    }
}

//! People: what they are called, what they may, and who stands behind a name that was recorded.
//!
//! Four roles, each of which may do what the one before it may. Knows nothing of passwords, of where people come from, or of
//! what needs which role. Written alike in settings, in the store, in JSON and on the command line.

use std::fmt;
use std::str::FromStr;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Viewer,
    /// Bring packages in.
    Publisher,
    /// Commit what others brought in.
    Approver,
    /// Everything.
    Admin,
}

/// Text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; there are viewer, publisher, approver and admin")]
pub struct InvalidRole(String);

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Publisher, Self::Approver, Self::Admin];

    /// Returns what it is called in settings and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Publisher => "publisher",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        let named = Self::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| InvalidRole(text.chars().take(32).collect()))
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who acts, and from where, as change sets and the audit log record it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Their name, or `alice by token ci`.
    pub name: String,
    /// From where: an address, `control.sock` or `command line`.
    pub from: String,
}

impl Actor {
    /// Returns who acts in this process, without a server between.
    pub fn here(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: "command line".to_owned(),
        }
    }

    /// Returns who asks a server over `control.sock`.
    pub fn over_the_socket(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: "control.sock".to_owned(),
        }
    }
}

/// Bytes that a name may have.
const MOST_NAME_BYTES: usize = 128;

/// What stands between a token's owner and its name where somebody is recorded; no name has a space.
const BY_TOKEN: &str = " by token ";

/// Tells whether a user, or a token, may be called `name`.
pub fn is_user_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !is_invisible(c) && c != ':';
    // In the address of a page it would be the one above.
    let is_step = name == "." || name == "..";
    !name.is_empty()
        && !is_step
        && name.len() <= MOST_NAME_BYTES
        && !name.starts_with('#')
        && name.chars().all(is_plain)
}

/// Tells whether a character shows nothing of itself, so that two names would look alike: those of the category Cf of Unicode 16,
/// and what fonts leave blank of others.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns a name as it is compared: the same whatever its case.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// Returns who is recorded where a token acts: `alice by token ci`.
pub fn by_token(owner: &str, token: &str) -> String {
    format!("{owner}{BY_TOKEN}{token}")
}

/// Tells whether who is recorded acts by a token.
pub fn is_by_token(who: &str) -> bool {
    who.contains(BY_TOKEN)
}

/// Tells whether two that were recorded are one person: `alice`, `Alice` and `alice by token ci` are.
///
/// Users of this host and users of the admin side who have one name are one as well; a person with two names is two.
pub fn are_one(one: &str, other: &str) -> bool {
    let person = |who: &str| {
        let person = who.split(BY_TOKEN).next().unwrap_or(who);
        folded(person)
    };
    person(one) == person(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_survives_its_name_and_nothing_else_is_one() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(serde_json::from_str::<Role>(&json).unwrap(), role);
        }
        for text in ["", "Admin", "admin ", "root"] {
            assert!(text.parse::<Role>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_plain_and_short() {
        for name in ["alice", "kölsch", "a.b@example", "uid-7"] {
            assert!(is_user_name(name), "{name}");
        }
        let long = "x".repeat(129);
        for name in [
            "", "a b", "a:b", "#a", "a\nb", "a\u{a0}b", "a\0", &long, ".", "..",
        ] {
            assert!(!is_user_name(name), "{name:?}");
        }
        assert!(is_user_name("..."));
        for c in "\u{ad}\u{200b}\u{200d}\u{202e}\u{2066}\u{feff}\u{e0041}\u{3164}".chars() {
            assert!(!is_user_name(&format!("root{c}")), "{c:?}");
        }
    }

    #[test]
    fn who_acts_by_a_token_is_who_made_it() {
        let by_token = by_token("alice", "ci");
        assert_eq!(by_token, "alice by token ci");
        assert!(are_one(&by_token, "Alice"));
        assert!(are_one(&by_token, "ALICE by token other"));
        assert!(!are_one(&by_token, "ci"));
        assert!(!are_one("bob", "alice"));
        assert!(are_one("uid 7", "uid 7"));
        assert!(!are_one("uid 7", "uid 8"));
    }
}

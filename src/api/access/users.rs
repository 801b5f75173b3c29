//! The users of the registry API: a file of `NAME:HASH` lines, and who of them sends a request.
//!
//! A hash is slow on purpose, so a request waits for one only with credentials that were not seen before: those that were
//! right are known again by a keyed digest of the header, and so are some that were wrong. The text of a password is
//! nowhere kept and nowhere logged.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_cache::sync::Cache;

use super::verifying::{Attempt, Verifier};
use super::{User, Verdict};
use crate::api::error::ApiError;
use crate::crypto::password::{InvalidPasswordHash, PasswordHash};
use crate::crypto::{Digest, ProcessKey};
use crate::people::is_user_name;

/// Bytes of the file.
const MOST_FILE_BYTES: u64 = 1 << 20;
/// Users in it.
const MOST_USERS: usize = 5_000;
/// Bytes of the header, which is name and password in Base64.
const MOST_HEADER_BYTES: usize = 1_024;
/// Credentials that are known to be right.
const MOST_KNOWN: usize = 10_000;
/// Credentials that are known to be wrong.
const MOST_REFUSED: usize = 1_000;

/// The users, and what was seen of their credentials.
#[derive(Debug)]
pub struct Users {
    pub(super) seen: Arc<Seen>,
    pub(super) verifier: Verifier,
}

/// What the thread that verifies shares with those who ask it.
pub(super) struct Seen {
    users: HashMap<Box<str>, PasswordHash>,
    key: ProcessKey,
    known: Cache<Digest, Arc<str>>,
    refused: Cache<Digest, ()>,
}

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidUsers {
    /// It cannot be read.
    #[error("cannot read the users")]
    Io(#[from] io::Error),
    /// It has more bytes or users than it may.
    #[error("more than {MOST_FILE_BYTES} bytes or {MOST_USERS} users")]
    TooMany,
    /// A line is not `NAME:HASH`.
    #[error("line {0} is not NAME:HASH")]
    NoUser(usize),
    /// A name comes twice.
    #[error("line {0} names a user once more")]
    Twice(usize),
    /// A hash cannot be used.
    #[error("line {line} has {cause}")]
    Hash {
        /// Which.
        line: usize,
        /// Why.
        cause: InvalidPasswordHash,
    },
}

impl InvalidUsers {
    /// Returns the line at fault, from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Io(_) | Self::TooMany => None,
            Self::NoUser(line) | Self::Twice(line) | Self::Hash { line, .. } => Some(*line),
        }
    }
}

impl Users {
    /// Reads the users of a file.
    pub fn read(file: &Path) -> Result<Self, InvalidUsers> {
        let mut text = String::new();
        let mut bounded = File::open(file)?.take(MOST_FILE_BYTES + 1);
        if bounded.read_to_string(&mut text)? as u64 > MOST_FILE_BYTES {
            return Err(InvalidUsers::TooMany);
        }
        Self::parse(&text)
    }

    /// Returns the users that `text` names: a line each, `NAME:HASH`; empty lines and those that begin with `#` are none.
    pub fn parse(text: &str) -> Result<Self, InvalidUsers> {
        let mut users = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line
                .split_once(':')
                .filter(|(name, _)| is_user_name(name))
                .ok_or(InvalidUsers::NoUser(number))?;
            let hash = PasswordHash::parse(hash).map_err(|cause| InvalidUsers::Hash {
                line: number,
                cause,
            })?;
            if users.insert(name.into(), hash).is_some() {
                return Err(InvalidUsers::Twice(number));
            }
            if users.len() > MOST_USERS {
                return Err(InvalidUsers::TooMany);
            }
        }
        let seen = Arc::new(Seen {
            users,
            key: ProcessKey::random(),
            known: Cache::new(MOST_KNOWN),
            refused: Cache::new(MOST_REFUSED),
        });
        let verifier = Verifier::begin(&seen)?;
        Ok(Self { seen, verifier })
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.seen.users.len()
    }

    /// Tells whether there are none, so that nobody passes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Judges the credentials of a request as far as they were seen before.
    pub(super) fn judge(
        users: &Arc<Self>,
        request: &HttpRequest,
        credentials: &HeaderValue,
    ) -> Result<Verdict, ApiError> {
        if credentials.len() > MOST_HEADER_BYTES {
            return Err(ApiError::Unauthenticated);
        }
        let tag = users.seen.key.tag(credentials.as_bytes());
        if let Some(name) = users.seen.known.get(&tag) {
            request.extensions_mut().insert(User(name));
            return Ok(Verdict::Passed);
        }
        if users.seen.refused.get(&tag).is_some() {
            return Err(ApiError::Unauthenticated);
        }
        let sent = Credentials::parse(credentials).ok_or(ApiError::Unauthenticated)?;
        Ok(Verdict::Asking(Attempt::new(users, request, tag, sent)))
    }
}

/// A user's name and password as they were sent.
pub(super) struct Credentials {
    name: Box<str>,
    password: Vec<u8>,
}

impl Credentials {
    /// Returns what `Basic` credentials say (RFC 7617); `None` where they are none.
    fn parse(header: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let mut plain = STANDARD.decode(encoded.trim()).ok()?;
        let colon = plain.iter().position(|byte| *byte == b':')?;
        let password = plain.split_off(colon + 1);
        plain.truncate(colon);
        Some(Self {
            name: String::from_utf8(plain).ok()?.into(),
            password,
        })
    }
}

impl Seen {
    /// Returns the user with these credentials, and remembers that; takes a hash of a password, whether there is such a
    /// user or not.
    pub(super) fn verify(&self, tag: Digest, sent: &Credentials) -> Option<Arc<str>> {
        // Of many requests that begin at once with the same credentials one pays.
        if let Some(name) = self.known.get(&tag) {
            return Some(name);
        }
        if self.refused.get(&tag).is_some() {
            return None;
        }
        let found = self.users.get_key_value(&sent.name);
        let (name, hash) = found.or_else(|| self.users.iter().next())?;
        let is_right = hash.is_of(&sent.password) && found.is_some();
        if is_right {
            let name: Arc<str> = (&**name).into();
            self.known.insert(tag, Arc::clone(&name));
            Some(name)
        } else {
            self.refused.insert(tag, ());
            None
        }
    }
}

/// Tells nothing of users and passwords.
impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} users", self.users.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_users_is_read_by_the_line_and_faults_are_told_by_it() {
        let hash = PasswordHash::make(b"x");
        let text = format!("# people\n\nkibana:{hash}\n kölsch:{hash} \n");
        assert_eq!(Users::parse(&text).unwrap().len(), 2);
        assert!(Users::parse("").unwrap().is_empty());
        let line = |text: String| Users::parse(&text).unwrap_err().to_string();
        assert_eq!(line(format!("a:{hash}\nb\n")), "line 2 is not NAME:HASH");
        assert_eq!(line(format!("a b:{hash}")), "line 1 is not NAME:HASH");
        assert_eq!(line(format!(":{hash}")), "line 1 is not NAME:HASH");
        assert_eq!(
            line(format!("a:{hash}\na:{hash}")),
            "line 2 names a user once more"
        );
        assert_eq!(
            line("a:secret".to_owned()),
            "line 1 has no hash of a password"
        );
        assert_eq!(
            line("a:$2y$05$abc".to_owned()),
            "line 1 has a hash by another function than argon2id"
        );
        let long = "#".repeat((1 << 20) + 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        std::fs::write(&file, long).unwrap();
        assert!(matches!(Users::read(&file), Err(InvalidUsers::TooMany)));
        assert!(matches!(
            Users::read(folder.path()),
            Err(InvalidUsers::Io(_))
        ));
    }

    #[test]
    fn credentials_are_basic_ones() {
        let parse = |text: &str| {
            let sent = Credentials::parse(&HeaderValue::from_str(text).unwrap())?;
            Some(format!(
                "{} {}",
                sent.name,
                String::from_utf8_lossy(&sent.password)
            ))
        };
        let basic = |plain: &str| format!("Basic {}", STANDARD.encode(plain));
        assert_eq!(parse(&basic("a:b")).as_deref(), Some("a b"));
        assert_eq!(parse(&basic("a:b:c")).as_deref(), Some("a b:c"));
        assert_eq!(parse(&basic(":")).as_deref(), Some(" "));
        assert_eq!(
            parse(&basic("a:b").replace("Basic", "bAsIc ")).as_deref(),
            Some("a b")
        );
        for text in ["", "Basic", "Basic !", &basic("ab"), "Bearer YTpi", "YTpi"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn right_and_wrong_credentials_are_remembered_and_nothing_tells_them() {
        let hash = PasswordHash::make(b"right");
        let users = Users::parse(&format!("kibana:{hash}\n")).unwrap();
        let sent = |name: &str, password: &str| Credentials {
            name: name.into(),
            password: password.into(),
        };
        let tag = |text: &str| users.seen.key.tag(text.as_bytes());
        let verify = |text, sent| users.seen.verify(tag(text), &sent);
        assert_eq!(
            verify("1", sent("kibana", "right")).as_deref(),
            Some("kibana")
        );
        assert_eq!(verify("2", sent("kibana", "wrong")), None);
        assert_eq!(verify("3", sent("stranger", "right")), None);
        // Known by the header alone from then on: what is decoded no longer counts.
        assert_eq!(
            verify("1", sent("kibana", "wrong")).as_deref(),
            Some("kibana")
        );
        assert_eq!(verify("2", sent("kibana", "right")), None);
        let told = format!("{users:?}");
        assert!(
            !told.contains("kibana") && !told.contains("argon2"),
            "{told}"
        );
    }
}

//! Passwords as what can be kept of them: argon2id in PHC text, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
//!
//! Knows nothing of users. Bounds what a hash may cost, since whoever writes one decides over memory and time of whoever
//! checks it. Parameters: RFC 9106 with the least memory that OWASP's password storage sheet names.

use std::fmt;

use argon2::password_hash::{Output, ParamsString, PasswordHash as Phc, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;

/// KiB that one verification takes in memory.
const MEMORY_KIB: u32 = 19_456;
/// KiB that a hash made elsewhere may ask for.
const MOST_MEMORY_KIB: u32 = 65_536;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Passes that a hash made elsewhere may ask for.
const MOST_PASSES: u32 = 10;
/// Lanes that a hash made elsewhere may ask for; they are filled one after the other.
const MOST_LANES: u32 = 4;

/// Bytes of a hash that is made here.
const HASH_BYTES: usize = 32;

/// What hashes are computed in: one after the other, and in the same memory. What is given back to the allocator by many
/// threads, each keeps for itself.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// A password's hash, with its salt and what it costs.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why text is no hash that is verified here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPasswordHash {
    /// It is no PHC text.
    #[error("no hash of a password")]
    NotOne,
    /// It is of another function.
    #[error("a hash by another function than argon2id")]
    OtherFunction,
    /// It takes more memory or passes than a verification may.
    #[error(
        "a hash that costs more than {MOST_MEMORY_KIB} KiB, {MOST_PASSES} passes or {MOST_LANES} lanes"
    )]
    TooCostly,
}

impl PasswordHash {
    /// Returns a hash of `password`; takes some 20 ms and 19 MiB.
    ///
    /// # Panics
    ///
    /// Never: parameters and salt are constants of the right size, and the system has memory or ends the process.
    pub fn make(password: &[u8]) -> Self {
        let params = Params::new(MEMORY_KIB, PASSES, 1, None)
            .expect("the parameters are within argon2's bounds");
        let salt_bytes = super::random_bytes::<16>();
        let salt = SaltString::encode_b64(&salt_bytes).expect("16 bytes are a salt");
        let hash = hashed(password, &salt_bytes, &params, HASH_BYTES)
            .expect("a password of any length is hashed");
        let hash = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).expect("argon2's parameters can be written"),
            salt: Some(salt.as_salt()),
            hash: Some(hash),
        };
        Self(hash.to_string())
    }

    /// Returns the hash that is written as `text`.
    pub fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        let is_other = [
            "$2a$", "$2b$", "$2y$", "$apr1$", "{SHA}", "$1$", "$5$", "$6$",
        ]
        .iter()
        .any(|start| text.starts_with(start));
        if is_other {
            return Err(InvalidPasswordHash::OtherFunction);
        }
        let hash = Phc::new(text).map_err(|_| InvalidPasswordHash::NotOne)?;
        if hash.algorithm.as_str() != "argon2id" {
            return Err(InvalidPasswordHash::OtherFunction);
        }
        let is_whole = hash.salt.is_some() && hash.hash.is_some_and(|hash| hash.len() >= 16);
        let params = Params::try_from(&hash).map_err(|_| InvalidPasswordHash::NotOne)?;
        if !is_whole || hash.version.is_some_and(|version| version != 0x13) {
            return Err(InvalidPasswordHash::NotOne);
        }
        if params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_PASSES
            || params.p_cost() > MOST_LANES
        {
            return Err(InvalidPasswordHash::TooCostly);
        }
        Ok(Self(text.to_owned()))
    }

    /// Tells whether this is a hash of `password`, in a time that does not depend on where they differ. Takes some 20 ms, and
    /// waits for the hashes that were begun before.
    pub fn is_of(&self, password: &[u8]) -> bool {
        let computed = || {
            let phc = Phc::new(&self.0).ok()?;
            let params = Params::try_from(&phc).ok()?;
            let mut salt = [0; Salt::MAX_LENGTH];
            let salt = phc.salt?.decode_b64(&mut salt).ok()?;
            let kept = phc.hash?;
            // `Output` compares in constant time.
            Some(hashed(password, salt, &params, kept.len())? == kept)
        };
        computed().unwrap_or(false)
    }
}

/// Computes a hash of `bytes` bytes; `None` for what argon2 does not take.
fn hashed(password: &[u8], salt: &[u8], params: &Params, bytes: usize) -> Option<Output> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut memory = MEMORY.lock();
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut hash = [0; Output::MAX_LENGTH];
    let hash = hash.get_mut(..bytes)?;
    let memory = memory.get_mut(..blocks)?;
    argon2
        .hash_password_into_with_memory(password, salt, hash, memory)
        .ok()?;
    Output::new(hash).ok()
}

/// Writes the PHC text.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells nothing: what can be tried at leisure belongs in no log.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone_and_never_the_same_twice() {
        let hash = PasswordHash::make(b"lighthouse");
        let again = PasswordHash::parse(&hash.to_string()).unwrap();
        assert!(again.is_of(b"lighthouse"));
        assert!(!again.is_of(b"lighthouse "));
        assert!(!again.is_of(b""));
        assert_ne!(hash, PasswordHash::make(b"lighthouse"));
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn what_is_no_affordable_argon2id_is_refused() {
        let right = PasswordHash::make(b"x").to_string();
        for (from, to, expected) in [
            ("$argon2id", "$argon2i", InvalidPasswordHash::OtherFunction),
            ("m=19456", "m=4194304", InvalidPasswordHash::TooCostly),
            ("t=2", "t=4000", InvalidPasswordHash::TooCostly),
            ("p=1", "p=200", InvalidPasswordHash::TooCostly),
            ("m=19456", "m=-1", InvalidPasswordHash::NotOne),
            ("v=19", "v=16", InvalidPasswordHash::NotOne),
        ] {
            let text = right.replace(from, to);
            assert_eq!(PasswordHash::parse(&text), Err(expected), "{text}");
        }
        let cut = &right[..right.rfind('$').unwrap()];
        for text in ["", "secret", "$argon2id$", cut] {
            assert_eq!(
                PasswordHash::parse(text),
                Err(InvalidPasswordHash::NotOne),
                "{text}"
            );
        }
        let bcrypt = "$2y$05$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(
            PasswordHash::parse(bcrypt),
            Err(InvalidPasswordHash::OtherFunction)
        );
    }
}

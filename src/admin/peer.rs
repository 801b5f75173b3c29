//! What is known of a connection itself: the user at the other end of a local one, and whether it is TLS.

use crate::accounts;

/// The id of the user at the other end of a local connection, kept with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerUser(pub u32);

impl PeerUser {
    /// Returns the user that this process runs as.
    pub fn own() -> Self {
        Self(rustix::process::getuid().as_raw())
    }

    /// Returns the user's name, or the number of one that has none, as change sets record it.
    pub fn name(self) -> String {
        accounts::user_name(self.0).unwrap_or_else(|| format!("uid {}", self.0))
    }
}

/// Marks a connection whose bytes travel over TLS to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverTls;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_is_a_number() {
        assert_eq!(PeerUser(0).name(), "root");
        assert_eq!(PeerUser(4_000_000_000).name(), "uid 4000000000");
    }
}

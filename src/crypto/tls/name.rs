//! A name that a certificate stands for: of a host, or an address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What clients call a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// A host name, possibly with `*` for its first label.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// Text that is no name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host name; it is letters, digits and hyphens between dots")]
pub struct InvalidName(String);

impl Name {
    /// Tells whether `text` is a host name (RFC 1123, 2.1), whose first label may be `*`.
    fn is_host(text: &str) -> bool {
        let rest = text.strip_prefix("*.").unwrap_or(text);
        let is_label = |label: &str| {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        text.len() <= 253 && rest.split('.').all(is_label)
    }
}

/// An address is one also where a host name was asked for: who says `10.0.0.1` means it.
impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        if Self::is_host(text) {
            return Ok(Self::Dns(text.to_ascii_lowercase()));
        }
        Err(InvalidName(text.chars().take(260).collect()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(host) => f.write_str(host),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses_are_names_and_urls_are_not() {
        for (text, expected) in [
            ("epr.site", Some("epr.site")),
            ("EPR.Site", Some("epr.site")),
            ("*.site", Some("*.site")),
            ("epr", Some("epr")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("::1", Some("::1")),
            ("https://epr.site", None),
            ("epr.site:8443", None),
            ("epr..site", None),
            ("-epr.site", None),
            ("epr.*", None),
            ("", None),
            ("épr.site", None),
        ] {
            let parsed = text.parse::<Name>().ok();
            assert_eq!(
                parsed.map(|name| name.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
        assert!(format!("{}.a", "a".repeat(64)).parse::<Name>().is_err());
    }
}

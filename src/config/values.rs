//! What values may be: addresses, networks, names, durations.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use jiff::SignedDuration;

use super::given::{Value, Wrong};
use crate::accounts;

/// Where the registry may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// Over TCP.
    Tcp(TcpAddress),
    /// At a Unix socket, behind the host's own web server.
    Unix(PathBuf),
}

/// A host and a port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpAddress {
    /// A name or numeric address; empty is every interface.
    pub host: String,
    /// The port; 0 is any that is free.
    pub port: u16,
}

impl TcpAddress {
    /// Returns the addresses to try in order, one of which will do. Fails where the name is not known here.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if self.host.is_empty() {
            let every = [
                IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ];
            return Ok(every.map(|every| (every, self.port).into()).into());
        }
        let found = match self.host.parse() {
            Ok(address) => vec![address],
            Err(_) => accounts::addresses(&self.host),
        };
        if found.is_empty() {
            let text = format!("nobody here knows a host called {:?}", self.host);
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let mut found: Vec<SocketAddr> = found.iter().map(|it| (*it, self.port).into()).collect();
        // As the reference registry does: the host that is meant by a name is reached over IPv4 by most.
        found.sort_by_key(SocketAddr::is_ipv6);
        Ok(found)
    }
}

impl From<SocketAddr> for TcpAddress {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A host that requests may be for, in lower case and without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub fn default_listen() -> Vec<ListenAddress> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    vec![ListenAddress::Tcp(address.into())]
}

/// Returns the text that a value is.
pub fn text(value: &Value) -> Result<&str, Wrong> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(Wrong::new("a single text is needed here")),
    }
}

fn list(value: &Value) -> Result<&[String], Wrong> {
    match value {
        Value::List(items) => Ok(items),
        Value::Text(item) => Ok(std::slice::from_ref(item)),
        Value::Table(_) => Err(Wrong::new("a list is needed here")),
    }
}

pub fn path(value: &Value) -> Result<PathBuf, Wrong> {
    match text(value)? {
        "" => Err(Wrong::with_hint("is empty", "leave the key out")),
        path if path.contains('\0') => Err(Wrong::new("has a NUL byte")),
        path => Ok(PathBuf::from(path)),
    }
}

pub fn word(value: &Value) -> Result<String, Wrong> {
    match text(value)?.trim() {
        "" => Err(Wrong::with_hint("is empty", "leave the key out")),
        word => Ok(word.to_owned()),
    }
}

pub fn listen_addresses(value: &Value) -> Result<Vec<ListenAddress>, Wrong> {
    let addresses = list(value)?
        .iter()
        .map(|item| match item.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(ListenAddress::Unix(path.into())),
            Some(_) => Err(Wrong::with_hint(
                format!("{item:?} names no absolute path"),
                "write unix:/run/airlock/http.sock",
            )),
            None => address(item).map(ListenAddress::Tcp),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if addresses.is_empty() {
        return Err(Wrong::with_hint(
            "is empty",
            "name at least one address, such as 127.0.0.1:8080",
        ));
    }
    Ok(addresses)
}

pub fn tcp_address(value: &Value) -> Result<TcpAddress, Wrong> {
    address(text(value)?)
}

/// Returns `HOST:PORT`, `[IPv6]:PORT` or `:PORT`, as the reference registry takes them.
fn address(text: &str) -> Result<TcpAddress, Wrong> {
    let wrong = || {
        Wrong::with_hint(
            format!("{text:?} is no address with a port"),
            "write 127.0.0.1:8080; [::]:8080 is every interface",
        )
    };
    let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().map_err(|_| wrong())?.to_string(),
        None => host.to_owned(),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_right = bare.is_some() || host.chars().all(is_name);
    is_right
        .then_some(TcpAddress { host, port })
        .ok_or_else(wrong)
}

pub fn networks(value: &Value) -> Result<Vec<IpNet>, Wrong> {
    let read = |item: &String| {
        let one = item.parse::<IpAddr>().map(IpNet::from);
        let network = one.or_else(|_| item.parse::<IpNet>()).map_err(|_| {
            Wrong::with_hint(
                format!("{item:?} is no network"),
                "write 10.0.0.0/8, fd00::/8 or a single address",
            )
        })?;
        if network.trunc().addr() != network.addr() {
            return Err(Wrong::with_hint(
                format!("{item:?} names an address within a network"),
                format!(
                    "write {} for the network, {} for the address",
                    network.trunc(),
                    network.addr()
                ),
            ));
        }
        Ok(unmapped(network))
    };
    list(value)?.iter().map(read).collect()
}

/// Returns the network of IPv4 that one of IPv4-mapped addresses, `::ffff:0:0/96`, means: addresses are compared unmapped.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else {
        return network;
    };
    let mapped = (
        six.addr().to_ipv4_mapped(),
        six.prefix_len().checked_sub(96),
    );
    match mapped {
        (Some(address), Some(bits)) => {
            ipnet::Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

pub fn host_names(value: &Value) -> Result<Vec<HostName>, Wrong> {
    list(value)?.iter().map(|item| host_name(item)).collect()
}

fn host_name(item: &str) -> Result<HostName, Wrong> {
    let name = item.trim().trim_end_matches('.').to_ascii_lowercase();
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let name = bare.unwrap_or(&name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_address = name.parse::<IpAddr>().is_ok();
    if is_address || (!name.is_empty() && name.chars().all(is_plain)) {
        return Ok(HostName(name.to_owned()));
    }
    Err(Wrong::with_hint(
        format!("{item:?} is no host name"),
        "write the name alone, as in \"epr.site\": no scheme, no port, no path",
    ))
}

/// Returns what reads a whole number of at least `least` and at most `most`.
pub fn number(least: u32, most: u32) -> impl Fn(&Value) -> Result<u32, Wrong> {
    move |value| {
        let said = text(value)?.trim();
        let is_plain = said.bytes().all(|byte| byte.is_ascii_digit());
        let number = said.parse().ok().filter(|_| is_plain);
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                Wrong::with_hint(
                    format!("{said:?} is no number that it may be"),
                    format!("write a whole number from {least} to {most}"),
                )
            })
    }
}

pub fn switch(value: &Value) -> Result<bool, Wrong> {
    match text(value)?.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        said => Err(Wrong::with_hint(
            format!("{said:?} is neither true nor false"),
            "write true or false",
        )),
    }
}

/// Headers that say something else than who has logged in.
const TAKEN_HEADERS: [&str; 8] = [
    "authorization",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "referer",
    "user-agent",
    "x-csrf-token",
];

/// Returns the name of a header (RFC 9110, 5.1), in lower case.
pub fn header_name(value: &Value) -> Result<String, Wrong> {
    let name = word(value)?.to_ascii_lowercase();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let has_meaning = TAKEN_HEADERS.contains(&name.as_str()) || name.starts_with("x-forwarded-");
    if !name.bytes().all(is_plain) || name.len() > 64 || has_meaning {
        return Err(Wrong::with_hint(
            format!("{name:?} is no header that a proxy could name its user in"),
            "write its name alone, as in \"X-Remote-User\"",
        ));
    }
    Ok(name)
}

/// Characters of a banner: two screens of a phone.
const MOST_BANNER_CHARS: usize = 2_000;

pub fn banner(value: &Value) -> Result<String, Wrong> {
    let text = word(value)?;
    let is_shown = |c: char| c == '\n' || !c.is_control();
    if text.chars().count() > MOST_BANNER_CHARS || !text.chars().all(is_shown) {
        return Err(Wrong::with_hint(
            format!("has more than {MOST_BANNER_CHARS} characters, or some that cannot be shown"),
            "write plain lines of text",
        ));
    }
    Ok(text)
}

pub fn seconds(value: &Value) -> Result<u32, Wrong> {
    let said = text(value)?;
    go_duration_seconds(said).ok_or_else(|| {
        Wrong::with_hint(
            format!("{said:?} is no duration"),
            "write 30s, 10m or 1h30m",
        )
    })
}

/// Returns the whole seconds of a duration as Go writes it: `10m`, `1h30m`, `90s`; `None` for what is none, is negative or
/// longer than 136 years.
fn go_duration_seconds(text: &str) -> Option<u32> {
    if text.trim() == "0" {
        return Some(0);
    }
    let duration: SignedDuration = text.trim().parse().ok()?;
    u32::try_from(duration.as_secs()).ok()
}

//! `airlock healthcheck`: asks as Kibana would, and tells by the exit code what came of it. Needs no curl in a container.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hyper::Uri;
use serde::Serialize;

use super::{CliError, Common};
use crate::accounts;
use crate::config::{Config, ListenAddress};
use crate::crypto::tls;

/// How long each step may take: well within the 30 s that container engines give.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are looked at: its first line.
const LINE_BYTES: u64 = 256;

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// Ask at this address [default: where the settings say that the server listens]
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
}

/// Where to ask.
#[derive(Debug)]
struct Target {
    /// What it is called.
    shown: String,
    place: Place,
    host: String,
    path: String,
    speaks_tls: bool,
}

#[derive(Debug)]
enum Place {
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Health {
    is_healthy: bool,
    url: String,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) fn run(common: &Common, args: &HealthcheckArgs) -> Result<ExitCode, CliError> {
    let target = match &args.url {
        Some(url) => Target::of_url(url)?,
        None => Target::of_settings(&common.settings(&[])?)?,
    };
    let why = target.ask().err();
    let health = Health {
        is_healthy: why.is_none(),
        url: target.shown,
        why: why.map(|error| error.to_string()),
    };
    common.print(&health, |it| match &it.why {
        None => format!("healthy: {} answers\n", it.url),
        Some(why) => format!("unhealthy: {}: {why}\n", it.url),
    })?;
    Ok(match health.is_healthy {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

impl Target {
    fn of_url(url: &Uri) -> Result<Self, CliError> {
        let wrong = |why: &str| {
            CliError::new(format!("cannot ask {url}: {why}"))
                .hint("name it as in `airlock healthcheck --url http://127.0.0.1:8080`")
        };
        let (Some(host), Some(scheme @ ("http" | "https"))) = (url.host(), url.scheme_str()) else {
            return Err(wrong("it is no http or https address"));
        };
        let speaks_tls = scheme == "https";
        let port = url.port_u16().unwrap_or(if speaks_tls { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match bare.parse() {
            Ok(address) => vec![address],
            Err(_) => accounts::addresses(bare),
        };
        if addresses.is_empty() {
            return Err(wrong("nobody here knows that host"));
        }
        let addresses = addresses.into_iter().map(|address| (address, port).into());
        let path = match url.path() {
            "" | "/" => "/health",
            path => path,
        };
        Ok(Self {
            shown: url.to_string(),
            place: Place::Tcp(addresses.collect()),
            host: host.to_owned(),
            path: path.to_owned(),
            speaks_tls,
        })
    }

    /// The first address that the server listens at; `[::]` and `0.0.0.0` are reached at the host itself.
    fn of_settings(config: &Config) -> Result<Self, CliError> {
        let none = || {
            CliError::new("the settings name no address")
                .hint("`airlock healthcheck --url http://127.0.0.1:8080` names one")
        };
        let address = config.listen.api.value.first().ok_or_else(none)?;
        let hosts = &config.access.hosts.value;
        let host = hosts.first().map_or("localhost", |host| host.as_str());
        let place = match address {
            ListenAddress::Unix(path) => Place::Unix(path.clone()),
            ListenAddress::Tcp(tcp) => {
                let cannot_find = |error: io::Error| {
                    CliError::new(format!("cannot find {address}")).caused_by(&error)
                };
                Place::Tcp(
                    tcp.resolve()
                        .map_err(cannot_find)?
                        .into_iter()
                        .map(here)
                        .collect(),
                )
            }
        };
        let speaks_tls = config.tls.certificate.value.is_some();
        let (shown, speaks_tls) = match address {
            ListenAddress::Unix(_) => (address.to_string(), false),
            ListenAddress::Tcp(_) if speaks_tls => (format!("https://{address}"), true),
            ListenAddress::Tcp(_) => (format!("http://{address}"), false),
        };
        Ok(Self {
            shown,
            place,
            host: host.to_owned(),
            path: "/health".to_owned(),
            speaks_tls,
        })
    }

    fn ask(&self) -> io::Result<()> {
        match &self.place {
            Place::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                self.exchange(stream)
            }
            Place::Tcp(addresses) => {
                let mut failed = io::Error::from(io::ErrorKind::NotFound);
                for address in addresses {
                    match TcpStream::connect_timeout(address, PATIENCE) {
                        Ok(stream) => {
                            stream.set_read_timeout(Some(PATIENCE))?;
                            stream.set_write_timeout(Some(PATIENCE))?;
                            return self.ask_on(stream);
                        }
                        Err(error) => failed = error,
                    }
                }
                Err(failed)
            }
        }
    }

    /// Whose certificate it is does not matter here: Kibana looks at that.
    fn ask_on(&self, stream: TcpStream) -> io::Result<()> {
        if !self.speaks_tls {
            return self.exchange(stream);
        }
        match self.exchange(tls::with_anyone(
            stream,
            self.host.trim_matches(['[', ']']),
        )?) {
            // It speaks, and only to those whom it knows.
            Err(error) if tls::asks_for_certificate(&error) => Ok(()),
            asked => asked,
        }
    }

    fn exchange(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let Self { host, path, .. } = self;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: airlock-healthcheck\r\nconnection: close\r\n\r\n"
        )?;
        let mut line = Vec::new();
        BufReader::new(stream.take(LINE_BYTES))
            .read_until(b'\n', &mut line)
            .map_err(late)?;
        let line = String::from_utf8_lossy(&line);
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        match status {
            Some("200") => Ok(()),
            // It answers; that it asks who this is, or knows no such host, is as the settings have it.
            Some("401" | "403" | "421") => Ok(()),
            Some(status) => Err(io::Error::other(format!("it answers {status}"))),
            None => Err(io::Error::other("it does not speak HTTP/1.1")),
        }
    }
}

/// A time-out of a socket is told as it is meant.
fn late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 seconds")
        }
        _ => error,
    }
}

fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

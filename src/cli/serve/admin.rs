//! The admin side in browsers: what it is told of the settings, and the listener of its own where they name one.

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use jiff::SignedDuration;

use super::beside::{self, Beside, Listener};
use crate::admin::entrance::{self, Web, WebRules};
use crate::admin::routes::Operator;
use crate::admin::{PeerUser, setup, users};
use crate::api::access::{Hosts, SharedAccess};
use crate::cli::{CliError, print};
use crate::config::Config;
use crate::crypto::tls::{Acceptor, ServedTls};
use crate::people::Actor;
use crate::server::Settings;
use crate::server::metrics::Metrics;
use crate::store::Store;

/// Connections of browsers and scripts at a time: a page takes few.
const MOST_CONNECTIONS: u32 = 512;

/// The socket that the admin side has to itself.
pub(super) struct OwnSocket {
    socket: TcpListener,
    is_inherited: bool,
    pub address: SocketAddr,
}

impl OwnSocket {
    /// Returns the one that was handed over, else one at the address that the settings name; `None` where neither is, or the
    /// admin side is not served.
    pub(super) fn of(
        inherited: Option<TcpListener>,
        config: &Config,
    ) -> Result<Option<Self>, CliError> {
        let setting = &config.admin.listen;
        if !config.admin.enabled.value {
            return Ok(None);
        }
        let is_inherited = inherited.is_some();
        let socket = match (inherited, &setting.value) {
            (Some(inherited), _) => inherited,
            (None, Some(address)) => beside::listen(address).map_err(|error| {
                CliError::new(format!("cannot listen at {address} for the admin side"))
                    .caused_by(&error)
                    .hint(format!(
                        "choose another address for admin.listen ({}); a service without a network of its own needs a socket \
                         unit with `FileDescriptorName=admin`",
                        setting.origin
                    ))
            })?,
            (None, None) => return Ok(None),
        };
        let address = socket.local_addr().map_err(|error| {
            CliError::new("the socket of the admin side has no address").caused_by(&error)
        })?;
        Ok(Some(Self {
            socket,
            is_inherited,
            address,
        }))
    }

    /// Begins to serve the admin side there.
    pub(super) fn serve(
        self,
        operator: Data<Operator>,
        web: Data<Web>,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Beside, CliError> {
        tracing::info!(admin = %self.address, tls = web.tls.is_some(), "serving the admin side");
        let listener = Listener {
            socket: self.socket,
            is_inherited: self.is_inherited,
            tls: web.tls.clone().map(Acceptor::new),
        };
        let settings = Settings {
            workers: 1,
            max_connections: MOST_CONNECTIONS,
            access: Arc::clone(&web.access),
            metrics,
            ..Settings::default()
        };
        let begun = Beside::begin("admin", listener, settings, move |config| {
            config.app_data(operator.clone());
            entrance::configure(config, &web);
        });
        begun.map_err(|error| {
            CliError::new("cannot begin to serve the admin side").caused_by(&error)
        })
    }
}

/// Returns what serves the admin side to browsers at `addresses`.
pub(super) fn web(
    config: &Config,
    addresses: &[SocketAddr],
    access: SharedAccess,
    tls: Option<Arc<ServedTls>>,
) -> Data<Web> {
    Data::new(Web::new(rules(config, addresses), access, tls))
}

/// Tells how the first admin is made, where there is nobody yet: by a link on a terminal, never in a log.
pub(super) fn tell_of_setup(store: &Store, base: &str) {
    if !users::list(store).is_ok_and(|users| users.is_empty()) {
        return;
    }
    if !std::io::stdout().is_terminal() {
        tracing::info!(
            "nobody can log in at /admin yet: `airlock setup-link` prints the address where the first admin is made"
        );
        return;
    }
    let who = Actor::here(PeerUser::own().name());
    match setup::make_link(store, &who) {
        Ok(made) => {
            // The server runs whether or not somebody reads this.
            let _ = print(&format!(
                "Nobody can log in yet. Open this to make the first admin; it is good once, for an hour:\n  {base}/admin/setup/{}\n",
                made.secret
            ));
        }
        Err(error) => tracing::warn!(%error, "cannot make a setup link"),
    }
}

/// Returns the rules of `config` where the admin side is reached at `addresses`.
pub(super) fn rules(config: &Config, addresses: &[SocketAddr]) -> WebRules {
    let admin = &config.admin;
    let listed = config.access.hosts.iter();
    let mut hosts: Vec<_> = listed.map(|name| name.as_str().to_owned()).collect();
    hosts.extend(own_names());
    let header = admin.user_header.value.as_deref();
    WebRules {
        hosts: Hosts::only(hosts, addresses),
        user_header: header.and_then(|name| HeaderName::try_from(name).ok()),
        banner: admin.banner.value.clone(),
        idle: SignedDuration::from_mins(admin.idle_minutes.value.into()),
        longest: SignedDuration::from_hours(admin.session_hours.value.into()),
        failures: admin.failures.value,
        password_length: admin.password_length.value,
    }
}

/// Returns what this host calls itself, whole and up to the first dot.
fn own_names() -> Vec<String> {
    let own = rustix::system::uname();
    let own = own.nodename().to_string_lossy().to_ascii_lowercase();
    let first = own.split('.').next().unwrap_or_default().to_owned();
    let mut names = vec![own, first];
    names.dedup();
    names.retain(|name| !name.is_empty() && name != "(none)");
    names
}

//! What a server is told of its settings: who may ask and who may do what, how long answers may be kept; and what of it is
//! taken up anew.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web::Data;

use super::admin;
use crate::admin::entrance::Web;
use crate::admin::routes::Operator;
use crate::admin::settings::SettingsReport;
use crate::admin::{PeerUser, Roles};
use crate::api::access::{Access, Hosts, SharedAccess};
use crate::cli::config::users;
use crate::cli::{CliError, log};
use crate::config::{Config, ConfigError};
use crate::distribution::CacheSettings;
use crate::server::ReloadError;

/// Returns the rules of `config` for a server that is reached at `addresses`.
pub(super) fn access(config: &Config, addresses: &[SocketAddr]) -> Result<Access, CliError> {
    let users = users(config).map_err(|problem| ConfigError {
        problems: vec![problem],
    })?;
    if let Some(users) = users.as_ref().filter(|users| users.is_empty()) {
        tracing::warn!(
            users = users.len(),
            "the file of users names nobody: nobody may ask"
        );
    }
    let names = config
        .access
        .hosts
        .iter()
        .map(|name| name.as_str().to_owned());
    Ok(Access {
        hosts: Hosts::new(names.collect(), addresses),
        networks: config.access.networks.value.clone(),
        trusted_proxies: config.access.trusted_proxies.value.clone(),
        users: users.map(Arc::new),
    })
}

/// Returns how long answers may be kept.
pub(super) fn cache(config: &Config) -> CacheSettings {
    CacheSettings {
        search: config.cache.search_seconds.value,
        categories: config.cache.categories_seconds.value,
        catch_all: config.cache.catch_all_seconds.value,
        index: config.cache.index_seconds.value,
    }
}

/// Reads the settings anew.
pub(in crate::cli) type ReadAgain = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// What of the settings a running server takes up anew.
pub(super) struct InForce {
    pub access: SharedAccess,
    /// Where the registry is reached.
    pub addresses: Vec<SocketAddr>,
    pub operator: Data<Operator>,
    pub web: Data<Web>,
    /// Where the admin side is reached.
    pub admin_addresses: Vec<SocketAddr>,
}

impl InForce {
    /// Takes up all that `config` says, or nothing.
    pub(super) fn take_up(&self, config: &Config) -> Result<(), ReloadError> {
        let access = access(config, &self.addresses).map_err(|error| error.on_one_line())?;
        log::set_level(config.log.level.value)?;
        self.access.store(Arc::new(access));
        self.operator.roles.store(Arc::new(roles(config)));
        let rules = admin::rules(config, &self.admin_addresses);
        self.web.rules.store(Arc::new(rules));
        let report = Arc::new(SettingsReport::of(config));
        self.operator.service.settings.store(report);
        Ok(())
    }
}

/// Returns who may do what: the settings say it, but for root, and for whom the server runs as, whose the store is.
pub(super) fn roles(config: &Config) -> Roles {
    let named = config.control.roles.value.iter().cloned();
    Roles {
        always_admin: vec![PeerUser::own()],
        of_members: config.control.role.value,
        named: named.collect::<BTreeMap<_, _>>(),
    }
}

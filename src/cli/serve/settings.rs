//! What a server is told of its settings: who may ask, how long answers may be kept, what is counted.

use std::net::SocketAddr;
use std::sync::Arc;

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

/// Returns what takes up anew who may ask, and how much is logged.
pub(super) fn reload(
    read_again: ReadAgain,
    access_of_now: SharedAccess,
    addresses: Vec<SocketAddr>,
) -> impl FnMut() -> Result<(), ReloadError> + Send + 'static {
    move || {
        let config = read_again().map_err(|error| CliError::from(error).on_one_line())?;
        let read = access(&config, &addresses).map_err(|error| error.on_one_line())?;
        access_of_now.store(Arc::new(read));
        log::set_level(config.log.level.value)?;
        Ok(())
    }
}

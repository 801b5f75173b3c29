//! Who may ask: by the host that is asked for, the network that asks, the user's password.
//!
//! `/health` is open to everybody; all else passes these in this order, before it is looked at what the path means. What a
//! proxy says of its client is believed of trusted ones alone (`client`). Knows nothing of where these rules are kept, and
//! nothing of what is asked for.

mod client;
mod hosts;
mod users;
mod verifying;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use arc_swap::ArcSwap;
use ipnet::IpNet;

pub use client::{Client, RequestId, User};
pub use hosts::{Hosts, asked, without_port};
pub use users::{InvalidUsers, Users};

use super::error::ApiError;
use verifying::Attempt;

/// The rules of now: they may change while requests are answered.
pub type SharedAccess = Arc<ArcSwap<Access>>;

/// The rules; by default everybody may ask.
#[derive(Debug, Default)]
pub struct Access {
    /// For which hosts.
    pub hosts: Hosts,
    /// From which networks; empty: every one.
    pub networks: Vec<IpNet>,
    /// Whose word on their client is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// With which password; `None`: without one.
    pub users: Option<Arc<Users>>,
}

/// What the rules say of a request.
pub enum Verdict {
    /// It is answered.
    Passed,
    /// Its password has to be looked at, which takes a while.
    Asking(Attempt),
}

impl Access {
    /// Judges a request by the rules, all but a password that was not seen before.
    pub fn judge(&self, request: &HttpRequest) -> Result<Verdict, ApiError> {
        if !self.hosts.include(request) {
            return Err(ApiError::OtherHost);
        }
        if !self.is_from_here(request) {
            return Err(ApiError::NotFromThere);
        }
        let Some(users) = &self.users else {
            return Ok(Verdict::Passed);
        };
        let mut sent = request.headers().get_all(AUTHORIZATION);
        match (sent.next(), sent.next()) {
            (Some(credentials), None) => Users::judge(users, request, credentials),
            _ => Err(ApiError::Unauthenticated),
        }
    }

    /// Tells whether some may not ask: then what is answered is nobody else's to keep.
    pub fn is_restricted(&self) -> bool {
        self.users.is_some() || !self.networks.is_empty()
    }

    /// Tells whether a request comes from a network that may ask.
    pub fn is_from_here(&self, request: &HttpRequest) -> bool {
        let is_within_them = |it| is_within(it, &self.networks);
        self.networks.is_empty() || self.client(request).address.is_some_and(is_within_them)
    }

    /// Tells whether whoever is at the other end of the connection is believed what it says of its client.
    pub fn is_by_trusted_proxy(&self, request: &HttpRequest) -> bool {
        // Whoever reaches a Unix socket was let there by its mode, which is as good as being trusted.
        let peer = request.peer_addr();
        peer.is_none_or(|peer| self.trusts(peer.ip()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        is_within(address, &self.trusted_proxies)
    }
}

fn is_within(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

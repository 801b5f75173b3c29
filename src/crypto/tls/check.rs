//! Whether Kibana's Node would believe a chain: names, dates, use, links, and then all of it once more as a TLS client.
//!
//! Node is OpenSSL with its defaults: every chain has to end at a root that issued itself, and no missing certificate is
//! fetched. What has a reason of its own is told by it; the client of rustls has the last word.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use super::chain::{Chain, End};
use super::error::Refusal;
use super::name::Name;
use super::provider;

/// Tells whether a client that knows the chain's root believes it at `now`.
///
/// A chain whose root is not there passes where it has a link beyond the server's certificate: then its last issuer is
/// taken for the root. The server's certificate alone does not: what is missing is most often an intermediate.
pub fn check(chain: &Chain, now: Timestamp) -> Result<(), Refusal> {
    let first = chain.first();
    let subject = || first.subject();
    if first.names().is_empty() {
        return Err(Refusal::NoNames { subject: subject() });
    }
    if !first.may_sign() {
        return Err(Refusal::MayNotSign { subject: subject() });
    }
    if !first.is_for_servers() {
        return Err(Refusal::NotForServers { subject: subject() });
    }
    let root = match &chain.end {
        End::Root(root) => Some(root.as_ref()),
        End::SelfSigned | End::Missing => None,
    };
    for certificate in chain.sent.iter().chain(root) {
        let subject = || certificate.subject();
        if now < certificate.not_before() {
            let from = certificate.not_before();
            return Err(Refusal::NotYetValid {
                subject: subject(),
                from,
            });
        }
        if now > certificate.not_after() {
            let at = certificate.not_after();
            return Err(Refusal::Expired {
                subject: subject(),
                at,
            });
        }
    }
    for issuer in chain.sent.iter().skip(1).chain(root) {
        if !issuer.is_authority() {
            let subject = issuer.subject();
            return Err(Refusal::NoAuthority { subject });
        }
    }
    let root = match (&chain.end, chain.sent.as_slice()) {
        // Its client compares it as a whole.
        (End::SelfSigned, _) => return Ok(()),
        (End::Root(root), _) => root,
        (End::Missing, [_, .., last]) => last,
        (End::Missing, _) => {
            let issuer = first.issuer();
            return Err(Refusal::MissingIssuer {
                subject: subject(),
                issuer,
            });
        }
    };
    let refused = |reason: String| Refusal::Client {
        subject: subject(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    roots
        .add(root.der().clone())
        .map_err(|error| refused(error.to_string()))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let between: Vec<_> = chain.sent[1..].iter().map(|it| it.der().clone()).collect();
    let since_1970 = u64::try_from(now.as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(since_1970));
    for name in first.names() {
        let asked = match &name {
            // Every host that it stands for is believed alike.
            Name::Dns(host) => ServerName::try_from(host.replacen('*', "any", 1)),
            Name::Ip(address) => Ok(ServerName::IpAddress((*address).into())),
        };
        let asked = asked.map_err(|error| refused(format!("{name:?}: {error}")))?;
        verifier
            .verify_server_cert(first.der(), &between, &asked, &[], now)
            .map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

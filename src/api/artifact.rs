//! `/epr/{name}/{name}-{version}.zip` and its `.sig`.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::USER_AGENT;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use jiff::Timestamp;

use super::Asking;
use super::condition::Validators;
use super::error::ApiError;
use super::reply::{Kind, Refused};
use super::route::Asked;
use super::send::{self, Sent};
use super::stored::Stored;
use crate::crypto::Digest;
use crate::crypto::openpgp::Signature;
use crate::distribution::SignaturePolicy;
use crate::limits::Limits;
use crate::package::PackageId;
use crate::store::fetches::Fetch;
use crate::store::{StoreError, signatures};

/// Answers with the zip of a package version, put together from the store as it is sent. 400 when the version is not
/// semver, 404 when the distribution never offered it. Reads one block at a time.
pub(super) async fn show(asking: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    let package = asked.package_id(ApiError::ArtifactNotFound)?;
    let fetched = asking.find(&package, ApiError::ArtifactNotFound).await?;
    let element = fetched.element;
    note_fetch(asking, package);
    let modified = u64::try_from(element.artifact.modified).ok();
    let validators = Validators {
        tag: send::tag(&element.artifact.sha256),
        modified,
    };
    let sent = Sent {
        kind: Kind::Zip,
        caching: asking.catch_all(),
        validators,
    };
    let zip = Stored::Zip(element.artifact.clone());
    Ok(send::from_store(asking, &sent, zip, None).await?)
}

/// Answers with the signature of a package version as it came; a binary one as text, the only form that Kibana reads
/// (contract/kibana-client.md, trap 2), but where the branch does not look at signatures. 404 where none is offered.
pub(super) async fn signature(asking: &Asking, asked: &Asked) -> Result<HttpResponse, Refused> {
    let package = asked.package_id(ApiError::SignatureNotFound)?;
    let fetched = asking.find(&package, ApiError::SignatureNotFound).await?;
    let policy = fetched.signature.ok_or(ApiError::SignatureNotFound)?;
    let element = fetched.element;
    let artifact = element.artifact.id;
    let (store, limits) = (Arc::clone(&asking.state.store), asking.state.limits.clone());
    let read = move || {
        let bytes = store.read(|conn| signatures::of_artifact(conn, artifact, Timestamp::now()))?;
        Ok::<_, StoreError>(bytes.map(|bytes| as_served(bytes, policy, &limits)))
    };
    let read = web::block(read).await.map_err(ApiError::internal)?;
    let bytes = read
        .map_err(ApiError::internal)?
        .ok_or(ApiError::SignatureNotFound)?;
    let validators = Validators {
        tag: send::tag(&Digest::of(&bytes)),
        modified: u64::try_from(element.artifact.modified).ok(),
    };
    let sent = Sent {
        kind: Kind::Signature,
        caching: asking.catch_all(),
        validators,
    };
    Ok(send::from_memory(asking, &sent, &Bytes::from(bytes), None))
}

/// Notes who fetches a zip: whoever installs a package does, and only looking at it takes none.
fn note_fetch(asking: &Asking, package: PackageId) {
    let Some(distribution) = asking.catalog.distribution() else {
        return;
    };
    if asking.request.method() != Method::GET {
        return;
    }
    let agent = asking.request.headers().get(USER_AGENT);
    let kibana = agent.and_then(|agent| kibana_version(agent.to_str().ok()?));
    asking.state.catalogs.fetches().note(Fetch {
        package,
        distribution,
        kibana: kibana.unwrap_or_default().into(),
    });
}

/// Returns the version in `Kibana/8.5.0-SNAPSHOT node-fetch` (contract/kibana-client.md, "Headers"), without what follows its
/// three numbers.
fn kibana_version(agent: &str) -> Option<&str> {
    let rest = agent.strip_prefix("Kibana/")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let version = rest.get(..end.unwrap_or(rest.len()))?;
    (version.len() <= 16 && semver::Version::parse(version).is_ok()).then_some(version)
}

fn as_served(bytes: Vec<u8>, policy: SignaturePolicy, limits: &Limits) -> Vec<u8> {
    if policy == SignaturePolicy::Off {
        return bytes;
    }
    let signature = Signature::read(&bytes, limits).ok();
    let binary = signature.filter(|signature| !signature.is_armored());
    let armored = binary.and_then(|signature| signature.to_armored());
    armored.map_or(bytes, String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_kibana_is_its_three_numbers_or_none() {
        for (agent, version) in [
            ("Kibana/8.5.0 node-fetch", Some("8.5.0")),
            ("Kibana/8.5.0-SNAPSHOT node-fetch", Some("8.5.0")),
            ("Kibana/8.5.0", Some("8.5.0")),
            ("Kibana/8.5 node-fetch", None),
            ("Kibana/8.5.0.1", None),
            ("Kibana/88888888.8888888888.8", None),
            ("Kibana/", None),
            (
                "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(kibana_version(agent), version, "{agent}");
        }
    }
}

//! TLS for the operator: a request, a certificate installed, an authority of the appliance's own, what is in force.
//!
//! Files, not the store: whoever may write where they lie does it, mostly root, with or without a running server.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use crate::crypto::tls::{
    Authority, CertificateReport, Chain, Install, Name, NewKey, Part, Pieces, Places, Readers,
    RequestKey, TlsError, request, system_roots,
};

/// What asking for a certificate came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Requested {
    /// The request, for the authority.
    pub request: PathBuf,
    /// Its key, which stays here.
    pub key: PathBuf,
    /// Whether the key was made now; a key that waits for its certificate is used again.
    pub is_new_key: bool,
    /// The names that were asked for.
    pub names: Vec<String>,
}

/// What is installed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Installed {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The root that clients have to know, where it is known here.
    pub ca: Option<PathBuf>,
    /// What the certificate says.
    pub report: CertificateReport,
}

/// Writes a request for a certificate with `names` beside where it will be installed; its key is made, or one that waits for
/// its certificate is used. No key is ever overwritten: fails where one of RSA is wanted and another kind waits.
pub fn ask(places: &Places, names: &[Name], kind: NewKey) -> Result<Requested, OperationError> {
    let path = places.request_key();
    let known = path.exists().then(|| RequestKey::read(&path)).transpose()?;
    let is_new_key = known.is_none();
    if kind == NewKey::Rsa && known.as_ref().is_some_and(|key| key.kind() != kind) {
        return Err(OperationError::InvalidRequest(format!(
            "{} waits for its certificate and is no key of RSA; move it away, and another is made",
            path.display()
        )));
    }
    let key = match known {
        Some(key) => key,
        None => {
            let key = RequestKey::generate(kind)?;
            Part::write(&path, key.to_text().to_pem().as_bytes(), Readers::Owner)?.put_new()?;
            key
        }
    };
    let text = request(&key, names)?;
    Part::write(&places.request(), text.as_bytes(), Readers::All)?.put()?;
    Ok(Requested {
        request: places.request(),
        key: path,
        is_new_key,
        names: names.iter().map(ToString::to_string).collect(),
    })
}

/// Checks what is given as a client will, and installs it. What is refused changes nothing.
pub fn install(
    places: &Places,
    given: &Install,
    now: Timestamp,
) -> Result<Installed, OperationError> {
    let checked = given.check(places, now)?;
    checked.write(places)?;
    Ok(installed(places, &checked.chain, now))
}

fn installed(places: &Places, chain: &Chain, now: Timestamp) -> Installed {
    let report = CertificateReport::of(chain, now);
    let ca = (report.root.is_some() || report.is_self_signed).then(|| places.authority());
    Installed {
        certificate: places.certificate.clone(),
        key: places.key.clone(),
        ca,
        report,
    }
}

/// Makes an authority of the appliance's own, where there is none, and has it issue a certificate with `names`.
///
/// Refuses to take the place of what another authority issued.
pub fn init(places: &Places, names: &[Name], now: Timestamp) -> Result<Installed, OperationError> {
    let Some(first) = names.first() else {
        return Err(OperationError::InvalidRequest(
            "a certificate without a name".to_owned(),
        ));
    };
    let authority = match Authority::read(places)? {
        Some(authority) => authority,
        None => {
            let taken = [
                &places.certificate,
                &places.key,
                &places.authority(),
                &places.authority_key(),
            ];
            if let Some(path) = taken.into_iter().find(|path| path.exists()) {
                return Err(TlsError::Exists { path: path.clone() }.into());
            }
            let authority = Authority::generate(first, now)?;
            let key = authority.key_pem();
            Part::write(&places.authority_key(), key.as_bytes(), Readers::Owner)?.put_new()?;
            authority
        }
    };
    let issued = authority.issue(names, now)?;
    issued.write(places)?;
    Ok(installed(places, &issued.chain, now))
}

/// Returns what is told of the certificate that lies at its place, whether it can be served or not.
pub fn show(places: &Places, now: Timestamp) -> Result<CertificateReport, OperationError> {
    let mut known = Pieces::certificates(&places.certificate).map_err(TlsError::from)?;
    let first = known.remove(0);
    let mut roots = Pieces::certificates(&places.authority()).unwrap_or_default();
    roots.extend(system_roots());
    Ok(CertificateReport::of(
        &Chain::of(first, &known, &roots),
        now,
    ))
}

//! What somebody who helps needs to know of an appliance, in one document without a secret.

use jiff::Timestamp;
use serde::Serialize;

use super::audit::{self, AuditRequest};
use super::error::OperationError;
use super::history;
use super::keys::{self, KeyReport};
use super::settings::SettingsReport;
use super::sizes::{self, SizesReport};
use super::status::{self, Service, StatusReport};
use crate::crypto::tls::CertificateReport;
use crate::store::{SCHEMA_VERSION, Store};

/// Change sets that are told of.
const RECENT: u32 = 50;

/// What is told.
#[derive(Debug, Serialize)]
pub struct SupportBundle {
    /// When it was put together.
    pub made_at: Timestamp,
    /// The program.
    pub build: BuildReport,
    /// The version of the store's schema.
    pub schema_version: i64,
    /// How the appliance is.
    pub status: StatusReport,
    /// The settings, with who said each.
    pub settings: SettingsReport,
    /// What the store takes.
    pub sizes: SizesReport,
    /// The keyring.
    pub keys: Vec<KeyReport>,
    /// The certificate that is served.
    pub certificate: Option<CertificateReport>,
    /// The last change sets, the newest first.
    pub change_sets: Vec<ChangeHead>,
    /// The last entry of the audit log, `NUMBER:DIGEST`.
    pub audit_head: Option<String>,
}

/// Which program it is.
#[derive(Debug, Clone, Serialize)]
pub struct BuildReport {
    /// Its version.
    pub version: &'static str,
    /// What it was built for: system and processor.
    pub target: String,
    /// Whether it is built to be debugged.
    pub is_debug: bool,
}

/// A change set, in short.
#[derive(Debug, Serialize)]
pub struct ChangeHead {
    /// Its number.
    pub number: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
}

impl BuildReport {
    /// Returns what is known of this program.
    pub fn of_this() -> Self {
        use std::env::consts::{ARCH, OS};
        Self {
            version: env!("CARGO_PKG_VERSION"),
            target: format!("{OS} {ARCH}"),
            is_debug: cfg!(debug_assertions),
        }
    }
}

/// Puts it together: fingerprints and names, never a key, a password or a token.
pub fn bundle(
    store: &Store,
    service: &Service,
    now: Timestamp,
) -> Result<SupportBundle, OperationError> {
    let last = audit::list(
        store,
        AuditRequest {
            limit: Some(1),
            ..AuditRequest::default()
        },
    )?;
    let history = history::list(store, RECENT, false)?;
    let heads = history.change_sets.into_iter().map(|it| ChangeHead {
        number: it.number,
        at: it.at,
        who: it.who,
        action: it.action,
    });
    Ok(SupportBundle {
        made_at: now,
        build: BuildReport::of_this(),
        schema_version: SCHEMA_VERSION,
        status: status::look(store, Some(service.report()))?,
        settings: SettingsReport::clone(&service.settings.load()),
        sizes: sizes::measure(store)?,
        keys: keys::list(store)?,
        certificate: service.tls.as_ref().map(|tls| tls.report(now)),
        change_sets: heads.collect(),
        audit_head: last
            .first()
            .map(|it| format!("{}:{}", it.number, it.digest)),
    })
}

//! How the appliance is: what it serves, what waits, how much room there is, and who asked lately.
//!
//! The store tells most of it, a running server the rest.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::distributions::{self, DistributionReport};
use super::error::OperationError;
use super::kibanas::{KibanaSeen, Kibanas};
use super::settings::SettingsReport;
use crate::crypto::tls::ServedTls;
use crate::store::{RESERVE_BYTES, Store, StoreError, change_sets, quarantine, stages};

/// What a running server knows of itself.
#[derive(Debug, Default)]
pub struct Service {
    /// Since when it runs.
    pub since: Timestamp,
    /// Where the registry is reached.
    pub addresses: Vec<String>,
    /// The Kibanas that asked.
    pub kibanas: actix_web::web::Data<Kibanas>,
    /// What TLS is spoken with; `None` where none is.
    pub tls: Option<Arc<ServedTls>>,
    /// The settings that hold.
    pub settings: ArcSwap<SettingsReport>,
}

/// How the appliance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StatusReport {
    /// The version of what tells this.
    pub version: String,
    /// The running server; `None` where none has the store.
    pub service: Option<ServiceReport>,
    /// The folder of the store.
    pub data_dir: String,
    /// Bytes of the store on its disk.
    pub store_bytes: u64,
    /// Bytes that are free on its disk.
    pub free_bytes: u64,
    /// Whether that is enough.
    pub disk: DiskState,
    /// What is served, by name; `default` is what answers at `/`.
    pub distributions: Vec<DistributionReport>,
    /// The last change.
    pub last_change: Option<LastChange>,
    /// Packages in quarantine.
    pub quarantined: usize,
    /// Plans that wait to be committed.
    pub plans: usize,
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServiceReport {
    /// Since when it runs.
    pub since: Timestamp,
    /// Its process.
    pub process: u32,
    /// Where the registry is reached.
    pub addresses: Vec<String>,
    /// The Kibanas that asked since then, the last one first.
    pub kibanas: Vec<KibanaSeen>,
    /// When the certificate that is shown expires.
    pub certificate_expires: Option<Timestamp>,
}

/// Whether the store can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiskState {
    /// There is room.
    Enough,
    /// There is less than imports leave free: none can be made, and changes may fail.
    Full,
    /// The file system is read-only: what is here is served, and nothing can be changed.
    ReadOnly,
}

/// The last change of what is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastChange {
    /// The change set's number.
    pub number: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
}

impl Service {
    /// Returns what it knows, now.
    pub fn report(&self) -> ServiceReport {
        ServiceReport {
            since: self.since,
            process: std::process::id(),
            addresses: self.addresses.clone(),
            kibanas: self.kibanas.list(),
            certificate_expires: self
                .tls
                .as_ref()
                .map(|tls| tls.report(Timestamp::now()).not_after),
        }
    }
}

/// Returns how the appliance is. Reads every member of every branch; see [`mark`] for what is cheap.
pub fn look(store: &Store, service: Option<ServiceReport>) -> Result<StatusReport, OperationError> {
    let (last, quarantined, plans) = store.snapshot(|conn| {
        Ok::<_, StoreError>((
            change_sets::newest(conn, 1)?.pop(),
            quarantine::count(conn)?,
            stages::waiting(conn)?.len(),
        ))
    })?;
    Ok(StatusReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        service,
        data_dir: Path::display(store.folder()).to_string(),
        store_bytes: store.taken_bytes(),
        free_bytes: store.disk().free_bytes()?,
        disk: disk(store)?,
        distributions: distributions::list(store)?,
        last_change: last.map(|last| LastChange {
            number: last.id.0,
            at: last.at,
            who: last.who,
            action: last.action,
        }),
        quarantined,
        plans,
    })
}

/// What tells whether [`look`] has something else to say of what is served, of the quarantine or the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    change_set: i64,
    quarantined: usize,
    disk: DiskState,
}

/// Returns the mark of now: two rows are read.
pub fn mark(store: &Store) -> Result<Mark, StoreError> {
    let (change_set, quarantined) = store.read(|conn| {
        let last = change_sets::last(conn)?;
        Ok::<_, StoreError>((last.0, quarantine::count(conn)?))
    })?;
    Ok(Mark {
        change_set,
        quarantined,
        disk: disk(store)?,
    })
}

fn disk(store: &Store) -> Result<DiskState, StoreError> {
    let disk = store.disk();
    Ok(if disk.is_read_only()? {
        DiskState::ReadOnly
    } else if disk.free_bytes()? < RESERVE_BYTES {
        DiskState::Full
    } else {
        DiskState::Enough
    })
}

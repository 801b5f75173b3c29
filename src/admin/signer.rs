//! The appliance's own key, which signs its records.
//!
//! It lies beside the store, `signer.key`, readable by the owner of the data folder alone, and never in the store: a backup of
//! the store signs nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde::{Deserialize, Serialize};

use super::error::OperationError;
use crate::crypto::openpgp::Signer;
use crate::store::Store;

const FILE: &str = "signer.key";

/// The appliance's own key, its public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignerReport {
    /// Its fingerprint.
    pub fingerprint: String,
    /// The public key, armored: `gpg --import` takes it.
    pub public_key: String,
}

/// Returns the appliance's own key, and makes it where there is none.
pub fn show(store: &Store) -> Result<SignerReport, OperationError> {
    let signer = signer(store)?;
    Ok(SignerReport {
        fingerprint: signer.fingerprint(),
        public_key: signer.public_key()?,
    })
}

/// Returns the appliance's own key, and makes it where there is none.
pub(super) fn signer(store: &Store) -> Result<Signer, OperationError> {
    let path = store.folder().join(FILE);
    let failed = |source: io::Error| OperationError::SignerFile {
        path: path.clone(),
        source,
    };
    match fs::read_to_string(&path) {
        Ok(text) => return Ok(Signer::from_armored(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let signer = Signer::generate("airlock")?;
    // Whole or not at all, and closed to others from the moment it exists.
    let part = store
        .folder()
        .join(format!("{FILE}.{}", std::process::id()));
    let write = || -> io::Result<()> {
        let text = signer.to_armored().map_err(io::Error::other)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // One that another request made meanwhile stays.
        fs::hard_link(&part, &path)
    };
    let written = write();
    let _ = fs::remove_file(&part);
    match written {
        Ok(()) => Ok(signer),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(&path).map_err(failed)?;
            Ok(Signer::from_armored(&text)?)
        }
        Err(error) => Err(failed(error)),
    }
}

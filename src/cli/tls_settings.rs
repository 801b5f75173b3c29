//! Where the certificate lies: as the settings say, else in `/etc/airlock/tls`, else beside the store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::{Config, TlsVersion};
use crate::crypto::tls::{MinVersion, Places, TlsFiles};

/// The folder that the packages make: root's, readable by the service.
const FOLDER: &str = "/etc/airlock/tls";

/// The credential of systemd that opens the key.
const CREDENTIAL: &str = "tls-key-passphrase";

/// Returns what a server speaks TLS with; `None` where the settings name no certificate.
pub(super) fn files(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    Some(TlsFiles {
        certificate: tls.certificate.value.clone()?,
        key: tls.key.value.clone()?,
        key_passphrase: passphrase(config),
        min_version: match tls.min_version.value {
            TlsVersion::V1_2 => MinVersion::Tls12,
            TlsVersion::V1_3 => MinVersion::Tls13,
        },
        client_ca: tls.client_ca.value.clone(),
    })
}

/// Returns the file with what opens the key: the setting's, else systemd's credential where there is one.
pub(super) fn passphrase(config: &Config) -> Option<PathBuf> {
    let of_systemd = |folder: OsString| Some(Path::new(&folder).join(CREDENTIAL));
    let named = config.tls.key_passphrase_file.value.clone();
    named.or_else(|| {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").and_then(of_systemd);
        credential.filter(|file| file.exists())
    })
}

/// Returns where a certificate is to be installed, and whether the settings say so.
pub(super) fn places(config: &Config, data_folder: &Path) -> (Places, bool) {
    if let Some(TlsFiles {
        certificate, key, ..
    }) = files(config)
    {
        return (Places { certificate, key }, true);
    }
    let packaged = Path::new(FOLDER);
    let folder = match packaged.is_dir() {
        true => packaged.to_owned(),
        false => data_folder.join("tls"),
    };
    (Places::in_folder(&folder), false)
}

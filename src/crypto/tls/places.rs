//! Where a server's certificate lies, and what is called how beside it.

use std::path::{Path, PathBuf};

/// The folder of a server's certificate: what lies there and is called how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Places {
    /// Returns the names that are used where the settings name none.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
        }
    }

    /// Returns a place that two of the files would share, so that one would overwrite the other.
    pub fn shared(&self) -> Option<PathBuf> {
        let own = [
            self.certificate.clone(),
            self.key.clone(),
            self.request_key(),
            self.request(),
            self.authority(),
            self.authority_key(),
        ];
        let is_double = |(number, path): &(usize, &PathBuf)| own[..*number].contains(path);
        let found = own.iter().enumerate().find(is_double);
        found.map(|(_, path)| path.clone())
    }

    /// Returns where the key of a request is whose certificate is not here yet.
    pub fn request_key(&self) -> PathBuf {
        self.key.with_file_name("request.key")
    }

    /// Returns where the request itself is.
    pub fn request(&self) -> PathBuf {
        self.key.with_file_name("request.csr")
    }

    /// Returns where the root is that clients have to know.
    pub fn authority(&self) -> PathBuf {
        self.certificate.with_file_name("ca.pem")
    }

    /// Returns where the key is of an authority of the appliance's own.
    pub fn authority_key(&self) -> PathBuf {
        self.key.with_file_name("ca.key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_have_one_place() {
        let folder = Path::new("/etc/airlock/tls");
        assert_eq!(Places::in_folder(folder).shared(), None);
        for (certificate, key, shared) in [
            ("ca.pem", "key.pem", "ca.pem"),
            ("all.pem", "all.pem", "all.pem"),
            ("certificate.pem", "request.key", "request.key"),
        ] {
            let places = Places {
                certificate: folder.join(certificate),
                key: folder.join(key),
            };
            assert_eq!(places.shared(), Some(folder.join(shared)));
        }
    }
}

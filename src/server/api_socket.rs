//! The registry's API on a Unix socket, for the host's own nginx or httpd.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::control::ControlSocket;

/// The mode of such a socket where nothing else is said: its owner and its group, which the proxy's user belongs to.
pub const API_SOCKET_MODE: u32 = 0o660;

/// The socket's file, removed when this is dropped.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    _file: ControlSocket,
}

impl ApiSocket {
    /// Listens at `path`, with `mode`: as [`ControlSocket::bind`] does, and then opened for those who may ask.
    pub fn bind(path: &Path, mode: u32) -> io::Result<(Self, UnixListener)> {
        let (file, listener) = ControlSocket::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        let path = path.to_owned();
        Ok((Self { path, _file: file }, listener))
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_its_groups_too_and_goes_with_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let (socket, _listener) = ApiSocket::bind(&path, API_SOCKET_MODE).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        drop(socket);
        assert!(!path.exists());
    }
}

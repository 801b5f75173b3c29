//! `control.sock`: the door for the command line while a server runs.
//!
//! Who may connect is said by its file alone: its owner from the moment it exists, and then the members of one group where
//! the settings name one. What they may do there is decided by others.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, chmod, chown};

/// The socket's file, removed when this is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// As [`Self::bind`], and then opened to the members of the group `group`: mode 0660.
    ///
    /// Fails too where this process may not give it to the group: only root may give a file to a group that it is not in.
    pub fn bind_for_group(path: &Path, group: u32) -> io::Result<(Self, UnixListener)> {
        let bound = Self::bind(path)?;
        // In this order: it is never open to the group that it had before. In a folder with the group's set-group-id bit it
        // has the group already, and a service that may not call chown(2) needs not.
        if fs::symlink_metadata(path)?.gid() != group {
            chown(path, None, Some(Gid::from_raw(group)))?;
        }
        chmod(path, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP)?;
        Ok(bound)
    }

    /// Listens at `path`, with mode 0600.
    ///
    /// A socket that a killed server left is replaced. Fails when somebody answers there, and when something that is no
    /// socket is there. Changes the umask of the process for a moment: call it before there are
    /// other threads.
    pub fn bind(path: &Path) -> io::Result<(Self, UnixListener)> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                if UnixStream::connect(path).is_ok() {
                    return Err(io::ErrorKind::AddrInUse.into());
                }
                fs::remove_file(path)?;
            }
            Ok(_) => {
                let text = format!("{} is there and is no socket", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
        let listener = UnixListener::bind(path);
        rustix::process::umask(umask);
        Ok((Self { path: path.into() }, listener?))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_socket_is_its_owners_alone_and_goes_with_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let (socket, listener) = ControlSocket::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop((socket, listener));
        assert!(!path.exists());
    }

    #[test]
    fn the_socket_may_be_its_groups_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let own = rustix::process::getgid().as_raw();
        let (socket, _listener) = ControlSocket::bind_for_group(&path, own).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o660);
        assert_eq!(found.gid(), own);
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_was_left_is_replaced_and_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(ControlSocket::bind(&path).is_ok());

        fs::write(&path, "notes").unwrap();
        let error = ControlSocket::bind(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"notes");
    }
}

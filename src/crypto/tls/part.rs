//! A file that comes to its place whole or not at all, with the owner of its folder.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown, lchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::TlsError;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner.
    Owner,
    /// Its group too, where root writes it for a service: the folder's group is the service's.
    Group,
    /// Everybody.
    All,
}

/// A file that is written and not at its place yet; removed when this is dropped before.
///
/// Whoever owns the folder may do in it what they like while root writes there, so no name is opened that anybody could
/// have foreseen, and no link is followed.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    part: NamedTempFile,
}

impl Part {
    /// Writes `bytes` beside `path`. Makes the folder where there is none, closed to others.
    pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<Self, TlsError> {
        let written = || {
            let folder = path.parent().unwrap_or(Path::new(""));
            make_folder(folder)?;
            fill(folder, bytes, readers)
        };
        match written() {
            Ok(part) => Ok(Self {
                path: path.to_owned(),
                part,
            }),
            Err(source) => Err(TlsError::Write {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Puts it at its place, instead of what is there.
    pub fn put(self) -> Result<(), TlsError> {
        let Self { path, part } = self;
        let put = part.persist(&path).map_err(|error| error.error);
        put.and_then(|_| sync_folder(&path))
            .map_err(|source| TlsError::Write { path, source })
    }

    /// Puts it at its place; fails where something is there.
    pub fn put_new(self) -> Result<(), TlsError> {
        let Self { path, part } = self;
        let put = part.persist_noclobber(&path).map_err(|error| error.error);
        match put.and_then(|_| sync_folder(&path)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TlsError::Exists { path })
            }
            Err(source) => Err(TlsError::Write { path, source }),
        }
    }
}

/// Writes a file in `folder`, closed to others from the moment it exists.
fn fill(folder: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let mut part = match folder.as_os_str().is_empty() {
        true => NamedTempFile::new_in(".")?,
        false => NamedTempFile::new_in(folder)?,
    };
    part.write_all(bytes)?;
    let folder = fs::metadata(part.path().parent().unwrap_or(Path::new(".")))?;
    let file = part.as_file();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    let mode = match readers {
        Readers::All => 0o644,
        Readers::Group if is_root && folder.gid() != 0 => 0o640,
        Readers::Group | Readers::Owner => 0o600,
    };
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    Ok(part)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(folder)?;
    if rustix::process::geteuid().is_root() {
        let above = fs::metadata(folder.parent().unwrap_or(Path::new("/")))?;
        lchown(folder, Some(above.uid()), Some(above.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_at_its_place_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (other, place) = (folder.path().join("other"), folder.path().join("key.pem"));
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, &place).unwrap();
        let refused = Part::write(&place, b"ours", Readers::Owner)
            .unwrap()
            .put_new();
        assert!(matches!(refused, Err(TlsError::Exists { .. })));
        assert!(place.is_symlink());
        Part::write(&place, b"ours", Readers::Owner)
            .unwrap()
            .put()
            .unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        assert_eq!(fs::read(&place).unwrap(), b"ours");
        // Nothing else is left there.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

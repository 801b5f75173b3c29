//! A file that comes to its place whole or not at all, with the owner of its folder.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

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
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    part: PathBuf,
}

impl Part {
    /// Writes `bytes` beside `path`. Makes the folder where there is none, closed to others.
    pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<Self, TlsError> {
        let failed = |source| TlsError::Write {
            path: path.to_owned(),
            source,
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        make_folder(folder).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = Self {
            part: folder.join(format!(".{name}.{}", std::process::id())),
            path: path.to_owned(),
        };
        part.fill(folder, bytes, readers).map_err(failed)?;
        Ok(part)
    }

    fn fill(&self, folder: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
        // Closed to others from the moment it exists.
        let options = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .clone();
        let mut file = options.open(&self.part)?;
        file.write_all(bytes)?;
        let folder = fs::metadata(folder)?;
        let is_shared = own_as(&self.part, &folder)? && folder.gid() != 0;
        let mode = match readers {
            Readers::All => 0o644,
            Readers::Group if is_shared => 0o640,
            Readers::Group | Readers::Owner => 0o600,
        };
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    }

    /// Puts it at its place, instead of what is there.
    pub fn put(self) -> Result<(), TlsError> {
        let put = fs::rename(&self.part, &self.path).and_then(|()| self.sync_folder());
        put.map_err(|source| TlsError::Write {
            path: self.path.clone(),
            source,
        })
    }

    /// Puts it at its place; fails where something is there.
    pub fn put_new(self) -> Result<(), TlsError> {
        let path = self.path.clone();
        match fs::hard_link(&self.part, &path).and_then(|()| self.sync_folder()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TlsError::Exists { path })
            }
            Err(source) => Err(TlsError::Write { path, source }),
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(folder)?;
    let above = fs::metadata(folder.parent().unwrap_or(Path::new("/")))?;
    own_as(folder, &above).map(drop)
}

/// Gives `path` the owner of `folder`, where this process is root; tells whether it is.
fn own_as(path: &Path, folder: &fs::Metadata) -> io::Result<bool> {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        chown(path, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(is_root)
}

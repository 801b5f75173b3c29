//! What a folder is called in the tar that it makes.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::archive::MemberPath;
use crate::limits::Limits;
use crate::package::PackageVersion;

/// Returns what stands in front of the paths of a folder: its own name, which may say which release it is; nothing where
/// the folder only holds the one that counts, as when an archive was unpacked into it.
pub(super) fn prefix_of(folder: &Path) -> io::Result<String> {
    let Some(name) = folder.file_name().and_then(OsStr::to_str) else {
        return Ok(String::new());
    };
    let is_safe = MemberPath::parse(name.as_bytes(), Limits::default().path_bytes).is_ok();
    let is_root = folder.join("packages").is_dir() || holds_versions(folder)?;
    Ok(if is_safe && is_root { name } else { "" }.to_owned())
}

/// Tells whether a folder holds `{version}` or `{name}/{version}`.
fn holds_versions(folder: &Path) -> io::Result<bool> {
    let has_version = |folder: &Path| -> io::Result<bool> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let is_version = entry.file_name().to_str().is_some_and(is_version);
            if is_version && entry.file_type()?.is_dir() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if has_version(folder)? {
        return Ok(true);
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // What cannot be looked into here is reported, with its path, by packing.
        if entry.file_type()?.is_dir() && has_version(&entry.path()).unwrap_or(false) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_version(name: &str) -> bool {
    PackageVersion::parse(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_as_the_leading_one_unless_it_only_holds_it() {
        for (inside, prefix) in [
            ("packages/nginx/1.5.0", "package-storage-8.5.0"),
            ("nginx/1.5.0", "package-storage-8.5.0"),
            ("1.5.0", "package-storage-8.5.0"),
            ("package-storage-7.9.0/packages/nginx/1.5.0", ""),
            ("docs", ""),
        ] {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("package-storage-8.5.0");
            std::fs::create_dir_all(folder.join(inside)).unwrap();
            assert_eq!(prefix_of(&folder).unwrap(), prefix, "{inside}");
        }
        assert_eq!(prefix_of(Path::new("/")).unwrap(), "");
    }
}

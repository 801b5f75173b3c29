//! Settings and where each comes from: flag, environment, default.

use std::path::PathBuf;

/// Returns the folder of the store: `flag`, else systemd's `STATE_DIRECTORY`, else the platform's data folder of the user.
///
/// `None` only where the user has no home.
pub fn data_folder(flag: Option<PathBuf>) -> Option<PathBuf> {
    flag.or_else(|| {
        std::env::var_os("STATE_DIRECTORY")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
    })
    .or_else(|| {
        Some(
            directories::ProjectDirs::from("", "", "airlock")?
                .data_dir()
                .to_owned(),
        )
    })
}

//! What a package-storage repository says of itself: its release or branch, the registry version it pins, how long
//! clients may keep its answers. What it does not say, or not well, is left unsaid.

use jiff::SignedDuration;

use super::layout;
use crate::distribution::{BranchKind, DistributionName};
use crate::store::branches::BranchSettings;

/// Bytes of each of the repository's own files that are looked at.
pub(super) const FILE_BYTES: u64 = 64 << 10;

/// Returns the branch or release that the leading folder of `root`, the folder of packages, names.
pub(super) fn target_of_root(root: &str) -> Option<(DistributionName, BranchKind)> {
    layout::leading_folder(root).and_then(target_of_folder)
}

/// Tells whether what an archive says of itself is what git writes there: the full id of a commit.
pub(super) fn is_commit_id(text: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    matches!(text.len(), 40 | 64) && text.bytes().all(is_hex)
}

/// Returns the branch or release that a leading folder like `package-storage-8.5.0` names.
fn target_of_folder(folder: &str) -> Option<(DistributionName, BranchKind)> {
    let name = folder.strip_prefix("package-storage-")?;
    match BranchKind::of_name(name) {
        BranchKind::Local => {
            let release = name.strip_prefix('v').unwrap_or(name);
            semver::Version::parse(release).ok()?;
            Some((DistributionName::parse(release).ok()?, BranchKind::Release))
        }
        kind => Some((DistributionName::parse(name).ok()?, kind)),
    }
}

/// Returns the registry version in a Dockerfile's `ARG PACKAGE_REGISTRY=v0.10.0`, without the `v`.
pub(super) fn registry_version(dockerfile: &str) -> Option<String> {
    let value = dockerfile
        .lines()
        .find_map(|line| line.trim().strip_prefix("ARG PACKAGE_REGISTRY="))?;
    let version = value.trim().trim_matches('"');
    let version = version.strip_prefix('v').unwrap_or(version);
    semver::Version::parse(version)
        .ok()
        .map(|version| version.to_string())
}

/// Writes the cache times of a `package-registry.yml` into `settings`.
///
/// The file is flat (`cache_time.search: 1m`), so it is read by the line; durations are Go's.
pub(super) fn read_cache_times(configuration: &str, settings: &mut BranchSettings) {
    for line in configuration.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let seconds = || {
            let duration: SignedDuration = value.trim().trim_matches('"').parse().ok()?;
            u32::try_from(duration.as_secs()).ok()
        };
        match key.trim_end() {
            "cache_time.search" => settings.search_cache_seconds = seconds(),
            "cache_time.categories" => settings.categories_cache_seconds = seconds(),
            "cache_time.catch_all" => settings.catch_all_cache_seconds = seconds(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_folder_names_a_release_or_a_branch() {
        let target = |folder| target_of_folder(folder).map(|(name, kind)| format!("{kind} {name}"));
        assert_eq!(target("package-storage-7.9.0").unwrap(), "release 7.9.0");
        assert_eq!(target("package-storage-v7.9.0").unwrap(), "release 7.9.0");
        assert_eq!(
            target("package-storage-production").unwrap(),
            "production production"
        );
        assert_eq!(
            target("package-storage-production-7.9").unwrap(),
            "production production-7.9"
        );
        assert_eq!(
            target("package-storage-snapshot").unwrap(),
            "snapshot snapshot"
        );
        for silent in [
            "package-storage",
            "package-storage-",
            "package-storage-c18366cb",
            "other-7.9.0",
            "",
        ] {
            assert_eq!(target(silent), None, "{silent}");
        }
    }

    #[test]
    fn only_a_full_commit_id_is_one() {
        let id = "c18366cb784f2cc3e1b36d59fb63478d6006ec16";
        assert!(is_commit_id(id));
        assert!(is_commit_id(&"0f".repeat(32)));
        for other in ["", "made by zip 3.0", &id[1..], &id.to_uppercase()] {
            assert!(!is_commit_id(other), "{other}");
        }
    }

    #[test]
    fn the_dockerfile_pins_the_registry_version() {
        let dockerfile =
            "# comment\nARG PACKAGE_REGISTRY=v0.10.0\nFROM registry:${PACKAGE_REGISTRY}\n";
        assert_eq!(registry_version(dockerfile).as_deref(), Some("0.10.0"));
        for silent in [
            "",
            "FROM scratch",
            "ARG PACKAGE_REGISTRY=main",
            "ARG PACKAGE_REGISTRY=",
        ] {
            assert_eq!(registry_version(silent), None, "{silent}");
        }
    }

    #[test]
    fn cache_times_are_read_in_seconds_and_what_is_no_duration_is_left_out() {
        let mut settings = BranchSettings::default();
        let file = "package_paths:\n  - /packages\n\ncache_time.search: 1m\ncache_time.categories: 1h30m\ncache_time.catch_all: soon\n";
        read_cache_times(file, &mut settings);
        let read = [
            settings.search_cache_seconds,
            settings.categories_cache_seconds,
            settings.catch_all_cache_seconds,
        ];
        assert_eq!(read, [Some(60), Some(5400), None]);
    }
}

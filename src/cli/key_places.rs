//! Where Elastic's key lies on machines that have its programs.

use std::path::{Path, PathBuf};

/// Kibana's own (its packages for deb, rpm and Docker install there), what people put beside their repositories for rpm
/// under either name, and what Elastic's instructions for apt make.
const PLACES: [&str; 4] = [
    "usr/share/kibana/node_modules/@kbn/fleet-plugin/target/keys/GPG-KEY-elasticsearch",
    "etc/pki/rpm-gpg/GPG-KEY-elasticsearch",
    "etc/pki/rpm-gpg/RPM-GPG-KEY-elasticsearch",
    "usr/share/keyrings/elasticsearch-keyring.gpg",
];

/// Returns the places, under `root`, in the order in which they are looked at.
pub(super) fn places(root: &Path) -> impl Iterator<Item = PathBuf> {
    PLACES.iter().map(move |place| root.join(place))
}

/// Returns the first place with a file.
pub(super) fn find(root: &Path) -> Option<PathBuf> {
    places(root).find(|place| place.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_with_a_file_is_taken() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find(root.path()), None);
        let all: Vec<_> = places(root.path()).collect();
        for place in all.iter().rev() {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, "key").unwrap();
            assert_eq!(find(root.path()).as_ref(), Some(place));
        }
        std::fs::remove_file(&all[0]).unwrap();
        std::fs::create_dir(&all[0]).unwrap();
        assert_eq!(find(root.path()).as_ref(), Some(&all[1]));
    }
}

//! Fingerprints: equal on two sites that serve the same.

use std::fmt;

use crate::crypto::Digest;
use crate::package::PackageId;

/// The first 12 hexadecimal digits of SHA-256 over what a distribution offers: for each package version, by name and
/// version, a line `{name} {version} {SHA-256 of the zip}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Returns the fingerprint of package versions and the digests of their zips, which come in any order.
    pub fn of<'a>(offered: impl IntoIterator<Item = (&'a PackageId, Digest)>) -> Self {
        let mut offered: Vec<_> = offered.into_iter().collect();
        offered.sort_by_key(|(package, _)| *package);
        let lines: String = offered
            .into_iter()
            .map(|(package, sha256)| format!("{} {} {sha256}\n", package.name, package.version))
            .collect();
        let mut digits = Digest::of(lines.as_bytes()).to_string();
        digits.truncate(12);
        Self(digits)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_arrival_makes_no_difference_and_everything_else_does() {
        let id = |version| PackageId::parse("buoy", version).unwrap();
        let (old, new) = (id("1.9.0"), id("1.10.0"));
        let [a, b] = ["a", "b"].map(|text| Digest::of(text.as_bytes()));
        let both = Fingerprint::of([(&old, a), (&new, b)]);
        assert_eq!(both, Fingerprint::of([(&new, b), (&old, a)]));
        for other in [
            Fingerprint::of([(&old, b), (&new, a)]),
            Fingerprint::of([(&old, a)]),
            Fingerprint::of([]),
        ] {
            assert_ne!(both, other);
        }
        // `printf 'buoy 1.9.0 ca97…48bb\nbuoy 1.10.0 3e23…f09d\n' | sha256sum`, written out by hand.
        let text = format!("buoy 1.9.0 {a}\nbuoy 1.10.0 {b}\n");
        let whole = Digest::of(text.as_bytes()).to_string();
        assert_eq!(both.to_string(), whole[..12]);
    }
}

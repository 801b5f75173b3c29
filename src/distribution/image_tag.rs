//! Where the content of a container image belongs, by the tag it was published under.
//!
//! Facts: the tags that the reference registry's build publishes its distribution under: a release of the Elastic Stack or
//! a branch, in front of it `lite-` where it holds the newest versions only, behind it `-ubi` or `-fips` for what else is in the image.

use super::{BranchKind, DistributionName};

/// What stands behind a tag for an image with another system or other cryptography, and the same packages.
const VARIANTS: [&str; 2] = ["-fips", "-ubi"];

/// Returns the branch or release that an image called `name` is; `None` where its tag says none: a commit, `latest`.
///
/// `name` is a whole name with a tag, or the tag alone.
pub fn target_of_image(name: &str) -> Option<(DistributionName, BranchKind)> {
    let name = name.split('@').next().unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    let mut tag = match last.split_once(':') {
        Some((_, tag)) => tag,
        None if last.len() == name.len() => name,
        None => return None,
    };
    while let Some(shorter) = VARIANTS.iter().find_map(|end| tag.strip_suffix(end)) {
        tag = shorter;
    }
    let kind = BranchKind::of_name(tag);
    if kind != BranchKind::Local || tag == "lite" {
        return Some((DistributionName::parse(tag).ok()?, kind));
    }
    let release = tag.strip_prefix('v').unwrap_or(tag);
    let name = DistributionName::parse(release).ok()?;
    // What stands behind a plus is the edition, which is airlock's own.
    let is_release = name.is_of_a_release() && !release.contains('+');
    is_release.then_some((name, BranchKind::Release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_says_where_the_content_belongs() {
        let table = [
            ("9.2.0", "release 9.2.0"),
            ("9.2.0-fips", "release 9.2.0"),
            ("9.2.0-ubi", "release 9.2.0"),
            ("9.2.0-ubi-fips", "release 9.2.0"),
            ("v9.2.0", "release 9.2.0"),
            ("9.2.0-rc1", "release 9.2.0-rc1"),
            ("lite-9.2.0", "release lite-9.2.0"),
            ("lite-9.2.0-ubi", "release lite-9.2.0"),
            ("production", "production production"),
            ("production-fips", "production production"),
            ("production-7.9", "production production-7.9"),
            ("staging", "staging staging"),
            ("snapshot", "snapshot snapshot"),
            ("experimental", "experimental experimental"),
            ("lite", "local lite"),
            (
                "docker.elastic.co/package-registry/distribution:9.2.0",
                "release 9.2.0",
            ),
            (
                "localhost:5000/distribution:lite-9.2.0",
                "release lite-9.2.0",
            ),
            (
                "distribution:9.2.0@sha256:2ab5f5a2a9bd2f4d1d6a5bdcd0b1d4c7",
                "release 9.2.0",
            ),
        ];
        for (name, expected) in table {
            let (target, kind) = target_of_image(name).unwrap();
            assert_eq!(format!("{kind} {target}"), expected, "{name}");
        }
    }

    #[test]
    fn a_commit_or_no_tag_says_nothing() {
        for name in [
            "",
            "latest",
            "c1836cb784f2cc3e1b36d59fb63478d6006ec16f",
            "docker.elastic.co/package-registry/distribution",
            "localhost:5000/distribution",
            "distribution:latest",
            "distribution:",
            "9.2",
            "9.2.0+2026-11-22",
            "9.2.0-SNAPSHOT",
            "default",
            "-fips",
        ] {
            assert_eq!(target_of_image(name), None, "{name}");
        }
    }
}

//! Which release a source may be, told by its file's name: a guess to be confirmed by a person, and never more.

use super::DistributionName;

/// Endings of versions that are no release, and of which the number alone would name another.
const NO_RELEASE: [&str; 4] = ["-snapshot", "-alpha", "-beta", "-rc"];

/// Returns the release in a name such as `distribution-9.2.0.tar`; `None` where there is no version, or more than one.
pub fn release_in_name(name: &str) -> Option<DistributionName> {
    let mut found: Option<DistributionName> = None;
    let name = name.to_ascii_lowercase();
    let mut from = 0;
    while let Some(start) = name.get(from..)?.find(|c: char| c.is_ascii_digit()) {
        let start = from + start;
        let (before, rest) = (name.get(..start)?, name.get(start..)?);
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        from = start + end;
        let numbers = rest.get(..end)?.trim_end_matches('.');
        let after = rest.get(numbers.len()..)?;
        let is_word = before.ends_with(|c: char| c.is_ascii_alphanumeric()) && !is_v(before);
        if is_word || semver::Version::parse(numbers).is_err() {
            continue;
        }
        if found.is_some() || NO_RELEASE.iter().any(|end| after.starts_with(end)) {
            return None;
        }
        let lite = if before.ends_with("lite-") {
            "lite-"
        } else {
            ""
        };
        found = DistributionName::parse(&format!("{lite}{numbers}")).ok();
    }
    found
}

/// Tells whether a `v` stands before the version, and nothing before that.
fn is_v(before: &str) -> bool {
    let rest = before.strip_suffix('v');
    rest.is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_the_name_is_proposed_and_nothing_is_made_up() {
        for (name, release) in [
            ("distribution-9.2.0.tar", Some("9.2.0")),
            ("distribution-9.2.0.tar.aa and 3 more", Some("9.2.0")),
            ("distribution_v9.2.0-ubi.tar.gz", Some("9.2.0")),
            ("lite-9.2.0.tar", Some("lite-9.2.0")),
            ("epr-lite-9.2.0-linux-amd64.tar", Some("lite-9.2.0")),
            ("9.2.0", Some("9.2.0")),
            ("Distribution-9.2.0.TAR", Some("9.2.0")),
            ("distribution-9.2.0-SNAPSHOT.tar", None),
            ("distribution-9.2.0-rc1.tar", None),
            ("from-9.1.0-to-9.2.0.tar", None),
            ("distribution-9.2.tar", None),
            ("packages-2026.11.22.1.tar", None),
            ("abc9.2.0.tar", None),
            ("image.tar", None),
            ("-", None),
            ("", None),
            ("größe-9.2.0.tar", Some("9.2.0")),
        ] {
            let found = release_in_name(name);
            assert_eq!(
                found.as_ref().map(DistributionName::as_str),
                release,
                "{name}"
            );
        }
    }
}

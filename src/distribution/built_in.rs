//! The distributions that come with package-storage's branches: each stage is laid under the ones behind it.

/// Which branches each built-in distribution serves, the winning one first.
const BUILT_IN: [(&str, &[&str]); 3] = [
    ("production", &["production"]),
    ("staging", &["production", "staging"]),
    ("snapshot", &["production", "staging", "snapshot"]),
];

/// Returns the built-in distributions by name, each with the branches that it serves, the winning one first.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    BUILT_IN.into_iter()
}

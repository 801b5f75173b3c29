//! Names that mean nothing, and what may have been meant.

use std::fmt;

/// How like the name a proposal has to be, of 1: `8.5` and `8.5.0`, `stagign` and `staging` are; `test` and `staging` are not.
const LIKE: f64 = 0.8;

/// A name that nothing has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    name: String,
    /// The name there is that is most like it.
    pub similar: Option<String>,
}

impl Missing {
    /// Returns `name`, which none of `names` is, with the one most like it.
    pub(super) fn among<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let likeness = |other: &'a str| (strsim::jaro_winkler(name, other), other);
        let alike = names.into_iter().map(likeness);
        let best = alike
            .filter(|(like, _)| *like >= LIKE)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        Self {
            name: name.to_owned(),
            similar: best.map(|(_, name)| name.to_owned()),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_most_like_a_name_is_proposed_and_nothing_that_is_not() {
        let names = ["7.9.0", "8.5.0", "production", "staging", "nginx"];
        for (typed, meant) in [
            ("8.5", Some("8.5.0")),
            ("8.5.1", Some("8.5.0")),
            ("prod", Some("production")),
            ("stagign", Some("staging")),
            ("ngnix", Some("nginx")),
            ("test", None),
            ("", None),
        ] {
            let missing = Missing::among(typed, names);
            assert_eq!(missing.similar.as_deref(), meant, "{typed}");
            assert_eq!(missing.to_string(), typed);
        }
        assert_eq!(Missing::among("prod", []).similar, None);
    }
}

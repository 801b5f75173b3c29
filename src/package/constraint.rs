//! Version constraints as packages state them: `^8.5.0`, `>=7.17 <9 || ~9.1`.
//!
//! Knows versions and nothing of packages. What a constraint means is decided by Masterminds/semver v3.5.0, which
//! packages are written against, including where it surprises; versions are compared by precedence only.

use std::cmp::Ordering;
use std::fmt;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::Limits;

mod text;

/// A version constraint: alternatives (`||`) of clauses that must all hold. Kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constraint {
    text: Box<str>,
    alternatives: Box<[Alternative]>,
}

/// Text that is no version constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConstraint {
    /// More bytes than [`Limits::constraint_bytes`].
    #[error("version constraint of {bytes} bytes, {max_bytes} allowed")]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// More clauses than [`Limits::constraint_clauses`].
    #[error("version constraint {text:?} has more than {max_clauses} clauses")]
    TooManyClauses {
        /// The constraint.
        text: String,
        /// Clauses allowed.
        max_clauses: usize,
    },
    /// Not of the form of a constraint.
    #[error("improper version constraint {0:?}")]
    Malformed(String),
}

impl Constraint {
    /// Returns the constraint that `text` is.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, InvalidConstraint> {
        if text.len() > limits.constraint_bytes {
            return Err(InvalidConstraint::TooLong {
                bytes: text.len(),
                max_bytes: limits.constraint_bytes,
            });
        }
        let mut clauses_left = limits.constraint_clauses;
        let mut alternatives = Vec::new();
        for alternative in text::with_ranges_spelled_out(text).split("||") {
            let clauses = text::parse_clauses(alternative, clauses_left.saturating_add(1))
                .ok_or_else(|| InvalidConstraint::Malformed(text.to_owned()))?;
            clauses_left = clauses_left.checked_sub(clauses.len()).ok_or_else(|| {
                InvalidConstraint::TooManyClauses {
                    text: text.to_owned(),
                    max_clauses: limits.constraint_clauses,
                }
            })?;
            alternatives.push(Alternative::new(clauses));
        }
        Ok(Self {
            text: text.into(),
            alternatives: alternatives.into(),
        })
    }

    /// Tells whether `version` satisfies the constraint. A prerelease needs an alternative that names a prerelease.
    pub fn admits(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|a| a.admits(version))
    }

    /// Returns the constraint as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Alternative {
    clauses: Box<[Clause]>,
    takes_prereleases: bool,
}

impl Alternative {
    fn new(clauses: Vec<Clause>) -> Self {
        Self {
            takes_prereleases: clauses.iter().any(|c| !c.bound.pre.is_empty()),
            clauses: clauses.into(),
        }
    }

    fn admits(&self, version: &Version) -> bool {
        (version.pre.is_empty() || self.takes_prereleases)
            && self.clauses.iter().all(|c| c.admits(version))
    }
}

/// One comparison. What `bound` leaves open (`8.x`, `8`) is zero in it and said by `precision`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Clause {
    operator: Operator,
    bound: Version,
    precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of a bound was written: `*`, `8` or `8.x`, `8.5` or `8.5.x`, `8.5.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Patch,
}

impl Clause {
    fn admits(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.bound);
        match self.operator {
            Operator::Equal if self.precision == Precision::Patch => order.is_eq(),
            Operator::Equal | Operator::Tilde => order.is_ge() && self.is_close(version),
            Operator::NotEqual => !self.covers(version, order),
            Operator::Greater => self.is_below(version, order),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => self.reaches(version, order),
            Operator::Caret => order.is_ge() && self.is_compatible(version),
        }
    }

    /// The upper end of `~`: the numbers written agree, of three only the first two. `~*` and `~0.0.0` have no end.
    fn is_close(&self, version: &Version) -> bool {
        let bound = &self.bound;
        match self.precision {
            Precision::Nothing => true,
            Precision::Patch if (bound.major, bound.minor, bound.patch) == (0, 0, 0) => true,
            Precision::Major => version.major == bound.major,
            _ => (version.major, version.minor) == (bound.major, bound.minor),
        }
    }

    /// The upper end of `^`: the first number that is not zero agrees, and all before it. `^*` is 0.0.0 alone.
    fn is_compatible(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if version.major != bound.major {
            return false;
        }
        if bound.major > 0 || self.precision == Precision::Major {
            return true;
        }
        if version.minor != bound.minor {
            return false;
        }
        bound.minor > 0 || self.precision == Precision::Minor || version.patch == bound.patch
    }

    /// What `!=` leaves out. With two numbers written a prerelease is left out only by its like: `!=8.5.x, >0-0` takes 8.5.0-rc.1.
    fn covers(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        match self.precision {
            Precision::Major => version.major == bound.major,
            Precision::Minor => {
                (version.major, version.minor, &version.pre)
                    == (bound.major, bound.minor, &bound.pre)
            }
            Precision::Nothing | Precision::Patch => order.is_eq(),
        }
    }

    /// `>`: of the numbers written; `>8` starts at 9, `>8.5` at 8.6.
    fn is_below(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        match self.precision {
            Precision::Major => version.major > bound.major,
            Precision::Minor => (version.major, version.minor) > (bound.major, bound.minor),
            Precision::Nothing | Precision::Patch => order.is_gt(),
        }
    }

    /// `<=`: of the numbers written; `<=8` takes all of 8, `<=8.5` all of 8.5, `<=*` all of 0.0.
    fn reaches(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        match self.precision {
            Precision::Major => version.major <= bound.major,
            Precision::Nothing | Precision::Minor => {
                (version.major, version.minor) <= (bound.major, bound.minor)
            }
            Precision::Patch => order.is_le(),
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Reads the text of a constraint within the default limits.
impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, &Limits::default()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraint(text: &str) -> Constraint {
        Constraint::parse(text, &Limits::default()).unwrap()
    }

    /// Checks the versions that each constraint admits and, after the bar, those that it does not.
    fn check(table: &[(&str, &str, &str)]) {
        for (text, admitted, refused) in table {
            for version in admitted.split_whitespace() {
                let admits = constraint(text).admits(&Version::parse(version).unwrap());
                assert!(admits, "{text} must admit {version}");
            }
            for version in refused.split_whitespace() {
                let admits = constraint(text).admits(&Version::parse(version).unwrap());
                assert!(!admits, "{text} must not admit {version}");
            }
        }
    }

    #[test]
    fn three_numbers_are_compared_by_precedence() {
        check(&[
            ("8.5.0", "8.5.0 8.5.0+b", "8.5.1 8.4.9 8.5.0-rc.1"),
            ("= v8.5.0+a", "8.5.0 8.5.0+b", "8.5.1"),
            ("!=8.5.0", "8.5.1 7.0.0", "8.5.0 8.5.0+b"),
            (">8.5.0", "8.5.1 8.6.0 9.0.0", "8.5.0 8.5.0+b 8.4.9"),
            (">=8.5.0", "8.5.0 8.5.1 9.0.0", "8.4.9"),
            ("=>8.5.0", "8.5.0 8.5.1 9.0.0", "8.4.9"),
            ("<8.5.0", "8.4.9 0.0.0", "8.5.0 8.5.0+b 8.5.1"),
            ("<=8.5.0", "8.5.0 8.4.9", "8.5.1"),
            ("=<8.5.0", "8.5.0 8.4.9", "8.5.1"),
        ]);
    }

    #[test]
    fn two_numbers_stand_for_all_that_start_with_them() {
        for form in ["8.5", "8.5.x", "8.5.X", "8.5.*", "v8.5"] {
            check(&[
                (form, "8.5.0 8.5.9", "8.4.9 8.6.0 9.5.0"),
                (&format!("!={form}"), "8.4.9 8.6.0 9.5.0", "8.5.0 8.5.9"),
                (&format!(">{form}"), "8.6.0 9.0.0", "8.5.0 8.5.9 8.4.0"),
                (&format!(">={form}"), "8.5.0 8.5.9 9.0.0", "8.4.9"),
                (&format!("<{form}"), "8.4.9", "8.5.0 8.5.9"),
                (
                    &format!("<={form}"),
                    "8.4.9 8.5.0 8.5.9 7.9.9",
                    "8.6.0 9.0.0",
                ),
            ]);
        }
    }

    #[test]
    fn one_number_stands_for_all_that_start_with_it() {
        for form in ["8", "8.x", "8.*.*", "8.x.3"] {
            check(&[
                (form, "8.0.0 8.9.9", "7.9.9 9.0.0"),
                (&format!("!={form}"), "7.9.9 9.0.0", "8.0.0 8.9.9"),
                (&format!(">{form}"), "9.0.0", "8.0.0 8.9.9 7.0.0"),
                (&format!(">={form}"), "8.0.0 9.0.0", "7.9.9"),
                (&format!("<{form}"), "7.9.9", "8.0.0 8.9.9"),
                (&format!("<={form}"), "7.9.9 8.0.0 8.9.9", "9.0.0"),
            ]);
        }
    }

    #[test]
    fn a_wildcard_alone_is_all_or_stands_for_zero() {
        check(&[
            ("*", "0.0.0 8.5.0", ""),
            ("x.5.1", "0.0.0 8.5.0", ""),
            ("~>*", "0.0.0 8.5.0", ""),
            (">=X", "0.0.0 8.5.0", ""),
            ("!=*", "0.0.1 8.5.0", "0.0.0"),
            (">*", "0.0.1 8.5.0", "0.0.0"),
            ("<=*", "0.0.0 0.0.9", "0.1.0 8.5.0"),
            ("^*", "0.0.0", "0.0.1 0.1.0 8.5.0"),
            ("<*", "", "0.0.0 8.5.0"),
        ]);
    }

    #[test]
    fn a_tilde_keeps_the_first_two_numbers() {
        check(&[
            ("~8.5.2", "8.5.2 8.5.9", "8.5.1 8.6.0 9.5.2"),
            ("~> 8.5.2", "8.5.2 8.5.9", "8.5.1 8.6.0 9.5.2"),
            ("~8.5", "8.5.0 8.5.9", "8.4.9 8.6.0"),
            ("~8", "8.0.0 8.9.9", "7.9.9 9.0.0"),
            ("~0.0.0", "0.0.0 0.7.0 8.5.0", ""),
            ("~0.0", "0.0.0 0.0.9", "0.1.0"),
            ("~0", "0.0.0 0.9.0", "1.0.0"),
        ]);
    }

    #[test]
    fn a_caret_keeps_the_first_number_that_is_not_zero() {
        check(&[
            ("^8.5.2", "8.5.2 8.9.0", "8.5.1 9.0.0 7.9.9"),
            ("^8", "8.0.0 8.9.9", "9.0.0"),
            ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.2.3"),
            ("^0.0.3", "0.0.3", "0.0.2 0.0.4 0.1.3 1.0.3"),
            ("^0.2", "0.2.0 0.2.9", "0.1.9 0.3.0"),
            ("^0.0", "0.0.0 0.0.9", "0.1.0 1.0.0"),
            ("^0", "0.0.0 0.9.9", "1.0.0"),
        ]);
    }

    #[test]
    fn a_prerelease_needs_an_alternative_that_names_one() {
        check(&[
            (">=8.0.0", "8.5.0", "8.5.0-SNAPSHOT"),
            ("*", "8.5.0", "8.5.0-SNAPSHOT"),
            ("!=7.0.0", "8.5.0", "8.5.0-SNAPSHOT"),
            (
                ">=8.0.0-0",
                "8.5.0 8.5.0-SNAPSHOT 8.0.0-rc.1",
                "7.9.9 7.9.9-rc.1",
            ),
            (">=8.0.0, !=1.0.0-a", "8.5.0 8.5.0-SNAPSHOT", "8.0.0-rc.1"),
            (">=8.0.0 || =7.0.0-a", "8.5.0 7.0.0-a", "8.5.0-SNAPSHOT"),
            ("8.5.0-rc.2", "8.5.0-rc.2", "8.5.0-rc.1 8.5.0 8.5.0-rc.10"),
            ("~8.5-b", "8.5.0-b 8.5.0-c 8.5.3 8.5.3-a", "8.5.0-a 8.6.0-c"),
            ("8-b", "8.0.0-b 8.5.0-a", "8.0.0-a 9.0.0-a"),
            ("^0.0.3-b", "0.0.3-b 0.0.3", "0.0.3-a 0.0.4"),
            ("!=8.5-b", "8.5.0 8.5.0-a", "8.5.0-b 8.5.9-b"),
            ("!=8.5, >0-0", "8.5.0-rc.1 8.6.0", "8.5.0"),
            ("*-b", "0.0.0-b 8.5.0-a 8.5.0", "0.0.0-a"),
        ]);
    }

    #[test]
    fn clauses_must_all_hold_and_one_alternative_is_enough() {
        for form in [
            ">=7.17.0 <8||>=8.5.0,<9",
            " >= 7.17.0 , < 8 || >= 8.5.0  <9 ",
            ">=7.17.0\t<8\n||\r\x0c>=8.5.0 ,<9",
        ] {
            check(&[(form, "7.17.0 7.99.0 8.5.0", "7.16.9 8.0.0 8.4.9 9.0.0")]);
        }
    }

    #[test]
    fn a_range_is_two_clauses() {
        check(&[
            ("7.17 - 8.5", "7.17.0 8.0.0 8.5.9", "7.16.9 8.6.0"),
            ("7.17.0 - 8.5.0", "7.17.0 8.5.0", "7.16.9 8.5.1"),
            ("7.0.0-a - 8-b", "7.0.0-a 7.0.0-b 8.0.0-a 8.9.0", "9.0.0"),
            ("6, 5 - 7", "6.1.0", "5.5.0 7.0.0"),
            ("5 - 6 || 8 - 9", "5.5.0 6.9.0 8.0.0", "7.0.0"),
            ("5 - 6 5.2 - 9", "5.2.0 6.9.0", "5.1.0 7.0.0"),
            // The range is rewritten as text: what follows it need not be parted from it, and a bar sticks to a number.
            ("5 - 8<7", "5.0.0 6.9.0", "7.0.0"),
            ("5||7 - 8", "5.0.0 6.0.0 7.5.0 9.0.0", "4.9.0"),
        ]);
        assert!(constraint("5||7 - 8").admits(&Version::new(9, 0, 0)));
    }

    #[test]
    fn text_that_is_no_constraint_is_refused_with_its_text() {
        for text in [
            "",
            " ",
            ",",
            "||",
            "8 ||",
            "|| 8",
            "8 | 9",
            "8 && 9",
            "latest",
            "8.",
            ".8",
            "^",
            ">=",
            ">= >=8",
            "==8",
            ">==8",
            "<>8",
            "!8",
            "8,,9",
            "8,",
            ",8",
            "8>7",
            "8.5.0.1",
            "8.5.0-",
            "8.5.0-01",
            "8.5.0-a..b",
            "8.5.0+",
            "88888888888888888888",
            "1x",
            "xx",
            "8.x1",
            "vv8",
            "8 -9",
            "8- 9",
            "8 - ",
            " - 8",
            "8 9 - 10",
            ">8 - 9",
            "8\u{b}9",
            "8\u{a0}9",
            "８",
            "8.5.0é",
            "é - 8",
            "8 - é",
        ] {
            let found = Constraint::parse(text, &Limits::default());
            assert_eq!(found, Err(InvalidConstraint::Malformed(text.to_owned())));
        }
    }

    #[test]
    fn size_and_clauses_are_bounded() {
        let limits = Limits {
            constraint_bytes: 12,
            constraint_clauses: 3,
            ..Limits::default()
        };
        assert!(Constraint::parse("1,2||3", &limits).is_ok());
        let error = |text| Constraint::parse(text, &limits).unwrap_err().to_string();
        assert_eq!(
            error("1,2||3,4"),
            "version constraint \"1,2||3,4\" has more than 3 clauses"
        );
        assert_eq!(
            error("1||2||3||4"),
            "version constraint \"1||2||3||4\" has more than 3 clauses"
        );
        assert_eq!(
            error("1.0.0 - 2.0.0"),
            "version constraint of 13 bytes, 12 allowed"
        );
        assert_eq!(error("1,2,"), "improper version constraint \"1,2,\"");
    }

    #[test]
    fn a_constraint_is_stored_as_its_text() {
        let json = serde_json::to_string(&constraint(" ^8.5.0 || 9.x")).unwrap();
        assert_eq!(json, "\" ^8.5.0 || 9.x\"");
        assert_eq!(
            serde_json::from_str::<Constraint>(&json).unwrap(),
            constraint(" ^8.5.0 || 9.x")
        );
        assert!(serde_json::from_str::<Constraint>("\"latest\"").is_err());
    }
}

//! What is known of the signature of a package, and what a branch makes of it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What becomes of packages without a good signature.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SignaturePolicy {
    /// They go to quarantine.
    Require,
    /// They are taken, and it is said what is wrong. A signature that cannot be read is not offered.
    #[default]
    Verify,
    /// They are taken, and signatures are offered as they came.
    Off,
}

/// A text that is none of `require`, `verify`, `off`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of require, verify, off")]
pub struct InvalidPolicy(String);

/// What is known of the signature of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum SignatureStatus {
    /// By a key of the keyring, over this zip.
    Good {
        /// The fingerprint of the key.
        key: String,
        /// When the key ends.
        until: Option<Timestamp>,
    },
    /// The same, but the key has expired since.
    ExpiredKey {
        /// The fingerprint of the key.
        key: String,
        /// When the key ended.
        until: Timestamp,
    },
    /// By no key of the keyring: nothing can be said.
    UnknownKey {
        /// The id of the key that it says made it.
        key: Option<String>,
    },
    /// It does not count.
    Wrong {
        /// Why.
        why: String,
    },
    /// There is something, and it is no signature.
    Unreadable,
    /// None came with the package.
    Absent,
}

/// How many packages have which status.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct SignatureCounts {
    /// Good ones.
    pub good: usize,
    /// Good ones by keys that have expired since.
    pub expired_key: usize,
    /// Those by keys that are not in the keyring.
    pub unknown_key: usize,
    /// Those that do not count.
    pub wrong: usize,
    /// Those that are no signatures.
    pub unreadable: usize,
    /// Packages without one.
    pub absent: usize,
}

impl SignaturePolicy {
    /// Returns why a branch with this policy does not take a package; `None` where it does.
    pub fn refusal(self, status: &SignatureStatus) -> Option<String> {
        match (self, status) {
            (Self::Verify | Self::Off, _) | (Self::Require, SignatureStatus::Good { .. }) => None,
            (Self::Require, status) => Some(status.to_string()),
        }
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Verify => "verify",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for SignaturePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignaturePolicy {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        [Self::Require, Self::Verify, Self::Off]
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or_else(|| InvalidPolicy(text.chars().take(100).collect()))
    }
}

impl SignatureStatus {
    /// Returns the status at the time `now`: keys expire, and nobody is told.
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Good {
                key,
                until: Some(until),
            } if until <= now => Self::ExpiredKey { key, until },
            status => status,
        }
    }

    /// Returns how much it is worth where a package came with several signatures.
    pub fn worth(&self) -> u8 {
        match self {
            Self::Good { .. } => 5,
            Self::ExpiredKey { .. } => 4,
            Self::UnknownKey { .. } => 3,
            Self::Wrong { .. } => 2,
            Self::Unreadable => 1,
            Self::Absent => 0,
        }
    }
}

impl fmt::Display for SignatureStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { key, .. } => write!(f, "its signature by {key} is good"),
            Self::ExpiredKey { key, until } => {
                write!(
                    f,
                    "its signature is by the key {key}, which expired on {until}"
                )
            }
            Self::UnknownKey { key: Some(key) } => {
                write!(
                    f,
                    "its signature is by the key {key}, which is not in the keyring"
                )
            }
            Self::UnknownKey { key: None } => {
                f.write_str("its signature is by no key in the keyring")
            }
            Self::Wrong { why } => f.write_str(why),
            Self::Unreadable => f.write_str("what came as its signature is no OpenPGP signature"),
            Self::Absent => f.write_str("it came without a signature"),
        }
    }
}

impl std::ops::AddAssign for SignatureCounts {
    fn add_assign(&mut self, more: Self) {
        self.good += more.good;
        self.expired_key += more.expired_key;
        self.unknown_key += more.unknown_key;
        self.wrong += more.wrong;
        self.unreadable += more.unreadable;
        self.absent += more.absent;
    }
}

impl SignatureCounts {
    /// Counts one.
    pub fn add(&mut self, status: &SignatureStatus) {
        let count = match status {
            SignatureStatus::Good { .. } => &mut self.good,
            SignatureStatus::ExpiredKey { .. } => &mut self.expired_key,
            SignatureStatus::UnknownKey { .. } => &mut self.unknown_key,
            SignatureStatus::Wrong { .. } => &mut self.wrong,
            SignatureStatus::Unreadable => &mut self.unreadable,
            SignatureStatus::Absent => &mut self.absent,
        };
        *count += 1;
    }

    /// Returns how many have which status, in words, those of which there is none left out; `absent` says that none came with a
    /// package.
    pub fn told(self, absent: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
        let told = [
            (self.good, "good"),
            (self.expired_key, "by an expired key"),
            (self.unknown_key, "by an unknown key"),
            (self.wrong, "wrong"),
            (self.unreadable, "unreadable"),
            (self.absent, absent),
        ];
        told.into_iter().filter(|(count, _)| *count > 0)
    }

    /// Tells whether nothing came with a signature.
    pub fn are_absent(&self) -> bool {
        let absent = self.absent;
        *self
            == Self {
                absent,
                ..Self::default()
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [SignatureStatus; 7] {
        let until = Timestamp::UNIX_EPOCH;
        let key = || "0F".repeat(20);
        [
            SignatureStatus::Good {
                key: key(),
                until: Some(until),
            },
            SignatureStatus::ExpiredKey { key: key(), until },
            SignatureStatus::UnknownKey {
                key: Some("D27D666CD88E42B4".into()),
            },
            SignatureStatus::UnknownKey { key: None },
            SignatureStatus::Wrong {
                why: "the signature is not over these bytes".into(),
            },
            SignatureStatus::Unreadable,
            SignatureStatus::Absent,
        ]
    }

    #[test]
    fn only_require_refuses_and_takes_good_signatures_alone() {
        for status in all() {
            assert_eq!(SignaturePolicy::Verify.refusal(&status), None);
            assert_eq!(SignaturePolicy::Off.refusal(&status), None);
            let is_good = matches!(status, SignatureStatus::Good { .. });
            assert_eq!(
                SignaturePolicy::Require.refusal(&status).is_none(),
                is_good,
                "{status}"
            );
        }
    }

    #[test]
    fn a_good_signature_is_worth_most_and_none_least() {
        let worths: Vec<_> = all().iter().map(SignatureStatus::worth).collect();
        assert_eq!(worths, [5, 4, 3, 3, 2, 1, 0]);
    }

    #[test]
    fn a_key_expires_without_a_word() {
        let [good, expired, ..] = all();
        assert_eq!(good.clone().at(Timestamp::UNIX_EPOCH), expired);
        assert_eq!(good.clone().at(Timestamp::MIN), good);
        assert_eq!(expired.clone().at(Timestamp::MAX), expired);
    }

    #[test]
    fn policies_are_three_words() {
        for policy in ["require", "verify", "off"] {
            assert_eq!(
                policy.parse::<SignaturePolicy>().unwrap().to_string(),
                policy
            );
        }
        assert!("Require".parse::<SignaturePolicy>().is_err());
        assert_eq!(SignaturePolicy::default(), SignaturePolicy::Verify);
    }
}

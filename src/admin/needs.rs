//! What needs the operator: facts of the appliance, each with what follows from it and where it is dealt with.
//!
//! Worst first. What is as it should be is not mentioned.

use jiff::Timestamp;

use super::status::{DiskState, StatusReport};
use super::wording::{ago, counted, lasting, size};
use crate::distribution::SignatureCounts;

/// Days before its end from which on a certificate is mentioned.
const CERTIFICATE_DAYS: i64 = 30;

/// One thing that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// How much it matters.
    pub weight: Weight,
    /// What is so.
    pub fact: String,
    /// What follows.
    pub consequence: String,
    /// What to do, for a button.
    pub action: &'static str,
    /// The page where it is done, below `/admin`.
    pub path: String,
}

/// How much a need matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A Kibana gets an error now, or soon.
    Bad,
    /// It can wait a day.
    Care,
}

impl Weight {
    /// Returns the name of its style and its drawing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Care => "care",
        }
    }
}

/// Returns what needs somebody, worst first. `signatures` counts those of what is served.
pub fn needs(status: &StatusReport, signatures: &SignatureCounts, now: Timestamp) -> Vec<Need> {
    let mut needs: Vec<_> = [disk(status), certificate(status, now)]
        .into_iter()
        .flatten()
        .collect();
    if signatures.wrong > 0 {
        needs.push(Need {
            weight: Weight::Bad,
            fact: format!(
                "{} served with a wrong signature.",
                counted(
                    signatures.wrong as u64,
                    "package version is",
                    "package versions are"
                )
            ),
            consequence: "Kibana shows it as unverified and asks before it installs it.".to_owned(),
            action: "See which",
            path: "/system/keys".to_owned(),
        });
    }
    if status.plans > 0 {
        needs.push(Need {
            weight: Weight::Care,
            fact: format!(
                "{} to be committed.",
                counted(status.plans as u64, "plan waits", "plans wait")
            ),
            consequence: "Nothing of it is offered until then.".to_owned(),
            action: "Look at it",
            path: "/changes".to_owned(),
        });
    }
    if status.quarantined > 0 {
        needs.push(Need {
            weight: Weight::Care,
            fact: format!(
                "{} in quarantine.",
                counted(status.quarantined as u64, "package is", "packages are")
            ),
            consequence: "All others of the same import are in.".to_owned(),
            action: "See why",
            path: "/transfer/quarantine".to_owned(),
        });
    }
    if signatures.unknown_key > 0 && signatures.good == 0 {
        needs.push(Need {
            weight: Weight::Care,
            fact: format!(
                "{} signed by a key that is not in the keyring.",
                counted(
                    signatures.unknown_key as u64,
                    "package version is",
                    "package versions are"
                )
            ),
            consequence: "Nobody here has checked who made them.".to_owned(),
            action: "Add the key",
            path: "/system/keys".to_owned(),
        });
    }
    needs.sort_by_key(|need| need.weight != Weight::Bad);
    needs
}

fn disk(status: &StatusReport) -> Option<Need> {
    let (fact, consequence) = match status.disk {
        DiskState::Enough => return None,
        DiskState::Full => (
            format!(
                "{} are free on the disk of the store.",
                size(status.free_bytes)
            ),
            "What is here is served; no import can be made, and changes may fail.",
        ),
        DiskState::ReadOnly => (
            "The disk of the store is read-only.".to_owned(),
            "What is here is served, and nothing can be changed.",
        ),
    };
    Some(Need {
        weight: Weight::Bad,
        fact,
        consequence: consequence.to_owned(),
        action: "See what takes room",
        path: "/system".to_owned(),
    })
}

fn certificate(status: &StatusReport, now: Timestamp) -> Option<Need> {
    let ends = status.service.as_ref()?.certificate_expires?;
    let seconds = ends.duration_since(now).as_secs();
    if seconds > CERTIFICATE_DAYS * 86_400 {
        return None;
    }
    let is_over = seconds <= 0;
    Some(Need {
        weight: if is_over { Weight::Bad } else { Weight::Care },
        fact: match is_over {
            true => format!("The certificate has expired {}.", ago(ends, now)),
            false => format!(
                "The certificate expires in {}.",
                lasting(seconds.unsigned_abs())
            ),
        },
        consequence: match is_over {
            true => "No Kibana connects.",
            false => "From then on no Kibana connects.",
        }
        .to_owned(),
        action: "Renew it",
        path: "/system/tls".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::status::ServiceReport;

    fn well() -> StatusReport {
        StatusReport {
            version: "0.1.0".to_owned(),
            service: None,
            data_dir: "/var/lib/airlock".to_owned(),
            store_bytes: 1,
            free_bytes: 1 << 40,
            disk: DiskState::Enough,
            distributions: Vec::new(),
            last_change: None,
            quarantined: 0,
            plans: 0,
        }
    }

    fn told(status: &StatusReport, signatures: &SignatureCounts) -> Vec<String> {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let needs = needs(status, signatures, now).into_iter();
        needs
            .map(|it| format!("{} {}", it.weight.as_str(), it.fact))
            .collect()
    }

    #[test]
    fn where_all_is_well_nothing_is_needed() {
        assert!(told(&well(), &SignatureCounts::default()).is_empty());
    }

    #[test]
    fn the_worst_comes_first_and_says_what_follows() {
        let status = StatusReport {
            quarantined: 1,
            plans: 2,
            disk: DiskState::ReadOnly,
            ..well()
        };
        let signatures = SignatureCounts {
            wrong: 1,
            good: 3,
            unknown_key: 9,
            ..SignatureCounts::default()
        };
        assert_eq!(
            told(&status, &signatures),
            [
                "bad The disk of the store is read-only.",
                "bad 1 package version is served with a wrong signature.",
                "care 2 plans wait to be committed.",
                "care 1 package is in quarantine.",
            ]
        );
    }

    #[test]
    fn a_certificate_is_mentioned_a_month_before_its_end_and_is_bad_after_it() {
        let ending = |at: &str| {
            let status = StatusReport {
                service: Some(ServiceReport {
                    since: Timestamp::UNIX_EPOCH,
                    process: 1,
                    addresses: Vec::new(),
                    kibanas: Vec::new(),
                    certificate_expires: Some(at.parse().unwrap()),
                }),
                ..well()
            };
            told(&status, &SignatureCounts::default())
        };
        assert!(ending("2026-12-23T12:00:00Z").is_empty());
        assert_eq!(
            ending("2026-12-02T12:00:00Z"),
            ["care The certificate expires in 10 days."]
        );
        assert_eq!(
            ending("2026-11-22T09:00:00Z"),
            ["bad The certificate has expired 3 hours ago."]
        );
    }
}

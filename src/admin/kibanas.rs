//! Which Kibanas asked lately: in memory, gone with the server.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Kibanas that are told apart; beyond them who was silent for longest is forgotten. Anybody may call himself one.
const MOST: usize = 256;
/// Bytes of what a failed request asked for that are kept, of each Kibana.
const MOST_TARGET_BYTES: usize = 512;

/// The Kibanas that asked, each by its version and address.
#[derive(Debug, Default)]
pub struct Kibanas(Mutex<Vec<KibanaSeen>>);

/// A Kibana that asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KibanaSeen {
    /// Its version, as it says.
    pub version: String,
    /// Where it asked from; `None` where the connection does not tell.
    pub address: Option<IpAddr>,
    /// When it asked last.
    pub last_seen: Timestamp,
    /// Its last request that was answered with an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<FailedRequest>,
}

/// A request that was answered with an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FailedRequest {
    /// What was asked for: path and query, as far as they are kept.
    pub target: String,
    /// The status of the answer, 400 or more.
    pub status: u16,
    /// When.
    pub at: Timestamp,
}

impl Kibanas {
    /// Notes that a Kibana asked for `target` now, and was answered with `status`.
    pub fn note(&self, version: &str, address: Option<IpAddr>, target: &str, status: u16) {
        let now = Timestamp::now();
        let failure = (status >= 400).then(|| FailedRequest {
            target: target[..target.floor_char_boundary(MOST_TARGET_BYTES)].to_owned(),
            status,
            at: now,
        });
        let mut seen = self.seen();
        let known = seen
            .iter_mut()
            .find(|it| it.address == address && it.version == version);
        if let Some(known) = known {
            known.last_seen = now;
            known.last_failure = failure.or(known.last_failure.take());
            return;
        }
        if seen.len() == MOST
            && let Some((longest, _)) = (seen.iter().enumerate()).min_by_key(|(_, it)| it.last_seen)
        {
            seen.swap_remove(longest);
        }
        seen.push(KibanaSeen {
            version: version.to_owned(),
            address,
            last_seen: now,
            last_failure: failure,
        });
    }

    /// Returns those that asked, the last one first.
    pub fn list(&self) -> Vec<KibanaSeen> {
        let mut seen = self.seen().clone();
        seen.sort_by_key(|it| std::cmp::Reverse(it.last_seen));
        seen
    }

    fn seen(&self) -> MutexGuard<'_, Vec<KibanaSeen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kibana_is_told_once_and_only_so_many() {
        let kibanas = Kibanas::default();
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        let note = |version: &str, address| kibanas.note(version, address, "/search", 200);
        note("8.5.0", here);
        note("9.2.0", here);
        note("8.5.0", None);
        note("8.5.0", here);
        let shown = |it: &KibanaSeen| (it.version.clone(), it.address);
        let mut told: Vec<_> = kibanas.list().iter().map(shown).collect();
        told.sort();
        let expected = [("8.5.0", None), ("8.5.0", here), ("9.2.0", here)];
        assert_eq!(told, expected.map(|(version, at)| (version.to_owned(), at)));

        for number in 0..1000 {
            note(&format!("8.5.{number}"), None);
        }
        assert_eq!(kibanas.list().len(), MOST);
        assert!(kibanas.list().iter().any(|it| it.version == "8.5.999"));
    }

    #[test]
    fn the_last_request_that_failed_stays_until_another_one_does() {
        let kibanas = Kibanas::default();
        let failed = || {
            let seen = kibanas.list().remove(0);
            seen.last_failure.map(|it| (it.status, it.target))
        };
        kibanas.note("9.2.0", None, "/search", 304);
        assert_eq!(failed(), None);
        kibanas.note("9.2.0", None, "/package/nginx/9.9.9/", 404);
        kibanas.note("9.2.0", None, "/search", 200);
        let expected = (404, "/package/nginx/9.9.9/".to_owned());
        assert_eq!(failed(), Some(expected));
        kibanas.note("9.2.0", None, &"é".repeat(1_000), 400);
        assert!(failed().is_some_and(|(status, target)| status == 400 && target.len() == 512));
    }
}

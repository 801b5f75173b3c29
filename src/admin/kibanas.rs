//! Which Kibanas asked lately: in memory, gone with the server.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Kibanas that are told apart; beyond them who was silent for longest is forgotten. Anybody may call himself one.
const MOST: usize = 256;

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
}

impl Kibanas {
    /// Notes that a Kibana asks now.
    pub fn note(&self, version: &str, address: Option<IpAddr>) {
        let now = Timestamp::now();
        let mut seen = self.seen();
        let known = seen
            .iter_mut()
            .find(|it| it.address == address && it.version == version);
        if let Some(known) = known {
            known.last_seen = now;
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
        kibanas.note("8.5.0", here);
        kibanas.note("9.2.0", here);
        kibanas.note("8.5.0", None);
        kibanas.note("8.5.0", here);
        let shown = |it: &KibanaSeen| (it.version.clone(), it.address);
        let mut told: Vec<_> = kibanas.list().iter().map(shown).collect();
        told.sort();
        let expected = [("8.5.0", None), ("8.5.0", here), ("9.2.0", here)];
        assert_eq!(told, expected.map(|(version, at)| (version.to_owned(), at)));

        for number in 0..1000 {
            kibanas.note(&format!("8.5.{number}"), None);
        }
        assert_eq!(kibanas.list().len(), MOST);
        assert!(kibanas.list().iter().any(|it| it.version == "8.5.999"));
    }
}

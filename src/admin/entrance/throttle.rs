//! How many log-ins are looked at: one at a time, few waiting, and few that failed from one address.
//!
//! The hash of a password is slow on purpose. So a flood of log-ins costs one core and no more memory than
//! one does; it keeps others waiting for less than a second, and whoever sends it from few addresses is soon not looked at.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Log-ins that wait for their turn; a second's work.
const MOST_WAITING: usize = 32;

/// Failed log-ins from one address within [`WINDOW`] after which no more are looked at: beyond what people in one office, behind
/// one address, mistype.
const MOST_FAILED: u32 = 20;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 4_096;

/// How long those wait who find too many waiting.
const CROWDED_SECONDS: u64 = 1;

/// What is known of log-ins of late.
#[derive(Debug)]
pub(super) struct Throttle {
    failed: Mutex<HashMap<Place, Failed>>,
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// Whom log-ins are counted for; of IPv6 a network, since whoever has one has all its addresses.
type Place = Option<IpAddr>;

#[derive(Debug, Clone, Copy)]
struct Failed {
    since: Timestamp,
    times: u32,
}

/// A turn to have a password looked at; others wait until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// Seconds after which it may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(pub u64);

impl Default for Throttle {
    fn default() -> Self {
        Self {
            failed: Mutex::default(),
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Throttle {
    /// Counts a log-in from `client` as one that failed, until [`Self::forgive`] says that it did not; fails where too many did.
    pub(super) fn count(&self, client: Option<IpAddr>, now: Timestamp) -> Result<(), Wait> {
        let place = place(client);
        let mut failed = self.failed.lock();
        let begun = Failed {
            since: now,
            times: 0,
        };
        let is_over = |it: &Failed| now.duration_since(it.since) >= WINDOW || it.since > now;
        let mut counted = match failed.get(&place) {
            Some(it) if !is_over(it) => *it,
            _ => begun,
        };
        if counted.times >= MOST_FAILED {
            let left = WINDOW - now.duration_since(counted.since);
            return Err(Wait(left.as_secs().unsigned_abs().max(1)));
        }
        counted.times += 1;
        if failed.len() >= MOST_ADDRESSES && !failed.contains_key(&place) {
            failed.retain(|_, it| !is_over(it));
            let oldest = failed.iter().min_by_key(|(_, it)| it.since);
            let oldest = oldest.map(|(place, _)| *place);
            if let Some(oldest) = oldest.filter(|_| failed.len() >= MOST_ADDRESSES) {
                failed.remove(&oldest);
            }
        }
        failed.insert(place, counted);
        Ok(())
    }

    /// Takes one back that was counted: it did not fail.
    pub(super) fn forgive(&self, client: Option<IpAddr>) {
        if let Some(counted) = self.failed.lock().get_mut(&place(client)) {
            counted.times = counted.times.saturating_sub(1);
        }
    }

    /// Waits for a turn; fails where too many wait.
    pub(super) async fn turn(&self) -> Result<Turn, Wait> {
        let crowded = Wait(CROWDED_SECONDS);
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| crowded)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        Ok(Turn {
            _place: place,
            _turn: turn.map_err(|_| crowded)?,
        })
    }
}

fn place(client: Option<IpAddr>) -> Place {
    client.map(|address| match address.to_canonical() {
        IpAddr::V6(six) => {
            let network = u128::from(six) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        four => four,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_that_failed_often_waits_until_its_time_is_over_and_no_other_does() {
        let throttle = Throttle::default();
        let client = address("192.0.2.1");
        for _ in 0..MOST_FAILED {
            throttle.count(client, at(0)).unwrap();
        }
        assert_eq!(throttle.count(client, at(0)), Err(Wait(600)));
        assert_eq!(
            throttle.count(address("::ffff:192.0.2.1"), at(9)),
            Err(Wait(60))
        );
        assert_eq!(throttle.count(address("192.0.2.2"), at(0)), Ok(()));
        assert_eq!(throttle.count(None, at(0)), Ok(()));
        assert_eq!(throttle.count(client, at(10)), Ok(()));
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let throttle = Throttle::default();
        for last in 0..MOST_FAILED {
            let client = address(&format!("2001:db8:0:1::{last:x}"));
            throttle.count(client, at(0)).unwrap();
        }
        assert!(
            throttle
                .count(address("2001:db8:0:1:ffff::1"), at(0))
                .is_err()
        );
        assert!(throttle.count(address("2001:db8:0:2::1"), at(0)).is_ok());
    }

    #[test]
    fn log_ins_that_did_not_fail_count_for_nothing() {
        let throttle = Throttle::default();
        let client = address("192.0.2.1");
        for _ in 0..5 * MOST_FAILED {
            throttle.count(client, at(0)).unwrap();
            throttle.forgive(client);
        }
    }

    #[test]
    fn no_more_addresses_are_remembered_than_may_be() {
        let throttle = Throttle::default();
        for number in 0..MOST_ADDRESSES as u32 + 100 {
            let client = Some(IpAddr::from(number.to_be_bytes()));
            throttle.count(client, at(0)).unwrap();
        }
        assert_eq!(throttle.failed.lock().len(), MOST_ADDRESSES);
    }

    #[tokio::test]
    async fn one_has_its_turn_few_wait_and_the_rest_come_again() {
        let throttle = Throttle::default();
        let first = throttle.turn().await.unwrap();
        let mut waiting: Vec<_> = (1..MOST_WAITING)
            .map(|_| Box::pin(throttle.turn()))
            .collect();
        for turn in &mut waiting {
            assert!(futures_util::poll!(turn).is_pending());
        }
        assert!(throttle.turn().await.is_err());
        drop(first);
        let turn = futures_util::poll!(&mut waiting[0]);
        assert!(matches!(turn, std::task::Poll::Ready(Ok(_))));
        assert!(futures_util::poll!(&mut waiting[1]).is_pending());
    }
}

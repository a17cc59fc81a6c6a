//! Slows down whoever sends wrong tokens, by address.
//!
//! A right token is never slowed: it cannot be guessed, and somebody who sends wrong ones from the same address, behind
//! a proxy for example, must not lock the others out. What is slowed is the noise: log lines, and hashes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong tokens from an address before it is slowed.
const FREE: u32 = 5;
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// After this long without one the wrong ones of an address are forgotten.
const FORGET: Duration = Duration::from_secs(600);
/// Addresses that are known at a time.
const ADDRESSES: usize = 4096;

/// See the module. Times are those of one monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Tries {
    known: HashMap<IpAddr, Entry>,
    failed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Duration,
    /// Until when wrong tokens are not even counted.
    until: Duration,
}

impl Tries {
    /// Somebody has sent a wrong token. Returns how long the address has to wait, when it has to.
    pub(super) fn failed(&mut self, now: Duration, from: IpAddr) -> Option<Duration> {
        self.failed += 1;
        let from = network_of(from);
        if self.known.len() >= ADDRESSES && !self.known.contains_key(&from) {
            self.forget(now);
        }
        let entry = self.known.entry(from).or_insert(Entry {
            failures: 0,
            last: now,
            until: Duration::ZERO,
        });
        if now.saturating_sub(entry.last) > FORGET {
            entry.failures = 0;
        }
        entry.last = now;
        if now < entry.until {
            return Some(entry.until - now);
        }
        entry.failures = entry.failures.saturating_add(1);
        let over = entry.failures.saturating_sub(FREE);
        if over == 0 {
            return None;
        }
        let pause = Duration::from_secs(1 << (over - 1).min(6)).min(LONGEST);
        entry.until = now + pause;
        Some(pause)
    }

    /// How many wrong tokens there were in all.
    pub(super) const fn count(&self) -> u64 {
        self.failed
    }

    fn forget(&mut self, now: Duration) {
        self.known
            .retain(|_, entry| now.saturating_sub(entry.last) <= FORGET);
        if self.known.len() >= ADDRESSES {
            // A flood from everywhere: who was heard longest ago starts anew.
            let oldest = self.known.iter().min_by_key(|(_, entry)| entry.last);
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.known.remove(&address);
            }
        }
    }
}

/// A home has a whole /64 of IPv6 addresses.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(network.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_pause_grows_up_to_a_minute_and_is_of_the_address() {
        let mut tries = Tries::default();
        let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..FREE {
            assert_eq!(tries.failed(at(0), a), None);
        }
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let pause = tries.failed(now, a).unwrap();
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(tries.failed(now, b), None);
        assert_eq!(tries.count(), 14);
    }

    #[test]
    fn within_a_pause_it_does_not_grow_and_after_a_while_all_is_forgotten() {
        let mut tries = Tries::default();
        let a = "10.0.0.1".parse().unwrap();
        for _ in 0..=FREE {
            tries.failed(at(10), a);
        }
        assert_eq!(tries.failed(at(10), a), Some(at(1)));
        assert_eq!(tries.failed(at(10), a), Some(at(1)));
        assert_eq!(tries.failed(at(11), a), Some(at(2)));
        assert_eq!(tries.failed(at(11 + 601), a), None);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_room_than_allowed() {
        let mut tries = Tries::default();
        for number in 0..(ADDRESSES as u32 + 100) {
            let address = IpAddr::V4((0x0a00_0000 + number).into());
            tries.failed(at(u64::from(number)), address);
        }
        assert!(tries.known.len() <= ADDRESSES, "{}", tries.known.len());
        let (one, other) = ("2001:db8::1", "2001:db8::ffff:2");
        assert_eq!(
            network_of(one.parse().unwrap()),
            network_of(other.parse().unwrap())
        );
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(network_of(mapped), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}

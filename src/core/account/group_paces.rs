//! How often the service takes messages to one group, so that an account waits before it is refused.

use crate::policy::Pace;
use std::collections::BTreeMap;
use std::time::Duration;

/// Groups whose pace is remembered. With more, groups that have long been silent are forgotten.
const MAX_GROUPS: usize = 4096;

/// How quick each group is written to, by all accounts of a process together: the service counts what
/// all members say.
#[derive(Debug, Default)]
pub struct GroupPaces(BTreeMap<Box<str>, Pace>);

impl GroupPaces {
    /// How long a message to this group has to wait for its turn, first come, first served, at the
    /// monotonic time `now`.
    pub fn reserve(&mut self, now: Duration, group: &str) -> Duration {
        let paces = &mut self.0;
        if let Some(pace) = paces.get_mut(group) {
            return pace.reserve(now);
        }
        if paces.len() >= MAX_GROUPS {
            paces.retain(|_, pace| pace.is_busy(now));
        }
        let (rate, burst) = GROUP_MESSAGES;
        let pace = paces.entry(group.into());
        pace.or_insert(Pace::new(rate, burst)).reserve(now)
    }
}

/// Messages to one group, all its members together: so many a second, and so many at once. The burst is
/// ours: the others need room too.
const GROUP_MESSAGES: (f64, u32) = (40.0, 10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_one_pace_whoever_writes_to_it() {
        let mut paces = GroupPaces::default();
        let waits: Vec<Duration> = (0..24)
            .map(|_| paces.reserve(Duration::ZERO, "g"))
            .collect();
        assert!(waits[..10].iter().all(Duration::is_zero));
        assert_eq!(waits[23], Duration::from_millis(25 * 14));
        assert_eq!(paces.reserve(Duration::ZERO, "another"), Duration::ZERO);
        for n in 0..MAX_GROUPS {
            paces.reserve(Duration::from_secs(9), &n.to_string());
        }
        assert!(paces.0.len() <= MAX_GROUPS, "{}", paces.0.len());
    }
}

//! Sends that succeeded lately: a repeat gets the first answer and is not delivered again.
//!
//! See "Identity and de-duplication" in docs/src/protocol.md.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::Dedupe;

/// A send, as far as a repeat of it has to be recognised.
pub(crate) trait Repeatable {
    /// For how many seconds a repeat is recognised.
    const WINDOW: u64;
    /// The most sends that are remembered.
    const LIMIT: usize;

    /// A hash of what a repeat has in common with the send.
    fn mix(&self) -> u64;

    /// Returns true if `other` is a repeat, whenever it comes.
    fn is_like(&self, other: &Self) -> bool;

    /// When the send was accepted, in Unix seconds of the sandbox.
    fn time(&self) -> u64;
}

/// The sends within the window, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Recent<T> {
    sends: VecDeque<T>,
    /// The number of each send by its hash. The sends are numbered in their order.
    numbers: HashMap<u64, u64, FixedState>,
    /// The number of the oldest send.
    first: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            sends: VecDeque::new(),
            numbers: HashMap::default(),
            first: 0,
        }
    }
}

impl<T: Repeatable> Recent<T> {
    /// The send that `sent` repeats, by the rule `dedupe` at the second `now`.
    pub(crate) fn find(&self, dedupe: Dedupe, now: u64, sent: &T) -> Option<&T> {
        if dedupe == Dedupe::None {
            return None;
        }
        let number = self.numbers.get(&sent.mix())?;
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let first = self.sends.get(at).filter(|first| first.is_like(sent))?;
        (dedupe == Dedupe::Forever || is_within::<T>(first, now)).then_some(first)
    }

    /// Adds a send, and forgets those whose time is over. Returns how many others were forgotten for
    /// want of room.
    pub(crate) fn add(&mut self, dedupe: Dedupe, now: u64, sent: T) -> u64 {
        let number = self
            .first
            .wrapping_add(u64::try_from(self.sends.len()).unwrap_or(u64::MAX));
        self.numbers.insert(sent.mix(), number);
        self.sends.push_back(sent);
        if dedupe != Dedupe::Forever {
            while self
                .sends
                .front()
                .is_some_and(|oldest| !is_within::<T>(oldest, now))
            {
                self.forget_oldest();
            }
        }
        let mut surplus = 0;
        while self.sends.len() > T::LIMIT {
            self.forget_oldest();
            surplus += 1;
        }
        surplus
    }

    /// Forgets all sends.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.sends.pop_front() {
            let mix = oldest.mix();
            // A later send with the same hash has taken the place.
            if self.numbers.get(&mix) == Some(&self.first) {
                self.numbers.remove(&mix);
            }
            self.first = self.first.wrapping_add(1);
        }
    }
}

fn is_within<T: Repeatable>(sent: &T, now: u64) -> bool {
    now < sent.time().saturating_add(T::WINDOW)
}

impl<T: Serialize> Serialize for Recent<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sends.serialize(serializer)
    }
}

impl<'de, T: Repeatable + Deserialize<'de>> Deserialize<'de> for Recent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sends = VecDeque::<T>::deserialize(deserializer)?;
        let numbers = sends
            .iter()
            .zip(0..)
            .map(|(sent, number)| (sent.mix(), number));
        Ok(Self {
            numbers: numbers.collect(),
            sends,
            first: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Sent(u64, u64);

    impl Repeatable for Sent {
        const WINDOW: u64 = 10;
        const LIMIT: usize = 100;

        fn mix(&self) -> u64 {
            // Two sends of three share a hash with another one.
            self.0 / 3
        }

        fn is_like(&self, other: &Self) -> bool {
            self.0 == other.0
        }

        fn time(&self) -> u64 {
            self.1
        }
    }

    #[test]
    fn sends_are_forgotten_after_the_window_and_at_the_limit() {
        let mut recent = Recent::default();
        for time in 0..50 {
            assert_eq!(
                recent.add(Dedupe::Documented, time, Sent(time * 3, time)),
                0
            );
            assert!(recent.sends.len() <= 10 && recent.numbers.len() <= 10);
        }
        for (number, time, is_found) in [
            (49, 49, true),
            (40, 49, true),
            (39, 49, false),
            (40, 50, false),
        ] {
            for dedupe in [Dedupe::Documented, Dedupe::None] {
                let found = recent.find(dedupe, time, &Sent(number * 3, time));
                let expected = is_found && dedupe == Dedupe::Documented;
                assert_eq!(found.is_some(), expected, "{dedupe:?} {number} at {time}");
            }
        }
        // A different send with the same hash is not a repeat.
        assert_eq!(
            recent.find(Dedupe::Documented, 49, &Sent(49 * 3 + 1, 49)),
            None
        );
        let mut forgotten = 0;
        for number in 50..250 {
            forgotten += recent.add(Dedupe::Forever, 49, Sent(number * 3, 49));
        }
        assert_eq!((recent.sends.len(), forgotten), (100, 110));
        let late = |number: u64| recent.find(Dedupe::Forever, 1 << 40, &Sent(number * 3, 0));
        assert!(late(249).is_some() && late(150).is_some() && late(149).is_none());
        let text = serde_json::to_string(&recent).unwrap();
        let read: Recent<Sent> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read.find(Dedupe::Documented, 49, &Sent(600, 0)),
            Some(&Sent(600, 49))
        );
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut recent = Recent::default();
        recent.add(Dedupe::Documented, 1000, Sent(3, 1000));
        recent.add(Dedupe::Documented, 5, Sent(6, 5));
        assert!(recent.find(Dedupe::Documented, 5, &Sent(3, 5)).is_some());
        recent.add(Dedupe::Documented, u64::MAX - 1, Sent(9, u64::MAX - 1));
        assert_eq!(recent.sends.len(), 1);
    }
}

//! Statistics of login turns: the rate, and the fairness of the order.

use super::audit::Window;
use std::collections::HashSet;
use std::time::Duration;

/// The difference between two orders of the same accounts, as fractions of their number. It is 0
/// for equal orders; a random order has a mean of 1/3 and a worst value close to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// The largest displacement of an account.
    pub worst: f64,
    /// The mean displacement of the accounts.
    pub mean: f64,
}

impl Shift {
    /// `keys` are in the first order, and their values sort them into the second order.
    fn of(keys: impl Iterator<Item = u64>) -> Self {
        let mut order: Vec<(u64, usize)> = keys.zip(0..).collect();
        order.sort_unstable();
        let count = order.len().max(1) as f64;
        let moves = order
            .iter()
            .enumerate()
            .map(|(rank, (_, place))| rank.abs_diff(*place) as f64 / count);
        Self {
            worst: moves.clone().fold(0.0, f64::max),
            mean: moves.sum::<f64>() / count,
        }
    }
}

/// Statistics of the accounts' recovery after a server outage.
#[derive(Clone, Debug, PartialEq)]
pub struct Comeback {
    /// The number of accounts that wanted to be online when the server returned.
    pub accounts: usize,
    /// The time from the server's return until the last account was online.
    pub took: Duration,
    /// The time from the server's return until the last account requested the turn with which it
    /// succeeded. Until then the account waited for its back-off, so no login rate could have
    /// accelerated it.
    pub last_asked: Duration,
    /// The longest time from such a request until the account was online, including the wait for
    /// the turn, the connection and the login.
    pub longest_wait: Duration,
    /// The order of requesting a turn, compared with the order of being online.
    pub from_asking: Shift,
    /// The order of losing the connection, compared with the order of being online. The back-off is
    /// random so that accounts do not return all at once, and changes this order.
    pub from_loss: Shift,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    lost: u64,
    asked: u64,
    asked_at: Duration,
}

/// Accounts that are recovering.
#[derive(Debug)]
struct Return {
    since: Duration,
    away: HashSet<usize>,
    back: Vec<(Mark, Duration)>,
}

/// The statistics of login turns.
#[derive(Debug)]
pub(super) struct Turns {
    granted: Vec<Window>,
    marks: Vec<Mark>,
    number: u64,
    running: Option<Return>,
}

impl Turns {
    pub(super) fn new(accounts: usize, copies: usize) -> Self {
        Self {
            granted: (0..copies).map(|_| Window::default()).collect(),
            marks: vec![Mark::default(); accounts],
            number: 0,
            running: None,
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Records that an account requests a turn.
    pub(super) fn asked(&mut self, node: usize, at: Duration) {
        let number = self.next();
        self.marks[node].asked = number;
        self.marks[node].asked_at = at;
    }

    /// Records that an account is no longer online.
    pub(super) fn lost(&mut self, node: usize) {
        self.marks[node].lost = self.next();
    }

    /// Records a turn that the governor of a copy grants. Returns the number of turns within the
    /// last second.
    pub(super) fn granted(&mut self, copy: usize, at: Duration) -> usize {
        self.granted[copy].add(at)
    }

    /// Starts to watch the recovery of the accounts `away`.
    pub(super) fn start(&mut self, since: Duration, away: HashSet<usize>) {
        let back = Vec::with_capacity(away.len());
        self.running = Some(Return { since, away, back });
    }

    /// Records that an account is online. Returns the statistics if it was the last one.
    pub(super) fn returned(&mut self, node: usize, at: Duration) -> Option<Comeback> {
        let running = self.running.as_mut()?;
        if running.away.remove(&node) {
            running.back.push((self.marks[node], at));
        }
        if !running.away.is_empty() {
            return None;
        }
        let Return { since, back, .. } = self.running.take()?;
        let marks = || back.iter().map(|(mark, _)| mark);
        let asked = marks().map(|mark| mark.asked_at).max()?;
        let waits = back.iter().map(|(mark, at)| *at - mark.asked_at);
        Some(Comeback {
            accounts: back.len(),
            took: at - since,
            last_asked: asked.saturating_sub(since),
            longest_wait: waits.max()?,
            from_asking: Shift::of(marks().map(|mark| mark.asked)),
            from_loss: Shift::of(marks().map(|mark| mark.lost)),
        })
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_says_how_far_orders_differ() {
        assert_eq!(Shift::of([3, 7, 9, 12].into_iter()), Shift::default());
        let swapped = Shift::of([7, 3, 9, 12].into_iter());
        assert_eq!((swapped.worst, swapped.mean), (0.25, 0.125));
        let moved = Shift::of([9, 1, 2, 3].into_iter());
        assert_eq!((moved.worst, moved.mean), (0.75, 0.375));
        assert_eq!(Shift::of(std::iter::empty()), Shift::default());
    }
}

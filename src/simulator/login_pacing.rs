//! Turns to log in: how many in a second, and whether who asked first is back first.

use super::audit::Window;
use std::collections::HashSet;
use std::time::Duration;

/// How far two orders of the same accounts differ, as parts of their number: 0 is the same order,
/// and a random order has a mean of 1/3 and a worst close to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// By how many places the account that moved farthest moved.
    pub worst: f64,
    /// By how many places accounts moved on average.
    pub mean: f64,
}

impl Shift {
    /// `keys`, in the order of one, say by their size the place in the other.
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

/// How accounts came back after the server was away.
#[derive(Clone, Debug, PartialEq)]
pub struct Comeback {
    /// How many there were: all that wanted to be online when the server was there again.
    pub accounts: usize,
    /// From the server's return until the last of them was online.
    pub took: Duration,
    /// From the server's return until the last of them asked for the turn that brought it back.
    /// Until then it sat out its back-off, and no rate could have helped it.
    pub last_asked: Duration,
    /// The longest any of them then waited: for its turn, the link and the login.
    pub longest_wait: Duration,
    /// The order of asking for a turn against the order of being online.
    pub from_asking: Shift,
    /// The order of loss against the order of being online. The back-off, which is there so that
    /// they do not come back as one, mixes it.
    pub from_loss: Shift,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    lost: u64,
    asked: u64,
    asked_at: Duration,
}

/// Accounts on their way back.
#[derive(Debug)]
struct Return {
    since: Duration,
    away: HashSet<usize>,
    back: Vec<(Mark, Duration)>,
}

/// The books on turns.
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

    /// An account asks for a turn.
    pub(super) fn asked(&mut self, node: usize, at: Duration) {
        let number = self.next();
        self.marks[node].asked = number;
        self.marks[node].asked_at = at;
    }

    /// An account is no longer online.
    pub(super) fn lost(&mut self, node: usize) {
        self.marks[node].lost = self.next();
    }

    /// A copy's governor lets somebody go; how many it let go within a second.
    pub(super) fn granted(&mut self, copy: usize, at: Duration) -> usize {
        self.granted[copy].add(at)
    }

    /// `away` are to come back from now on.
    pub(super) fn start(&mut self, since: Duration, away: HashSet<usize>) {
        let back = Vec::with_capacity(away.len());
        self.running = Some(Return { since, away, back });
    }

    /// An account is online; says how all came back when it was the last.
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

//! Detects two programs that answer each other without end.
//!
//! If a conversation is busy for half a minute without a pause, it may be many people or a loop. The guard
//! tells them apart by staying silent for a moment: in a loop no message comes then. After a loop the bot
//! pauses in that conversation for a minute, and longer each time. No message is lost: they wait.

use std::time::Duration;

/// A second with this many handled messages counts as busy.
const QUICK: u32 = 5;
/// How many busy seconds in a row make the guard look for a loop.
const QUICK_SECONDS: u32 = 30;
/// How long the bot is silent to find out, and how long after its begin messages start to count.
const PROBE: Duration = Duration::from_secs(3);
const SETTLE: Duration = Duration::from_secs(1);
/// This many messages during the silence mean that it is no loop.
const ALIVE: u32 = 2;
/// How long a conversation that proved to be no loop is not examined again.
const TRUST: Duration = Duration::from_secs(600);
/// The first pause and the longest one.
const PAUSE: Duration = Duration::from_secs(60);
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// One conversation of one bot.
#[derive(Debug, Default)]
pub(super) struct LoopGuard {
    /// The current second, and the number of messages handled in it.
    second: u64,
    handled: u32,
    /// The number of busy seconds in a row before it.
    quick: u32,
    probe: Option<Probe>,
    pauses: u32,
    not_before: Duration,
}

#[derive(Debug)]
struct Probe {
    began: Duration,
    came: u32,
}

/// The result of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No loop: messages came although the bot did not answer.
    Flood,
    /// A loop: pause for this long.
    Loop(Duration),
}

impl LoopGuard {
    /// A message is about to be handled. `Some` when the bot should first be silent for this long.
    pub(super) fn handles(&mut self, now: Duration) -> Option<Duration> {
        if now < self.not_before {
            return None;
        }
        let second = now.as_secs();
        if second != self.second {
            let was_quick = self.handled >= QUICK && second == self.second + 1;
            self.quick = if was_quick { self.quick + 1 } else { 0 };
            self.second = second;
            self.handled = 0;
        }
        self.handled = self.handled.saturating_add(1);
        if self.quick < QUICK_SECONDS {
            return None;
        }
        self.quick = 0;
        self.probe = Some(Probe {
            began: now,
            came: 0,
        });
        Some(PROBE)
    }

    /// A message came.
    pub(super) fn came(&mut self, now: Duration) {
        if let Some(probe) = &mut self.probe
            && now >= probe.began + SETTLE
        {
            probe.came += 1;
        }
    }

    /// The silence has ended.
    pub(super) fn silence_over(&mut self, now: Duration) -> Option<Found> {
        let probe = self.probe.take()?;
        if probe.came >= ALIVE {
            self.not_before = now + TRUST;
            return Some(Found::Flood);
        }
        let pause = PAUSE.saturating_mul(1 << self.pauses.min(6)).min(MAX_PAUSE);
        self.pauses = self.pauses.saturating_add(1);
        self.not_before = now + pause;
        Some(Found::Loop(pause))
    }

    /// Whether the guard holds nothing that would matter later.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.probe.is_none()
            && now >= self.not_before
            && now.as_secs() > self.second + 1
            && (self.pauses == 0 || now >= self.not_before + MAX_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two programs that answer each other at once: how many messages are handled within `limit`.
    fn run_loop(limit: Duration) -> u32 {
        let (mut guard, mut now, mut handled) = (LoopGuard::default(), Duration::ZERO, 0);
        while now < limit {
            if let Some(silence) = guard.handles(now) {
                now += silence;
                match guard.silence_over(now) {
                    Some(Found::Loop(pause)) => now += pause,
                    other => panic!("{other:?}"),
                }
            }
            handled += 1;
            now += Duration::from_millis(50);
            guard.came(now);
        }
        handled
    }

    #[test]
    fn a_loop_dies_down() {
        let hour = run_loop(Duration::from_secs(3600));
        assert!(hour < 6_000, "{hour} messages instead of 72,000");
    }

    #[test]
    fn a_flood_is_no_loop_and_is_not_looked_at_again_soon() {
        let mut guard = LoopGuard::default();
        let (mut now, mut silences) = (Duration::ZERO, 0);
        while now < Duration::from_secs(500) {
            guard.came(now);
            if let Some(silence) = guard.handles(now) {
                silences += 1;
                let end = now + silence;
                while now < end {
                    now += Duration::from_millis(100);
                    guard.came(now);
                }
                assert_eq!(guard.silence_over(now), Some(Found::Flood));
            }
            now += Duration::from_millis(100);
        }
        assert_eq!(silences, 1);
    }

    #[test]
    fn people_and_bursts_are_left_alone() {
        let mut guard = LoopGuard::default();
        for millis in (0..3_600_000).step_by(400) {
            let now = Duration::from_millis(millis);
            guard.came(now);
            assert_eq!(guard.handles(now), None);
        }
        for burst in 0..20 {
            for n in 0..500 {
                let now = Duration::from_millis(burst * 60_000 + n * 10);
                assert_eq!(guard.handles(now + Duration::from_secs(4_000)), None);
            }
        }
    }

    #[test]
    fn what_is_long_over_is_forgotten() {
        let mut guard = LoopGuard::default();
        guard.handles(Duration::from_secs(5));
        assert!(!guard.is_idle(Duration::from_secs(6)));
        assert!(guard.is_idle(Duration::from_secs(7)));
    }
}

//! Tells of what is lost for want of room: at once, and then what has come together, once a second at most.

use std::time::Duration;

/// Between two tellings.
const PAUSE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Drops(Option<Box<Untold>>);

#[derive(Debug)]
struct Untold {
    count: u64,
    /// When the next may be told.
    at: Duration,
}

impl Drops {
    /// Something was lost. Returns how much is to be told now.
    pub(super) fn note(&mut self, now: Duration) -> Option<u64> {
        let untold = self.0.get_or_insert_with(|| {
            Box::new(Untold {
                count: 0,
                at: Duration::ZERO,
            })
        });
        untold.count += 1;
        self.tell(now)
    }

    /// Returns how much is to be told now.
    pub(super) fn tell(&mut self, now: Duration) -> Option<u64> {
        let untold = self.0.as_mut().filter(|untold| now >= untold.at)?;
        let count = std::mem::take(&mut untold.count);
        if count == 0 {
            self.0 = None;
            return None;
        }
        untold.at = now + PAUSE;
        Some(count)
    }

    /// When to call [`tell`](Self::tell).
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.as_ref().map(|untold| untold.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_a_second_and_to_the_last() {
        let mut drops = Drops::default();
        let at = |ms: u64| Duration::from_millis(10_000 + ms);
        let rows = [
            (0, true, Some(1)),
            (10, true, None),
            (900, true, None),
            (999, false, None),
            (1_000, false, Some(2)),
            (1_500, true, None),
            (2_100, true, Some(2)),
            (3_100, false, None),
            (3_200, true, Some(1)),
        ];
        for (ms, lost, told) in rows {
            let found = if lost {
                drops.note(at(ms))
            } else {
                drops.tell(at(ms))
            };
            assert_eq!(found, told, "at {ms}");
        }
        assert_eq!(drops.poll_timeout(), Some(at(4_200)));
        assert_eq!(drops.tell(at(4_200)), None);
        assert_eq!(drops.poll_timeout(), None, "nothing is kept of it");
    }
}

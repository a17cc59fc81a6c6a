//! The progress of a large fleet's start: a bar on a terminal, log lines elsewhere.

use super::output::{self, Bar};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// How often the bar is drawn.
const BAR: Duration = Duration::from_millis(200);
/// How often there is a line where there is no terminal.
const LINES: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    /// The login rate, in accounts per second.
    rate: u32,
    bar: bool,
}

impl Progress {
    /// For `total` accounts, of which `rate` a second may log in.
    pub(super) fn new(total: usize, rate: u32) -> Self {
        let bar = io::stderr().is_terminal();
        if bar {
            output::bar(Bar::Start(total as u64));
        }
        Self { total, rate, bar }
    }

    /// How often to call [`show`](Self::show).
    pub(super) const fn every(&self) -> Duration {
        if self.bar { BAR } else { LINES }
    }

    /// `settled` accounts are online or will not come online by themselves; `online` of them are online.
    pub(super) fn show(&self, online: usize, settled: usize) {
        let left = estimate(self.total.saturating_sub(settled), self.rate);
        if self.bar {
            output::bar(Bar::Show(
                settled as u64,
                format!("{online} online, {left}"),
            ));
        } else {
            tracing::info!("{online} of {} online, {left}", self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.bar {
            output::bar(Bar::Clear);
        }
    }
}

/// The remaining time at the login rate of the governor.
fn estimate(left: usize, rate: u32) -> String {
    let seconds = (left as f64 / f64::from(rate.max(1))).ceil();
    format!("about {seconds} s to go at best")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_what_the_governor_allows() {
        assert_eq!(estimate(1000, 200), "about 5 s to go at best");
        assert_eq!(estimate(1, 200), "about 1 s to go at best");
        assert_eq!(estimate(7, 0), "about 7 s to go at best");
    }
}

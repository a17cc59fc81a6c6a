//! How far a large fleet has come at its start: a bar on a terminal, lines elsewhere.
//!
//! Everything else that writes to the terminal meanwhile does so through [`beside`], or the bar would
//! be torn.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the bar is drawn.
const BAR: Duration = Duration::from_millis(200);
/// How often there is a line where there is no terminal.
const LINES: Duration = Duration::from_secs(2);

/// The bar on the terminal, while there is one.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes something to the terminal without tearing the bar.
pub(super) fn beside<R>(write: impl FnOnce() -> R) -> R {
    let bar = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Standard error for logs: every piece is written beside the bar.
#[derive(Debug)]
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        beside(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    /// Accounts a second that may log in.
    rate: u32,
    bar: bool,
}

impl Progress {
    /// For `total` accounts, of which `rate` a second may log in.
    pub(super) fn new(total: usize, rate: u32) -> Self {
        let bar = io::stderr().is_terminal();
        if bar {
            let drawn =
                ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            // A template that is checked by a test.
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                drawn.set_style(style.progress_chars("━━ "));
            }
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(drawn);
        }
        Self { total, rate, bar }
    }

    /// How often to call [`show`](Self::show).
    pub(super) const fn every(&self) -> Duration {
        if self.bar { BAR } else { LINES }
    }

    /// `settled` accounts are online or will not come by themselves, `online` of them online.
    pub(super) fn show(&self, online: usize, settled: usize) {
        let left = estimate(self.total.saturating_sub(settled), self.rate);
        let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &*shown {
            bar.set_position(settled as u64);
            bar.set_message(format!("{online} online, {left}"));
            bar.tick();
        } else {
            // Without standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "{online} of {} online, {left}", self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

const TEMPLATE: &str = "{bar:40} {pos}/{len}  {msg}";

/// What is left, at the rate that the governor allows.
fn estimate(left: usize, rate: u32) -> String {
    let seconds = (left as f64 / f64::from(rate.max(1))).ceil();
    format!("about {seconds} s to go")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_what_the_governor_allows() {
        assert_eq!(estimate(1000, 200), "about 5 s to go");
        assert_eq!(estimate(1, 200), "about 1 s to go");
        assert_eq!(estimate(7, 0), "about 7 s to go");
    }

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}

//! The one timer of an account.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Wakes a task at the earliest time it was armed for. Deadlines move later with every packet: a timer that
/// rings too early finds nothing to do and is armed again, which costs less than moving it each time.
#[derive(Debug, Default)]
pub(super) struct Timer {
    /// When it rings, monotonic.
    at: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Whether it has rung. It does not ring again unless it is armed.
    pub(super) fn take_rung(&mut self, now: Duration) -> bool {
        let rung = self.at.is_some_and(|at| at <= now);
        if rung {
            self.at = None;
        }
        rung
    }

    /// Wakes the task of `cx` at `at`, unless it rings earlier than that anyway.
    pub(super) fn arm(&mut self, cx: &mut Context<'_>, now: Duration, at: Duration) {
        if self.at.is_some_and(|armed| armed <= at) {
            return;
        }
        self.at = Some(at);
        let until = Instant::now() + at.saturating_sub(now);
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().reset(until);
                sleep
            }
            None => self.sleep.insert(Box::pin(sleep_until(until))),
        };
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

//! Which account a thread is working for at present, so that the account responsible for a hung thread is known.

use super::system_thread::SystemThread;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

thread_local! {
    static SHOWN: RefCell<Arc<Shown>> = RefCell::default();
}

/// The watchdog marker of a thread: which account it works for, seen from other threads.
#[derive(Clone, Debug, Default)]
pub struct Workplace(Arc<Shown>);

#[derive(Debug, Default)]
struct Shown {
    /// The account and 1; zero for none.
    child: AtomicU64,
    /// Since when a handler of a bot runs there, in microseconds and 1; zero for none.
    handling: AtomicU64,
    thread: SystemThread,
}

impl Workplace {
    /// Makes this the marker of the current thread.
    pub fn install(&self) {
        self.0.thread.note();
        SHOWN.with(|shown| *shown.borrow_mut() = self.0.clone());
    }

    /// The account that the thread works for; `None` if there is none.
    #[must_use]
    pub fn child(&self) -> Option<u64> {
        self.0.child.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Since when a handler of a bot holds the thread, monotonic; `None` if none does.
    #[must_use]
    pub fn handling_since(&self) -> Option<Duration> {
        let since = self.0.handling.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_micros(since))
    }

    /// The thread was given up: it must not take time from those that took its place.
    pub fn give_way(&self) {
        self.0.thread.give_way();
    }
}

/// While it lives, a handler of a bot runs on the current thread.
#[derive(Debug)]
pub struct Handling(());

impl Drop for Handling {
    fn drop(&mut self) {
        let _ = SHOWN.try_with(|shown| shown.borrow().handling.store(0, Ordering::Relaxed));
    }
}

/// While it lives, the current thread works for one account. Values may nest.
#[derive(Debug)]
pub struct Running {
    before: u64,
}

impl Running {
    /// The current thread begins to work for `child`.
    #[must_use]
    pub fn enter(child: u64) -> Self {
        let before = SHOWN.with(|shown| {
            shown
                .borrow()
                .child
                .swap(child.wrapping_add(1), Ordering::Relaxed)
        });
        Self { before }
    }

    /// A handler of a bot begins to run on the current thread at this monotonic time.
    #[must_use]
    pub fn handling(since: Duration) -> Handling {
        let since = u64::try_from(since.as_micros()).unwrap_or(u64::MAX - 1);
        SHOWN.with(|shown| shown.borrow().handling.store(since + 1, Ordering::Relaxed));
        Handling(())
    }

    /// Polls a future as work for `child`.
    pub async fn during<F: Future>(child: u64, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _running = Self::enter(child);
            future.as_mut().poll(cx)
        })
        .await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A thread that is ending has nothing to show any more.
        let _ = SHOWN.try_with(|shown| shown.borrow().child.store(self.before, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_shows_whom_it_works_for_and_only_as_long() {
        let place = Workplace::default();
        place.install();
        assert_eq!(place.child(), None);
        let outer = Running::enter(7);
        assert_eq!(place.child(), Some(7));
        {
            let _inner = Running::enter(0);
            assert_eq!(place.child(), Some(0));
        }
        assert_eq!(place.child(), Some(7));
        drop(outer);
        assert_eq!(place.child(), None);
    }
}

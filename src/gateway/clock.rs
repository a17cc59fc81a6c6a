//! The one clock of the crate.

use crate::policy::Now;
use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks. Everything below this layer gets the time from here, as an argument.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "this is the place that reads them"
)]
pub fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    Now {
        mono: START.get_or_init(Instant::now).elapsed(),
        unix: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    }
}

thread_local! {
    /// Something waits for the time of a movable clock, in the poll that is under way.
    static NAPS: Cell<bool> = const { Cell::new(false) };
}

/// A clock that tests can put forward. Cheap to clone; copies are of the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Movable>>);

#[derive(Debug, Default)]
struct Movable(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ahead: Duration,
    next: u64,
    /// Who waits for which time.
    naps: BTreeMap<(Duration, u64), Waker>,
    /// Those of [`Clock::watch`] that wait for the time and were not woken since.
    asleep: HashSet<u64>,
    /// Those that were watched before it have died.
    generation: u64,
    /// Told when one more is asleep.
    told: Option<Waker>,
}

impl Movable {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// A clock that [`advance`](Self::advance) puts forward.
    #[must_use]
    pub fn movable() -> Self {
        Self(Some(Arc::default()))
    }

    /// Puts the clock forward; one that is not movable stays as it is.
    pub fn advance(&self, time: Duration) {
        let Some(movable) = &self.0 else {
            return;
        };
        movable.lock().ahead += time;
        let now = self.now().mono;
        loop {
            let mut state = movable.lock();
            let Some(first) = state.naps.first_entry().filter(|nap| nap.key().0 <= now) else {
                return;
            };
            let waker = first.remove();
            drop(state);
            waker.wake();
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let mut now = now();
        if let Some(movable) = &self.0 {
            let ahead = movable.lock().ahead;
            now.mono += ahead;
            now.unix += ahead;
        }
        now
    }

    /// Waits until the clock has been put forward by so much; `None` for a clock that goes by itself.
    pub(crate) fn nap(&self, time: Duration) -> Option<Nap> {
        let movable = self.0.as_ref()?;
        let until = self.now().mono + time;
        let mut state = movable.lock();
        state.next += 1;
        Some(Nap {
            key: (until, state.next),
            clock: self.clone(),
            is_light: false,
        })
    }

    /// Notices when a future waits for the time of this clock, if it is movable.
    pub(crate) fn watch<F: Future + Send>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + Send {
        let watched = self.0.clone().map(|movable| {
            let mut state = movable.lock();
            state.next += 1;
            let (number, generation) = (state.next, state.generation);
            drop(state);
            Watch {
                movable,
                number,
                generation,
            }
        });
        async move {
            let mut future = std::pin::pin!(future);
            std::future::poll_fn(move |cx| match &watched {
                Some(watch) => watch.poll(future.as_mut(), cx),
                None => future.as_mut().poll(cx),
            })
            .await
        }
    }

    /// When the next of those is due that wait, monotonic.
    pub(crate) fn next_nap(&self) -> Option<Duration> {
        let state = self.0.as_ref()?.lock();
        state.naps.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many watched futures wait for nothing but the time.
    pub(crate) fn asleep(&self) -> usize {
        let movable = self.0.as_ref();
        movable.map_or(0, |movable| movable.lock().asleep.len())
    }

    /// Wakes this one whenever a watched future falls asleep.
    pub(crate) fn tell(&self, waker: Waker) {
        if let Some(movable) = &self.0 {
            movable.lock().told = Some(waker);
        }
    }

    /// Nobody who waits now is ever woken.
    pub(crate) fn forget_naps(&self) {
        let Some(movable) = &self.0 else {
            return;
        };
        let mut state = movable.lock();
        state.generation += 1;
        state.asleep.clear();
        let naps = std::mem::take(&mut state.naps);
        // What is dropped with them may look at the clock.
        drop(state);
        drop(naps);
    }
}

/// See [`Clock::nap`].
#[derive(Debug)]
pub(crate) struct Nap {
    key: (Duration, u64),
    clock: Clock,
    is_light: bool,
}

impl Nap {
    /// Who waits for something else meanwhile is awake.
    pub(crate) const fn light(mut self) -> Self {
        self.is_light = true;
        self
    }
}

impl Future for Nap {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now().mono >= self.key.0 {
            return Poll::Ready(());
        }
        if let Some(movable) = &self.clock.0 {
            let before = movable.lock().naps.insert(self.key, cx.waker().clone());
            drop(before);
            NAPS.set(NAPS.get() || !self.is_light);
        }
        Poll::Pending
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        if let Some(movable) = &self.clock.0 {
            let waker = movable.lock().naps.remove(&self.key);
            drop(waker);
        }
    }
}

/// A future that is watched.
struct Watch {
    movable: Arc<Movable>,
    number: u64,
    generation: u64,
}

impl Watch {
    fn poll<F: Future>(&self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.movable.lock().asleep.remove(&self.number);
        let woken = Arc::new(Woken {
            movable: self.movable.clone(),
            number: self.number,
            is_awake: Mutex::new(false),
            waker: cx.waker().clone(),
        });
        NAPS.set(false);
        let waker = Waker::from(woken.clone());
        let polled = future.poll(&mut Context::from_waker(&waker));
        if polled.is_pending() && NAPS.take() {
            let is_awake = woken
                .is_awake
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let mut state = self.movable.lock();
            if !*is_awake && state.generation == self.generation {
                state.asleep.insert(self.number);
                let told = state.told.clone();
                drop((state, is_awake));
                if let Some(told) = told {
                    told.wake();
                }
            }
        }
        polled
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.movable.lock().asleep.remove(&self.number);
    }
}

struct Woken {
    movable: Arc<Movable>,
    number: u64,
    is_awake: Mutex<bool>,
    waker: Waker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let mut is_awake = self.is_awake.lock().unwrap_or_else(PoisonError::into_inner);
        *is_awake = true;
        self.movable.lock().asleep.remove(&self.number);
        drop(is_awake);
        self.waker.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_waits_for_the_time_is_asleep_until_it_has_come() {
        let clock = Clock::movable();
        assert!(Clock::default().nap(Duration::ZERO).is_none());
        let nap = clock.nap(Duration::from_secs(3600)).unwrap();
        let mut waits = Box::pin(clock.watch(nap));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(clock.asleep(), 1);
        clock.advance(Duration::from_secs(3000));
        assert_eq!(clock.asleep(), 1);
        clock.advance(Duration::from_secs(600));
        assert_eq!((clock.asleep(), clock.next_nap()), (0, None));
        assert!(waits.now_or_never().is_some());
        // Who waits for something else is not.
        let mut waits = Box::pin(clock.watch(std::future::pending::<()>()));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(clock.asleep(), 0);
        let nap = clock.nap(Duration::from_secs(3600)).unwrap().light();
        let mut waits = Box::pin(clock.watch(nap));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(clock.asleep(), 0);
        clock.advance(Duration::from_secs(3600));
        assert!(waits.now_or_never().is_some());
        let nap = clock.nap(Duration::from_secs(3600)).unwrap();
        let mut waits = Box::pin(clock.watch(nap));
        assert!(waits.as_mut().now_or_never().is_none());
        clock.forget_naps();
        assert_eq!((clock.asleep(), clock.next_nap()), (0, None));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(clock.asleep(), 0, "its process has died");
    }
}

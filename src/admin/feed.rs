//! Every change of every account, for those who follow.
//!
//! The last changes are kept in a ring. A reader has a place in it; one that is so slow that the ring has gone past its
//! place is told how many changes it missed, and goes on with the oldest that is there. Nobody waits for a reader.

use super::types::{Account, Change};
use crate::account::Changed;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Changes that are kept; a whole fleet of some thousands that goes offline at once.
const KEPT: usize = 8192;
/// Changes that a reader takes at a time.
const BATCH: usize = 256;

/// See the module. Cheap to clone; copies are of the same feed.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

/// A change as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) user: Arc<str>,
    pub(super) seq: u64,
    /// As JSON, of [`Change`].
    pub(super) json: Bytes,
}

/// The last changes.
#[derive(Debug)]
struct Ring {
    kept: VecDeque<Told>,
    most: usize,
    /// The number of the newest.
    newest: u64,
    missed: u64,
}

impl Ring {
    const fn new(most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            most,
            newest: 0,
            missed: 0,
        }
    }

    fn push(&mut self, told: Told) {
        self.newest = told.seq;
        if self.kept.len() >= self.most {
            self.kept.pop_front();
        }
        self.kept.push_back(told);
    }

    /// What came after `place`, at most `most` of it, and how much of what came after it is gone.
    fn after(&mut self, place: u64, most: usize) -> (u64, Vec<Told>) {
        let oldest = self.kept.front().map_or(self.newest + 1, |told| told.seq);
        let missed = oldest.saturating_sub(place.saturating_add(1));
        self.missed += missed;
        let skip = usize::try_from((place + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let told = self.kept.iter().skip(skip).take(most);
        (missed, told.cloned().collect())
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self(Arc::new(Shared {
            ring: Mutex::new(Ring::new(KEPT)),
            newest: watch::Sender::new(0),
        }))
    }
}

impl Feed {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics while holding it.
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody of a change.
    pub fn tell(&self, changed: &Changed) {
        let user: Arc<str> = changed.status.account.as_str().into();
        let mut change = Change {
            seq: 0,
            account: Account::new(&changed.status),
            went_online: changed.online,
        };
        let mut ring = self.ring();
        let seq = ring.newest + 1;
        change.seq = seq;
        let json = serde_json::to_vec(&change).unwrap_or_default().into();
        ring.push(Told { user, seq, json });
        drop(ring);
        self.0.newest.send_replace(seq);
    }

    /// The number of the newest change.
    pub(super) fn newest(&self) -> u64 {
        self.ring().newest
    }

    /// How many changes readers have missed in all.
    pub(super) fn missed(&self) -> u64 {
        self.ring().missed
    }

    /// How many follow.
    pub(super) fn followers(&self) -> usize {
        self.0.newest.receiver_count()
    }

    /// Follows from behind the change of this number on.
    pub(super) fn follow(&self, after: u64) -> Follower {
        Follower {
            feed: self.clone(),
            newest: self.0.newest.subscribe(),
            place: after.min(self.newest()),
        }
    }
}

/// A place in the feed.
#[derive(Debug)]
pub(super) struct Follower {
    feed: Feed,
    newest: watch::Receiver<u64>,
    place: u64,
}

impl Follower {
    /// Waits for changes. Returns how many were missed, and some that were not.
    pub(super) async fn next(&mut self) -> (u64, Vec<Told>) {
        loop {
            // Seen before it looks, so that a change in between wakes it.
            self.newest.mark_unchanged();
            let (missed, told) = self.feed.ring().after(self.place, BATCH);
            self.place += missed;
            if let Some(last) = told.last() {
                self.place = last.seq;
            }
            if missed > 0 || !told.is_empty() {
                return (missed, told);
            }
            if self.newest.changed().await.is_err() {
                // The feed is held by this follower, so its sender lives.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Status;
    use crate::proto::id::UserId;
    use std::time::Duration;

    fn told(seq: u64) -> Told {
        Told {
            user: "a".into(),
            seq,
            json: Bytes::new(),
        }
    }

    fn seqs(ring: &mut Ring, place: u64, most: usize) -> (u64, Vec<u64>) {
        let (missed, told) = ring.after(place, most);
        (missed, told.iter().map(|told| told.seq).collect())
    }

    #[test]
    fn a_slow_reader_is_told_how_many_it_missed() {
        let mut ring = Ring::new(3);
        assert_eq!(seqs(&mut ring, 0, 10), (0, vec![]));
        for seq in 1..=3 {
            ring.push(told(seq));
        }
        assert_eq!(seqs(&mut ring, 0, 10), (0, vec![1, 2, 3]));
        assert_eq!(seqs(&mut ring, 1, 1), (0, vec![2]));
        assert_eq!(seqs(&mut ring, 3, 10), (0, vec![]));
        for seq in 4..=8 {
            ring.push(told(seq));
        }
        assert_eq!(seqs(&mut ring, 1, 10), (4, vec![6, 7, 8]));
        assert_eq!(seqs(&mut ring, 7, 10), (0, vec![8]));
        assert_eq!(ring.missed, 4);
        assert_eq!(ring.kept.len(), 3);
    }

    #[actix_rt::test]
    async fn who_follows_hears_every_change_in_its_order() {
        let feed = Feed::default();
        let mut follower = feed.follow(feed.newest());
        let status = || Box::new(Status::new(UserId::parse("a").unwrap(), Duration::ZERO));
        let changed = |online| Changed {
            status: status(),
            online,
        };
        feed.tell(&changed(Some(true)));
        feed.tell(&changed(None));
        let (missed, told) = follower.next().await;
        assert_eq!((missed, told.len()), (0, 2));
        let change: Change = serde_json::from_slice(&told[0].json).unwrap();
        assert_eq!((change.seq, change.went_online), (1, Some(true)));
        let wait = tokio::time::timeout(Duration::from_millis(1), follower.next());
        assert!(wait.await.is_err(), "there is nothing more");
        assert_eq!(feed.followers(), 1);
    }
}

//! Asks many accounts how they stand, and waits once for all of them.

use botroupe_core::account::Status;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

type Answers = Arc<Mutex<Vec<(usize, Status)>>>;

/// Ends the wait when it is dropped: with the last place.
#[derive(Debug)]
struct End(Option<oneshot::Sender<()>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            let _ = done.send(()); // Whoever asked may have given up waiting.
        }
    }
}

/// The place for the status of one account.
#[derive(Debug)]
pub struct StatusPlace {
    number: usize,
    answers: Answers,
    _end: Arc<End>,
}

impl StatusPlace {
    /// The account answers.
    pub(super) fn put(self, status: Status) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((self.number, status));
    }
}

/// Collects the statuses of many accounts.
#[derive(Debug)]
pub struct StatusCollector {
    answers: Answers,
    end: Arc<End>,
    done: oneshot::Receiver<()>,
}

impl Default for StatusCollector {
    fn default() -> Self {
        let (sender, done) = oneshot::channel();
        Self {
            answers: Answers::default(),
            end: Arc::new(End(Some(sender))),
            done,
        }
    }
}

impl StatusCollector {
    /// The place for the status of the account of this number.
    #[must_use]
    pub fn place(&self, number: usize) -> StatusPlace {
        StatusPlace {
            number,
            answers: self.answers.clone(),
            _end: self.end.clone(),
        }
    }

    /// Waits until every account has answered, `limit` at most. Those that were silent are left out.
    pub async fn collect(self, limit: Duration) -> Vec<(usize, Status)> {
        let Self { answers, end, done } = self;
        drop(end);
        let _ = tokio::time::timeout(limit, done).await;
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;

    #[actix_rt::test]
    async fn the_wait_ends_with_the_last_answer_and_who_is_gone_or_silent_is_left_out() {
        let status = || Status::new(UserId::parse("a").unwrap(), Duration::ZERO);
        let collector = StatusCollector::default();
        collector.place(2).put(status());
        drop(collector.place(1));
        let answers = collector.collect(Duration::from_secs(60)).await;
        assert_eq!(answers.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [2]);

        let collector = StatusCollector::default();
        let _silent = collector.place(0);
        collector.place(1).put(status());
        assert_eq!(collector.collect(Duration::from_millis(1)).await.len(), 1);
        let nobody = StatusCollector::default();
        assert!(nobody.collect(Duration::from_secs(60)).await.is_empty());
    }
}

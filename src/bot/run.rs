//! Runs one handler on one event and sends what it answers.

use super::api::ApiError;
use super::builder::Handlers;
use super::event::Event;
use super::pool::{Label, Pool};
use super::reply::{Answer, Reply};
use super::tasks::panic_text;
use crate::account::{AccountHandle, OutboxError, SendError};
use crate::proto::message::Conversation;
use futures_util::FutureExt;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often to check whether the time limit of a handler runs.
const LOOK: Duration = Duration::from_secs(1);

/// A call of a handler, with everything it needs.
pub(super) struct Run {
    pub(super) handlers: Arc<Handlers>,
    pub(super) event: Event,
    pub(super) label: Label,
    /// The time limit; it runs while the account is online.
    pub(super) limit: Duration,
    pub(super) account: AccountHandle,
    pub(super) pool: Pool,
    /// `true` when no new handlers are started any more.
    pub(super) draining: watch::Receiver<bool>,
}

impl Run {
    /// Runs the handler to its end. `false` when its reply could not be sent before the program ended: then
    /// the message has to be handled again. Never panics.
    pub(super) async fn finish(self) -> bool {
        let Some((handler, answer)) = self.call().await else {
            return true;
        };
        let Label { account, bot, .. } = &self.label;
        let Some(place) = self
            .event
            .message()
            .map(|message| message.conversation.clone())
        else {
            tracing::error!(%account, bot, handler, "nobody to reply to: return nothing here");
            return true;
        };
        // The file may come from a stream of the handler, which may panic or hang.
        let upload = AssertUnwindSafe(answer.into_draft(&self.event.api)).catch_unwind();
        let draft = match self.within(upload).await {
            Some(Ok(Ok(draft))) => draft,
            Some(Ok(Err(error))) => {
                tracing::warn!(%account, bot, handler, to = %place, %error, "file of the reply not uploaded");
                return true;
            }
            Some(Err(panic)) => {
                let reason = panic_text(&*panic);
                tracing::error!(%account, bot, handler, to = %place, reason, "file of the reply panicked");
                return true;
            }
            None => {
                tracing::error!(%account, bot, handler, to = %place, limit = ?self.limit, "file of the reply took too long; it was given up");
                return true;
            }
        };
        self.reply(handler, place, draft).await
    }

    /// The answer and the name of the handler; `None` when there is nothing to send.
    async fn call(&self) -> Option<(&'static str, Answer)> {
        let Label { account, bot, .. } = &self.label;
        let found = AssertUnwindSafe(|| self.handlers.dispatch(&self.event));
        let (handler, future) = match std::panic::catch_unwind(found) {
            Ok(Ok(found)) => found?,
            Ok(Err((handler, mistake))) => {
                tracing::error!(%account, bot, handler, mistake, "handler cannot be called");
                return None;
            }
            Err(_) => {
                tracing::error!(%account, bot, "handler panicked before its first await");
                return None;
            }
        };
        let outcome = self.within(AssertUnwindSafe(future).catch_unwind()).await;
        match outcome.map(|outcome| outcome.map(Reply::into_result)) {
            Some(Ok(Ok(answer))) => answer.map(|answer| (handler, answer)),
            Some(Ok(Err(error))) => {
                tracing::error!(%account, bot, handler, error = %Causes(&*error), "handler failed");
                None
            }
            Some(Err(panic)) => {
                let reason = panic_text(&*panic);
                tracing::error!(%account, bot, handler, reason, "handler panicked");
                None
            }
            None => {
                tracing::error!(%account, bot, handler, limit = ?self.limit, "handler took too long; it was ended");
                None
            }
        }
    }

    /// Sends the reply. It waits for the account as long as that is offline.
    async fn reply(
        &self,
        handler: &'static str,
        place: Conversation,
        draft: crate::proto::message::Draft,
    ) -> bool {
        let Label { account, bot, .. } = &self.label;
        let (draft, key) = (Arc::new(draft), self.account.draw_key());
        let mut draining = self.draining.clone();
        loop {
            let sent = self.account.send_as(place.clone(), draft.clone(), key);
            match sent.await.map_err(ApiError::from) {
                Ok(_) => return true,
                Err(ApiError::Send(
                    SendError::Outbox(OutboxError::Offline(_) | OutboxError::Full)
                    | SendError::Gone
                    | SendError::Busy
                    | SendError::NotReady,
                )) => {
                    if *draining.borrow() {
                        tracing::info!(%account, bot, handler, to = %place, "reply not sent before the end; its message stays unread");
                        return false;
                    }
                    // The account is held, contested or restarting. With the same key it stays the same message.
                    tokio::select! {
                        () = self.back() => {}
                        _ = draining.wait_for(|draining| *draining) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%account, bot, handler, to = %place, %error, "reply not sent");
                    return true;
                }
            }
        }
    }

    /// Waits until the account is back, and a moment longer.
    async fn back(&self) {
        self.pool.sleep(Duration::from_millis(100)).await;
        self.account.ready().await;
    }

    /// Runs a future; `None` when it exceeds the limit. The time counts only while the account is online and
    /// no file is being transferred.
    async fn within<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut spent = Duration::ZERO;
        loop {
            let slice = (self.limit.saturating_sub(spent)).min(LOOK);
            tokio::select! {
                biased;
                outcome = &mut future => return Some(outcome),
                () = self.pool.sleep(slice) => {}
            }
            if self.account.is_ready() && !self.event.api.transfers().any() {
                spent += slice;
                if spent >= self.limit {
                    return None;
                }
            }
        }
    }
}

/// An error with everything that caused it, on one line.
struct Causes<'a>(&'a (dyn Error + Send + Sync));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors quote their cause already.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said.push_str(&text);
            }
            source = cause.source();
        }
        Ok(())
    }
}

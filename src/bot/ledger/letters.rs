//! Letters of handlers and of the program: messages that are written down before they are sent.

use super::{Known, Ledger, Outcome, Owner, Posting, Written};
use crate::account::{OutboxError, SendError};
use crate::bot::api::ApiError;
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft};
use botroupe_core::ledger::{Ended, Letter, LetterState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Semaphore, oneshot};

/// Letters that bots and the program may have under way at a time, answers to messages aside.
const MAX_LETTERS: usize = 256;

impl Ledger {
    /// Sends a message, which survives this process; once for each `effect`.
    pub(in crate::bot) async fn send(
        &self,
        owner: &Owner,
        (to, draft): (Conversation, Draft),
        caller_key: Option<&str>,
    ) -> Result<Sent, ApiError> {
        let effect = owner.effect_of_send(&to, caller_key);
        self.send_as(owner, (to, draft), (effect, caller_key.is_some()))
            .await
    }

    /// Whether an earlier process has left letters.
    pub(in crate::bot) const fn had_letters(&self) -> bool {
        self.had_letters
    }

    /// What an earlier run of a handler has sent for an effect.
    pub(in crate::bot) fn sent_before(&self, effect: u64) -> Option<Arc<Draft>> {
        self.book().as_ref()?.letter_of(effect)
    }

    /// Like [`send`](Self::send), for an effect that the caller names, for good if it is `lasting`.
    pub(in crate::bot) async fn send_as(
        &self,
        owner: &Owner,
        (to, draft): (Conversation, Draft),
        (effect, lasting): (Option<u64>, bool),
    ) -> Result<Sent, ApiError> {
        let mut what = Some((to, draft));
        let mut place = None;
        loop {
            let ended = self.ended_keys.load(Ordering::Acquire);
            if let Some(effect) = effect {
                match self.known(effect, lasting).await? {
                    Some(Known::Settled(number, outcome)) => {
                        owner.sent(number, lasting);
                        return outcome.map_err(failed);
                    }
                    Some(Known::UnderWay(number, outcome)) => {
                        owner.sent(number, lasting);
                        return heard(outcome).await;
                    }
                    Some(Known::Result(..)) | None => {}
                }
            }
            if place.is_none() {
                let room = self
                    .room
                    .get_or_init(|| Box::new(Semaphore::new(MAX_LETTERS)));
                // It is never closed.
                place = Some(room.acquire().await.map_err(|_| gone())?);
            }
            if let Some(outcome) = self.post(owner, &mut what, (effect, lasting, ended)) {
                return heard(outcome).await;
            }
            if what.is_none() {
                return Err(gone());
            }
            // Somebody else was quicker with this key.
        }
    }

    /// Takes `what` and posts it, unless its effect may have become known since the caller looked, when `ended` was read.
    fn post(
        &self,
        owner: &Owner,
        what: &mut Option<(Conversation, Draft)>,
        (effect, lasting, ended): (Option<u64>, bool, u32),
    ) -> Option<oneshot::Receiver<Outcome>> {
        let (at, service_time) = self.times();
        let mut slot = self.book();
        let book = slot.get_or_insert_default();
        let is_known = effect.is_some_and(|effect| book.has(effect));
        if is_known || lasting && self.ended_keys.load(Ordering::Acquire) != ended {
            return None;
        }
        let (to, draft) = what.take()?;
        let posting = Posting {
            number: self.shelf.store().next_number(),
            bot: owner.bot().to_owned().into(),
            to,
            draft: Arc::new(draft),
            key: self.account.draw_key(),
            sent_since: None,
            service_time,
        };
        let number = posting.number;
        let change = self.queued(&posting, at, effect, lasting);
        book.letter(posting.clone(), effect, lasting);
        if effect.is_some() {
            owner.sent(number, lasting);
        }
        let outcome = book.wait_for(number);
        let batch = book.writes(Written::Letter(posting));
        if self.submit(book, vec![change], batch) {
            drop(slot);
            self.tell_host();
        }
        outcome
    }

    /// What an effect has led to.
    async fn known(&self, effect: u64, lasting: bool) -> Result<Option<Known>, ApiError> {
        let known = self.book().as_mut().and_then(|book| book.known(effect));
        if known.is_some() || !lasting {
            return Ok(known);
        }
        let found = self.shelf.store().letter_of(self.number, effect).await?;
        let Some(Letter { number, state, .. }) = found else {
            return Ok(None);
        };
        Ok(match state {
            LetterState::Ended(Ended::Answered(answer)) => {
                let sent = serde_json::from_str(&answer).unwrap_or_default();
                Some(Known::Settled(number, Ok(sent)))
            }
            LetterState::Ended(Ended::Unknown { reason, .. }) => Some(Known::Settled(
                number,
                Err(OutboxError::Unknown(reason.into())),
            )),
            // What failed may be tried again; what is queued is on the books.
            _ => self.book().as_mut().and_then(|book| book.known(effect)),
        })
    }
}

async fn heard(outcome: oneshot::Receiver<Outcome>) -> Result<Sent, ApiError> {
    match outcome.await {
        Ok(Ok(sent)) => Ok(sent),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(gone()),
    }
}

const fn failed(error: OutboxError) -> ApiError {
    ApiError::Send(SendError::Outbox(error))
}

const fn gone() -> ApiError {
    ApiError::Send(SendError::Gone)
}

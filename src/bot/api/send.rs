//! Sending messages, and doing things outside the chat once.

use super::step::Step;
use super::{Api, ApiError, Backend};
use crate::account::SendError;
use crate::bot::dialogue::StepKind;
use crate::bot::ledger::Owner;
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft, DraftError};
use crate::traces::TracePoint;
use botroupe_core::ledger::Fingerprint;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A message about to be sent: `.await` it.
///
/// A text that is too long for one message is sent in several, see [`Draft::split`]; the answer is that of the last one.
///
/// Sent in a handler, with a store on disk, it is sent once although the process dies and the handler runs again.
#[must_use = "nothing is sent before `.await`"]
pub struct Sending<'a>(Stage<'a>);

#[expect(
    clippy::large_enum_variant,
    reason = "it is sent at once, and has no box before"
)]
enum Stage<'a> {
    /// Described.
    Described(Described<'a>),
    /// Under way.
    UnderWay(Pin<Box<dyn Future<Output = Result<Sent, ApiError>> + Send + 'a>>),
    /// Between the two.
    Taken,
}

struct Described<'a> {
    api: &'a Api,
    what: Result<(Conversation, Draft), ApiError>,
    key: Option<String>,
    now: bool,
}

impl fmt::Debug for Sending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

impl<'a> Sending<'a> {
    pub(super) const fn new(api: &'a Api, what: Result<(Conversation, Draft), ApiError>) -> Self {
        Self(Stage::Described(Described {
            api,
            what,
            key: None,
            now: false,
        }))
    }

    /// Does not wait for an account that is offline.
    pub(super) fn now(mut self) -> Self {
        if let Stage::Described(described) = &mut self.0 {
            described.now = true;
        }
        self
    }

    /// Sends the message once for each key, over restarts: a bot that says the same key again gets the answer of the
    /// first time. Keys are kept as long as `[store] keys` says (30 days), per account and bot. A message that the
    /// server refused may be tried again with its key.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn invoice(api: Api) -> Result<(), ApiError> {
    ///     api.send_text("alice", "Your invoice no. 17").key("invoice-17").await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("billing").on_ready(invoice);
    /// ```
    pub fn key(mut self, key: impl Into<String>) -> Self {
        if let Stage::Described(described) = &mut self.0 {
            described.key = Some(key.into());
        }
        self
    }
}

impl Described<'_> {
    async fn send(self) -> Result<Sent, ApiError> {
        let (to, draft) = self.what?;
        let api = self.api;
        let key = || {
            let key = Fingerprint::new("send").number(u64::from(to.is_group()));
            key.text(to.name()).finish()
        };
        match api.dialogue_step(StepKind::Send, key).await? {
            Step::Done(sent) => Ok(sent),
            Step::Live(record) => {
                let sent = Self {
                    what: Ok((to, draft)),
                    ..self
                }
                .send_now()
                .await?;
                record.done(&sent);
                Ok(sent)
            }
        }
    }

    async fn send_now(self) -> Result<Sent, ApiError> {
        let (to, draft) = self.what?;
        let mut parts = draft.split().into_iter();
        let Some(mut part) = parts.next() else {
            return Err(DraftError::Empty.into());
        };
        let mut number = 1;
        loop {
            // Each part is sent once by itself.
            let key = self.key.as_ref().map(|key| match number {
                1 => key.clone(),
                number => format!("{key}#{number}"),
            });
            let one = Described {
                api: self.api,
                what: Ok((to.clone(), part)),
                key,
                now: self.now,
            };
            let sent = one.send_one().await?;
            match parts.next() {
                Some(next) => part = next,
                None => return Ok(sent),
            }
            number += 1;
        }
    }

    /// Sends a message that is not too long.
    async fn send_one(self) -> Result<Sent, ApiError> {
        let api = self.api;
        let to = self.what.as_ref().map(|(to, _)| to.clone());
        let to = to.unwrap_or(Conversation::System);
        traced(&api.trace, api.account_name(), &to, self.send_untraced()).await
    }

    async fn send_untraced(self) -> Result<Sent, ApiError> {
        let (to, draft) = self.what?;
        if let Backend::Account(account) = &self.api.backend
            && self.now
            && !account.is_ready()
        {
            return Err(ApiError::Send(SendError::NotReady));
        }
        // Nobody can tell later whether a message that is not stored has arrived.
        let is_stored = !draft.options.online_only;
        match &self.api.books {
            Some((ledger, owner)) if is_stored && (ledger.is_durable() || self.key.is_some()) => {
                draft.check()?;
                ledger.send(owner, (to, draft), self.key.as_deref()).await
            }
            _ => match &self.api.backend {
                Backend::Recorded(recording) => Ok(recording.send(to, draft)),
                Backend::Account(account) => Ok(account.send(to, draft).await?),
            },
        }
    }
}

/// Waits for the end of `sending`, which is traced at `point`.
pub(in crate::bot) async fn traced(
    point: &TracePoint,
    account: &str,
    to: &Conversation,
    sending: impl Future<Output = Result<Sent, ApiError>>,
) -> Result<Sent, ApiError> {
    let trace = point.sending();
    let outcome = sending.await;
    let told = match &outcome {
        Ok(sent) => Ok(|| shown_id(sent)),
        Err(error) => Err(|| error.trace_kind()),
    };
    point.sent(trace, account, to, told);
    outcome
}

/// What a trace calls a message that was sent.
fn shown_id(sent: &Sent) -> String {
    match sent.key.is_empty() {
        true => sent.seq.to_string(),
        false => sent.key.clone(),
    }
}

/// What a trace calls a message of which this is the server's answer.
pub(in crate::bot) fn sent_id(answer: &str) -> String {
    let sent: Sent = serde_json::from_str(answer).unwrap_or_default();
    shown_id(&sent)
}

impl Future for Sending<'_> {
    type Output = Result<Sent, ApiError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match std::mem::replace(&mut self.0, Stage::Taken) {
                Stage::Described(described) => {
                    self.0 = Stage::UnderWay(Box::pin(described.send()));
                }
                Stage::UnderWay(mut future) => {
                    let polled = future.as_mut().poll(cx);
                    self.0 = Stage::UnderWay(future);
                    return polled;
                }
                Stage::Taken => return Poll::Pending, // It panicked; whoever polled it knows.
            }
        }
    }
}

/// Why [`Api::run`] gave no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError<E> {
    /// The work itself failed. Nothing is recorded, so the next call does it again.
    #[error(transparent)]
    Work(E),
    /// The result cannot be written as JSON, or one of an earlier version cannot be read.
    #[error("the result of {name:?} cannot be kept: {reason}")]
    Unfit {
        /// The name of the work.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The store cannot be asked.
    #[error(transparent)]
    Store(ApiError),
}

impl Api {
    /// Does something outside the chat, once: a payment, an order, a row in a database. The result is recorded
    /// before the handler goes on. If the process dies and the handler runs again for the same message, it gets
    /// the recorded result and `work` is not called. `name` tells the works of one handler apart.
    ///
    /// One window is left: the process may die after the work was done and before that is recorded. Then it is done
    /// again, so give the other side a key of your own, for example one made from the message, and let it refuse the
    /// second time.
    ///
    /// Outside of handlers of messages the result is kept as long as `[store] keys` says, per account and bot.
    ///
    /// # Errors
    /// [`RunError::Work`] with the error of `work`, which is not recorded.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// # async fn charge(_: &str) -> Result<u64, std::io::Error> { Ok(1) }
    ///
    /// async fn pay(sender: Sender, api: Api) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    ///     let receipt = api.run("charge", || charge(&sender.user_id)).await?;
    ///     Ok(format!("Paid. Your receipt is no. {receipt}."))
    /// }
    /// # let _ = Bot::new("shop").on_text(pay);
    /// ```
    pub async fn run<T, E, F, W>(&self, name: &str, work: F) -> Result<T, RunError<E>>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> W,
        W: Future<Output = Result<T, E>>,
    {
        let key = || Fingerprint::new("run").text(name).finish();
        let step = self.dialogue_step(StepKind::Run, key).await;
        match step.map_err(RunError::Store)? {
            Step::Done(result) => Ok(result),
            Step::Live(record) => {
                let result = self.run_now(name, work).await?;
                record.done(&result);
                Ok(result)
            }
        }
    }

    async fn run_now<T, E, F, W>(&self, name: &str, work: F) -> Result<T, RunError<E>>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> W,
        W: Future<Output = Result<T, E>>,
    {
        let Some((ledger, owner)) = &self.books else {
            return work().await.map_err(RunError::Work);
        };
        let unfit = |error: serde_json::Error| RunError::Unfit {
            name: name.to_owned(),
            reason: error.to_string(),
        };
        let (effect, lasting) = owner.effect_of_result(name);
        let known = ledger.result(owner, effect, lasting).await;
        if let Some(value) = known.map_err(RunError::Store)? {
            return serde_json::from_str(&value).map_err(unfit);
        }
        let result = work().await.map_err(RunError::Work)?;
        let value = serde_json::to_string(&result).map_err(unfit)?;
        ledger.record(owner, effect, lasting, value.into()).await;
        Ok(result)
    }

    pub(in crate::bot) fn traced(mut self, trace: TracePoint) -> Self {
        self.trace = trace;
        self
    }

    pub(in crate::bot) fn with_ledger(
        mut self,
        ledger: std::sync::Arc<crate::bot::Ledger>,
        owner: Owner,
    ) -> Self {
        self.books = Some((ledger, owner));
        self
    }

    /// Lets the program itself send through the ledger of the account.
    #[cfg_attr(not(feature = "unstable"), doc(hidden))]
    #[must_use]
    pub fn on_ledger(self, ledger: std::sync::Arc<crate::bot::Ledger>) -> Self {
        self.with_ledger(ledger, Owner::new("".into(), None))
    }
}

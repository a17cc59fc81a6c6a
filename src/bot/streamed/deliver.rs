//! Sends a reply that grows, and edits it.

use super::Streamed;
use super::growth::{Growth, Step};
use crate::bot::api::{ApiError, Kind, traced};
use crate::bot::event::Event;
use crate::bot::ledger::effect_of_part;
use crate::bot::line::Cancel;
use crate::bot::pool::Pool;
use crate::bot::reply::HandlerError;
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft, Element, Message};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;
use std::any::Any;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

/// How long a reply may still grow when the program ends; the handlers of a process have twice that and more.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often the version of a message is taken from the server within one edit.
const MAX_CONFLICTS: u32 = 4;
/// Pieces that are taken one after the other before others get their turn.
const TURN: u32 = 64;
/// Messages among which one of an earlier process is looked for.
const HISTORY: usize = 40;
/// Replies of a handler of an earlier process that are looked for.
const MAX_REPLIES: u64 = 64;

/// Said at the end of a message that has come to none.
const BROKE_OFF: &str = "stream-broke-off";
const INTERRUPTED: &str = "stream-interrupted";
const TOO_LONG: &str = "stream-too-long";

type Pieces = BoxStream<'static, Result<String, HandlerError>>;
type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// How a reply that grows ended.
#[derive(Debug)]
pub(in crate::bot) enum Ended {
    /// All of it came.
    Whole,
    /// The stream failed.
    Failed(HandlerError),
    /// It panicked.
    Panicked(Box<dyn Any + Send>),
    /// No piece came for too long.
    TimedOut,
    /// Somebody has written again.
    Cancelled,
    /// The first message could not be sent.
    NotSent(ApiError),
}

/// What became of a reply.
#[derive(Debug)]
pub(in crate::bot) struct Delivered {
    pub(in crate::bot) ended: Ended,
    /// Whether something was said, or is to be.
    pub(in crate::bot) said: bool,
    /// What is to be sent yet.
    pub(in crate::bot) rest: Option<Draft>,
}

/// Why a reply is interrupted.
enum Stop {
    Newer,
    Ending,
}

/// See the module.
pub(in crate::bot) struct Delivery<'a> {
    pub(in crate::bot) event: &'a Event,
    pub(in crate::bot) pool: &'a Pool,
    pub(in crate::bot) to: &'a Conversation,
    /// Its number among the replies of the handler that grow.
    pub(in crate::bot) number: u64,
    pub(in crate::bot) cancel: Option<Cancel>,
}

impl Delivery<'_> {
    /// Delivers a reply. `within` waits for a piece as long as one may take, and returns `None` then.
    pub(in crate::bot) async fn run<'w, W>(&self, streamed: Streamed, within: W) -> Delivered
    where
        W: Fn(BoxFuture<'static, Next>) -> BoxFuture<'w, Option<Next>>,
    {
        let Streamed {
            pieces,
            mut draft,
            ending,
            pace,
        } = streamed;
        let begins = match draft.elements.pop() {
            Some(Element::Text(text)) => text.text,
            _ => String::new(),
        };
        let mut growth = Growth::new(begins, ending, draft.room_for_text(), pace);
        let mut place = None;
        let mut ended = Ended::Whole;
        let mut waits = Some(within(next(pieces)));
        let mut stop = pin!(self.stop().fuse());
        let mut taken = 0;
        loop {
            let until = match growth.next(self.event.now().mono) {
                Step::Over => break,
                Step::Show(text) => {
                    // What came at once needs no edit.
                    if waits.is_none() && growth.is_unseen() && !self.is_known(0) {
                        break;
                    }
                    if let Err(error) = self.show(&mut growth, &mut place, &draft, text).await {
                        ended = Ended::NotSent(error);
                        break;
                    }
                    continue;
                }
                Step::Wait(until) => until,
            };
            let Some(piece) = &mut waits else {
                let time = self.left_until(until).unwrap_or_default();
                self.event.sleep(self.pool, time).await;
                continue;
            };
            let is_blank = growth.is_blank();
            let got = tokio::select! {
                biased;
                stop = &mut stop => match stop {
                    // What has not begun is left to the next process.
                    Stop::Ending if is_blank => continue,
                    Stop::Ending => {
                        growth.end(Some(&self.event.say(INTERRUPTED)));
                        waits = None;
                        continue;
                    }
                    Stop::Newer => {
                        ended = Ended::Cancelled;
                        if growth.is_unseen() {
                            break;
                        }
                        growth.end(Some(&self.event.say(INTERRUPTED)));
                        waits = None;
                        continue;
                    }
                },
                got = piece => got,
                () = self.sleep_until(until) => continue,
            };
            waits = None;
            ended = match got {
                Some(Ok(Some((Ok(piece), pieces)))) => {
                    growth.push(self.event.now().mono, &piece);
                    if growth.is_cut() {
                        growth.end(Some(&self.event.say(TOO_LONG)));
                    } else {
                        waits = Some(within(next(pieces)));
                    }
                    taken += 1;
                    if u32::is_multiple_of(taken, TURN) {
                        tokio::task::yield_now().await;
                    }
                    continue;
                }
                Some(Ok(None)) => {
                    growth.end(None);
                    continue;
                }
                Some(Ok(Some((Err(error), _)))) => Ended::Failed(error),
                Some(Err(panic)) => Ended::Panicked(panic),
                None => Ended::TimedOut,
            };
            // What has not begun has not broken off.
            let mark = (!growth.is_blank()).then(|| self.event.say(BROKE_OFF));
            growth.end(mark.as_deref());
        }
        let said = !growth.is_blank() && !matches!(ended, Ended::NotSent(_));
        let rest = if place.is_none() && growth.is_unseen() {
            let is_wanted = !matches!(ended, Ended::Cancelled | Ended::NotSent(_)) && said;
            is_wanted.then(|| with_text(draft, growth.into_whole()))
        } else {
            self.close_after(growth.part()).await;
            growth.rest().map(Draft::text)
        };
        Delivered { ended, said, rest }
    }

    /// Waits until the reply is to be interrupted.
    async fn stop(&self) -> Stop {
        let newer = async {
            match &self.cancel {
                Some(cancel) => cancel.cancelled().await,
                None => pending().await,
            }
        };
        let ending = async {
            match self.event.seat() {
                Some(seat) => seat.ended().await,
                None => pending().await,
            }
            self.event.sleep_meanwhile(self.pool, LAST_WORDS).await;
        };
        tokio::select! {
            () = newer => Stop::Newer,
            () = ending => Stop::Ending,
        }
    }

    fn left_until(&self, until: Option<Duration>) -> Option<Duration> {
        Some(until?.saturating_sub(self.event.now().mono))
    }

    async fn sleep_until(&self, until: Option<Duration>) {
        match self.left_until(until) {
            Some(time) => self.event.sleep_meanwhile(self.pool, time).await,
            None => pending().await,
        }
    }

    // ── messages ─────────────────────────────────────────────────────────────────────────────

    fn effect(&self, part: u64) -> Option<u64> {
        self.event.owner().effect_of_part((self.number, part))
    }

    /// Whether an earlier process has sent this part.
    fn is_known(&self, part: u64) -> bool {
        let effect = self.effect(part);
        effect.is_some_and(|effect| self.event.ledger().sent_before(effect).is_some())
    }

    /// Lets the message say this: sends it, or edits it.
    ///
    /// # Errors
    /// When it was not sent.
    async fn show(
        &self,
        growth: &mut Growth,
        place: &mut Option<(u64, Message)>,
        draft: &Draft,
        text: String,
    ) -> Result<(), ApiError> {
        let part = growth.part();
        let now = || self.event.now().mono;
        let draft = match part {
            0 => with_text(draft.clone(), text.clone()),
            _ => Draft {
                options: draft.options.clone(),
                ..Draft::text(text.clone())
            },
        };
        if place.as_ref().is_none_or(|(of, _)| *of != part) {
            // Of what an earlier process has sent nobody knows what it says.
            let is_old = self.is_known(part);
            let sent = send(self.event, self.to, draft.clone(), self.effect(part)).await?;
            let (elements, cloud) = (draft.elements.clone(), draft.cloud_custom_data.clone());
            let to = self.to.clone();
            let message = Message::sent(self.event.user(), to, elements, cloud, &sent);
            *place = Some((part, message));
            if !is_old {
                growth.shown(now(), text);
                return Ok(());
            }
        }
        let Some((_, message)) = place else {
            return Ok(());
        };
        match edit(self.event, message, draft).await {
            Ok(()) => growth.shown(now(), text),
            Err(error) => {
                let hope = !matches!(error.kind(), Kind::BadInput);
                growth.failed(now(), hope);
                let account = self.event.account();
                let bot = self.event.bot().name;
                if growth.is_given_up() {
                    tracing::warn!(%account, bot, to = %self.to, %error, "the reply cannot be edited; the rest of it comes as another message");
                } else {
                    tracing::debug!(%account, bot, to = %self.to, %error, "the reply was not edited; it is tried again");
                }
            }
        }
        Ok(())
    }

    /// Closes what an earlier process has said after the last part.
    async fn close_after(&self, part: u64) {
        let mut part = part + 1;
        while let Some(effect) = self.effect(part)
            && self.is_known(part)
        {
            close(self.event, self.to, effect).await;
            part += 1;
        }
    }
}

/// A piece and what comes after it.
pub(in crate::bot) type Next = Caught<Option<(Result<String, HandlerError>, Pieces)>>;

/// The next piece that says something.
fn next(mut pieces: Pieces) -> BoxFuture<'static, Next> {
    let next = async move {
        let mut empty = 0_u32;
        loop {
            let piece = pieces.next().await;
            if !matches!(&piece, Some(Ok(text)) if text.is_empty()) {
                return piece.map(|piece| (piece, pieces));
            }
            empty += 1;
            if empty.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
        }
    };
    AssertUnwindSafe(next).catch_unwind().boxed()
}

fn with_text(mut draft: Draft, text: String) -> Draft {
    draft.elements.insert(0, Element::text(text));
    draft
}

/// Sends a message: once for each effect, where there is a ledger.
async fn send(
    event: &Event,
    to: &Conversation,
    draft: Draft,
    effect: Option<u64>,
) -> Result<Sent, ApiError> {
    draft.check()?;
    let ledger = event.ledger();
    if ledger.is_durable() {
        let what = (to.clone(), draft);
        let owner = event.owner();
        let account = ledger.account().as_str();
        let sending = ledger.send_as(&owner, what, (effect, false));
        return traced(&event.trace(), account, to, sending).await;
    }
    event.api().off_the_books().send(to.clone(), draft).await
}

/// Sends what comes before a reply that grows.
pub(in crate::bot) async fn send_before(
    event: &Event,
    (to, draft): (Conversation, Draft),
    place: (u64, u64),
) -> Result<(), ApiError> {
    let effect = event.owner().effect_of_part(place);
    send(event, &to, draft, effect).await.map(drop)
}

/// Edits a message, whatever version the server has of it: what it says is ours to say.
async fn edit(event: &Event, message: &mut Message, draft: Draft) -> Result<(), ApiError> {
    let draft = Draft {
        elements: draft.elements,
        cloud_custom_data: draft.cloud_custom_data,
        ..Draft::default()
    };
    let (api, mut conflicts) = (event.api().off_the_books(), 0);
    let handle = api.message(&*message);
    loop {
        match handle.edit(draft.clone()).await {
            // The handle knows the version now.
            Err(ApiError::Conflict(_)) if conflicts < MAX_CONFLICTS => conflicts += 1,
            edited => {
                message.version = edited?.version;
                return Ok(());
            }
        }
    }
}

/// What an earlier process has said for an event, or for those that are handled together with it, in replies that came to
/// no end: from the reply of this number on.
pub(in crate::bot) fn left(event: &Event, number: u64) -> Vec<u64> {
    if !event.ledger().had_letters() {
        return Vec::new();
    }
    let own = event.what().id().map(|id| (id, number));
    let earlier = event.earlier().iter();
    let earlier = earlier.map(|message| (botroupe_core::ledger::message_id(message), 0));
    let bot = event.bot().name;
    let mut left = Vec::new();
    for (id, first) in earlier.chain(own) {
        let exchange = botroupe_core::ledger::exchange(bot, id);
        let effects = (first..first + MAX_REPLIES).map(|reply| {
            let parts = (0..).map(move |part| effect_of_part(exchange, (reply, part)));
            parts.take_while(|effect| event.ledger().sent_before(*effect).is_some())
        });
        left.extend(effects.map_while(Iterator::last));
    }
    left
}

/// Puts a mark at the end of a message that an earlier process has sent and never brought to its end.
pub(in crate::bot) async fn close(event: &Event, to: &Conversation, effect: u64) {
    let Some(draft) = event.ledger().sent_before(effect) else {
        return;
    };
    let (elements, cloud) = (draft.elements.clone(), draft.cloud_custom_data.clone());
    let sent = send(event, to, (*draft).clone(), Some(effect)).await;
    let Ok(sent) = sent else {
        return; // It never arrived.
    };
    let mut message = Message::sent(event.user(), to.clone(), elements, cloud, &sent);
    // What it said at last is known to the server alone.
    let history = event
        .api()
        .off_the_books()
        .conversation(to.clone())
        .history(HISTORY)
        .await;
    let found = history.unwrap_or_default().into_iter().find(|one| {
        one.is_own && one.seq == message.seq && (to.is_group() || one.random == message.random)
    });
    if let Some(found) = found {
        message = found;
    }
    let mark = event.say(BROKE_OFF);
    let text = message.text().unwrap_or_default();
    if text.ends_with(&mark) || message.recalled {
        return;
    }
    let text = format!("{}\n{mark}", text.trim_end());
    let draft = Draft::text(text).cloud_custom_data(message.cloud_custom_data.clone());
    if let Err(error) = edit(event, &mut message, draft).await {
        let account = event.account();
        tracing::warn!(%account, bot = event.bot().name, %to, %error, "a reply that broke off with the last process is not marked");
    }
}

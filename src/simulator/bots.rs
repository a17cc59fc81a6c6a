//! The bots of one account, with the scheduling rules of the real host: the messages of a
//! conversation run one at a time, each handler takes some time, and no handler starts before the
//! account is ready.

use super::sim_account::{Note, SimAccount, Want};
use botroupe_core::account::{FleetUsers, is_heard};
use botroupe_core::account::{OutboxError, OutboxItem};
use botroupe_core::policy::Now;
use botroupe_core::session::InboxLimits;
use botroupe_core::session::Receipt;
use botroupe_proto::message::{Conversation, Draft, Message, MessageKey};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The duration of handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// No time at all.
    #[default]
    None,
    /// 90 % of the handlers take up to half a second, 9 % up to five seconds, and 1 % up to thirty
    /// seconds.
    Ordinary,
}

impl Work {
    pub(super) fn draw(self, rng: &mut fastrand::Rng) -> Duration {
        let (least, most) = match (self, rng.u32(0..100)) {
            (Self::None, _) => return Duration::ZERO,
            (Self::Ordinary, 0..90) => (5, 500),
            (Self::Ordinary, 90..99) => (500, 5_000),
            (Self::Ordinary, _) => (5_000, 30_000),
        };
        Duration::from_millis(rng.u64(least..=most))
    }
}

/// The configuration of the bots.
#[derive(Clone, Debug)]
pub(super) struct BotsConfig {
    pub(super) limits: InboxLimits,
    pub(super) work: Work,
    pub(super) echoes: bool,
    pub(super) fleet: FleetUsers,
    pub(super) hears_fleet: bool,
}

/// One conversation.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Arc<Message>>,
    running: Option<Running>,
    /// Handlers that have ended, and whose end the account still has to hear of.
    replying: usize,
}

/// A running handler.
#[derive(Debug)]
struct Running {
    number: u64,
    message: Arc<Message>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Working,
    /// The handler never ends.
    Hanging,
    /// The store is writing down that the handler has ended.
    Writing,
    /// The account is sending the reply.
    Replying(MessageKey),
    /// The reply waits until the account is online again.
    Waiting(MessageKey),
}

/// The bots of one account, see the [module](self).
#[derive(Debug)]
pub(super) struct Bots {
    pub(super) config: BotsConfig,
    ready: bool,
    draining: bool,
    hang_next: bool,
    lines: BTreeMap<Conversation, Line>,
    open: usize,
    runs: u64,
    rng: fastrand::Rng,
    /// Pending replies, by the token of their outbox item.
    replies: BTreeMap<u64, Conversation>,
}

impl Bots {
    pub(super) fn new(config: BotsConfig, seed: u64) -> Self {
        Self {
            config,
            ready: false,
            draining: false,
            hang_next: false,
            lines: BTreeMap::new(),
            open: 0,
            runs: 0,
            rng: fastrand::Rng::with_seed(seed),
            replies: BTreeMap::new(),
        }
    }

    /// Makes the next handler hang.
    pub(super) const fn hang(&mut self) {
        self.hang_next = true;
    }

    pub(super) const fn is_draining(&self) -> bool {
        self.draining
    }

    /// A handler has ended, and the next message of its conversation may be handled.
    pub(super) fn freed(&mut self, conversation: &Conversation) {
        if let Some(line) = self.lines.get_mut(conversation) {
            line.running = None;
            line.replying += 1;
        }
    }

    /// The bot is done with a message of which the handler ended before. Returns whether the queue of the
    /// conversation, and that of the account, was full.
    pub(super) fn replied(&mut self, conversation: &Conversation) -> (bool, bool) {
        let limits = self.config.limits;
        let crowded = self.open >= limits.account;
        self.open = self.open.saturating_sub(1);
        let Some(line) = self.lines.get_mut(conversation) else {
            return (false, crowded);
        };
        let full = line.len() >= limits.conversation;
        line.replying = line.replying.saturating_sub(1);
        if line.len() == 0 {
            self.lines.remove(conversation);
        }
        (full, crowded)
    }

    /// Stops starting handlers.
    pub(super) const fn drain(&mut self) {
        self.draining = true;
    }

    /// Returns whether the queue of this conversation is full.
    pub(super) fn is_full(&self, conversation: &Conversation) -> bool {
        let line = self.lines.get(conversation);
        self.open >= self.config.limits.account
            || line.is_some_and(|line| line.len() >= self.config.limits.conversation)
    }

    fn running_mut(&mut self, conversation: &Conversation) -> Option<&mut Running> {
        self.lines.get_mut(conversation)?.running.as_mut()
    }
}

impl Line {
    fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.running.is_some()) + self.replying
    }
}

/// What the bots answer to a message.
fn answer(message: &Message) -> Draft {
    let text = message.text().unwrap_or_default();
    Draft::text(format!("re: {text}"))
}

impl SimAccount {
    /// Delivers a message to the bots.
    pub(super) fn hand_over(&mut self, now: Now, message: Arc<Message>, wants: &mut Vec<Want>) {
        let config = &self.bots.config;
        if !is_heard(&message, &config.fleet, config.hears_fleet) {
            return self
                .core
                .handled(now, &mut self.memory, &Receipt::of(&message));
        }
        if self
            .book
            .as_ref()
            .is_some_and(|book| book.is_handled(&message))
        {
            self.core
                .handled(now, &mut self.memory, &Receipt::of(&message));
            wants.push(Want::Note(Note::Known(message)));
            return;
        }
        wants.push(Want::Note(Note::Handed(message.clone())));
        let conversation = message.conversation.clone();
        let line = self.bots.lines.entry(conversation.clone()).or_default();
        line.waiting.push_back(message);
        self.bots.open += 1;
        self.advance(now, &conversation, wants);
    }

    /// Starts the handler of the next message of a conversation, if the rules allow it.
    pub(super) fn advance(&mut self, now: Now, conversation: &Conversation, wants: &mut Vec<Want>) {
        loop {
            let bots = &mut self.bots;
            if !bots.ready || bots.draining {
                return;
            }
            let Some(line) = bots.lines.get_mut(conversation) else {
                return;
            };
            if line.running.is_some() {
                return;
            }
            let Some(message) = line.waiting.pop_front() else {
                if line.replying == 0 {
                    bots.lines.remove(conversation);
                }
                return;
            };
            bots.runs += 1;
            let (number, hangs) = (bots.runs, std::mem::take(&mut bots.hang_next));
            let stage = if hangs {
                Stage::Hanging
            } else {
                Stage::Working
            };
            line.running = Some(Running {
                number,
                message,
                stage,
            });
            if hangs {
                return;
            }
            if bots.config.work != Work::None {
                wants.push(Want::Work {
                    conversation: conversation.clone(),
                    run: number,
                });
                return;
            }
            self.worked(now, conversation, number, wants);
        }
    }

    /// Ends a handler: it replies, or is done.
    pub(super) fn worked(
        &mut self,
        now: Now,
        conversation: &Conversation,
        run: u64,
        wants: &mut Vec<Want>,
    ) {
        let echoes = self.bots.config.echoes;
        let key = MessageKey {
            seq: self.bots.rng.u32(1..=u32::MAX),
            random: self.bots.rng.u32(0..100_000_000),
        };
        let Some(running) = self.bots.running_mut(conversation) else {
            return;
        };
        if running.number != run || !matches!(running.stage, Stage::Working) {
            return;
        }
        let answers = echoes && running.message.text().is_some();
        if self.book.is_some() {
            running.stage = Stage::Writing;
            let message = running.message.clone();
            let draft = answers.then(|| answer(&message));
            return self.ended(now, message, (draft, key), wants);
        }
        let Some(running) = self.bots.running_mut(conversation) else {
            return;
        };
        if answers {
            running.stage = Stage::Waiting(key);
            self.reply(now, conversation);
        } else {
            self.done(now, conversation, wants);
        }
    }

    /// Passes the reply of a conversation to the account.
    fn reply(&mut self, now: Now, conversation: &Conversation) {
        let Some(running) = self.bots.running_mut(conversation) else {
            return;
        };
        let Stage::Waiting(key) = running.stage else {
            return;
        };
        running.stage = Stage::Replying(key);
        let draft = answer(&running.message);
        self.next_token += 1;
        let token = self.next_token;
        self.bots.replies.insert(token, conversation.clone());
        let item = OutboxItem::Message {
            to: conversation.clone(),
            draft: Arc::new(draft),
            key: Some(key),
            sent_since: None,
        };
        self.core.send(now, token, item);
    }

    /// Processes the outcome of an outbox item.
    pub(super) fn replied(
        &mut self,
        now: Now,
        token: u64,
        outcome: &Result<String, OutboxError>,
        wants: &mut Vec<Want>,
    ) {
        if self.book.is_some() {
            return self.settled(now, token, outcome, wants);
        }
        let Some(conversation) = self.bots.replies.remove(&token) else {
            return;
        };
        let draining = self.bots.draining;
        let Some(running) = self.bots.running_mut(&conversation) else {
            return;
        };
        let Stage::Replying(key) = running.stage else {
            return;
        };
        if !matches!(outcome, Err(OutboxError::Offline(_))) {
            let ok = outcome.is_ok();
            wants.push(Want::Note(Note::Replied { ok }));
            return self.done(now, &conversation, wants);
        }
        // The account is held or contested. The reply keeps its key, so that the server recognises
        // the same message later.
        running.stage = Stage::Waiting(key);
        if draining {
            let receipt = Receipt::of(&running.message);
            self.core.not_handled(now, &mut self.memory, &receipt);
        }
    }

    fn done(&mut self, now: Now, conversation: &Conversation, wants: &mut Vec<Want>) {
        let Some(line) = self.bots.lines.get_mut(conversation) else {
            return;
        };
        let full = line.len() >= self.bots.config.limits.conversation;
        let crowded = self.bots.open >= self.bots.config.limits.account;
        let Some(running) = line.running.take() else {
            return;
        };
        self.bots.open -= 1;
        self.core
            .handled(now, &mut self.memory, &Receipt::of(&running.message));
        wants.push(Want::Note(Note::Handled {
            message: running.message,
            full,
            crowded,
        }));
        self.advance(now, conversation, wants);
    }

    /// Tells the bots whether the account is ready.
    pub(super) fn set_ready(&mut self, now: Now, ready: bool, wants: &mut Vec<Want>) {
        self.bots.ready = ready;
        if !ready {
            return;
        }
        self.post_again(now);
        let conversations: Vec<Conversation> = self.bots.lines.keys().cloned().collect();
        for conversation in conversations {
            self.reply(now, &conversation);
            self.advance(now, &conversation, wants);
        }
    }
}

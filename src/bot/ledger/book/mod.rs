//! What an account has on its books: handlers whose end is being written down, letters that are not settled, and
//! what handlers did before the process died.
//!
//! Pure: what handlers did and what became of it goes in, changes for the store and letters to send come out.

use crate::account::OutboxError;
use crate::bot::lines::Job;
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft, MessageKey};
use botroupe_core::ledger::{Change, Ended, Letter, LetterState, Recovered};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the sender of a letter hears.
pub(in crate::bot) type Outcome = Result<Sent, OutboxError>;

/// A letter that is to be sent.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Posting {
    pub(in crate::bot) number: u64,
    pub(in crate::bot) bot: Cow<'static, str>,
    pub(in crate::bot) to: Conversation,
    pub(in crate::bot) draft: Arc<Draft>,
    pub(in crate::bot) key: MessageKey,
    /// An earlier process, or an earlier host, may have sent it, at this time of the service at the earliest.
    pub(in crate::bot) sent_since: Option<u64>,
    /// Its time in the store, of the service.
    pub(in crate::bot) service_time: u64,
}

/// Something that the store has written down.
#[derive(Debug)]
pub(in crate::bot) enum Written {
    /// A handler has ended; these are its answers.
    Handler {
        job: Job,
        handler: &'static str,
        answers: Vec<Posting>,
    },
    /// A letter is to be sent.
    Letter(Posting),
    /// Somebody waits for it.
    Told(oneshot::Sender<()>),
}

/// What an effect has led to, with the number of the letter or the record.
#[derive(Debug)]
pub(in crate::bot) enum Known {
    /// A letter that was sent, or of which it is unknown whether it arrived.
    Settled(u64, Outcome),
    /// A letter that is under way: its outcome comes here.
    UnderWay(u64, oneshot::Receiver<Outcome>),
    /// A result, as JSON.
    Result(u64, Box<str>),
}

/// A letter that is not settled, or whose handler has not ended.
#[derive(Debug)]
struct Open {
    posting: Posting,
    effect: Option<u64>,
    /// The server's answer is kept when it was sent: for its handler, or for good.
    is_kept: bool,
    lasting: bool,
    /// Nobody is to decide about it if it is unknown.
    drops: bool,
    /// Once it is settled and somebody may still ask.
    answer: Option<Outcome>,
    waiters: Vec<oneshot::Sender<Outcome>>,
}

#[derive(Debug)]
enum Effect {
    Letter(u64),
    Result { number: u64, value: Box<str> },
}

/// What ends with a handler.
#[derive(Debug, Default)]
pub(in crate::bot) struct Steps {
    pub(in crate::bot) letters: Vec<u64>,
    pub(in crate::bot) results: Vec<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::bot) struct Book {
    /// What bots are done with: of the processes before, and of this one as long as a message may come again.
    handled: HashSet<u64>,
    effects: HashMap<u64, Effect>,
    letters: BTreeMap<u64, Open>,
    /// Batches that the store has and has not confirmed.
    writing: VecDeque<(u64, Written)>,
    batches: u64,
    /// For the host.
    written: VecDeque<Written>,
    /// Letters that were sent, of which the store does not know yet, and since when there are some.
    struck: Vec<Change>,
    struck_since: Duration,
}

impl Book {
    /// What the processes before have left.
    pub(in crate::bot) fn recovered(found: Recovered) -> Self {
        let mut book = Self {
            handled: found
                .handled
                .into_iter()
                .map(|(_, exchange)| exchange)
                .collect(),
            ..Self::default()
        };
        for record in found.records {
            let result = Effect::Result {
                number: record.number,
                value: record.value,
            };
            book.effects.insert(record.effect, result);
        }
        for letter in found.letters {
            if let Some(posting) = book.insert(letter) {
                book.written.push_back(Written::Letter(posting));
            }
        }
        book
    }

    /// Takes a letter of the store in. Returns what is to be sent of it.
    fn insert(&mut self, letter: Letter) -> Option<Posting> {
        let Ok(draft) = serde_json::from_str::<Draft>(&letter.draft) else {
            // Written by a later version: it stays in the store.
            tracing::error!(
                number = letter.number,
                "a letter in the store cannot be read"
            );
            return None;
        };
        let answer = match &letter.state {
            LetterState::Ended(Ended::Answered(answer)) => {
                Some(Ok(serde_json::from_str(answer).unwrap_or_default()))
            }
            LetterState::Ended(Ended::Unknown { reason, .. }) => {
                Some(Err(OutboxError::Unknown(reason.to_string())))
            }
            _ => None,
        };
        let posting = Posting {
            number: letter.number,
            bot: letter.bot.into_string().into(),
            to: letter.to,
            draft: Arc::new(draft),
            key: letter.key,
            sent_since: Some(letter.service_time),
            service_time: letter.service_time,
        };
        let to_send = answer.is_none().then(|| posting.clone());
        if let Some(effect) = letter.effect {
            self.effects.insert(effect, Effect::Letter(letter.number));
        }
        let open = Open {
            posting,
            effect: letter.effect,
            is_kept: letter.effect.is_some(),
            lasting: letter.lasting,
            drops: false,
            answer,
            waiters: Vec::new(),
        };
        self.letters.insert(letter.number, open);
        to_send
    }

    // ── questions ────────────────────────────────────────────────────────────────────────────

    /// Whether a bot is done with a message.
    pub(in crate::bot) fn is_handled(&self, exchange: u64) -> bool {
        !self.handled.is_empty() && self.handled.contains(&exchange)
    }

    /// Whether nothing is being written down or sent.
    pub(in crate::bot) fn is_quiet(&self) -> bool {
        self.writing.is_empty()
            && self.written.is_empty()
            && self.letters.values().all(|open| open.answer.is_some())
    }

    /// What an effect has led to, as far as it is on the books.
    pub(in crate::bot) fn known(&mut self, effect: u64) -> Option<Known> {
        match self.effects.get(&effect)? {
            Effect::Result { number, value } => Some(Known::Result(*number, value.clone())),
            Effect::Letter(number) => {
                let open = self.letters.get_mut(number)?;
                if let Some(outcome) = &open.answer {
                    return Some(Known::Settled(*number, outcome.clone()));
                }
                let (tell, outcome) = oneshot::channel();
                open.waiters.push(tell);
                Some(Known::UnderWay(*number, outcome))
            }
        }
    }

    /// Whether an effect is on the books.
    pub(in crate::bot) fn has(&self, effect: u64) -> bool {
        self.effects.contains_key(&effect)
    }

    /// What was sent for an effect.
    pub(in crate::bot) fn letter_of(&self, effect: u64) -> Option<Arc<Draft>> {
        let Effect::Letter(number) = self.effects.get(&effect)? else {
            return None;
        };
        let open = self.letters.get(number)?;
        Some(open.posting.draft.clone())
    }

    /// Whether somebody will look at the server's answer to a letter.
    pub(in crate::bot) fn is_answer_wanted(&self, number: u64) -> bool {
        let open = self.letters.get(&number);
        open.is_some_and(|open| open.is_kept || !open.waiters.is_empty())
    }

    /// Whether a letter has a caller's key.
    pub(in crate::bot) fn lasts(&self, number: u64) -> bool {
        self.letters.get(&number).is_some_and(|open| open.lasting)
    }

    /// Whether nothing is on the books.
    pub(in crate::bot) fn is_empty(&self) -> bool {
        self.handled.is_empty()
            && self.effects.is_empty()
            && self.letters.is_empty()
            && self.writing.is_empty()
            && self.written.is_empty()
            && self.struck.is_empty()
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Something is being written down. Returns the number of the batch.
    pub(in crate::bot) fn writes(&mut self, what: Written) -> u64 {
        self.batches += 1;
        self.writing.push_back((self.batches, what));
        self.batches
    }

    /// The store has written everything down up to this batch. Returns whether there is something for the host.
    pub(in crate::bot) fn committed(&mut self, batch: u64) -> bool {
        let mut for_host = false;
        while self
            .writing
            .front()
            .is_some_and(|(number, _)| *number <= batch)
        {
            match self.writing.pop_front() {
                Some((_, Written::Told(tell))) => {
                    let _ = tell.send(()); // Who waits no longer need not be told.
                }
                Some((_, written)) => {
                    self.written.push_back(written);
                    for_host = true;
                }
                None => {}
            }
        }
        for_host
    }

    /// A letter was sent. The store hears of it with the next thing that is written down: if it does not, the next
    /// process looks for the letter, and finds that it has arrived.
    pub(in crate::bot) fn strike(&mut self, now: Duration, sent: Change) {
        if self.struck.is_empty() {
            self.struck_since = now;
        }
        self.struck.push(sent);
    }

    /// Letters that were sent, if some wait since `until` or longer.
    pub(in crate::bot) fn take_struck(&mut self, until: Duration) -> Vec<Change> {
        if self.struck.is_empty() || self.struck_since > until {
            return Vec::new();
        }
        std::mem::take(&mut self.struck)
    }

    /// The next thing that was written down.
    pub(in crate::bot) fn poll_written(&mut self) -> Option<Written> {
        let written = self.written.pop_front();
        if written.is_none() && self.written.capacity() > 16 {
            self.written = VecDeque::new();
            self.writing.shrink_to(16);
        }
        written
    }

    /// A handler has ended: it is done with the message.
    pub(in crate::bot) fn handled(&mut self, exchange: u64) {
        self.handled.insert(exchange);
    }

    /// The message cannot come again in this process.
    pub(in crate::bot) fn is_over(&mut self, exchange: u64) {
        self.handled.remove(&exchange);
        if self.handled.is_empty() && self.handled.capacity() > 64 {
            self.handled = HashSet::new();
        }
    }

    /// A letter is to be sent. With an effect its outcome is kept, for good if it is `lasting`.
    pub(in crate::bot) fn letter(&mut self, posting: Posting, effect: Option<u64>, lasting: bool) {
        let number = posting.number;
        if let Some(effect) = effect {
            self.effects.insert(effect, Effect::Letter(number));
        }
        let open = Open {
            posting,
            effect,
            is_kept: effect.is_some(),
            lasting,
            drops: false,
            answer: None,
            waiters: Vec::new(),
        };
        self.letters.insert(number, open);
    }

    /// Somebody wants to hear what becomes of a letter.
    pub(in crate::bot) fn wait_for(&mut self, number: u64) -> Option<oneshot::Receiver<Outcome>> {
        let open = self.letters.get_mut(&number)?;
        let (tell, outcome) = oneshot::channel();
        open.waiters.push(tell);
        Some(outcome)
    }

    /// A result was recorded.
    pub(in crate::bot) fn result(&mut self, number: u64, effect: u64, value: Box<str>) {
        self.effects
            .insert(effect, Effect::Result { number, value });
    }

    /// A handler has ended: what it did need not be known any more. Returns what the store may forget.
    pub(in crate::bot) fn steps_over(&mut self, steps: Steps, changes: &mut Vec<Change>) {
        for number in steps.letters {
            let Some(open) = self.letters.get_mut(&number) else {
                continue;
            };
            if let Some(effect) = open.effect {
                self.effects.remove(&effect);
            }
            open.is_kept = false;
            let (answer, drops) = (open.answer.take(), open.drops);
            if answer.is_some() {
                self.letters.remove(&number);
            }
            // What is unknown stays for somebody to decide.
            if answer.is_some_and(|answer| answer.is_ok() || drops) {
                changes.push(Change::Dropped { number });
            }
        }
        for number in steps.results {
            self.effects.retain(
                |_, effect| !matches!(effect, Effect::Result { number: of, .. } if *of == number),
            );
            changes.push(Change::Forgotten { number });
        }
    }

    /// Whether somebody waits for the outcome of a letter.
    pub(in crate::bot) fn is_awaited(&mut self, number: u64) -> bool {
        let open = self.letters.get_mut(&number);
        open.is_some_and(|open| {
            open.waiters.retain(|waiter| !waiter.is_closed());
            !open.waiters.is_empty()
        })
    }

    /// A letter has met its end. Returns what the store has to know. One that is unknown is forgotten if its bot
    /// `drops` such, as soon as nothing can lead to it again.
    pub(in crate::bot) fn settled(
        &mut self,
        number: u64,
        outcome: Outcome,
        (at, drops): (u64, bool),
    ) -> Option<Change> {
        let open = self.letters.get_mut(&number)?;
        for waiter in std::mem::take(&mut open.waiters) {
            let _ = waiter.send(outcome.clone()); // Who waits no longer need not be told.
        }
        let (is_kept, lasting, effect) = (open.is_kept, open.lasting, open.effect);
        open.answer = Some(outcome.clone());
        open.drops = drops;
        let ended = match outcome {
            Ok(sent) if is_kept => {
                let answer = serde_json::to_string(&sent).unwrap_or_default();
                Ended::Answered(answer.into())
            }
            Ok(_) => Ended::Sent,
            Err(error @ (OutboxError::Unknown(_) | OutboxError::Expired(_))) => Ended::Unknown {
                reason: error.to_string().into(),
                at,
            },
            Err(error) => Ended::Failed {
                reason: error.to_string().into(),
                at,
            },
        };
        // What lasts is looked up in the store, and what failed may be tried again.
        if !is_kept || lasting || matches!(ended, Ended::Failed { .. }) {
            self.letters.remove(&number);
            if let Some(effect) = effect {
                self.effects.remove(&effect);
            }
        }
        Some(match ended {
            Ended::Unknown { .. } if drops && !is_kept => Change::Dropped { number },
            ended => Change::Ended { number, ended },
        })
    }

    /// A letter that had failed is to be sent again, without a look at the history: somebody has decided so. `None`
    /// when it is under way.
    pub(in crate::bot) fn retried(&mut self, letter: Letter) -> Option<Posting> {
        let number = letter.number;
        match self.letters.get_mut(&number) {
            // A handler may still ask for it.
            Some(open) if matches!(open.answer, Some(Err(_))) => open.answer = None,
            Some(_) => return None,
            None => {
                let queued = LetterState::Queued;
                self.insert(Letter {
                    state: queued,
                    ..letter
                })?;
            }
        }
        let open = self.letters.get_mut(&number)?;
        open.posting.sent_since = None;
        Some(open.posting.clone())
    }

    /// Another host takes over. It knows nothing of the handlers of the last one, whose answers become letters of
    /// their own; what the last one had it may have sent.
    pub(in crate::bot) fn host_replaced(&mut self) {
        let mut unwritten = HashSet::new();
        for (batch, written) in std::mem::take(&mut self.writing) {
            let letters = match written {
                Written::Handler { answers, .. } => answers,
                Written::Letter(posting) => vec![posting],
                told @ Written::Told(_) => {
                    self.writing.push_back((batch, told));
                    continue;
                }
            };
            for posting in letters {
                unwritten.insert(posting.number);
                self.writing.push_back((batch, Written::Letter(posting)));
            }
        }
        let open = self.letters.values().filter(|open| open.answer.is_none());
        self.written = open
            .filter(|open| !unwritten.contains(&open.posting.number))
            .map(|open| {
                Written::Letter(Posting {
                    sent_since: Some(open.posting.service_time),
                    ..open.posting.clone()
                })
            })
            .collect();
    }
}

#[cfg(test)]
mod tests;

//! What the bots of an account keep in the store, and what they go on with after a restart. It follows the rules of
//! the real host: a handler that ends is one list of changes, and when the disk has it the answer is sent.

use super::disk::next_number;
use super::sim_account::{Note, SimAccount, Want};
use botroupe_core::account::{MAX_OUTBOX, OutboxError, OutboxItem};
use botroupe_core::ledger::{
    AccountNo, Change, Ended, Letter, LetterState, Recovered, exchange, message_id,
};
use botroupe_core::policy::Now;
use botroupe_core::session::Receipt;
use botroupe_proto::message::{Conversation, Draft, Element, Message, MessageKey};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The name of the bot.
const BOT: &str = "echo";
/// When an answer that found the outbox full is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// When a letter that could not be sent in time is tried again; each time later.
const LATER: Duration = Duration::from_secs(10);
/// So many times a letter is tried again before it counts as unknown.
const MAX_TRIES: u32 = 10;

/// The text of a message.
fn text_of(draft: &Draft) -> Option<String> {
    draft.elements.iter().find_map(|element| match element {
        Element::Text(text) => Some(text.text.clone()),
        _ => None,
    })
}

/// See the module.
#[derive(Debug)]
pub(super) struct Book {
    account: AccountNo,
    numbers: Arc<AtomicU64>,
    handled: HashSet<u64>,
    /// Handlers whose end is being written down, by the tag of the list.
    writing: BTreeMap<u64, Finished>,
    tags: u64,
    /// Letters that are not settled, in the order in which they are sent.
    letters: Vec<Posting>,
    /// How many the account has.
    sent: usize,
}

/// A handler that has ended.
#[derive(Debug)]
struct Finished {
    message: Arc<Message>,
    answer: Option<Posting>,
}

#[derive(Debug)]
struct Posting {
    number: u64,
    to: Conversation,
    draft: Arc<Draft>,
    key: MessageKey,
    sent_since: Option<u64>,
    service_time: u64,
    tries: u32,
    state: State,
    /// The message that it answers, if that came to this process.
    job: Option<Arc<Message>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// The account has it, under this token.
    Sent(u64),
    /// The account is away; sent again as soon as it is ready.
    Away,
    /// Sent again at this time.
    Later(Duration),
}

impl Book {
    /// What an earlier process has left.
    pub(super) fn recovered(account: AccountNo, numbers: Arc<AtomicU64>, found: Recovered) -> Self {
        let letters = found.letters.into_iter().filter_map(|letter| {
            Some(Posting {
                number: letter.number,
                to: letter.to,
                draft: Arc::new(serde_json::from_str(&letter.draft).ok()?),
                key: letter.key,
                sent_since: Some(letter.service_time),
                service_time: letter.service_time,
                tries: 0,
                state: State::Waiting,
                job: None,
            })
        });
        Self {
            account,
            numbers,
            handled: found
                .handled
                .iter()
                .map(|(_, exchange)| *exchange)
                .collect(),
            writing: BTreeMap::new(),
            tags: 0,
            letters: letters.collect(),
            sent: 0,
        }
    }

    /// Whether the bot is done with a message.
    pub(super) fn is_handled(&self, message: &Message) -> bool {
        self.handled.contains(&exchange(BOT, message_id(message)))
    }

    fn at(&self, token: u64) -> Option<usize> {
        let mut letters = self.letters.iter();
        letters.position(|letter| letter.state == State::Sent(token))
    }
}

impl SimAccount {
    /// Writes down that a handler has ended. `at` is the time of the store, in Unix seconds.
    pub(super) fn ended(
        &mut self,
        now: Now,
        message: Arc<Message>,
        (draft, key): (Option<Draft>, MessageKey),
        wants: &mut Vec<Want>,
    ) {
        let service_time = self.core.service_time(now);
        let Some(book) = &mut self.book else {
            return;
        };
        let at = super::world::store_time(now);
        let exchange = exchange(BOT, message_id(&message));
        book.handled.insert(exchange);
        let mut changes = vec![Change::Handled {
            number: next_number(&book.numbers),
            account: book.account,
            exchange,
            at,
        }];
        let answer = draft.map(|draft| {
            let number = next_number(&book.numbers);
            let to = message.conversation.clone();
            changes.push(Change::Queued(Box::new(Letter {
                number,
                account: book.account,
                bot: BOT.into(),
                effect: None,
                lasting: false,
                to: to.clone(),
                draft: serde_json::to_string(&draft).unwrap_or_default().into(),
                key,
                at,
                service_time,
                state: LetterState::Queued,
            })));
            Posting {
                number,
                to,
                draft: Arc::new(draft),
                key,
                sent_since: None,
                service_time,
                tries: 0,
                state: State::Waiting,
                job: Some(message.clone()),
            }
        });
        book.tags += 1;
        let tag = Some(book.tags);
        book.writing.insert(book.tags, Finished { message, answer });
        wants.push(Want::Submit { tag, changes });
    }

    /// The disk has the list of this tag.
    pub(super) fn written(&mut self, now: Now, tag: u64, wants: &mut Vec<Want>) {
        let Some(book) = &mut self.book else {
            return;
        };
        let Some(Finished { message, answer }) = book.writing.remove(&tag) else {
            return;
        };
        wants.push(Want::Note(Note::Written(message.clone())));
        let conversation = message.conversation.clone();
        self.bots.freed(&conversation);
        match answer {
            Some(answer) => {
                book.letters.push(answer);
                self.post(now);
            }
            None => self.job_over(now, message, wants),
        }
        self.advance(now, &conversation, wants);
    }

    /// Passes to the account what waits.
    pub(super) fn post(&mut self, now: Now) {
        let Some(book) = &mut self.book else {
            return;
        };
        for letter in &mut book.letters {
            if book.sent >= MAX_OUTBOX {
                return;
            }
            if letter.state != State::Waiting {
                continue;
            }
            self.next_token += 1;
            letter.state = State::Sent(self.next_token);
            book.sent += 1;
            let item = OutboxItem::Message {
                to: letter.to.clone(),
                draft: letter.draft.clone(),
                key: Some(letter.key),
                sent_since: letter.sent_since,
            };
            self.core.send(now, self.next_token, item);
        }
    }

    /// What became of a letter.
    pub(super) fn settled(
        &mut self,
        now: Now,
        token: u64,
        outcome: &Result<String, OutboxError>,
        wants: &mut Vec<Want>,
    ) {
        let draining = self.bots.is_draining();
        let Some(book) = &mut self.book else {
            return;
        };
        let Some(at) = book.at(token) else {
            return;
        };
        book.sent -= 1;
        let letter = &mut book.letters[at];
        let state = match outcome {
            Err(OutboxError::Offline(_)) => {
                letter.sent_since = Some(letter.service_time);
                Some(State::Away)
            }
            Err(OutboxError::Full) => Some(State::Later(now.mono + AGAIN)),
            Err(OutboxError::Expired(_)) if letter.tries < MAX_TRIES => {
                letter.tries += 1;
                letter.sent_since = Some(letter.service_time);
                Some(State::Later(now.mono + LATER * letter.tries))
            }
            _ => None,
        };
        if let Some(state) = state {
            letter.state = state;
            if let State::Later(at) = state {
                wants.push(Want::Later(at));
            }
            if draining {
                self.give_up(now, wants);
            }
            return self.post(now);
        }
        let letter = book.letters.remove(at);
        let at = super::world::store_time(now);
        let ended = match outcome {
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
        wants.push(Want::Note(Note::Replied {
            ok: outcome.is_ok(),
        }));
        if let (Err(error), Some(text)) = (outcome, text_of(&letter.draft)) {
            wants.push(Want::Note(Note::Dead {
                text,
                reason: error.to_string(),
                is_unknown: matches!(ended, Ended::Unknown { .. }),
            }));
        }
        wants.push(Want::Submit {
            tag: None,
            changes: vec![Change::Ended {
                number: letter.number,
                ended,
            }],
        });
        if let Some(job) = letter.job {
            self.job_over(now, job, wants);
        }
        self.post(now);
    }

    /// The bot is done with a message, and its answer is settled.
    fn job_over(&mut self, now: Now, message: Arc<Message>, wants: &mut Vec<Want>) {
        if let Some(book) = &mut self.book {
            // It cannot come again in this process.
            book.handled.remove(&exchange(BOT, message_id(&message)));
        }
        let (full, crowded) = self.bots.replied(&message.conversation);
        self.core
            .handled(now, &mut self.memory, &Receipt::of(&message));
        wants.push(Want::Note(Note::Handled {
            message,
            full,
            crowded,
        }));
    }

    /// The process ends: the next one sends what this one cannot.
    pub(super) fn give_up(&mut self, now: Now, wants: &mut Vec<Want>) {
        let Some(book) = &mut self.book else {
            return;
        };
        let letters = std::mem::take(&mut book.letters);
        let (over, left): (Vec<Posting>, _) = letters
            .into_iter()
            .partition(|letter| matches!(letter.state, State::Away | State::Later(_)));
        book.letters = left;
        for job in over.into_iter().filter_map(|letter| letter.job) {
            self.job_over(now, job, wants);
        }
    }

    /// The account is ready: what it could not take before goes out.
    pub(super) fn post_again(&mut self, now: Now) {
        if let Some(book) = &mut self.book {
            for letter in &mut book.letters {
                if letter.state == State::Away {
                    letter.state = State::Waiting;
                }
            }
            self.post(now);
        }
    }

    /// The time of [`Want::Later`] has come.
    pub(super) fn post_later(&mut self, now: Now) {
        if let Some(book) = &mut self.book {
            for letter in &mut book.letters {
                if matches!(letter.state, State::Later(at) if at <= now.mono) {
                    letter.state = State::Waiting;
                }
            }
            self.post(now);
        }
    }

    /// Everything that the bots are done with is reported as read. A message whose end is written down and whose answer
    /// is under way is not: the store must not forget that it was handled.
    pub(super) fn all_read(&self, now: Now, wants: &mut Vec<Want>) {
        if let Some(book) = &self.book
            && book.writing.is_empty()
            && book.letters.iter().all(|letter| letter.job.is_none())
        {
            let read = Change::Read {
                account: book.account,
                until: super::world::store_time(now),
            };
            wants.push(Want::Submit {
                tag: None,
                changes: vec![read],
            });
        }
    }
}

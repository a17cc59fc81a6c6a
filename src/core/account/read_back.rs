//! Whether a message that may have been sent has arrived: reads the history of its conversation back.
//!
//! The service recognises a repeated message for a few minutes only. Later, or where it does not at all, the
//! history is asked first, and the message is sent again only if it is not there.

use super::outbox::Attempt;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, MessageKey};
use crate::proto::op::{Call, Limit};
use crate::proto::op::{c2c_message, group_message};

/// How much earlier than it was written down a message may stand in the history: the service's clock is known to
/// about a second.
const SLACK: u64 = 10;
/// Pages that are read at most: 750 messages of a person, and 1,000 of a group.
const MAX_PAGES: u32 = 50;

/// A search under way, for all messages of a conversation that are in doubt.
#[derive(Clone, Debug)]
pub(super) struct ReadBack {
    /// The tokens of the messages that were not found yet, and their keys.
    wanted: Vec<(u64, MessageKey)>,
    /// Those that have arrived, with an answer as the service gave it when they were sent.
    arrived: Vec<(u64, String)>,
    /// Nothing before this is looked at, in Unix seconds of the service.
    since: u64,
    place: Place,
    pages: u32,
    /// The next request has its turn already.
    has_turn: bool,
}

#[derive(Clone, Debug)]
enum Place {
    C2c(Box<c2c_message::GetHistory>),
    Group { id: Box<str>, upper: Option<u32> },
}

/// What a page tells of the messages that were not found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// All were found, or the others have not arrived.
    Everything,
    /// The next page has to be read.
    NotYet,
    /// The history does not reach back far enough, or cannot be read.
    Unknown(String),
}

impl ReadBack {
    /// A search for messages to one conversation: their tokens, keys, and when they were sent at the earliest (Unix
    /// seconds of the service). `None` for a conversation without a history.
    pub(super) fn new(
        to: &Conversation,
        doubtful: impl Iterator<Item = (u64, MessageKey, u64)>,
    ) -> Option<Self> {
        let place = match to {
            Conversation::C2c(peer) => Place::C2c(Box::new(c2c_message::GetHistory::newest(
                &**peer,
                c2c_message::PAGE,
            ))),
            Conversation::Group(id) => Place::Group {
                id: id.clone().into(),
                upper: None,
            },
            _ => return None,
        };
        let (mut wanted, mut first) = (Vec::new(), u64::MAX);
        for (token, key, since) in doubtful {
            wanted.push((token, key));
            first = first.min(since);
        }
        Some(Self {
            wanted,
            arrived: Vec::new(),
            since: first.saturating_sub(SLACK),
            place,
            pages: 0,
            has_turn: false,
        })
    }

    /// How often the service takes such a request.
    pub(super) const fn limit(&self) -> Limit {
        match &self.place {
            Place::C2c(_) => c2c_message::GetHistory::LIMIT,
            Place::Group { .. } => group_message::GetHistory::LIMIT,
        }
    }

    /// The next request has got its turn, which comes later.
    pub(super) const fn give_turn(&mut self) {
        self.has_turn = true;
    }

    /// Whether the next request had got its turn.
    pub(super) const fn take_turn(&mut self) -> bool {
        std::mem::replace(&mut self.has_turn, false)
    }

    /// The request for the next page.
    pub(super) fn request(&self) -> Attempt {
        // They hold numbers and strings only, so they can be written.
        let (servcmd, body) = match &self.place {
            Place::C2c(page) => (page.servcmd(), serde_json::to_string(page)),
            Place::Group { id, upper } => {
                let page = group_message::GetHistory::new(&**id, *upper, group_message::PAGE);
                (page.servcmd(), serde_json::to_string(&page))
            }
        };
        Attempt::Call {
            servcmd,
            body: body.unwrap_or_default().into(),
        }
    }

    /// The answer to the request.
    pub(super) fn answered(&mut self, me: &UserId, body: &str) -> Found {
        self.pages += 1;
        let unreadable = |error: serde_json::Error| {
            Found::Unknown(format!("the history cannot be read: {error}"))
        };
        let found = match &self.place {
            Place::C2c(_) => match serde_json::from_str(body) {
                Ok(page) => self.c2c(me, &page),
                Err(error) => unreadable(error),
            },
            Place::Group { .. } => match serde_json::from_str(body) {
                Ok(page) => self.group(me, &page),
                Err(error) => unreadable(error),
            },
        };
        if found == Found::NotYet && self.pages >= MAX_PAGES {
            return Found::Unknown(format!(
                "it is not among the last messages ({MAX_PAGES} pages)"
            ));
        }
        found
    }

    /// The messages that have arrived, and those of which nothing was found.
    pub(super) fn into_parts(self) -> (Vec<(u64, String)>, Vec<u64>) {
        let missing = self.wanted.into_iter().map(|(token, _)| token);
        (self.arrived, missing.collect())
    }

    fn c2c(&mut self, me: &UserId, answer: &c2c_message::History) -> Found {
        for item in answer.items.iter().filter(|item| item.from == me.as_str()) {
            self.arrived_if(
                |key| (item.seq, item.random) == (key.seq, key.random),
                || {
                    serde_json::json!({
                        "ActionStatus": "OK", "ErrorCode": 0, "MsgTime": item.time,
                        "MsgKey": format!("{}_{}_{}", item.seq, item.random, item.time),
                    })
                },
            );
        }
        let oldest = answer.items.iter().map(|item| item.time).min();
        if self.wanted.is_empty()
            || answer.complete
            || oldest.is_some_and(|oldest| oldest < self.since)
        {
            return Found::Everything;
        }
        let Place::C2c(page) = &mut self.place else {
            return Found::NotYet;
        };
        let stands_still = page.time == answer.time && page.key == answer.key;
        if answer.time == 0 && answer.key.is_empty() || stands_still || oldest.is_none() {
            return Found::Unknown("the history does not go on".to_owned());
        }
        **page = page.as_ref().clone().before(answer, c2c_message::PAGE);
        Found::NotYet
    }

    fn group(&mut self, me: &UserId, answer: &group_message::History) -> Found {
        for item in answer.items.iter().filter(|item| item.from == me.as_str()) {
            self.arrived_if(|key| item.random == key.random, || {
                serde_json::json!({
                    "ActionStatus": "OK", "ErrorCode": 0, "MsgTime": item.time, "MsgSeq": item.seq,
                })
            });
        }
        let times = answer.items.iter().map(|item| item.time);
        let oldest = times.filter(|time| *time > 0).min();
        let lowest = answer.lowest().unwrap_or(1);
        if self.wanted.is_empty() || lowest <= 1 || oldest.is_some_and(|oldest| oldest < self.since)
        {
            return Found::Everything;
        }
        if answer.finished == Some(2) {
            return Found::Unknown("the group keeps no messages from so long ago".to_owned());
        }
        let Place::Group { upper, .. } = &mut self.place else {
            return Found::NotYet;
        };
        if upper.is_some_and(|upper| lowest > upper) {
            return Found::Unknown("the history does not go on".to_owned());
        }
        *upper = Some(lowest - 1);
        Found::NotYet
    }

    /// A message of ours stands in the history.
    fn arrived_if(
        &mut self,
        is_it: impl Fn(&MessageKey) -> bool,
        answer: impl FnOnce() -> serde_json::Value,
    ) {
        if let Some(at) = self.wanted.iter().position(|(_, key)| is_it(key)) {
            let (token, _) = self.wanted.remove(at);
            self.arrived.push((token, answer().to_string()));
        }
    }
}

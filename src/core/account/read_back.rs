//! Whether a message that may have been sent has arrived: reads the history of its conversation back.
//!
//! The service recognises a repeated message for a few minutes only. Later, or where it does not at all, the
//! history is asked first, and the message is sent again only if it is not there.

use super::outbox::Attempt;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, MessageKey};
use crate::proto::op::{Call, Limit};
use crate::proto::op::{c2c_message, group_message};
use crate::session::OutgoingMessage;

/// How much earlier than it was written down a message may stand in the history: the service's clock is known to
/// about a second, and was perhaps asked long ago.
const SLACK: u64 = 60;
/// Pages that are read at most: 750 messages of a person, and 1,000 of a group.
const MAX_PAGES: u32 = 50;

/// A search under way.
#[derive(Clone, Debug)]
pub(super) struct ReadBack {
    key: MessageKey,
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

/// What a page tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The message has arrived: an answer as the service gave it when the message was sent.
    Arrived(String),
    /// It has not.
    Absent,
    /// The next page has to be read.
    NotYet,
    /// The history does not reach back far enough, or cannot be read.
    Unknown(String),
}

impl ReadBack {
    /// A search for a message that was sent at `since` (Unix seconds of the service) at the earliest; `None` for
    /// messages that leave no trace in a history.
    pub(super) fn new(message: &OutgoingMessage, since: u64) -> Option<Self> {
        if message.draft.options.online_only {
            return None;
        }
        let place = match &message.to {
            Conversation::C2c(peer) => Place::C2c(Box::new(c2c_message::GetHistory::newest(
                &**peer,
                c2c_message::PAGE,
            ))),
            Conversation::Group(id) => Place::Group {
                id: id.clone(),
                upper: None,
            },
            _ => return None,
        };
        Some(Self {
            key: message.key,
            since: since.saturating_sub(SLACK),
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
        let found = match &mut self.place {
            Place::C2c(page) => match serde_json::from_str(body) {
                Ok(answer) => in_c2c(page, me, self.key, self.since, &answer),
                Err(error) => Found::Unknown(format!("the history cannot be read: {error}")),
            },
            Place::Group { upper, .. } => match serde_json::from_str(body) {
                Ok(answer) => in_group(upper, me, self.key, self.since, &answer),
                Err(error) => Found::Unknown(format!("the history cannot be read: {error}")),
            },
        };
        if found == Found::NotYet && self.pages >= MAX_PAGES {
            return Found::Unknown(format!(
                "it is not among the last messages ({MAX_PAGES} pages)"
            ));
        }
        found
    }
}

fn in_c2c(
    page: &mut c2c_message::GetHistory,
    me: &UserId,
    key: MessageKey,
    since: u64,
    answer: &c2c_message::History,
) -> Found {
    let is_it = |item: &&crate::proto::message::C2cItem| {
        item.from == me.as_str() && (item.seq, item.random) == (key.seq, key.random)
    };
    if let Some(item) = answer.items.iter().find(is_it) {
        let answer = serde_json::json!({
            "ActionStatus": "OK", "ErrorCode": 0, "MsgTime": item.time,
            "MsgKey": format!("{}_{}_{}", item.seq, item.random, item.time),
        });
        return Found::Arrived(answer.to_string());
    }
    let oldest = answer.items.iter().map(|item| item.time).min();
    if answer.complete || oldest.is_some_and(|oldest| oldest < since) {
        return Found::Absent;
    }
    let Some(oldest) = oldest else {
        return Found::Unknown("the history ends before it is complete".to_owned());
    };
    let stands_still = page.time == answer.time && page.key == answer.key;
    if answer.time == 0 && answer.key.is_empty() || stands_still || oldest == 0 {
        return Found::Unknown("the history does not go on".to_owned());
    }
    *page = page.clone().before(answer, c2c_message::PAGE);
    Found::NotYet
}

fn in_group(
    upper: &mut Option<u32>,
    me: &UserId,
    key: MessageKey,
    since: u64,
    answer: &group_message::History,
) -> Found {
    let is_it = |item: &&crate::proto::message::GroupItem| {
        item.from == me.as_str() && item.random == key.random
    };
    if let Some(item) = answer.items.iter().find(is_it) {
        let answer = serde_json::json!({
            "ActionStatus": "OK", "ErrorCode": 0, "MsgTime": item.time, "MsgSeq": item.seq,
        });
        return Found::Arrived(answer.to_string());
    }
    let oldest = answer
        .items
        .iter()
        .map(|item| item.time)
        .filter(|time| *time > 0)
        .min();
    let lowest = answer.lowest().unwrap_or(1);
    if lowest <= 1 || oldest.is_some_and(|oldest| oldest < since) {
        return Found::Absent;
    }
    if answer.finished == Some(2) {
        return Found::Unknown("the group keeps no messages from so long ago".to_owned());
    }
    if upper.is_some_and(|upper| lowest > upper) {
        return Found::Unknown("the history does not go on".to_owned());
    }
    *upper = Some(lowest - 1);
    Found::NotYet
}

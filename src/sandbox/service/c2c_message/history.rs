//! Synchronisation by cookie, and the history of a conversation.
//!
//! See "Missed messages" in docs/src/protocol.md.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::failure,
    proto::{code::Code, id::UserId, op::c2c_message::GetHistory},
    request::Request,
    service::c2c_message::{
        item::{Item, notice, withdrawal},
        stored::{Inbound, MessageId, conversation_key, is_unread},
        user,
    },
    state::{ConnId, State},
    wire::Head,
};

/// A page of history grows to at most this many bytes in order to complete a second.
const MAX_PAGE_BYTES: usize = 512 * 1024;

/// The most bytes of messages in one page of missed messages. The official SDK keeps only the last
/// page after a reconnect, so a page is as large as a link allows.
const MAX_SYNC_BYTES: usize = 1024 * 1024;

/// Upper bound of the bytes of a message apart from its content.
const FRAME: usize = 600;

/// The position of a client, as its cookie states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// The client has everything up to this position.
    After(u64),
    /// The client has no cookie: send what is unread, from this position on.
    Unread(u64),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Missed<'a> {
    Message(Box<Item<'a>>),
    Events {
        #[serde(rename = "EventArray")]
        events: [Value; 1],
    },
}

#[derive(Serialize)]
struct MissedAnswer<'a> {
    #[serde(rename = "ActionStatus")]
    status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: i64,
    #[serde(rename = "ErrorInfo")]
    info: &'static str,
    #[serde(rename = "Cookie")]
    cookie: String,
    #[serde(rename = "SyncFlag")]
    sync_flag: u8,
    #[serde(rename = "MsgList")]
    messages: Vec<Missed<'a>>,
    #[serde(rename = "EventArray")]
    events: Vec<Value>,
    #[serde(rename = "C2CPairUnreadCount")]
    unread: Vec<Value>,
}

#[derive(Serialize)]
struct HistoryAnswer<'a> {
    #[serde(rename = "ActionStatus")]
    status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: i64,
    #[serde(rename = "ErrorInfo")]
    info: &'static str,
    #[serde(rename = "Complete")]
    complete: u8,
    #[serde(rename = "MsgCnt")]
    count: usize,
    #[serde(rename = "LastMsgTime")]
    last_time: u64,
    #[serde(rename = "MsgKey")]
    key: String,
    #[serde(rename = "MsgList")]
    messages: Vec<Item<'a>>,
}

impl Position {
    /// Parses a cookie. An unknown cookie counts as empty.
    pub(crate) fn parse(cookie: &str) -> Self {
        let number = |text: &str| text.parse().ok();
        if let Some(at) = cookie.strip_prefix("c-").and_then(number) {
            Self::After(at)
        } else {
            Self::Unread(cookie.strip_prefix("u-").and_then(number).unwrap_or(0))
        }
    }

    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::After(at) | Self::Unread(at) => at,
        }
    }
}

impl State {
    /// `openim.getmsg`: everything since the cookie, in one page unless `sync_page` is set.
    pub(crate) fn getmsg(&mut self, request: &Request<'_>, conn: ConnId, head: &Head<'_>) {
        let (now, caller) = (request.now, request.caller);
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "PascalCase", default)]
        struct Body {
            cookie: String,
        }
        let request: Body = serde_json::from_str(request.text).unwrap_or_default();
        let position = Position::parse(&request.cookie);
        let events_up_to;
        let answer = {
            let Some(account) = self.world.accounts.get(&caller.user) else {
                self.world
                    .answer(now, conn, head, failure(Code::C2C_UNKNOWN_USER));
                return;
            };
            let page = self.world.config.sync_page.unwrap_or(usize::MAX).max(1);
            let mut due = account
                .inbox
                .iter()
                .skip(
                    account
                        .inbox
                        .partition_point(|e| e.position <= position.number()),
                )
                .filter(|entry| match position {
                    Position::After(_) => entry.by == 0 || entry.by != caller.instance,
                    Position::Unread(_) => {
                        let from = self.messages.get(&entry.message).map(|m| &m.draft.from);
                        entry.what == Inbound::Received
                            && from.is_some_and(|from| {
                                is_unread(&self.messages, entry.message, from)
                                    && account
                                        .peers
                                        .get(from)
                                        .is_none_or(|peer| entry.position > peer.read_up_to)
                            })
                    }
                });
            let mut messages = Vec::new();
            let mut reached = position.number();
            let mut bytes = 0;
            while messages.len() < page && bytes < MAX_SYNC_BYTES {
                let Some(entry) = due.next() else {
                    break;
                };
                reached = entry.position;
                let Some(message) = self.messages.get(&entry.message) else {
                    continue;
                };
                bytes += message.draft.body.get().len() + FRAME;
                match entry.what {
                    Inbound::Recalled => {
                        messages.push(Missed::Events {
                            events: [notice(withdrawal(message))],
                        });
                    }
                    // A recalled message is not delivered late; the recall notice follows.
                    _ if message.revoker.is_some() => {}
                    Inbound::Received => {
                        messages.push(Missed::Message(Box::new(Item::plain(message))))
                    }
                    Inbound::SentElsewhere => {
                        messages.push(Missed::Message(Box::new(Item::synced(message))));
                    }
                }
            }
            let more = due.next().is_some();
            let head_of_all = self.world.next_message.saturating_sub(1);
            let cookie = match position {
                _ if !more => format!("c-{head_of_all}"),
                Position::After(_) => format!("c-{reached}"),
                Position::Unread(_) => format!("u-{reached}"),
            };
            let unread = account
                .peers
                .iter()
                .filter(|(_, peer)| peer.unread > 0)
                .map(|(user, peer)| json!({"From_Account": user, "UnreadCount": peer.unread}))
                .collect();
            let sync_flag = if more { 1 } else { 2 };
            // Group notices that found no linked login go on the page that covers their position.
            let from = match position {
                Position::After(at) => at,
                Position::Unread(at) => at.max(account.events_given),
            };
            let to = if more { reached } else { head_of_all };
            events_up_to = to;
            let events = account.events.iter();
            let events = events
                .filter(|(at, _)| *at > from && *at <= to)
                .map(|(_, event)| event.clone())
                .collect();
            MissedAnswer {
                status: "OK",
                code: 0,
                info: "",
                cookie,
                sync_flag,
                messages,
                events,
                unread,
            }
        };
        let text = crate::wire::encode(&head.servcmd, &head.seq, answer);
        self.world.answer_encoded(now, conn, &head.seq, text);
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            account.events_given = account.events_given.max(events_up_to);
        }
    }

    /// `openim.getroammsg`: a page of one conversation, in ascending order.
    pub(crate) fn getroammsg(&mut self, request: &Request<'_>, conn: ConnId, head: &Head<'_>) {
        let (now, caller) = (request.now, request.caller);
        let asked = request.read::<GetHistory>(Code::C2C_BAD_PACKET);
        let asked = asked.and_then(|asked| Ok((user(&asked.peer)?, asked)));
        let (peer, request) = match asked {
            Ok(asked) => asked,
            Err(code) => return self.world.answer(now, conn, head, failure(code)),
        };
        let user = &caller.user;
        let visible = self.visible(user, &peer, request.with_recalled != 0);
        let at = self
            .find_by_key(user, &peer, &request.key)
            .and_then(|id| visible.iter().position(|other| *other == id));
        let time = request.time;
        let older_than = |limit: u64| {
            visible.partition_point(|id| self.messages.get(id).is_some_and(|m| m.time < limit))
        };
        let count = if request.count == 0 {
            15
        } else {
            request.count.min(100) as usize
        };
        let (page, complete) = if request.direction == 0 {
            let end = match at {
                Some(at) => at,
                None if time > 0 => older_than(time.saturating_add(1)),
                None => visible.len(),
            };
            let start = end.saturating_sub(count);
            (&visible[start..end], start == 0)
        } else {
            let start = at.map_or_else(|| older_than(time), |at| at + 1);
            let end = visible.len().min(start.saturating_add(count));
            let (end, complete) = match at {
                None => self.past_second(&visible, start, end, time),
                Some(_) => (end, end == visible.len()),
            };
            (&visible[start..end], complete)
        };
        let edge = if request.direction == 0 {
            page.first()
        } else {
            page.last()
        };
        let edge = edge.and_then(|id| self.messages.get(id));
        let answer = HistoryAnswer {
            status: "OK",
            code: 0,
            info: "",
            complete: u8::from(complete),
            count: page.len(),
            last_time: edge.map_or(time, |m| m.time),
            key: edge.map_or(request.key, |m| m.key()),
            messages: page
                .iter()
                .filter_map(|id| self.messages.get(id))
                .map(Item::plain)
                .collect(),
        };
        let text = crate::wire::encode(&head.servcmd, &head.seq, answer);
        self.world.answer_encoded(now, conn, &head.seq, text);
    }

    /// Where an ascending page that starts at second `time` ends, and whether it is the last.
    /// Clients continue with the time of the last message alone. A page that ends within that
    /// second would repeat forever, so the page includes the rest of that second and one more
    /// message. If a second does not fit one answer, the remainder of that second is dropped.
    fn past_second(
        &self,
        visible: &[MessageId],
        start: usize,
        mut end: usize,
        time: u64,
    ) -> (usize, bool) {
        let message = |at: usize| self.messages.get(visible.get(at)?);
        let size = |at: usize| message(at).map_or(0, |m| m.draft.body.get().len() + FRAME);
        let is_stuck = |end: usize| {
            let last = end.checked_sub(1).filter(|last| *last >= start);
            last.and_then(message).is_some_and(|m| m.time <= time)
        };
        let mut bytes: usize = (start..end).map(size).sum();
        while end < visible.len() && is_stuck(end) {
            bytes += size(end);
            if bytes > MAX_PAGE_BYTES {
                return (end, true);
            }
            end += 1;
        }
        (end, end == visible.len())
    }

    /// The messages of a conversation that `user` can see, in ascending order.
    pub(crate) fn visible(
        &self,
        user: &UserId,
        peer: &UserId,
        with_recalled: bool,
    ) -> Vec<MessageId> {
        let state = self
            .world
            .accounts
            .get(user)
            .and_then(|account| account.peers.get(peer));
        let ids = self.conversations.get(&conversation_key(user, peer));
        ids.into_iter()
            .flatten()
            .copied()
            .filter(|id| state.is_none_or(|state| !state.deleted.contains(id)))
            .filter(|id| {
                self.messages
                    .get(id)
                    .is_some_and(|m| with_recalled || m.revoker.is_none())
            })
            .collect()
    }
}

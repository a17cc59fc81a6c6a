//! Searches for messages, users, groups and members. A search scans linearly, up to a limit: the
//! newest messages of each conversation, the first entries of everything else.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::ok_with,
    commands::Commands,
    fields::{list, opt_number, opt_text},
    proto::{code::Code, id::UserId},
    request::Request,
    service::c2c_message::item::Item,
    state::State,
};

/// The most words, senders and types in one search.
pub(crate) const MAX_NAMED: usize = 8;

/// The most entries in one page.
pub(crate) const MAX_PAGE: u64 = 100;

/// The most messages, users or members that one search scans: the newest messages, the first of the
/// others.
pub(crate) const MAX_LOOKED_AT: usize = 20_000;

/// The words of a search, compared without regard to case.
pub(crate) struct Words {
    words: Vec<String>,
    all: bool,
}

/// The filter of a message search.
pub(crate) struct Wanted {
    words: Words,
    types: Vec<String>,
    senders: Vec<String>,
    start: u64,
    end: u64,
}

/// The searchable texts of an element: those a reader sees.
pub(crate) fn texts(element: &Value) -> impl Iterator<Item = &str> {
    const FIELDS: [&str; 6] = ["Text", "Data", "Desc", "Ext", "FileName", "Title"];
    let content = element.get("MsgContent");
    FIELDS
        .iter()
        .filter_map(move |field| content?.get(*field)?.as_str())
}

/// The matches in one conversation.
pub(crate) struct Found {
    /// The field that identifies the conversation, and its value.
    pub(crate) place: (&'static str, String),
    /// Newest first, in the form of history.
    pub(crate) messages: Vec<Value>,
    /// The time of the newest match, Unix seconds.
    pub(crate) newest: u64,
}

/// The matches in one conversation, on the wire. Two generations of the SDK read two names for the
/// list.
pub(crate) fn conversation(
    (field, name): &(&str, String),
    count: usize,
    messages: &[Value],
) -> Value {
    json!({*field: name, "Count": count, "MessageList": messages, "MsgList": messages})
}

/// One page of the matches, and the cursor of the next page.
pub(crate) fn page<T>(body: &Value, found: Vec<T>) -> (Vec<T>, String) {
    let start = opt_text(body, "Cursor").and_then(|cursor| cursor.parse().ok());
    let start: usize = start.unwrap_or(0).min(found.len());
    let count = opt_number(body, "Count").unwrap_or(20).clamp(1, MAX_PAGE);
    let end = start.saturating_add(usize::try_from(count).unwrap_or(1));
    let cursor = if end < found.len() {
        end.to_string()
    } else {
        String::new()
    };
    let page = found.into_iter().skip(start).take(end - start).collect();
    (page, cursor)
}

/// The words of a search for users, groups or members; at least one is required.
fn keywords(body: &Value) -> Result<Words, Code> {
    let words = Words::of(
        body,
        "Keywords",
        opt_number(body, "KeywordMatchType") == Some(1),
    );
    if words.words.is_empty() {
        return Err(Code::SEARCH_PARAMETER);
    }
    Ok(words)
}

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("message_search.query", |s, r| s.search_messages(r))
        .reads();
    commands
        .socket("user_search.query", |s, r| s.search_users(r))
        .reads();
    commands
        .socket("group_search.query", |s, r| s.search_groups(r))
        .reads();
    commands
        .socket("group_member_search.query", |s, r| s.search_members(r))
        .reads();
}

impl Words {
    pub(crate) fn of(body: &Value, field: &str, all: bool) -> Self {
        let words = list(body, field).iter().take(MAX_NAMED);
        let words = words.filter_map(Value::as_str).map(str::to_lowercase);
        Self {
            words: words.filter(|word| !word.is_empty()).collect(),
            all,
        }
    }

    /// Returns true if the texts contain one of the words, or all of them. An empty list of words
    /// always matches.
    pub(crate) fn stand_in<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let texts: Vec<String> = texts.into_iter().map(str::to_lowercase).collect();
        let stands = |word: &String| texts.iter().any(|text| text.contains(word));
        if self.all {
            self.words.iter().all(stands)
        } else {
            self.words.iter().any(stands)
        }
    }
}

impl Wanted {
    pub(crate) fn of(body: &Value) -> Result<Self, Code> {
        let strings = |field| {
            let items = list(body, field).iter().take(MAX_NAMED);
            let items = items.filter_map(Value::as_str).map(str::to_owned);
            items.collect::<Vec<_>>()
        };
        let wanted = Self {
            words: Words::of(
                body,
                "KeywordList",
                opt_text(body, "MatchType") == Some("and"),
            ),
            types: strings("MsgTypeList"),
            senders: strings("SendUserIDList"),
            start: opt_number(body, "StartTime").unwrap_or(0),
            end: opt_number(body, "EndTime").unwrap_or(u64::MAX),
        };
        let nothing =
            wanted.words.words.is_empty() && wanted.types.is_empty() && wanted.senders.is_empty();
        if nothing {
            return Err(Code::SEARCH_PARAMETER);
        }
        Ok(wanted)
    }

    /// Returns true if a message with this body matches.
    pub(crate) fn takes(&self, from: &str, time: u64, body: &Value) -> bool {
        let by_sender = self.senders.is_empty() || self.senders.iter().any(|user| user == from);
        if !by_sender || time < self.start || time > self.end {
            return false;
        }
        let elements = || body.as_array().into_iter().flatten();
        let kind = |element: &Value| {
            let kind = element.get("MsgType").and_then(Value::as_str);
            kind.is_some_and(|kind| self.types.iter().any(|wanted| wanted == kind))
        };
        if !self.types.is_empty() && !elements().any(kind) {
            return false;
        }
        self.words.stand_in(elements().flat_map(texts))
    }
}

impl State {
    fn search_groups(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
        let user = &request.caller.user;
        let found = self.groups_with(user, &keywords(body)?, list(body, "GroupType"));
        let total = found.len();
        let (page, cursor) = page(body, found);
        Ok(json!({"TotalCount": total, "Cursor": cursor, "Groups": page}))
    }

    fn search_members(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
        let user = &request.caller.user;
        let found = self.members_with(user, &keywords(body)?, list(body, "GroupIdList"));
        let total = found.len();
        let (page, cursor) = page(body, found);
        Ok(json!({"TotalCount": total, "Cursor": cursor, "GroupMembers": page}))
    }

    /// Without a conversation in the request, returns the number of matches in each conversation,
    /// and the message itself if there is exactly one.
    fn search_messages(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
        let user = &request.caller.user;
        let wanted = Wanted::of(body)?;
        let peer = opt_text(body, "PeerAccount");
        let group = opt_text(body, "GroupID");
        let mut left = MAX_LOOKED_AT;
        let mut found = Vec::new();
        if group.is_none() {
            found = self.c2c_with(user, peer, &wanted, &mut left);
        }
        if peer.is_none() {
            found.extend(self.group_messages_with(user, group, &wanted, &mut left));
        }
        let total: usize = found.iter().map(|found| found.messages.len()).sum();
        if peer.is_some() || group.is_some() {
            let mut items = Vec::new();
            let mut next = String::new();
            for found in found {
                let count = found.messages.len();
                let (messages, cursor) = page(body, found.messages);
                next = cursor;
                items.push(conversation(&found.place, count, &messages));
            }
            return Ok(ok_with(json!({
                "TotalCount": total, "Cursor": next, "ConversationMsgs": items,
            })));
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.newest));
        let (found, cursor) = page(body, found);
        let items: Vec<Value> = found
            .into_iter()
            .map(|found| {
                let count = found.messages.len();
                let shown = if count == 1 {
                    found.messages
                } else {
                    Vec::new()
                };
                conversation(&found.place, count, &shown)
            })
            .collect();
        Ok(ok_with(json!({
            "TotalCount": total, "Cursor": cursor, "ConversationMsgs": items,
        })))
    }

    fn c2c_with(
        &self,
        user: &UserId,
        peer: Option<&str>,
        wanted: &Wanted,
        left: &mut usize,
    ) -> Vec<Found> {
        let Some(account) = self.world.accounts.get(user) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for other in account.peers.keys() {
            if peer.is_some_and(|peer| peer != other.as_str()) {
                continue;
            }
            let ids = self.visible(user, other, false);
            let (mut messages, mut newest) = (Vec::new(), 0);
            for id in ids.iter().rev().take(*left) {
                *left = left.saturating_sub(1);
                let Some(message) = self.messages.get(id) else {
                    continue;
                };
                let body = serde_json::from_str(message.draft.body.get()).unwrap_or_default();
                if wanted.takes(message.draft.from.as_str(), message.time, &body) {
                    newest = newest.max(message.time);
                    messages.extend(serde_json::to_value(Item::plain(message)));
                }
            }
            if !messages.is_empty() {
                all.push(Found {
                    place: ("UserID", other.to_string()),
                    messages,
                    newest,
                });
            }
        }
        all
    }

    /// Searches by UserID and nick.
    fn search_users(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
        let words = keywords(body)?;
        let accounts = self.world.accounts.iter().take(MAX_LOOKED_AT);
        let found: Vec<Value> = accounts
            .filter(|(user, account)| words.stand_in([user.as_str(), account.nick(user)]))
            .map(|(user, account)| {
                let items = account.profile_items(user);
                let items = items.as_array().into_iter().flatten();
                let items: Vec<Value> = items
                    .map(|item| {
                        let value = item.get("Value").cloned().unwrap_or_default();
                        let field = if value.is_number() {
                            "IntValue"
                        } else {
                            "StrValue"
                        };
                        json!({"Tag": item.get("Tag"), field: value})
                    })
                    .collect();
                json!({"UserID": user, "ProfileItems": items})
            })
            .collect();
        let total = found.len();
        let (page, cursor) = page(body, found);
        Ok(ok_with(
            json!({"TotalCount": total, "Cursor": cursor, "Users": page}),
        ))
    }
}

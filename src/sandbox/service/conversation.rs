//! The conversation list of an account: order, last message, pins, marks, delete and clear. Each
//! change is pushed to the account's other logins.
//!
//! Data about a conversation apart from its messages is keyed by [`Contact`], a user or a group.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use serde_json::{Map, Value, json};

pub(crate) use crate::table::conversation::{Contact, add};
use crate::{
    answer::{ok, ok_with},
    commands::{Command, Commands},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::{Request, Speaker},
    service::c2c_message::stored::conversation_key,
    state::{Caller, State},
};

/// The most conversations in the list, as documented for the largest package; the newest are kept.
pub(crate) const MAX_LISTED: usize = 500;

/// The most items in one request.
pub(crate) const MAX_ITEMS: usize = 100;

/// The longest name and custom mark, in bytes.
pub(crate) const MAX_WORDS: usize = 1024;

pub(crate) fn contacts_in(value: Option<&Value>) -> Vec<Contact> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.take(MAX_ITEMS).filter_map(Contact::parse).collect()
}

pub(crate) fn items_in<'a>(body: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    let items = body.get(field).and_then(Value::as_array);
    items.into_iter().flatten().take(MAX_ITEMS)
}

pub(crate) fn outcome(contact: &Contact, done: bool) -> Value {
    json!({
        "ContactItem": contact.answered(),
        "ResultCode": if done { 0 } else { Code::CONTACT_REFUSED.0 },
        "ResultInfo": if done { "" } else { "there is no room for it" },
    })
}

/// Over REST the app acts for the account in `From_Account`, with the rights of that account.
pub(crate) fn of_owner(command: &mut Command) -> &mut Command {
    command
        .for_accounts(Code::REST_SENDER)
        .speaks_for(Speaker::Account {
            missing: Code::REST_SENDER,
            admin: false,
        })
}

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("recentcontact.page_get", |s, r| s.conversations_of(r))
        .any_body()
        .reads();
    of_owner(commands.rest("recentcontact.get_list", |s, r| s.conversations_of(r)));
    commands.socket("recentcontact.top", |state, r| {
        state.pin(r.now, r.caller, r.body)
    });
    commands.socket("recentcontact.batch_delete", |state, r| {
        state.delete_conversations(r.now, r.caller, r.body)
    });
    of_owner(commands.rest("recentcontact.delete", |state, r| {
        let clear = r.body.get("ClearRamble").and_then(Value::as_u64);
        let list = json!({"ContactItem": [r.body], "ClearRamble": clear.unwrap_or(0)});
        state.delete_conversations(r.now, r.caller, &list)
    }));
    commands.socket("recentcontact.clear_msg", |s, r| s.clear_history(r));
    commands.both("recentcontact.mark_contact", of_owner, |s, r| {
        s.mark_contacts(r)
    });
}

impl State {
    /// `recentcontact.page_get`: always the full list, in one page.
    pub(crate) fn conversations_of(&self, request: &Request<'_>) -> Value {
        let caller = request.caller;
        let Some(account) = self.world.accounts.get(&caller.user) else {
            return ok_with(json!({"CompleteFlag": 1}));
        };
        let mut items: Vec<(u64, u64, Value)> = account
            .peers
            .iter()
            .filter_map(|(peer, state)| {
                let last = state.last?;
                let id = if state.deleted.contains(&last) {
                    self.newest_visible(&caller.user, peer)?
                } else {
                    last
                };
                let message = self.messages.get(&id)?;
                let other = self.world.accounts.get(peer);
                let read = other
                    .and_then(|account| account.peers.get(&caller.user))
                    .map_or(0, |state| state.read_time);
                let mut item = json!({
                    "Type": 1,
                    "To_Account": peer,
                    "MsgTimeStamp": message.time,
                    "MsgSeq": message.draft.seq,
                    "MsgRandom": message.draft.random,
                    "UnreadMsgCount": state.unread,
                    "LastC2CMsgFrom_Account": message.draft.from,
                    "LastMsgFlags": if message.revoker.is_some() { 8 } else { 0 },
                    "LastMsg": {
                        "MsgBody": serde_json::from_str::<Value>(message.draft.body.get())
                            .unwrap_or_else(|_| json!([])),
                        "CloudCustomData": message.draft.cloud,
                    },
                    "C2cNick": other.map_or(peer.as_str(), |account| account.nick(peer)),
                    "C2cImage": other.map_or("", |account| account.face_url()),
                    "C2cRemark": self.friends.remark(&caller.user, peer),
                    "C2cPeerReadTime": read,
                    "MsgRecvOption": state.mute,
                });
                add(
                    &mut item,
                    account.contacts.fields(&Contact::Peer(peer.clone())),
                );
                if let (Some(revoker), Some(last)) = (&message.revoker, item.get_mut("LastMsg")) {
                    let info = json!({"Revoker_Account": revoker, "Reason": ""});
                    add(last, [("RevokerInfo", info)]);
                }
                Some((message.time, id, item))
            })
            .collect();
        for (id, mut item) in self.group_sessions(&caller.user) {
            let group = item
                .get("ToAccount")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let fields = account.contacts.fields(&Contact::Group(group.to_owned()));
            add(&mut item, fields);
            let time = item
                .get("MsgTimeStamp")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            items.push((time, id, item));
        }
        items.sort_by_key(|(time, id, _)| std::cmp::Reverse((*time, *id)));
        items.truncate(MAX_LISTED);
        let newest = items.first().map_or(0, |(time, ..)| *time);
        let items: Vec<Value> = items.into_iter().map(|(.., item)| item).collect();
        ok_with(json!({
            "CompleteFlag": 1, "TimeStamp": newest, "StartIndex": 0, "TopTimeStamp": 0,
            "TopStartIndex": 0, "SessionItem": items, "GroupItem": account.contacts.group_items(),
        }))
    }

    fn newest_visible(&self, user: &UserId, peer: &UserId) -> Option<u64> {
        let deleted = &self.world.accounts.get(user)?.peers.get(peer)?.deleted;
        let ids = self.conversations.get(&conversation_key(user, peer))?;
        ids.iter().rev().copied().find(|id| {
            let message = self.messages.get(id);
            message.is_some_and(|m| !m.draft.no_last) && !deleted.contains(id)
        })
    }

    /// Pushes a change of the conversation list to the caller's other logins.
    pub(crate) fn tell_contacts(
        &mut self,
        now: Now,
        caller: &Caller,
        kind: u8,
        name: &str,
        change: Value,
    ) {
        let mut item = Map::new();
        item.insert("PushType".to_owned(), kind.into());
        item.insert(name.to_owned(), change);
        let event = json!({"Event": 13, "RecentContactMod": [item]});
        self.world.tell(now, &caller.user, caller.instance, &event);
    }

    /// `recentcontact.top`.
    pub(crate) fn pin(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
        let pinned = body.get("OperationType").and_then(Value::as_u64) == Some(1);
        let mut changed = Vec::new();
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            for contact in contacts_in(body.get("RecentContactItem")) {
                if let Some(settings) = account.contacts.settings(&contact) {
                    settings.pinned = pinned;
                    changed.push(contact.pushed());
                }
            }
        }
        if !changed.is_empty() {
            let list = json!({"RecentContactList": changed});
            let kind = if pinned { 2 } else { 3 };
            self.tell_contacts(now, caller, kind, "RecentContactTopItem", list);
        }
        ok()
    }

    /// `recentcontact.batch_delete`.
    pub(crate) fn delete_conversations(
        &mut self,
        now: Now,
        caller: &Caller,
        body: &Value,
    ) -> Value {
        let contacts = contacts_in(body.get("ContactItem"));
        let ramble = body.get("ClearRamble").and_then(Value::as_u64) == Some(1);
        for contact in &contacts {
            if let Some(account) = self.world.accounts.get_mut(&caller.user) {
                account.contacts.forget(contact);
            }
            let peer = match contact {
                Contact::Peer(peer) => peer,
                Contact::Group(id) => {
                    if ramble {
                        self.clear_group(&caller.user, id);
                    }
                    self.hide_group(&caller.user, id);
                    continue;
                }
            };
            if ramble {
                self.clear(caller, peer);
            }
            if let Some(state) = self.peer_mut(caller, peer) {
                state.last = None;
                state.unread = 0;
            }
        }
        let mut rows: Vec<Value> = contacts.iter().map(Contact::answered).collect();
        for row in &mut rows {
            add(row, [("ResultCode", 0.into()), ("ResultInfo", "".into())]);
        }
        if !contacts.is_empty() {
            let list: Vec<Value> = contacts.iter().map(Contact::pushed).collect();
            let list = json!({"RecentContactList": list});
            self.tell_contacts(now, caller, 1, "RecentContactDeleteItem", list);
        }
        ok_with(json!({"ResultItem": rows}))
    }

    /// `recentcontact.clear_msg`, for a user or a group.
    pub(crate) fn clear_history(&mut self, request: &Request<'_>) -> Value {
        let (caller, body) = (request.caller, request.body);
        let peer = body.get("To_Account").and_then(Value::as_str);
        if let Some(Ok(peer)) = peer.map(UserId::parse) {
            self.clear(caller, &peer);
        }
        if let Some(id) = body.get("ToGroupid").and_then(Value::as_str) {
            self.clear_group(&caller.user, id);
        }
        ok()
    }

    /// `recentcontact.mark_contact`.
    pub(crate) fn mark_contacts(&mut self, request: &Request<'_>) -> Value {
        let (now, caller, body) = request.parts();
        let (mut rows, mut changed) = (Vec::new(), Vec::new());
        for item in items_in(body, "MarkItem") {
            let Some(contact) = item.get("ContactItem").and_then(Contact::parse) else {
                continue;
            };
            let kind = item.get("OptType").and_then(Value::as_u64).unwrap_or(0);
            let bits = |field: &str| {
                items_in(item, field)
                    .filter_map(Value::as_u64)
                    .filter(|bit| *bit < 64)
                    .fold(0, |bits, bit| bits | 1_u64 << bit)
            };
            let custom = item.get("CustomMark").and_then(Value::as_str);
            let contacts = self.world.accounts.get_mut(&caller.user);
            let settings = contacts.and_then(|account| account.contacts.settings(&contact));
            let done = settings.is_some() && custom.is_none_or(|text| text.len() <= MAX_WORDS);
            if let Some(settings) = settings.filter(|_| done) {
                settings.marks = settings.marks & !bits("ClearMark") | bits("SetMark");
                if let Some(custom) = custom {
                    custom.clone_into(&mut settings.custom_mark);
                }
                changed.push(json!({
                    "RecentContactItem": contact.pushed(), "OptType": kind,
                    "StandardMark": format!("{:b}", settings.marks),
                    "CustomMark": settings.custom_mark,
                }));
            }
            rows.push(outcome(&contact, done));
        }
        if !changed.is_empty() {
            let list = json!({"RecentContactMarkContactItem": changed});
            self.tell_contacts(now, caller, 4, "RecentContactMarkContact", list);
        }
        ok_with(json!({"ResultItem": rows}))
    }
}

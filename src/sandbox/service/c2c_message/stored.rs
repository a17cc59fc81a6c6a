//! One-to-one messages: send, store, push, recall, read, edit.
//!
//! See "C2C messages" and "Identity and de-duplication" in docs/src/protocol.md.

pub(crate) use crate::table::c2c_message::{
    Draft, HistoryItem, Inbound, InboxEntry, MAX_MESSAGE, Message, MessageId, RecentSend, Sent,
    conversation_key, is_message_body, is_unread,
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    service::c2c_message::item::{Item, MessageEvent, notice, withdrawal},
    state::State,
    world::Account,
};
use serde_json::{json, value::RawValue};
use std::collections::VecDeque;

impl State {
    /// Sends a message from the login `by` (zero for none). A repeat gets the first result and is not
    /// delivered again.
    pub(crate) fn send(&mut self, now: Now, mut draft: Draft, by: u64) -> Result<Sent, Code> {
        let time = now.unix_secs();
        let dedupe = self.world.config.dedupe;
        let mut sending = RecentSend::new(&draft, time);
        if let Some(sent) = self.recent_sends.find(dedupe, time, &sending) {
            self.world.counters.repeated_sends += 1;
            if let Some(record) = sent.record {
                self.ledger.count_repeat(record);
            }
            let key = format!("{}_{}_{}", sent.seq, sent.random, sent.time);
            return Ok(Sent {
                time: sent.time,
                key,
            });
        }
        if draft.body.get().len() + draft.cloud.len() > MAX_MESSAGE {
            return Err(Code::MESSAGE_TOO_LONG);
        }
        if !is_message_body(&draft.body) {
            return Err(Code::C2C_BAD_PACKET);
        }
        if !self.world.known_or_created(&draft.to) {
            return Err(Code::C2C_UNKNOWN_USER);
        }
        if let Some(to) = self.world.accounts.shared(&draft.to) {
            sending.to = to.clone();
            draft.to = to;
        }
        let Some(sender) = self.world.accounts.get(&draft.from) else {
            return Err(Code::C2C_UNKNOWN_USER);
        };
        let tiny_id = sender.tiny_id;
        sending.record = self.record_c2c(&draft, time);
        let forgotten = self.recent_sends.add(dedupe, time, sending);
        self.world.counters.forgotten_sends += forgotten;
        let message = Message {
            draft,
            time,
            tiny_id,
            revoker: None,
            version: 0,
            read_at: None,
            marks: None,
        };
        let sent = Sent {
            time,
            key: message.key(),
        };
        self.world.counters.messages += 1;
        self.push_message(now, &message, by);
        if !message.draft.online_only {
            self.store(now, message, by, false);
        }
        Ok(sent)
    }

    /// Sends a text as `from`, who does not have to be online; for tests and examples. Returns the
    /// message key.
    ///
    /// # Errors
    /// The code a client would get.
    pub fn say(
        &mut self,
        now: Now,
        from: &UserId,
        to: &UserId,
        text: &str,
    ) -> Result<String, Code> {
        if !self.world.known_or_created(from) {
            return Err(Code::C2C_UNKNOWN_USER);
        }
        let random = self.world.numbers.next() % 100_000_000;
        // Two messages sent in the same second need different sequence numbers.
        let seq = self.world.numbers.next() % 100_000_000;
        let elements = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]);
        let body = RawValue::from_string(elements.to_string()).map_err(|_| Code::C2C_BAD_PACKET)?;
        let (nick, face_url) = self.world.sender_profile(from);
        let draft = Draft {
            from: from.clone(),
            to: to.clone(),
            seq,
            random,
            client_time: now.unix_secs(),
            body,
            cloud: String::new(),
            nick,
            face_url,
            online_only: false,
            no_unread: false,
            no_last: false,
            need_receipt: false,
            extension: false,
            sync: true,
        };
        self.send(now, draft, 0).map(|sent| sent.key)
    }

    fn push_message(&mut self, now: Now, message: &Message, by: u64) {
        let draft = &message.draft;
        if draft.from != draft.to {
            for conn in self.world.push_links(now, &draft.to, 0) {
                self.world
                    .push_event(now, conn, MessageEvent::new(Item::plain(message)));
            }
        }
        if draft.sync {
            for conn in self.world.push_links(now, &draft.from, by) {
                self.world
                    .push_event(now, conn, MessageEvent::new(Item::synced(message)));
            }
        }
    }

    /// Inserts a message into the history of both sides, ordered by time. Unless `past` is set,
    /// also adds it to their inboxes.
    pub(crate) fn store(&mut self, now: Now, message: Message, by: u64, past: bool) {
        let (from, to) = (message.draft.from.clone(), message.draft.to.clone());
        let (no_unread, no_last, sync) = (
            message.draft.no_unread,
            message.draft.no_last,
            message.draft.sync,
        );
        let time = message.time;
        let id = self.world.next_message;
        self.world.next_message += 1;
        self.messages.insert(id, message);
        if self.messages.len() > self.world.config.message_limit.max(1) {
            // The message number stays in the lists; readers skip numbers without a message.
            self.messages.pop_first();
        }
        let conversation = self
            .conversations
            .entry(conversation_key(&from, &to))
            .or_default();
        let later = if time < self.latest {
            let later = conversation.iter().rev().take_while(|id| {
                let other = self.messages.get(id);
                other.is_some_and(|message| message.time > time)
            });
            later.count()
        } else {
            0
        };
        self.latest = self.latest.max(time);
        let at = conversation.len().saturating_sub(later);
        conversation.insert(at, id);
        let no_last = no_last || at + 1 < conversation.len();
        if conversation.len() > self.world.config.history_limit.max(1)
            && let Some(oldest) = conversation.pop_front()
        {
            self.messages.remove(&oldest);
        }
        if from != to {
            let entry = InboxEntry {
                position: id,
                message: id,
                what: Inbound::Received,
                by: 0,
            };
            let limit = self.world.config.inbox_limit.max(1);
            if let Some(account) = self.world.accounts.get_mut(&to) {
                if !past {
                    account.enter(entry, limit);
                }
                let peer = account.peers.entry(from.clone()).or_default();
                if !no_unread {
                    peer.unread = peer.unread.saturating_add(1);
                }
                if !no_last {
                    peer.last = Some(id);
                }
            }
        }
        if let Some(account) = self.world.accounts.get_mut(&from) {
            let peer = account.peers.entry(to.clone()).or_default();
            if !no_last {
                peer.last = Some(id);
            }
        }
        if sync && !past && self.world.has_other_login(now, &from, by) {
            let what = Inbound::SentElsewhere;
            self.enter(
                &from,
                InboxEntry {
                    position: id,
                    message: id,
                    what,
                    by,
                },
            );
        }
    }

    fn enter(&mut self, user: &UserId, entry: InboxEntry) {
        let limit = self.world.config.inbox_limit.max(1);
        if let Some(account) = self.world.accounts.get_mut(user) {
            account.enter(entry, limit);
        }
    }

    /// Finds the message with this key in a conversation. A time of zero matches every message.
    pub(crate) fn find(
        &self,
        a: &UserId,
        b: &UserId,
        seq: u64,
        random: u64,
        time: u64,
    ) -> Option<MessageId> {
        let ids = self.conversations.get(&conversation_key(a, b))?;
        ids.iter().rev().copied().find(|id| {
            self.messages.get(id).is_some_and(|m| {
                m.draft.seq == seq && m.draft.random == random && (time == 0 || m.time == time)
            })
        })
    }

    /// Finds a message by its key `seq_random_time`.
    pub(crate) fn find_by_key(&self, a: &UserId, b: &UserId, key: &str) -> Option<MessageId> {
        let mut parts = key.split('_').map(str::parse::<u64>);
        let (seq, random, time) = (
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        if parts.next().is_some() {
            return None;
        }
        self.find(a, b, seq, random, time)
    }

    /// Recalls a message. `within` limits its age in seconds; `by` is the login that asked.
    pub(crate) fn recall(
        &mut self,
        now: Now,
        id: MessageId,
        revoker: &UserId,
        within: Option<u64>,
        by: u64,
    ) -> Result<(), Code> {
        let message = self
            .messages
            .get_mut(&id)
            .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        if message.revoker.is_some() {
            return Ok(());
        }
        if within.is_some_and(|limit| now.unix_secs().saturating_sub(message.time) > limit) {
            return Err(Code::C2C_RECALL_WINDOW);
        }
        message.revoker = Some(revoker.clone());
        let (from, to) = (message.draft.from.clone(), message.draft.to.clone());
        let event = notice(withdrawal(message));
        let mut conns = self.world.push_links(now, &from, by);
        if from != to {
            conns.extend(self.world.push_links(now, &to, 0));
        }
        self.world.push_to_all(now, conns, &event);
        let position = self.world.next_message;
        self.world.next_message += 1;
        let entry = InboxEntry {
            position,
            message: id,
            what: Inbound::Recalled,
            by: 0,
        };
        if from != to {
            self.enter(&to, entry);
            self.recount_unread(&to, &from);
        }
        if self.world.has_other_login(now, &from, by) {
            self.enter(&from, InboxEntry { by, ..entry });
        }
        Ok(())
    }

    /// Recomputes the number of messages from `peer` that `user` has not read.
    pub(crate) fn recount_unread(&mut self, user: &UserId, peer: &UserId) {
        let Some(account) = self.world.accounts.get_mut(user) else {
            return;
        };
        let Account { inbox, peers, .. } = account;
        let Some(state) = peers.get_mut(peer) else {
            return;
        };
        let unread = inbox
            .iter()
            .filter(|entry| {
                entry.what == Inbound::Received
                    && entry.position > state.read_up_to
                    && is_unread(&self.messages, entry.message, peer)
            })
            .count();
        state.unread = u32::try_from(unread).unwrap_or(u32::MAX);
    }

    /// Records that `user` has read everything from `peer` up to `time` (Unix seconds).
    pub(crate) fn read(&mut self, now: Now, user: &UserId, peer: &UserId, time: u64, by: u64) {
        let Some(account) = self.world.accounts.get_mut(user) else {
            return;
        };
        let Account { inbox, peers, .. } = account;
        let Some(state) = peers.get_mut(peer) else {
            return;
        };
        let read_up_to = inbox
            .iter()
            .rev()
            .filter(|entry| entry.what == Inbound::Received)
            .find(|entry| {
                self.messages
                    .get(&entry.message)
                    .is_some_and(|m| m.draft.from == *peer && m.time <= time)
            })
            .map_or(0, |entry| entry.position);
        state.read_up_to = state.read_up_to.max(read_up_to);
        state.read_time = state.read_time.max(time);
        self.recount_unread(user, peer);
        let receipt = notice(json!({"C2cReadedReceipt": {
            "To_Account": user,
            "UinPairReadArray": [{"From_Account": peer, "LastReadTime": time}],
        }}));
        let conns = self.world.push_links(now, peer, 0);
        self.world.push_to_all(now, conns, &receipt);
        let elsewhere = notice(json!({"ReadC2cMsgNotify": {
            "UinPairReadArray": [{"From_Account": peer, "LastReadTime": time}],
        }}));
        let conns = self.world.push_links(now, user, by);
        self.world.push_to_all(now, conns, &elsewhere);
    }

    /// The keys of messages that an account received and reported as read, as far as its inbox
    /// still holds them.
    pub fn read_keys(&self, user: &UserId) -> Vec<String> {
        let Some(account) = self.world.accounts.get(user) else {
            return Vec::new();
        };
        let read = account.inbox.iter().filter_map(|entry| {
            let message = self.messages.get(&entry.message)?;
            let read = account.peers.get(&message.draft.from)?.read_up_to;
            (entry.what == Inbound::Received && entry.position <= read).then(|| message.key())
        });
        read.collect()
    }

    /// The Unix second up to which `user` has read the messages of `peer`; zero if none.
    pub fn read_time(&self, user: &UserId, peer: &UserId) -> u64 {
        let account = self.world.accounts.get(user);
        account
            .and_then(|account| account.peers.get(peer))
            .map_or(0, |state| state.read_time)
    }

    /// Everything stored between two accounts, oldest first.
    pub fn history(&self, a: &UserId, b: &UserId) -> Vec<HistoryItem> {
        let ids = self.conversations.get(&conversation_key(a, b));
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.messages.get(id))
            .map(|m| HistoryItem {
                from: m.draft.from.clone(),
                to: m.draft.to.clone(),
                seq: m.draft.seq,
                random: m.draft.random,
                time: m.time,
                body: m.draft.body.get().to_owned(),
                recalled: m.revoker.is_some(),
            })
            .collect()
    }

    /// The stored messages between two accounts, oldest first.
    pub(crate) fn stored(&self, a: &UserId, b: &UserId) -> Vec<&Message> {
        let ids: Option<&VecDeque<_>> = self.conversations.get(&conversation_key(a, b));
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.messages.get(id))
            .collect()
    }
}

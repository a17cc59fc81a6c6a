//! Group messages: send, store, push.
//!
//! See "Groups" in docs/src/protocol.md; the codes are in section "Sandbox choices".

pub(crate) use crate::table::group::message::{
    Entry, MAX_MESSAGE, MAX_TARGETS, RecentSend, Said, What, extend, is_message_body, size_of,
};
use crate::{
    answer::ok_with,
    commands::Commands,
    fields::{flag, list, opt_number, opt_text, place, users},
    policy::Now,
    proto::{code::Code, id::UserId},
    service::group::{Caller, Kind, Role},
    state::State,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

pub(crate) fn register(commands: &mut Commands) {
    commands.group("send_group_msg", |s, r| {
        s.send_group_message(r.now, r.caller, r.body)
    });
}

impl State {
    /// `send_group_msg`. The app may send for any account.
    pub(crate) fn send_group_message(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let id = place(body)?;
        let from = match opt_text(body, "From_Account") {
            None => actor.user.clone(),
            Some(from) => UserId::parse(from).map_err(|_| Code::GROUP_PARAMETER)?,
        };
        if from != actor.user && !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        let random = opt_number(body, "Random").or_else(|| opt_number(body, "MsgRandom"));
        let random = random.ok_or(Code::GROUP_PARAMETER)?;
        let client_seq = opt_number(body, "ClientSeq").unwrap_or(0);
        let time = now.unix_secs();
        let dedupe = self.world.config.dedupe;
        let mut sending = RecentSend {
            from: from.clone(),
            random,
            time,
            seq: 0,
            record: None,
        };
        if let Some(sent) = self.group(id)?.sent.find(dedupe, time, &sending) {
            let answer = json!({"MsgTime": sent.time, "MsgSeq": sent.seq});
            let record = sent.record;
            self.world.counters.repeated_sends += 1;
            if let Some(record) = record {
                self.ledger.count_repeat(record);
            }
            return Ok(ok_with(answer));
        }
        let said = self.read_message(id, &from, actor, body, now)?;
        self.take_group_budget(now, id)?;
        let online_only = said.online_only;
        let (tiny_id, client_time) = (
            self.world
                .accounts
                .get(&from)
                .map_or(0, |account| account.tiny_id),
            opt_number(body, "MsgClientTime").unwrap_or(time),
        );
        let entry = Entry {
            seq: 0,
            random,
            client_seq,
            time,
            client_time,
            tiny_id: tiny_id.to_string(),
            from: from.to_string(),
            what: What::Said(Box::new(said)),
            revoker: None,
        };
        let is_live = self.group(id)?.kind == Kind::Live;
        let seq = if online_only && !is_live {
            self.push_group_message(now, id, &entry, actor.instance, &from);
            0
        } else {
            self.add_entry(now, id, entry, Some((&from, actor.instance)))
        };
        self.world.counters.group_messages += 1;
        sending.seq = seq;
        if !online_only {
            sending.record = self.record_group(id, &sending, body);
        }
        let group = self.group_mut(id)?;
        let forgotten = group.sent.add(dedupe, time, sending);
        self.world.counters.forgotten_sends += forgotten;
        Ok(ok_with(json!({"MsgTime": time, "MsgSeq": seq})))
    }

    /// Reads a message from a request and checks whether its sender may send it.
    pub(crate) fn read_message(
        &self,
        id: &str,
        from: &UserId,
        actor: &Caller,
        body: &Value,
        now: Now,
    ) -> Result<Said, Code> {
        let group = self.group(id)?;
        let member = group.members.get(from);
        // The app may send for an account that it has silenced.
        if !actor.admin && !self.world.may_write_in_groups(now, from) {
            return Err(Code::GROUP_MUTED);
        }
        let time = now.unix_secs();
        if !actor.admin {
            let member = member.ok_or(Code::GROUP_PERMISSION)?;
            let hushed = group.shut_up_all && member.role == Role::Member;
            if hushed || member.muted_until > time {
                return Err(Code::GROUP_MUTED);
            }
        } else if !self.world.accounts.contains_key(from) {
            return Err(Code::GROUP_PARAMETER);
        }
        let content = body.get("MsgBody").ok_or(Code::GROUP_PARAMETER)?;
        if !is_message_body(content) {
            return Err(Code::GROUP_PARAMETER);
        }
        let cloud = opt_text(body, "CloudCustomData").unwrap_or_default();
        if size_of(content, cloud) > MAX_MESSAGE {
            return Err(Code::MESSAGE_TOO_LONG);
        }
        let targets: BTreeSet<UserId> = users(body, "To_Account").into_iter().collect();
        let for_all = matches!(group.kind, Kind::Live | Kind::Community) && !targets.is_empty();
        if targets.len() > MAX_TARGETS || for_all {
            return Err(Code::GROUP_PARAMETER);
        }
        let has = |control: &str| {
            let controls = list(body, "SendMsgControl").iter();
            controls.filter_map(Value::as_str).any(|c| c == control)
        };
        let need_receipt = flag(body, "NeedReadReceipt");
        let audience = if need_receipt && group.kind != Kind::Live {
            let others = group.members.keys().filter(|user| *user != from);
            let meant = |user: &&UserId| targets.is_empty() || targets.contains(*user);
            others.filter(meant).cloned().collect()
        } else {
            BTreeSet::new()
        };
        let (nick, face_url) = self.world.sender_profile(from);
        Ok(Said {
            body: content.clone(),
            cloud: cloud.to_owned(),
            priority: match opt_text(body, "MsgPriority") {
                Some("High") => 1,
                Some("Low") => 3,
                Some("Lowest") => 4,
                _ => 2,
            },
            nick,
            face_url,
            name_card: member.map_or_else(String::new, |member| member.name_card.clone()),
            at: list(body, "GroupAtInfo").iter().cloned().collect(),
            online_only: flag(body, "OnlineOnlyFlag"),
            need_receipt,
            extension: flag(body, "SupportMessageExtension"),
            marks: None,
            no_unread: has("NoUnread"),
            no_last: has("NoLastMsg"),
            version: 0,
            audience,
            readers: BTreeSet::new(),
            targets: (!targets.is_empty()).then_some(targets),
        })
    }

    /// Takes one message from the group's rate limit (messages per second).
    fn take_group_budget(&mut self, now: Now, id: &str) -> Result<(), Code> {
        let rate = self.world.config.group_message_rate.max(1);
        let step = Duration::from_secs(1) / rate;
        let group = self.group_mut(id)?;
        let next = group.busy_until.max(now.mono).saturating_add(step);
        if next.saturating_sub(now.mono) > Duration::from_secs(1) {
            self.world.counters.group_throttled += 1;
            return Err(Code::GROUP_RATE);
        }
        group.busy_until = next;
        Ok(())
    }

    /// Assigns the next number of the group to an entry, stores it and notifies the members.
    /// Returns the number.
    pub(crate) fn add_entry(
        &mut self,
        now: Now,
        id: &str,
        mut entry: Entry,
        sender: Option<(&UserId, u64)>,
    ) -> u64 {
        let order = self.world.next_message;
        self.world.next_message += 1;
        let limit = self.world.config.group_history_limit.max(1);
        let Some(group) = self.groups.all.get_mut(id) else {
            return 0;
        };
        let seq = group.next_seq;
        entry.seq = seq;
        group.next_seq += 1;
        group.last_time = entry.time;
        group.last_order = order;
        let item = entry.wire(group);
        let is_tip = entry.said().is_none();
        let at = entry
            .said()
            .map(|said| (said.at.clone(), said.body.clone()));
        let targeted = entry.said().is_some_and(|said| said.targets.is_some());
        let (random, client_seq) = (entry.random, entry.client_seq);
        if group.kind == Kind::Live {
            self.store_entry(id, entry, limit);
            self.add_live_item(now, id, seq, item);
            return seq;
        }
        if targeted {
            if let Some((from, by)) = sender {
                self.push_group_message(now, id, &entry, by, from);
            }
        } else {
            let event = if is_tip {
                json!({"Event": 4, "GroupTips": [item]})
            } else {
                json!({"Event": 3, "GroupMsgArray": [item]})
            };
            self.push_to_group(now, id, sender, &event);
        }
        self.store_entry(id, entry, limit);
        if let (Some((at, _)), Some((from, _))) = (at, sender) {
            self.tell_mentioned(now, id, from, &at, [seq, random, client_seq]);
        }
        seq
    }

    pub(crate) fn store_entry(&mut self, id: &str, entry: Entry, limit: usize) {
        let Some(group) = self.groups.all.get_mut(id) else {
            return;
        };
        group.entries.push_back(entry);
        if group.entries.len() > limit
            && let Some(oldest) = group.entries.pop_front()
        {
            for member in group.members.values_mut() {
                member.deleted.remove(&oldest.seq);
            }
        }
    }

    /// Pushes a message to its receivers.
    fn push_group_message(&mut self, now: Now, id: &str, entry: &Entry, by: u64, from: &UserId) {
        let Ok(group) = self.group(id) else {
            return;
        };
        let event = json!({"Event": 3, "GroupMsgArray": [entry.wire(group)]});
        let readers = group.members.keys().filter(|user| entry.is_for(user));
        let conns: Vec<_> = readers
            .flat_map(|user| {
                self.world
                    .push_links(now, user, if user == from { by } else { 0 })
            })
            .collect();
        self.world.push_to_all(now, conns, &event);
    }

    /// Pushes the mention notice to mentioned members, so that clients mark the conversation.
    fn tell_mentioned(&mut self, now: Now, id: &str, from: &UserId, at: &Value, numbers: [u64; 3]) {
        let at = at.as_array().map(Vec::as_slice).unwrap_or_default();
        let all = at.iter().any(|item| flag(item, "GroupAtAllFlag"));
        let named: BTreeSet<&str> = at
            .iter()
            .filter_map(|item| opt_text(item, "GroupAt_Account"))
            .collect();
        if !all && named.is_empty() {
            return;
        }
        let Ok(group) = self.group(id) else {
            return;
        };
        let [seq, random, client_seq] = numbers;
        let mut tip = group.named();
        extend(&mut tip, json!({"From_Account": from, "MsgSeq": seq}));
        let entry = group.entry(seq);
        let mentioned: Vec<(UserId, Vec<u8>)> = group
            .members
            .keys()
            .filter(|user| *user != from && entry.is_none_or(|entry| entry.is_for(user)))
            .map(|user| {
                let me = named.contains(user.as_str()).then_some(1);
                (
                    user.clone(),
                    me.into_iter().chain(all.then_some(2)).collect(),
                )
            })
            .filter(|(_, types): &(_, Vec<u8>)| !types.is_empty())
            .collect();
        for (user, types) in mentioned {
            extend(&mut tip, json!({"GroupAtType": types}));
            let event = json!({"Event": 12, "GroupTips": [{
                "GroupAtTips": tip, "MsgRandom": random, "ClientSeq": client_seq,
                "From_Account": from, "To_Account": user,
            }]});
            self.notify(now, &user, 0, event);
        }
    }

    /// Sends a text to a group as `from`, who does not have to be online; for tests and examples.
    /// Returns the message number.
    ///
    /// # Errors
    /// The code a client would get.
    pub fn say_to_group(
        &mut self,
        now: Now,
        from: &UserId,
        group: &str,
        text: &str,
    ) -> Result<u64, Code> {
        // All 32 bits: a number that the sender used in the last minutes would make this a repeat.
        let random = self.world.numbers.next() % (1 << 32);
        let body = json!({
            "GroupId": group, "Random": random, "ClientSeq": random.max(1),
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        });
        let actor = Caller {
            user: from.clone(),
            instance: 0,
            admin: false,
        };
        let answer = self.send_group_message(now, &actor, &body)?;
        Ok(opt_number(&answer, "MsgSeq").unwrap_or(0))
    }
}

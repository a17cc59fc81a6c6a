//! Messages of groups: sending, storing, pushing.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::Commands,
    policy::Now,
    proto::{code::Code, id::UserId},
    service::{
        fields::{flag, list, opt_number, opt_text, place, users},
        group::{Caller, Group, GroupItem, Kind, Role},
        marks::Marks,
    },
    state::{State, snapshot::shape},
    world::ok_with,
};

/// The most a message may hold, content and custom data together, in bytes.
pub(crate) const MAX_MESSAGE: usize = 12 * 1024;

/// Sends remembered per group, to answer a repeat with the first result.
pub(crate) const RECENT_SENDS: usize = 256;

/// How long a repeat of a REST call is recognised: there the random number alone is the key.
const REST_REPEAT_SECONDS: u64 = 300;

/// The most receivers of a targeted message.
const MAX_TARGETS: usize = 50;

/// A message or a tip in its place in a group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) random: u64,
    pub(crate) client_seq: u64,
    /// Server time, Unix seconds.
    pub(crate) time: u64,
    pub(crate) client_time: u64,
    pub(crate) tiny_id: String,
    /// A UserID, or the service itself.
    pub(crate) from: String,
    pub(crate) what: What,
    pub(crate) revoker: Option<UserId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum What {
    Said(Box<Said>),
    /// The body of a tip.
    Tip(Value),
}

/// The content of a message.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    #[serde(deserialize_with = "shape::apart")]
    pub(crate) body: Value,
    pub(crate) cloud: String,
    priority: u8,
    pub(crate) nick: String,
    face_url: String,
    pub(crate) name_card: String,
    #[serde(deserialize_with = "shape::apart")]
    at: Value,
    pub(crate) online_only: bool,
    pub(crate) need_receipt: bool,
    pub(crate) extension: bool,
    /// What others have put under it.
    #[serde(rename = "extras")]
    pub(crate) marks: Option<Box<Marks>>,
    pub(crate) no_unread: bool,
    pub(crate) no_last: bool,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) version: u64,
    /// Who was to read it, if a receipt is wanted.
    pub(crate) audience: BTreeSet<UserId>,
    pub(crate) readers: BTreeSet<UserId>,
    /// Only these, and the sender, may see it.
    targets: Option<BTreeSet<UserId>>,
}

/// Adds the fields of `more` to an object.
pub(crate) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// A send that was carried out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecentSend {
    from: UserId,
    random: u64,
    client_seq: u64,
    time: u64,
    seq: u64,
}

/// True if `body` is a non-empty list of elements, each with a type and an object of content.
pub(crate) fn is_message_body(body: &Value) -> bool {
    let is_element = |element: &Value| {
        let kind = element.get("MsgType").and_then(Value::as_str);
        kind.is_some_and(|kind| !kind.is_empty())
            && element.get("MsgContent").is_some_and(Value::is_object)
    };
    body.as_array()
        .is_some_and(|elements| !elements.is_empty() && elements.iter().all(is_element))
}

pub(crate) fn size_of(body: &Value, cloud: &str) -> usize {
    body.to_string().len() + cloud.len()
}

pub(crate) fn register(commands: &mut Commands) {
    commands.group("send_group_msg", |s, r| {
        s.send_group_message(r.now, r.caller, r.body)
    });
}

impl Entry {
    pub(crate) fn said(&self) -> Option<&Said> {
        match &self.what {
            What::Said(said) => Some(said),
            What::Tip(_) => None,
        }
    }

    pub(crate) fn said_mut(&mut self) -> Option<&mut Said> {
        match &mut self.what {
            What::Said(said) => Some(said),
            What::Tip(_) => None,
        }
    }

    /// True if `user` may see it.
    pub(crate) fn is_for(&self, user: &UserId) -> bool {
        let targets = self.said().and_then(|said| said.targets.as_ref());
        targets.is_none_or(|targets| targets.contains(user) || self.from == user.as_str())
    }

    pub(crate) fn as_item(&self) -> GroupItem {
        let body = match &self.what {
            What::Said(said) => said.body.to_string(),
            What::Tip(body) => body.to_string(),
        };
        GroupItem {
            seq: self.seq,
            from: self.from.clone(),
            body,
            recalled: self.revoker.is_some(),
        }
    }

    /// The numbers by which a client finds a message.
    pub(crate) fn identity(&self) -> Value {
        json!({
            "MsgSeq": self.seq, "MsgRandom": self.random, "MsgTimeStamp": self.time,
            "MsgClientTime": self.client_time, "TinyId": self.tiny_id,
        })
    }

    /// What may change about it.
    pub(crate) fn current(&self) -> Value {
        let Some(said) = self.said() else {
            return json!({});
        };
        json!({
            "MsgVersion": said.version, "MsgBody": said.body, "CloudCustomData": said.cloud,
        })
    }

    /// It as it stands in pushes, polls and history.
    pub(crate) fn wire(&self, group: &Group) -> Value {
        let mut info = group.wire_info();
        let mut item = json!({
            "From_Account": self.from,
            "ToGroupId": group.outer_id(),
            "GroupId": group.outer_id(),
            "MsgSeq": self.seq,
            "MsgRandom": self.random,
            "MsgTimeStamp": self.time,
            "MsgClientTime": self.client_time,
            "TinyId": self.tiny_id,
            "ClientSeq": self.client_seq,
            "IsPlaceMsg": if self.revoker.is_some() { 2 } else { 0 },
            "IsSystemMsg": u8::from(self.said().is_none()),
        });
        let more = match &self.what {
            What::Tip(body) => json!({
                "Event": 4, "MsgBody": body, "CloudCustomData": "", "MsgPriority": 2,
                "MsgVersion": 0, "OnlineOnlyFlag": 0, "NeedReadReceipt": 0,
                "SupportMessageExtension": 0,
            }),
            What::Said(said) => {
                extend(
                    &mut info,
                    json!({
                        "From_AccountNick": said.nick,
                        "From_AccountHeadurl": said.face_url,
                        "MsgFrom_AccountExtraInfo": {"NameCard": said.name_card},
                    }),
                );
                let mut more = json!({
                    "Event": 3, "MsgBody": said.body, "CloudCustomData": said.cloud,
                    "MsgPriority": said.priority, "MsgVersion": said.version,
                    "OnlineOnlyFlag": u8::from(said.online_only),
                    "NeedReadReceipt": u8::from(said.need_receipt),
                    "SupportMessageExtension": u8::from(said.extension),
                });
                if said.at.as_array().is_some_and(|at| !at.is_empty()) {
                    extend(&mut more, json!({"GroupAtInfo": said.at}));
                }
                if said.no_unread || said.no_last {
                    let (unread, last) = (u8::from(said.no_unread), u8::from(said.no_last));
                    let control = json!({"NoUnread": unread, "NoLastMsg": last});
                    extend(&mut more, json!({"SendMsgControl": control}));
                }
                more
            }
        };
        extend(&mut item, more);
        extend(&mut item, json!({"GroupInfo": info}));
        if let Some(revoker) = &self.revoker {
            let info = json!({"Revoker_Account": revoker, "Reason": ""});
            extend(&mut item, json!({"RevokerInfo": info}));
        }
        item
    }
}

impl Group {
    /// The group as every push names it; a client cannot live without id and type.
    pub(crate) fn wire_info(&self) -> Value {
        let mut info = json!({
            "GroupName": self.name, "GroupType": self.kind.name(),
            "GroupFaceUrl": self.face_url,
        });
        extend(&mut info, self.named());
        if self.community.is_some() {
            extend(&mut info, json!({"MillionGroupFlag": 2}));
        }
        info
    }
}

impl State {
    /// `send_group_msg`. The app may speak for others.
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
        let group = self.group(id)?;
        let repeat = group.sent.iter().rev().find(|sent| {
            let fresh =
                sent.client_seq != 0 || time < sent.time.saturating_add(REST_REPEAT_SECONDS);
            sent.random == random && sent.client_seq == client_seq && sent.from == from && fresh
        });
        if let Some(sent) = repeat {
            let answer = json!({"MsgTime": sent.time, "MsgSeq": sent.seq});
            self.world.counters.repeated_sends += 1;
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
        let group = self.group_mut(id)?;
        group.sent.push_back(RecentSend {
            from,
            random,
            client_seq,
            time,
            seq,
        });
        if group.sent.len() > RECENT_SENDS {
            group.sent.pop_front();
        }
        Ok(ok_with(json!({"MsgTime": time, "MsgSeq": seq})))
    }

    /// Reads a message out of a request, and refuses it if it may not be said.
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
        // Whom the app has silenced it may let speak all the same.
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

    /// Takes one message out of the group's bucket of a second.
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

    /// Gives an entry the next number of its group, stores it, and lets everyone hear of it. Gives
    /// the number.
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

    /// Pushes a message to those it is for.
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

    /// Tells those who are mentioned, so that their conversation is marked.
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

    /// Sends a text to a group as `from`, who need not be online; for tests and examples. Gives its
    /// number.
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
        let random = self.world.numbers.next() % 100_000_000;
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

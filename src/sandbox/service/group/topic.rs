//! Topics of Communities.
//!
//! A topic is a group with its own ID and the members of its Community; membership follows the
//! Community. On the wire a topic appears beside its Community.
//!
//! See "Communities and topics" in docs/src/protocol.md; the rules are in section "Sandbox
//! choices".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{list, opt_text, text},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller, Group, Kind, Member, Role, lifecycle::short_text, message::extend, tip::Notice,
    },
    state::State,
};

/// Separates the Community ID from the suffix of a topic ID.
const SEPARATOR: &str = "@TOPIC#_";

/// The most topics of one Community.
const MAX_TOPICS: usize = 200;

/// The longest ID in bytes.
pub(crate) const MAX_ID: usize = 96;

/// Names of a topic's texts on the wire, and in tips.
const TEXTS: [(&str, &str); 5] = [
    ("TopicName", "TopicName"),
    ("Introduction", "TopicIntroduction"),
    ("Notification", "TopicNotification"),
    ("FaceUrl", "TopicFaceUrl"),
    ("CustomString", "CustomString"),
];

pub(crate) fn register(commands: &mut Commands) {
    commands.group("create_topic", |s, r| s.create_topic(r));
    commands.group("get_topic", |s, r| s.topics(r));
    commands.group("modify_topic", |s, r| s.modify_topic(r));
    commands.group("destroy_topic", |s, r| s.delete_topics(r));
}

impl Group {
    /// The wire fields that identify the group: its ID; for a topic, the Community's ID and its
    /// own.
    pub(crate) fn named(&self) -> Value {
        match &self.community {
            None => json!({"GroupId": self.id}),
            Some(community) => json!({"GroupId": community, "TopicId": self.id}),
        }
    }

    /// The group's ID; for a topic, that of its Community.
    pub(crate) fn outer_id(&self) -> &str {
        self.community.as_deref().unwrap_or(&self.id)
    }

    fn topic_text(&mut self, name: &str) -> &mut String {
        match name {
            "TopicName" => &mut self.name,
            "Introduction" => &mut self.introduction,
            "Notification" => &mut self.notification,
            "FaceUrl" => &mut self.face_url,
            _ => &mut self.custom,
        }
    }

    fn topic_item(&self, user: &UserId) -> Value {
        let member = self.members.get(user);
        json!({
            "ErrorCode": 0, "ErrorInfo": "",
            "TopicInfo": {
                "GroupId": self.outer_id(), "TopicId": self.id, "TopicName": self.name,
                "Introduction": self.introduction, "Notification": self.notification,
                "FaceUrl": self.face_url, "CustomString": self.custom,
                "ShutUpAllFlag": if self.shut_up_all { "On" } else { "Off" },
                "CreateTime": self.created, "LastMsgTime": self.last_time,
                "LastMsgSeq": self.last_seq(), "NextMsgSeq": self.next_seq,
            },
            "SelfInfo": member.map_or_else(|| json!({}), |member| json!({
                "MsgSeq": member.read_seq, "MsgFlag": member.msg_flag,
                "ShutUpTime": member.muted_until,
            })),
        })
    }
}

impl State {
    /// The topics of a Community, ordered by ID.
    pub(crate) fn topics_of(&self, community: &str) -> Vec<String> {
        let from = format!("{community}{SEPARATOR}");
        let after = self.groups.all.range(from.clone()..);
        after
            .take_while(|(id, _)| id.starts_with(&from))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The topic with this ID in this Community.
    fn topic(&self, community: &str, id: &str) -> Result<&Group, Code> {
        let topic = self.group(id)?;
        let is_it = topic.community.as_deref() == Some(community);
        is_it.then_some(topic).ok_or(Code::GROUP_UNKNOWN)
    }

    /// `create_topic`, by owner and admins.
    pub(crate) fn create_topic(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let community = text(body, "GroupId")?;
        self.require(community, actor, Role::Admin)?;
        let group = self.group(community)?;
        if group.kind != Kind::Community || !group.support_topic {
            return Err(Code::GROUP_PERMISSION);
        }
        text(body, "TopicName")?;
        let mut texts = Vec::new();
        for (name, _) in TEXTS {
            texts.push((name, short_text(body, name)?.unwrap_or_default()));
        }
        let full = self.groups.all.len() >= self.world.config.max_groups.max(1);
        if full || self.topics_of(community).len() >= MAX_TOPICS {
            return Err(Code::GROUP_JOINED_LIMIT);
        }
        let id = self.new_topic_id(community, opt_text(body, "TopicId"))?;
        let mut topic = Group::new(id.clone(), Kind::Community, now);
        topic.community = Some(community.to_owned());
        for (name, text) in texts {
            *topic.topic_text(name) = text;
        }
        topic.last_time = 0;
        let info = topic.wire_info();
        self.groups.all.insert(id.clone(), topic);
        self.align_topics(now, community);
        self.tell_of_topics(
            now,
            community,
            actor,
            &info,
            Notice::TopicCreated,
            &json!({}),
        );
        Ok(ok_with(json!({"TopicId": id})))
    }

    fn new_topic_id(&mut self, community: &str, wanted: Option<&str>) -> Result<String, Code> {
        let prefix = format!("{community}{SEPARATOR}");
        if let Some(id) = wanted.filter(|id| !id.is_empty()) {
            let visible = id.bytes().all(|byte| byte.is_ascii_graphic());
            let rest = id.strip_prefix(&prefix).unwrap_or_default();
            if rest.is_empty() || rest.contains('@') || !visible || id.len() > MAX_ID {
                return Err(Code::GROUP_BAD_ID);
            }
            if self.groups.all.contains_key(id) {
                return Err(Code::GROUP_ID_TAKEN);
            }
            return Ok(id.to_owned());
        }
        loop {
            self.groups.created += 1;
            let id = format!("{prefix}{:X}", self.groups.created);
            if !self.groups.all.contains_key(&id) {
                return Ok(id);
            }
        }
    }

    /// `get_topic`: the named topics, or all.
    pub(crate) fn topics(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let community = text(body, "GroupId")?;
        self.require(community, actor, Role::Member)?;
        let named = list(body, "TopicIdList").iter().filter_map(Value::as_str);
        let mut ids: Vec<String> = named.map(str::to_owned).collect();
        if ids.is_empty() {
            ids = self.topics_of(community);
        }
        let items = ids.iter().map(|id| match self.topic(community, id) {
            Ok(topic) => topic.topic_item(&actor.user),
            Err(code) => json!({
                "ErrorCode": code.0, "ErrorInfo": code.name(), "TopicInfo": {"TopicId": id},
                "SelfInfo": {},
            }),
        });
        let items: Vec<Value> = items.collect();
        Ok(ok_with(json!({"TopicAndSelfInfo": items})))
    }

    /// `modify_topic`, by owner and admins.
    pub(crate) fn modify_topic(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let community = text(body, "GroupId")?;
        self.require(community, actor, Role::Admin)?;
        let id = text(body, "TopicId")?;
        self.topic(community, id)?;
        let mut changed = json!({});
        let mut texts = Vec::new();
        for (name, shown) in TEXTS {
            if let Some(text) = short_text(body, name)? {
                changed[shown] = text.clone().into();
                texts.push((name, text));
            }
        }
        let mute = match opt_text(body, "ShutUpAllMember") {
            None => None,
            Some("On") => Some(true),
            Some("Off") => Some(false),
            Some(_) => return Err(Code::GROUP_PARAMETER),
        };
        let topic = self.group_mut(id)?;
        for (name, text) in texts {
            *topic.topic_text(name) = text;
        }
        if let Some(mute) = mute {
            topic.shut_up_all = mute;
            changed["ShutupAll"] = u8::from(mute).into();
        }
        let tip = json!({
            "OpType": 8, "Operator_Account": actor.user, "List_Account": [],
            "MsgTopicNewInfo": changed,
        });
        self.unstored_tip(now, id, &tip);
        Ok(ok())
    }

    /// `destroy_topic`, by owner and admins: several topics, each with a result.
    pub(crate) fn delete_topics(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let community = text(body, "GroupId")?;
        self.require(community, actor, Role::Admin)?;
        let named = list(body, "TopicIdList").iter().filter_map(Value::as_str);
        let (mut results, mut gone) = (Vec::new(), Vec::new());
        for id in named {
            let outcome = self.topic(community, id).map(|_| ());
            if outcome.is_ok() {
                self.groups.all.remove(id);
                gone.push(id);
            }
            let code = outcome.err().unwrap_or(Code::OK);
            let info = if code.is_ok() { "" } else { code.name() };
            results.push(json!({"TopicId": id, "ErrorCode": code.0, "ErrorInfo": info}));
        }
        if results.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        if !gone.is_empty() {
            let mut info = self.group(community)?.wire_info();
            extend(&mut info, json!({"MillionGroupFlag": 2}));
            let more = json!({"TopicIdArray": gone});
            self.tell_of_topics(now, community, actor, &info, Notice::TopicDeleted, &more);
        }
        Ok(ok_with(json!({"DestroyResultItem": results})))
    }

    /// Notifies every member, except the login that made the change.
    fn tell_of_topics(
        &mut self,
        now: Now,
        community: &str,
        actor: &Caller,
        info: &Value,
        notice: Notice,
        more: &Value,
    ) {
        let members = self.group(community).map(|group| &group.members);
        let members: Vec<UserId> = members
            .map(|m| m.keys().cloned().collect())
            .unwrap_or_default();
        for member in members {
            let by = if member == actor.user {
                actor.instance
            } else {
                0
            };
            let event = self.notice_event(now, info, &actor.user, notice, &member, more.clone());
            self.notify(now, &member, by, event);
        }
    }

    /// Applies a change of a Community's members to its topics. If the Community no longer exists,
    /// deletes its topics.
    pub(crate) fn align_topics(&mut self, now: Now, community: &str) {
        let topics = self.topics_of(community);
        if topics.is_empty() {
            return;
        }
        let Some(group) = self.groups.all.get(community) else {
            for topic in topics {
                self.groups.all.remove(&topic);
            }
            return;
        };
        let members: BTreeMap<UserId, (Role, u64, String)> = group
            .members
            .iter()
            .map(|(user, member)| {
                let card = member.name_card.clone();
                (user.clone(), (member.role, member.muted_until, card))
            })
            .collect();
        for topic in topics {
            let Some(topic) = self.groups.all.get_mut(&topic) else {
                continue;
            };
            topic.members.retain(|user, _| members.contains_key(user));
            for (user, (role, muted_until, card)) in &members {
                if !topic.members.contains_key(user) {
                    topic.joins += 1;
                    let member = Member::new(now, topic, Role::Member);
                    topic.members.insert(user.clone(), member);
                }
                if let Some(member) = topic.members.get_mut(user) {
                    (member.role, member.muted_until) = (*role, *muted_until);
                    member.name_card.clone_from(card);
                }
            }
        }
    }
}

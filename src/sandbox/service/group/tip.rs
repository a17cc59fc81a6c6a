//! Messages of the service: tips in a group, and notices to single accounts.
//!
//! See "Groups" in docs/src/protocol.md.

pub(crate) use crate::table::group::tip::{Notice, Tip, micros};
use crate::{
    commands::Commands,
    policy::Now,
    proto::id::UserId,
    request::Request,
    service::group::{
        Caller, Group, Kind, Role, SYSTEM, SYSTEM_TINY_ID,
        message::{Entry, What, extend},
    },
    state::State,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands.group_rest("send_group_system_notification", |s, r| s.custom_notice(r));
}

impl State {
    /// A member in the form used by tips.
    fn member_info(&self, group: &Group, user: &UserId) -> Value {
        let (nick, face_url) = self.world.sender_profile(user);
        let member = group.members.get(user);
        json!({
            "UserId": user, "NickName": nick, "ImageUrl": face_url,
            "NameCard": member.map_or("", |member| &member.name_card),
            "Role": member.map_or(Role::Member, |member| member.role).number(),
        })
    }

    /// Adds a tip to a group. The tip gets a message number and is part of the history.
    pub(crate) fn tip(
        &mut self,
        now: Now,
        id: &str,
        operator: &UserId,
        tip: Tip,
        about: &[UserId],
        more: Value,
    ) {
        let Some(group) = self.groups.all.get(id) else {
            return;
        };
        let mut body = json!({
            "OpType": tip as u8,
            "Operator_Account": operator,
            "List_Account": about,
            "MsgOperatorMemberExtraInfo": self.member_info(group, operator),
            "MsgMemberExtraInfo": about
                .iter()
                .map(|user| self.member_info(group, user))
                .collect::<Vec<_>>(),
            "MemberNum": group.members.len(),
        });
        if group.kind == Kind::Live {
            let online = self.online_members(now, id);
            let online = json!({"OnlineMemberNum": online, "ExpireTime": crate::service::group::live_room::COUNT_HOLDS});
            extend(&mut body, json!({"OnlineMemberInfo": online}));
        }
        extend(&mut body, more);
        let random = self.world.numbers.next() % (1 << 32);
        let time = now.unix_secs();
        let entry = Entry {
            seq: 0,
            random,
            client_seq: 0,
            time,
            client_time: time,
            tiny_id: SYSTEM_TINY_ID.to_owned(),
            from: SYSTEM.to_owned(),
            what: What::Tip(body),
            revoker: None,
        };
        self.add_entry(now, id, entry, None);
    }

    /// Sends a notice to one account. `more` holds further fields of its body.
    pub(crate) fn notice_to(
        &mut self,
        now: Now,
        group: &Value,
        operator: &UserId,
        notice: Notice,
        to: &UserId,
        more: Value,
    ) {
        let event = self.notice_event(now, group, operator, notice, to, more);
        self.notify(now, to, 0, event);
    }

    pub(crate) fn notice_event(
        &mut self,
        now: Now,
        group: &Value,
        operator: &UserId,
        notice: Notice,
        to: &UserId,
        more: Value,
    ) -> Value {
        let (nick, face_url) = self.world.sender_profile(operator);
        let mut body = json!({
            "ReportType": notice as u8, "Operator_Account": operator,
            "MsgKey": micros(now), "Authentication": "", "RemarkInfo": "",
            "MsgMemberExtraInfo": {"UserId": operator, "NickName": nick, "ImageUrl": face_url},
        });
        extend(&mut body, more);
        let mut info = group.clone();
        extend(
            &mut info,
            json!({"From_Account": operator, "To_Account": to}),
        );
        json!({"Event": 5, "GroupTips": [{
            "From_Account": SYSTEM, "To_Account": to, "TinyId": SYSTEM_TINY_ID,
            "MsgSeq": self.world.numbers.next() % 16_000_000, "ClientSeq": 1,
            "MsgRandom": self.world.numbers.next() % (1 << 32),
            "MsgTimeStamp": now.unix_secs(), "MsgClientTime": now.unix_secs(), "IsSystemMsg": 1,
            "GroupInfo": info, "MsgBody": body,
        }]})
    }

    /// [`State::notice_to`] for an existing group.
    pub(crate) fn group_notice(
        &mut self,
        now: Now,
        id: &str,
        operator: &UserId,
        notice: Notice,
        to: &UserId,
        more: Value,
    ) {
        let Ok(info) = self.group(id).map(Group::wire_info) else {
            return;
        };
        self.notice_to(now, &info, operator, notice, to, more);
    }

    /// A notice with a custom text of the app, to some members or all.
    pub(crate) fn custom_notice(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Value, crate::proto::code::Code> {
        let (now, actor, body) = request.parts();
        let id = crate::fields::text(body, "GroupId")?;
        let content = crate::fields::text(body, "Content")?;
        let group = self.group(id)?;
        let named = crate::fields::users(body, "ToMembers_Account");
        let to: Vec<UserId> = group
            .members
            .keys()
            .filter(|user| named.is_empty() || named.contains(user))
            .cloned()
            .collect();
        for user in to {
            let more = json!({"UserDefinedField": content});
            self.group_notice(now, id, &actor.user, Notice::Custom, &user, more);
        }
        Ok(crate::answer::ok())
    }

    /// A notice to the caller's other logins.
    pub(crate) fn notice_to_others(
        &mut self,
        now: Now,
        group: &Value,
        actor: &Caller,
        notice: Notice,
    ) {
        if self
            .world
            .push_links(now, &actor.user, actor.instance)
            .is_empty()
        {
            return;
        }
        let event = self.notice_event(now, group, &actor.user, notice, &actor.user, json!({}));
        self.notify(now, &actor.user, actor.instance, event);
    }

    /// A tip without a message number that is not stored.
    pub(crate) fn unstored_tip(&mut self, now: Now, id: &str, body: &Value) {
        let random = self.world.numbers.next() % (1 << 32);
        let Ok(group) = self.group_mut(id) else {
            return;
        };
        let is_live = group.kind == Kind::Live;
        let number = group.next_seq;
        // In a live room, clients tell items apart by their numbers alone.
        if is_live {
            group.next_seq += 1;
        }
        let tip = json!({
            "Event": 6, "From_Account": SYSTEM, "ToGroupId": group.outer_id(),
            "GroupId": group.outer_id(),
            "TinyId": SYSTEM_TINY_ID, "MsgSeq": if is_live { number } else { 0 },
            "MsgRandom": random, "MsgTimeStamp": now.unix_secs(),
            "MsgClientTime": now.unix_secs(), "ClientSeq": 0, "IsSystemMsg": 1,
            "GroupInfo": group.wire_info(), "MsgBody": body,
        });
        if is_live {
            self.add_live_item(now, id, number, tip);
        } else {
            let event = json!({"Event": 6, "GroupTips": [tip]});
            self.push_to_group(now, id, None, &event);
        }
    }
}

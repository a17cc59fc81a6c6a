//! Read positions of members, and groups in the conversation list.
//!
//! See "Groups" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::ok,
    commands::Commands,
    fields::{list, number, opt_number, opt_text, place},
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Group, Kind, Member, SYSTEM,
        message::{What, extend},
    },
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    commands.group("msg_read_report", |s, r| s.report_read(r));
}

impl Group {
    /// The number of messages a member has not read; tips do not count.
    fn unread_of(&self, user: &UserId, member: &Member) -> usize {
        let unread = self.entries.iter().rev();
        unread
            .take_while(|entry| entry.seq > member.read_seq)
            .filter(|entry| entry.revoker.is_none() && entry.from != user.as_str())
            .filter(|entry| entry.is_for(user) && !member.deleted.contains(&entry.seq))
            .filter(|entry| entry.said().is_some_and(|said| !said.no_unread))
            .count()
    }

    /// The conversation as one member sees it.
    fn session_of(&self, user: &UserId, member: &Member) -> Option<Value> {
        let newest = self.entries.iter().rev().find(|entry| {
            let shown = entry.said().is_none_or(|said| !said.no_last);
            let own = entry.seq >= member.first_seq && !member.deleted.contains(&entry.seq);
            shown && own && entry.is_for(user)
        });
        let newest = newest.filter(|_| self.last_order > member.hidden_up_to)?;
        let (mut last, nick, card) = match &newest.what {
            What::Said(said) => (
                json!({"MsgBody": said.body, "CloudCustomData": said.cloud}),
                said.nick.as_str(),
                said.name_card.as_str(),
            ),
            What::Tip(_) => {
                let last = json!({"Event": 4, "GroupTips": newest.wire(self)});
                (last, "", "")
            }
        };
        let mut item = json!({
            "Type": 2,
            "ToAccount": self.id,
            "MsgTimeStamp": newest.time,
            "MsgSeq": self.last_seq(),
            "MsgRandom": newest.random,
            "UnreadMsgCount": self.unread_of(user, member),
            "GroupIgnoredUnreadSeqCount": 0,
            "MsgGroupReadedSeq": member.read_seq,
            "GroupNextMsgSeq": self.next_seq,
            "MsgGroupFrom_Account": newest.from,
            "MsgGroupFromNickName": nick,
            "MsgGroupFromCardName": card,
            "GroupNick": self.name,
            "GroupImage": self.face_url,
            "GroupType": self.kind.name(),
            "LastMsgFlags": if newest.revoker.is_some() { 2 } else { 0 },
            "MsgRecvOption": match member.msg_flag.as_str() {
                "Discard" => 1,
                "AcceptNotNotify" => 2,
                _ => 0,
            },
            "CustomMark": "",
            "StandardMark": "0",
        });
        if let Some(revoker) = &newest.revoker {
            let info = json!({"Revoker_Account": revoker, "Reason": ""});
            extend(&mut last, json!({"RevokerInfo": info}));
        }
        extend(&mut item, json!({"LastMsg": last}));
        Some(item)
    }
}

impl State {
    /// The group items of an account's conversation list, each with its sequence position. Live
    /// rooms are left out.
    pub(crate) fn group_sessions(&self, user: &UserId) -> Vec<(u64, Value)> {
        let joined = self.groups.joined.get(user).into_iter().flatten();
        joined
            .filter_map(|id| self.groups.all.get(id))
            .filter(|group| group.kind != Kind::Live)
            .filter_map(|group| {
                let member = group.members.get(user)?;
                Some((group.last_order, group.session_of(user, member)?))
            })
            .collect()
    }

    /// Hides a group conversation from an account's list until the next message.
    pub(crate) fn hide_group(&mut self, user: &UserId, id: &str) {
        let Some(group) = self.groups.all.get_mut(id) else {
            return;
        };
        let (order, last) = (group.last_order, group.last_seq());
        if let Some(member) = group.members.get_mut(user) {
            member.hidden_up_to = order;
            member.read_seq = member.read_seq.max(last);
        }
    }

    /// Removes all history of a group for one account.
    pub(crate) fn clear_group(&mut self, user: &UserId, id: &str) {
        let Some(group) = self.groups.all.get_mut(id) else {
            return;
        };
        let next = group.next_seq;
        if let Some(member) = group.members.get_mut(user) {
            member.first_seq = next;
            member.read_seq = next.saturating_sub(1);
            member.deleted.clear();
        }
    }

    fn read_up_to(&mut self, id: &str, user: &UserId, seq: u64) -> Result<u64, Code> {
        let group = self.group_mut(id)?;
        let last = group.last_seq();
        let member = group.members.get_mut(user);
        let member = member.ok_or(Code::GROUP_PERMISSION)?;
        member.read_seq = member.read_seq.max(seq.min(last));
        Ok(member.read_seq)
    }

    /// `msg_read_report`.
    pub(crate) fn report_read(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = place(body)?;
        let seq = self.read_up_to(id, &actor.user, number(body, "MsgReadedSeq")?)?;
        let conns = self.world.push_links(now, &actor.user, actor.instance);
        if !conns.is_empty() {
            let group = self.group(id)?;
            let mut read = group.named();
            extend(&mut read, json!({"LastReadMsgSeq": seq}));
            let event = json!({"Event": 5, "GroupTips": [{
                "From_Account": SYSTEM, "To_Account": actor.user, "ToGroupId": group.outer_id(),
                "GroupInfo": group.wire_info(), "MsgBody": {"GroupReadInfoArray": [read]},
            }]});
            self.world.push_to_all(now, conns, &event);
        }
        Ok(ok())
    }

    /// The group part of `read_all_unread_msg`: a result for each group.
    pub(crate) fn read_groups(&mut self, user: &UserId, body: &Value) -> Value {
        let items = list(body, "GroupReadInfo").iter();
        let results: Vec<Value> = items
            .filter_map(|item| {
                let (id, seq) = (place(item).ok()?, opt_number(item, "MsgSeq")?);
                let code = self.read_up_to(id, user, seq).err();
                let code = code.map_or(0, |code| code.0);
                let named = opt_text(item, "GroupId");
                Some(json!({"GroupId": named, "MsgSeq": seq, "RetCode": code}))
            })
            .collect();
        results.into()
    }
}

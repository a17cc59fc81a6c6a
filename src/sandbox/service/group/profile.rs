//! Group profiles, and the lists of groups.
//!
//! See "Groups" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::ok_with,
    commands::Commands,
    fields::{flag, list, opt_number, opt_text},
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{Caller, Group, Kind, Member, message::extend},
    state::State,
};

pub(crate) fn failed(id: &str, code: Code) -> Value {
    json!({"GroupId": id, "ErrorCode": code.0, "ErrorInfo": code.name()})
}

/// The most groups in one page.
pub(crate) const MAX_PAGE: u64 = 10_000;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("get_joined_group_list", |s, r| {
        s.joined_groups(r.caller, r.body, r.is_about_communities())
    });
    commands.group("get_group_self_member_info", |s, r| s.groups_with_self(r));
    commands.group("get_group_public_info", |s, r| s.public_groups(r));
    // REST-only commands, some of which are aliases of client commands.
    commands.group_rest("get_group_info", |s, r| s.public_groups(r));
    commands.group_rest("get_appid_group_list", |s, r| s.all_groups(r));
}

impl Group {
    /// The profile of the group.
    fn profile(&self) -> Value {
        let data = self.app_data.iter();
        let data: Vec<Value> = data
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        json!({
            "GroupId": self.id, "Type": self.kind.name(), "Name": self.name,
            "Introduction": self.introduction, "Notification": self.notification,
            "FaceUrl": self.face_url, "CreateTime": self.created, "InfoSeq": self.info_seq,
            "LastInfoTime": self.info_time, "LastMsgTime": self.last_time,
            "NextMsgSeq": self.next_seq, "MemberNum": self.members.len(),
            "MaxMemberNum": self.max_members, "ApplyJoinOption": self.apply_option,
            "InviteJoinOption": self.invite_option,
            "ShutUpAllMember": if self.shut_up_all { "On" } else { "Off" },
            "SupportTopic": u8::from(self.support_topic), "AppDefinedData": data,
            "Owner_Account": self.owner.as_ref().map_or("", UserId::as_str),
        })
    }
}

impl Member {
    /// The fields that a member sees about itself.
    fn of_itself(&self) -> Value {
        json!({
            "Role": self.role.name(), "JoinTime": self.joined, "MsgFlag": self.msg_flag,
            "MsgSeq": self.read_seq, "NameCard": self.name_card,
        })
    }
}

impl State {
    /// `get_joined_group_list`, of Communities or of the other types. Live rooms are in neither
    /// list.
    pub(crate) fn joined_groups(
        &self,
        actor: &Caller,
        body: &Value,
        communities: bool,
    ) -> Result<Value, Code> {
        let of = match opt_text(body, "Member_Account") {
            Some(_) if actor.admin => crate::fields::user(body, "Member_Account")?,
            _ => actor.user.clone(),
        };
        let joined = self.groups.joined.get(&of).into_iter().flatten();
        let with_topics = communities && flag(body, "SupportTopic");
        let groups: Vec<&Group> = joined
            .filter_map(|id| self.groups.all.get(id))
            .filter(|group| group.kind != Kind::Live || actor.admin)
            .filter(|group| actor.admin || (group.kind == Kind::Community) == communities)
            .filter(|group| actor.admin || group.support_topic == with_topics)
            .collect();
        let page = |name, usual| {
            let number = opt_number(body, name).unwrap_or(usual);
            usize::try_from(number).unwrap_or(usize::MAX)
        };
        let limit = page("Limit", 200).clamp(1, 500);
        let items: Vec<Value> = groups
            .iter()
            .skip(page("Offset", 0))
            .take(limit)
            .map(|group| {
                let mut item = group.profile();
                let own = group.members.get(&of).map(Member::of_itself);
                extend(
                    &mut item,
                    json!({"SelfInfo": own.unwrap_or_else(|| json!({}))}),
                );
                extend(&mut item, json!({"LastRecallTime": group.last_recall}));
                item
            })
            .collect();
        Ok(ok_with(
            json!({"TotalCount": groups.len(), "GroupIdList": items}),
        ))
    }

    /// `get_group_self_member_info`: profiles, with the caller as the only member.
    pub(crate) fn groups_with_self(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let ids = list(body, "GroupIdList").iter().filter_map(Value::as_str);
        let items: Vec<Value> = ids
            .map(|id| {
                let Some(group) = self
                    .groups
                    .all
                    .get(id)
                    .filter(|group| group.community.is_none())
                else {
                    return failed(id, Code::GROUP_UNKNOWN);
                };
                let member = group.members.get(&actor.user);
                if member.is_none() && group.kind != Kind::Live {
                    return failed(id, Code::GROUP_PERMISSION);
                }
                let mut item = group.profile();
                let own = member.map(|member| {
                    let mut own = member.of_itself();
                    extend(&mut own, json!({"Member_Account": actor.user}));
                    own
                });
                let own: Vec<Value> = own.into_iter().collect();
                extend(
                    &mut item,
                    json!({"ErrorCode": 0, "ErrorInfo": "", "MemberList": own}),
                );
                item
            })
            .collect();
        ok_with(json!({"GroupInfo": items}))
    }

    /// `get_group_public_info` for everyone, `get_group_info` for the app.
    pub(crate) fn public_groups(&self, request: &Request<'_>) -> Value {
        let body = request.body;
        let ids = list(body, "GroupIdList").iter().filter_map(Value::as_str);
        let items: Vec<Value> = ids
            .map(|id| {
                match self
                    .groups
                    .all
                    .get(id)
                    .filter(|group| group.community.is_none())
                {
                    None => failed(id, Code::GROUP_UNKNOWN),
                    Some(group) => {
                        let mut item = group.profile();
                        extend(&mut item, json!({"ErrorCode": 0, "ErrorInfo": ""}));
                        item
                    }
                }
            })
            .collect();
        ok_with(json!({"GroupInfo": items}))
    }

    /// `get_appid_group_list`: the IDs of all groups, or of the groups of one type. `Next` is the
    /// number of groups on the previous pages.
    pub(crate) fn all_groups(&self, request: &Request<'_>) -> Value {
        let body = request.body;
        let kind = opt_text(body, "GroupType");
        let groups = self.groups.all.values();
        let groups = groups.filter(|group| group.community.is_none());
        let ids: Vec<&str> = groups
            .filter(|group| kind.is_none_or(|kind| group.kind.name() == kind))
            .map(|group| group.id.as_str())
            .collect();
        let place = |name, usual: u64| opt_number(body, name).unwrap_or(usual);
        let start = usize::try_from(place("Next", 0)).unwrap_or(usize::MAX);
        let limit = place("Limit", MAX_PAGE).clamp(1, MAX_PAGE);
        let limit = usize::try_from(limit).unwrap_or(1);
        let page: Vec<Value> = ids
            .iter()
            .skip(start)
            .take(limit)
            .map(|id| json!({"GroupId": id}))
            .collect();
        let end = start.saturating_add(page.len());
        let next = if end < ids.len() { end } else { 0 };
        ok_with(json!({"TotalCount": ids.len(), "GroupIdList": page, "Next": next}))
    }
}

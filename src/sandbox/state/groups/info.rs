//! What groups tell about themselves: profiles, the list of those joined, members.

use serde_json::{Value, json};

use super::{
    Caller, Group, Kind, Member, Role,
    fields::{flag, list, opt_number, text, users},
    messages::extend,
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::State,
    world::ok_with,
};

/// The most members in one page.
const MAX_PAGE: u64 = 100;

impl Group {
    /// Its profile.
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
    /// What the member itself gets to know.
    fn of_itself(&self) -> Value {
        json!({
            "Role": self.role.name(), "JoinTime": self.joined, "MsgFlag": self.msg_flag,
            "MsgSeq": self.read_seq, "NameCard": self.name_card,
        })
    }
}

fn failed(id: &str, code: Code) -> Value {
    json!({"GroupId": id, "ErrorCode": code.0, "ErrorInfo": code.name()})
}

impl State {
    /// `get_joined_group_list`, of Communities or of the rest. Live rooms are in neither.
    pub(crate) fn joined_groups(
        &self,
        actor: &Caller,
        body: &Value,
        communities: bool,
    ) -> Result<Value, Code> {
        let of = match super::fields::opt_text(body, "Member_Account") {
            Some(_) if actor.admin => super::fields::user(body, "Member_Account")?,
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
    pub(crate) fn groups_with_self(&self, actor: &Caller, body: &Value) -> Value {
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
    pub(crate) fn public_groups(&self, body: &Value) -> Value {
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

    fn member_item(&self, now: Now, user: &UserId, member: &Member) -> Value {
        let fields = member.fields.iter();
        let fields: Vec<Value> = fields
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let online = if self.world.is_online(now, user) {
            "Online"
        } else {
            "Offline"
        };
        json!({
            "Member_Account": user, "Role": member.role.name(), "JoinTime": member.joined,
            "MsgSeq": member.read_seq, "NameCard": member.name_card,
            "ShutUpUntil": member.muted_until, "OnlineStatus": online,
            "AppMemberDefinedData": fields,
        })
    }

    /// `get_group_member_info`: a page of members in the order in which they joined. Pages go by
    /// offset, in Communities by an opaque text.
    pub(crate) fn members_of(&self, now: Now, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let roles: Vec<&str> = list(body, "MemberRoleFilter")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let fitting: Vec<_> = group
            .in_order()
            .into_iter()
            .filter(|(_, member)| roles.is_empty() || roles.contains(&member.role.name()))
            .collect();
        let offset = opt_number(body, "Next").or_else(|| opt_number(body, "Offset"));
        let offset = usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = opt_number(body, "Limit").unwrap_or(MAX_PAGE);
        let limit = usize::try_from(limit.clamp(1, MAX_PAGE)).unwrap_or(1);
        let items: Vec<Value> = fitting
            .iter()
            .skip(offset)
            .take(limit)
            .map(|(user, member)| self.member_item(now, user, member))
            .collect();
        let end = offset.saturating_add(items.len());
        let mut answer = json!({"MemberNum": group.members.len(), "MemberList": items});
        if group.kind == Kind::Community {
            let next = if end < fitting.len() {
                end.to_string()
            } else {
                String::new()
            };
            extend(&mut answer, json!({"Next": next}));
        }
        Ok(ok_with(answer))
    }

    /// `get_specified_group_member_info`; those who are no members are left out.
    pub(crate) fn named_members(
        &self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let items: Vec<Value> = users(body, "Member_List_Account")
            .iter()
            .filter_map(|user| {
                let member = group.members.get(user)?;
                Some(self.member_item(now, user, member))
            })
            .collect();
        Ok(ok_with(json!({"MemberList": items})))
    }

    /// `get_role_in_group`, for the app.
    pub(crate) fn roles_in(&self, body: &Value) -> Result<Value, Code> {
        let group = self.group(text(body, "GroupId")?)?;
        let items: Vec<Value> = users(body, "User_Account")
            .iter()
            .map(|user| {
                let role = group.role(user).map_or("NotMember", Role::name);
                json!({"Member_Account": user, "Role": role})
            })
            .collect();
        Ok(ok_with(json!({"UserIdList": items})))
    }

    /// `get_group_muted_account`, for the app.
    pub(crate) fn muted_in(&self, now: Now, body: &Value) -> Result<Value, Code> {
        let group = self.group(text(body, "GroupId")?)?;
        let muted = group.in_order().into_iter();
        let items: Vec<Value> = muted
            .filter(|(_, member)| member.muted_until > now.unix_secs())
            .map(|(user, member)| {
                json!({
                    "Member_Account": user, "MutedUntil": member.muted_until,
                    "ShuttedUntil": member.muted_until,
                })
            })
            .collect();
        Ok(ok_with(
            json!({"MutedAccountList": items, "ShuttedUinList": items}),
        ))
    }
}

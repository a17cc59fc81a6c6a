//! Members of live rooms: lists, marks, admins; and broadcasts to all rooms.
//!
//! See "Groups" in docs/src/protocol.md; the limits are in section "Sandbox choices".

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{as_number, list, opt_number, text, users},
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{Caller, Group, Kind, Role},
    state::State,
};

/// The most members in one page.
pub(crate) const MAX_PAGE: usize = 100;

/// The lowest mark number of the app.
const FIRST_MARK: u32 = 1000;

/// The most marks of one member.
pub(crate) const MAX_MARKS: usize = 10;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("get_members", |s, r| s.live_members(r));
    commands.group("modify_user_info", |s, r| s.mark_live_members(r));
    commands.group_rest("send_broadcast_msg", |s, r| s.broadcast(r));
    commands.group_rest("modify_admin", |s, r| s.change_live_admins(r));
}

impl State {
    /// The live room with this ID, in which the caller has at least the role `least`.
    pub(crate) fn live_room(&self, id: &str, actor: &Caller, least: Role) -> Result<&Group, Code> {
        self.require(id, actor, least)?;
        let group = self.group(id)?;
        if group.kind != Kind::Live {
            return Err(Code::GROUP_PARAMETER);
        }
        Ok(group)
    }

    /// `get_members`: a page in join order; the "timestamp" is an offset.
    pub(crate) fn live_members(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let group = self.live_room(text(body, "GroupId")?, actor, Role::Member)?;
        let start = opt_number(body, "Timestamp").unwrap_or(0);
        let mark = opt_number(body, "Mark").filter(|mark| *mark > 0);
        let mut members = group
            .in_order()
            .into_iter()
            .filter(|(_, member)| member.order > start)
            .filter(|(_, member)| {
                mark.is_none_or(|mark| member.marks.iter().any(|own| u64::from(*own) == mark))
            })
            .filter(|(user, _)| self.world.is_online(now, user))
            .peekable();
        let page: Vec<_> = members.by_ref().take(MAX_PAGE).collect();
        let last = page.last().map_or(0, |(_, member)| member.order);
        let next = if members.peek().is_some() { last } else { 0 };
        let items: Vec<Value> = page
            .iter()
            .map(|(user, member)| {
                let (nick, face_url) = self.world.sender_profile(user);
                json!({
                    "Member_Account": user, "NickName": nick, "Avatar": face_url,
                    "JoinTime": member.joined, "Role": member.role.name(), "Marks": member.marks,
                })
            })
            .collect();
        Ok(ok_with(json!({"MemberList": items, "NextTimestamp": next})))
    }

    /// `modify_user_info`: adds or removes marks of members. The answer lists the members that were
    /// changed.
    pub(crate) fn mark_live_members(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Owner)?;
        let give = match opt_number(body, "CommandType") {
            Some(1) => true,
            Some(2) => false,
            _ => return Err(Code::GROUP_PARAMETER),
        };
        let group = self.group_mut(id)?;
        let mut done = Vec::new();
        for item in list(body, "MemberList") {
            let user = item.get("Member_Account").and_then(Value::as_str);
            let user = user.and_then(|user| UserId::parse(user).ok());
            let Some(user) = user else { continue };
            let Some(member) = group.members.get_mut(&user) else {
                continue;
            };
            let marks = list(item, "Marks").iter().filter_map(as_number);
            let marks = marks.filter_map(|mark| u32::try_from(mark).ok());
            for mark in marks.filter(|mark| *mark >= FIRST_MARK) {
                if !give {
                    member.marks.remove(&mark);
                } else if member.marks.len() < MAX_MARKS {
                    member.marks.insert(mark);
                }
            }
            done.push(json!({"Member_Account": user, "Marks": member.marks}));
        }
        Ok(ok_with(json!({"MemberList": done})))
    }

    /// `send_broadcast_msg`: a message to every live room.
    pub(crate) fn broadcast(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let rooms = self.groups.all.values();
        let rooms = rooms.filter(|group| group.kind == Kind::Live);
        let rooms: Vec<String> = rooms.map(|group| group.id.clone()).collect();
        for room in rooms {
            let mut message = body.clone();
            message["GroupId"] = room.into();
            match self.send_group_message(now, actor, &message) {
                // A room above its message rate does not get the broadcast.
                Ok(_) | Err(Code::GROUP_RATE) => {}
                Err(code) => return Err(code),
            }
        }
        Ok(ok_with(json!({"MsgTime": now.unix_secs()})))
    }

    /// `modify_admin`: makes members of a live room admins (`CommandType` 1) or plain members (2).
    pub(crate) fn change_live_admins(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Owner)?;
        let role = match opt_number(body, "CommandType") {
            Some(1) => Role::Admin,
            Some(2) => Role::Member,
            _ => return Err(Code::GROUP_PARAMETER),
        };
        let named = users(body, "Admin_Account");
        let group = self.group(id)?;
        let fits = |theirs: Option<Role>| theirs.is_some_and(|theirs| theirs != Role::Owner);
        if named.is_empty() || !named.iter().all(|user| fits(group.role(user))) {
            return Err(Code::GROUP_PARAMETER);
        }
        for user in named {
            let change = json!({"GroupId": id, "Member_Account": user, "Role": role.name()});
            self.modify_member(now, actor, &change)?;
        }
        Ok(ok())
    }
}

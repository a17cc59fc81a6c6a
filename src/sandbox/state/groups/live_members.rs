//! Who is in a live room: those who are online, with what the app marked them with.

use serde_json::{Value, json};

use super::{
    Caller, Group, Kind, Role,
    fields::{as_number, list, opt_number, text},
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::State,
    world::ok_with,
};

/// Members in one page.
const MAX_PAGE: usize = 100;
/// Marks of the app begin here.
const FIRST_MARK: u32 = 1000;
/// Marks of one member.
const MAX_MARKS: usize = 10;

impl State {
    /// The live room of this name, in which the caller is at least that much.
    pub(crate) fn live_room(&self, id: &str, actor: &Caller, least: Role) -> Result<&Group, Code> {
        self.require(id, actor, least)?;
        let group = self.group(id)?;
        if group.kind != Kind::Live {
            return Err(Code::GROUP_PARAMETER);
        }
        Ok(group)
    }

    /// `get_members`: a page in the order in which they came in, which the "timestamp" counts.
    pub(crate) fn live_members(
        &self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
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

    /// `modify_user_info`: marks members or takes marks away. The answer names those it was done for.
    pub(crate) fn mark_live_members(
        &mut self,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
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
}

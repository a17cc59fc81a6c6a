//! What only the app does with groups: listing all of them, speaking to all live rooms, making their
//! administrators.

use serde_json::{Value, json};

use super::{
    Caller, Kind, Role,
    fields::{opt_number, opt_text, text, users},
};
use crate::world::{ok, ok_with};
use crate::{policy::Now, proto::code::Code, state::State};

/// Groups in one page.
const MAX_PAGE: u64 = 10_000;

impl State {
    /// `get_appid_group_list`: the IDs of all groups, or of those of one type. `Next` counts those of
    /// the pages before.
    pub(crate) fn all_groups(&self, body: &Value) -> Value {
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

    /// `send_broadcast_msg`: a message to every live room.
    pub(crate) fn broadcast(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let rooms = self.groups.all.values();
        let rooms = rooms.filter(|group| group.kind == Kind::Live);
        let rooms: Vec<String> = rooms.map(|group| group.id.clone()).collect();
        for room in rooms {
            let mut message = body.clone();
            message["GroupId"] = room.into();
            match self.send_group_message(now, actor, &message) {
                // A room that has heard too much this second hears nothing of it.
                Ok(_) | Err(Code::GROUP_RATE) => {}
                Err(code) => return Err(code),
            }
        }
        Ok(ok_with(json!({"MsgTime": now.unix_secs()})))
    }

    /// `modify_admin`: makes members of a live room administrators (`CommandType` 1), or members again
    /// (2).
    pub(crate) fn change_live_admins(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
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

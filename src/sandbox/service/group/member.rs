//! Members of a group: lists, roles, mutes, name cards, removal, quitting, import.
//!
//! See "Groups" in docs/src/protocol.md; the rules are in section "Sandbox choices".

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{flag, list, opt_number, opt_text, pairs, text, user, users},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller, Kind, Member, Role,
        lifecycle::set_fields,
        message::extend,
        tip::{Notice, Tip},
    },
    state::State,
};

/// The most members in one page.
pub(crate) const MAX_PAGE: u64 = 100;

/// The longest name card in bytes.
const MAX_CARD: usize = 200;

pub(crate) fn register(commands: &mut Commands) {
    commands
        .group("quit_group", |s, r| s.quit_group(r))
        .membership();
    commands
        .group("delete_group_member", |s, r| s.delete_members(r))
        .membership();
    commands
        .group("modify_group_member_info", |s, r| {
            s.modify_member(r.now, r.caller, r.body)
        })
        .membership();
    commands.group("get_group_member_info", |s, r| s.members_of(r));
    commands.group("get_specified_group_member_info", |s, r| s.named_members(r));
    commands.group_rest("get_role_in_group", |s, r| s.roles_in(r));
    commands.group_rest("forbid_send_msg", |s, r| s.forbid_sending(r));
    for name in [
        "get_group_muted_account",
        "get_group_shutted_uin",
        "get_avchatroom_muted_account",
    ] {
        commands.group_rest(name, |s, r| s.muted_in(r));
    }
    commands.group_rest("import_group_member", |s, r| {
        s.import_members(r.now, r.body)
    });
}

impl State {
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

    /// `get_group_member_info`: a page of members in join order. The cursor is an offset; in
    /// Communities, an opaque text.
    pub(crate) fn members_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
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

    /// `get_specified_group_member_info`; accounts that are not members are left out.
    pub(crate) fn named_members(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
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
    pub(crate) fn roles_in(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
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
    pub(crate) fn muted_in(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, body) = (request.now, request.body);
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

    /// `delete_group_member`: by the owner, outside Work groups also by admins; never a member with
    /// the same or a higher role.
    pub(crate) fn delete_members(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let role = self.role_in(id, actor)?;
        let kind = self.group(id)?.kind;
        let least = if kind == Kind::Work {
            Role::Owner
        } else {
            Role::Admin
        };
        if role < least || kind == Kind::Live && !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        let named = users(body, "MemberToDel_Account");
        if named.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        let group = self.group(id)?;
        let mut victims: Vec<UserId> = Vec::new();
        for user in named {
            match group.role(&user) {
                None => {}
                Some(theirs) if theirs >= role && !actor.admin => {
                    return Err(Code::GROUP_PERMISSION);
                }
                Some(_) if victims.contains(&user) => {}
                Some(_) => victims.push(user),
            }
        }
        if victims.is_empty() {
            return Ok(ok());
        }
        let reason = opt_text(body, "Reason").unwrap_or_default();
        for user in &victims {
            let more = json!({"RemarkInfo": reason});
            self.group_notice(now, id, &actor.user, Notice::Kicked, user, more);
            self.leave_group(now, id, user);
        }
        if !flag(body, "Silence") {
            let gone: Vec<Value> = victims
                .iter()
                .map(|user| json!({"User_Account": user}))
                .collect();
            let more = json!({"MsgMemberInfo": gone, "MemberExtraInfo": {"Reason": reason}});
            self.tip(now, id, &actor.user, Tip::Kicked, &victims, more);
        }
        Ok(ok())
    }

    /// `modify_group_member_info`: any of role, mute, name card, custom fields, and the member's
    /// receive option.
    pub(crate) fn modify_member(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        let whom = user(body, "Member_Account")?;
        let role = self.role_in(id, actor)?;
        let group = self.group(id)?;
        let kind = group.kind;
        let theirs = group.role(&whom).ok_or(Code::GROUP_PARAMETER)?;
        let own = whom == actor.user;
        let above = actor.admin || role >= Role::Admin && role > theirs;
        if let Some(word) = opt_text(body, "MsgFlag") {
            let known = ["AcceptAndNotify", "AcceptNotNotify", "Discard"].contains(&word);
            if !(own || actor.admin) || !known {
                return Err(Code::GROUP_PARAMETER);
            }
            if let Some(member) = self.member_mut(id, &whom) {
                member.msg_flag = word.to_owned();
            }
        }
        if let Some(card) = opt_text(body, "NameCard") {
            if !own && !above {
                return Err(Code::GROUP_PERMISSION);
            }
            if card.len() > MAX_CARD {
                return Err(Code::GROUP_PARAMETER);
            }
            if let Some(member) = self.member_mut(id, &whom) {
                member.name_card = card.to_owned();
            }
        }
        let fields = pairs(body, "AppMemberDefinedData");
        if !fields.is_empty() {
            if !own && !above {
                return Err(Code::GROUP_PERMISSION);
            }
            if let Some(member) = self.member_mut(id, &whom) {
                let mut all = member.fields.clone();
                set_fields(&mut all, fields)?;
                member.fields = all;
            }
        }
        let mute = opt_number(body, "ShutUpTime").or_else(|| opt_number(body, "MuteTime"));
        if let Some(seconds) = mute {
            if !above || own || kind == Kind::Work {
                return Err(Code::GROUP_PERMISSION);
            }
            self.mute(now, id, &actor.user, std::slice::from_ref(&whom), seconds);
        }
        if let Some(word) = opt_text(body, "Role") {
            let new = match word {
                "Admin" => Role::Admin,
                "Member" => Role::Member,
                _ => return Err(Code::GROUP_PARAMETER),
            };
            if role < Role::Owner || theirs == Role::Owner || kind == Kind::Work {
                return Err(Code::GROUP_PERMISSION);
            }
            if new != theirs {
                self.set_role(now, id, &actor.user, &whom, new);
            }
        }
        Ok(ok())
    }

    fn set_role(&mut self, now: Now, id: &str, operator: &UserId, whom: &UserId, role: Role) {
        if let Some(member) = self.member_mut(id, whom) {
            member.role = role;
        }
        let (tip, notice) = if role == Role::Admin {
            (Tip::AdminGranted, Notice::AdminGranted)
        } else {
            (Tip::AdminRevoked, Notice::AdminRevoked)
        };
        self.tip(
            now,
            id,
            operator,
            tip,
            std::slice::from_ref(whom),
            json!({}),
        );
        self.group_notice(now, id, operator, notice, whom, json!({}));
    }

    /// Mutes members for a number of seconds; zero unmutes them.
    fn mute(&mut self, now: Now, id: &str, operator: &UserId, whom: &[UserId], seconds: u64) {
        let until = if seconds == 0 {
            0
        } else {
            now.unix_secs().saturating_add(seconds)
        };
        let mut muted = Vec::new();
        for user in whom {
            if let Some(member) = self.member_mut(id, user) {
                member.muted_until = until;
                muted.push(json!({"User_Account": user, "ShutupTime": seconds}));
            }
        }
        let mut more = json!({});
        extend(&mut more, json!({"MsgMemberInfo": muted}));
        self.tip(now, id, operator, Tip::Member, whom, more);
    }

    /// `forbid_send_msg`, for the app.
    pub(crate) fn forbid_sending(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let group = self.group(id)?;
        let seconds = opt_number(body, "MuteTime").or_else(|| opt_number(body, "ShutUpTime"));
        let seconds = seconds.ok_or(Code::GROUP_PARAMETER)?;
        let whom: Vec<UserId> = users(body, "Members_Account")
            .into_iter()
            .filter(|user| group.members.contains_key(user))
            .collect();
        if whom.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        self.mute(now, id, &actor.user, &whom, seconds);
        self.align_topics(now, id);
        Ok(ok())
    }

    /// `quit_group`. The owner of a Work group may quit; the oldest member becomes the owner.
    pub(crate) fn quit_group(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let group = self.group(id)?;
        let role = group.role(&actor.user).ok_or(Code::GROUP_PERMISSION)?;
        if role == Role::Owner && group.kind != Kind::Work {
            return Err(Code::GROUP_OWNER_STAYS);
        }
        let heir = group
            .in_order()
            .into_iter()
            .map(|(user, _)| user.clone())
            .find(|user| *user != actor.user);
        let user = &actor.user;
        self.group_notice(now, id, user, Notice::Quit, user, json!({}));
        self.leave_group(now, id, user);
        self.tip(
            now,
            id,
            user,
            Tip::Quit,
            std::slice::from_ref(user),
            json!({}),
        );
        if role == Role::Owner
            && let Some(heir) = heir
        {
            self.hand_over(now, id, user, &heir);
        }
        Ok(ok())
    }

    /// `import_group_member`: adds members without tips and notices.
    pub(crate) fn import_members(&mut self, now: Now, body: &Value) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.group(id)?;
        let mut results = Vec::new();
        for item in list(body, "MemberList") {
            let name = item.get("Member_Account").cloned().unwrap_or_default();
            let role = match opt_text(item, "Role") {
                Some("Admin") => Role::Admin,
                _ => Role::Member,
            };
            let user = user(item, "Member_Account").ok();
            let user = user.filter(|user| self.world.known_or_created(user));
            let result = match user.map(|user| self.enter_group(now, id, &user, role)) {
                Some(Ok(())) => 1,
                Some(Err(Code::GROUP_MEMBER_ALREADY)) => 2,
                _ => 0,
            };
            results.push(json!({"Member_Account": name, "Result": result}));
        }
        self.align_topics(now, id);
        Ok(ok_with(json!({"MemberList": results})))
    }
}

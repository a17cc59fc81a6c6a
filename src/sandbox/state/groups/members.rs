//! What becomes of members: roles, mutes, cards, and being thrown out.

use serde_json::{Value, json};

use super::{
    Caller, Kind, Role,
    create::set_fields,
    fields::{flag, opt_number, opt_text, pairs, text, user, users},
    messages::extend,
    tips::{Notice, Tip},
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::State,
    world::ok,
};

/// The longest name card in bytes.
const MAX_CARD: usize = 200;

impl State {
    /// `delete_group_member`: by the owner, outside Work groups also by admins; never someone of
    /// the same or a higher role.
    pub(crate) fn delete_members(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
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

    /// `modify_group_member_info`: any of role, mute, name card, fields of the app, and how the
    /// member wants to be told of messages.
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

    /// Mutes members for so many seconds; zero lifts it.
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
    pub(crate) fn forbid_sending(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
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
}

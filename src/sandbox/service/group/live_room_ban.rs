//! Bans in live rooms: a banned account is removed and cannot join again until the ban ends.
//!
//! See "Groups" in docs/src/protocol.md; the limits are in section "Sandbox choices".

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{opt_number, opt_text, text, users},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Group, Role,
        tip::{Notice, Tip},
    },
    state::State,
};

/// The most accounts in one ban request.
pub(crate) const MAX_NAMED: usize = 100;

/// The most bans kept for one room.
const MAX_BANNED: usize = 10_000;

/// The most entries in one page of the list.
pub(crate) const MAX_PAGE: u64 = 100;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("ban_group_member", |s, r| s.ban(r));
    commands.group("unban_group_member", |s, r| s.unban(r));
    commands
        .group("get_group_ban_member", |s, r| s.banned(r))
        .reads();
}

impl Group {
    /// The end of the ban of `user`, if it is banned now.
    pub(crate) fn banned_until(&self, now: Now, user: &UserId) -> Option<u64> {
        let until = self.banned.get(user).copied();
        until.filter(|until| *until > now.unix_secs())
    }
}

impl State {
    /// `ban_group_member`: removes accounts from a live room for `Duration` seconds.
    pub(crate) fn ban(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Admin)?;
        let role = self.role_in(id, actor)?;
        let named = users(body, "Members_Account");
        let lasts = opt_number(body, "Duration").filter(|lasts| *lasts > 0);
        let lasts = lasts.ok_or(Code::GROUP_PARAMETER)?;
        if named.is_empty() || named.len() > MAX_NAMED {
            return Err(Code::GROUP_PARAMETER);
        }
        let time = now.unix_secs();
        let group = self.group_mut(id)?;
        let stronger = |user: &UserId| group.role(user).is_some_and(|theirs| theirs >= role);
        if !actor.admin && named.iter().any(stronger) {
            return Err(Code::GROUP_PERMISSION);
        }
        group.banned.retain(|_, until| *until > time);
        if group.banned.len() + named.len() > MAX_BANNED {
            return Err(Code::GROUP_PARAMETER);
        }
        for user in &named {
            let until = time.saturating_add(lasts);
            group.banned.insert(user.clone(), until);
        }
        let reason = opt_text(body, "Description").unwrap_or_default();
        for user in &named {
            if self.group(id)?.members.contains_key(user) {
                let more = json!({"RemarkInfo": reason});
                self.group_notice(now, id, &actor.user, Notice::Banned, user, more);
                self.leave_group(now, id, user);
            }
        }
        self.tip(now, id, &actor.user, Tip::Banned, &named, json!({}));
        Ok(ok())
    }

    /// `unban_group_member`: lifts bans. For the app only.
    pub(crate) fn unban(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Admin)?;
        if !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        let mut named = users(body, "Members_Account");
        if named.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        let time = now.unix_secs();
        let group = self.group_mut(id)?;
        named.retain(|user| {
            let until = group.banned.remove(user);
            until.is_some_and(|until| until > time)
        });
        if !named.is_empty() {
            self.tip(now, id, &actor.user, Tip::Unbanned, &named, json!({}));
        }
        Ok(ok())
    }

    /// `get_group_ban_member`: the banned accounts, in pages. For the app only.
    pub(crate) fn banned(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Admin)?;
        if !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        let offset = opt_number(body, "Offset").unwrap_or(0);
        let limit = opt_number(body, "Limit").unwrap_or(MAX_PAGE);
        let limit = limit.clamp(1, MAX_PAGE);
        let time = now.unix_secs();
        let all = self.group(id)?.banned.iter();
        let mut rest = all
            .filter(|(_, until)| **until > time)
            .skip(usize::try_from(offset).unwrap_or(usize::MAX))
            .peekable();
        let mut page = Vec::new();
        while (page.len() as u64) < limit
            && let Some((user, until)) = rest.next()
        {
            page.push(json!({"Member_Account": user, "BannedUntil": until}));
        }
        let next = match rest.peek() {
            Some(_) => offset.saturating_add(page.len() as u64),
            None => 0,
        };
        Ok(ok_with(
            json!({"BannedAccountList": page, "NextOffset": next}),
        ))
    }
}

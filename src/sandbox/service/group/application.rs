//! Joining a group: applications, invitations, and the decisions about them.
//!
//! See "Groups" in docs/src/protocol.md; the rules are in section "Sandbox choices".

pub(crate) use crate::table::group::application::{APPLICATIONS, Application};
use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{flag, opt_number, opt_text, text, user},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller, Kind, Role,
        message::extend,
        tip::{Notice, Tip, micros},
    },
    state::State,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .group("apply_join_group", |s, r| s.apply_to_join(r))
        .membership();
    commands
        .group("handle_apply_join_group", |s, r| s.handle_application(r))
        .membership();
    commands
        .group("handle_invite_join_group", |s, r| s.handle_application(r))
        .membership();
    commands
        .group("handle_invite_join_permission_group", |s, r| {
            s.handle_application(r)
        })
        .membership();
    commands.group("get_pendency", |s, r| {
        s.pending(r.caller, r.body, r.is_about_communities())
    });
    commands
        .group("add_group_member", |s, r| s.add_members(r))
        .membership();
}

impl State {
    /// `apply_join_group`.
    pub(crate) fn apply_to_join(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let group = self.group(id)?;
        if group.kind == Kind::Live {
            return self.join_live(now, id, actor, flag(body, "HugeGroupHistoryMsgFlag"));
        }
        if group.members.contains_key(&actor.user) {
            return Err(Code::GROUP_MEMBER_ALREADY);
        }
        match group.apply_option.as_str() {
            "FreeAccess" => {
                self.join(now, id, &actor.user)?;
                Ok(ok_with(json!({"JoinedStatus": "JoinedSuccess"})))
            }
            "NeedPermission" => {
                let words = opt_text(body, "ApplyMsg").unwrap_or_default();
                self.file_application(now, id, &actor.user, &actor.user, words)?;
                Ok(ok_with(json!({"JoinedStatus": "WaitAdminApproval"})))
            }
            _ => Err(Code::GROUP_PERMISSION),
        }
    }

    /// Adds an account to a group at its own request, and notifies the members.
    fn join(&mut self, now: Now, id: &str, user: &UserId) -> Result<(), Code> {
        self.enter_group(now, id, user, Role::Member)?;
        let more = json!({"GroupJoinType": 1});
        self.tip(now, id, user, Tip::Joined, std::slice::from_ref(user), more);
        Ok(())
    }

    /// Stores an application for `who` and notifies owner and admins. A second application replaces
    /// the text of the first.
    pub(crate) fn file_application(
        &mut self,
        now: Now,
        id: &str,
        from: &UserId,
        who: &UserId,
        words: &str,
    ) -> Result<(), Code> {
        let fresh = Application {
            from: from.clone(),
            who: who.clone(),
            words: words.chars().take(300).collect(),
            authentication: format!("{:016x}", self.world.numbers.next()),
            key: micros(now),
            handled_by: None,
        };
        let group = self.groups.all.get_mut(id).ok_or(Code::GROUP_UNKNOWN)?;
        if group.members.len() >= group.max_members {
            return Err(Code::GROUP_FULL);
        }
        let waiting = |other: &&mut Application| {
            other.handled_by.is_none() && other.who == *who && other.from == *from
        };
        let application = match group.applications.iter_mut().find(waiting) {
            Some(old) => {
                old.words = fresh.words;
                old.clone()
            }
            None => {
                // Two applications in the same microsecond need different keys.
                let mut fresh = fresh;
                while group.applications.iter().any(|a| a.key == fresh.key) {
                    fresh.key += 1;
                }
                group.applications.push_back(fresh.clone());
                if group.applications.len() > APPLICATIONS {
                    group.applications.pop_front();
                    self.world.counters.group_dropped += 1;
                }
                fresh
            }
        };
        let managers = group.managers();
        let notice = if from == who {
            Notice::Application
        } else {
            Notice::InviteRequest
        };
        for manager in managers {
            let mut more = json!({
                "RemarkInfo": application.words, "MsgKey": application.key,
                "Authentication": application.authentication,
            });
            if from != who {
                extend(&mut more, json!({"MemberList_Account": [who]}));
            }
            self.group_notice(now, id, from, notice, &manager, more);
        }
        Ok(())
    }

    /// `handle_apply_join_group` and the equivalent commands for invitations.
    pub(crate) fn handle_application(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Admin)?;
        let agree = match opt_text(body, "HandleMsg") {
            Some("Agree") => true,
            Some("Reject") => false,
            _ => return Err(Code::GROUP_PARAMETER),
        };
        let applicant = opt_text(body, "Applicant_Account");
        let invited = opt_text(body, "Invited_Account");
        let (key, authentication) = (
            opt_number(body, "MsgKey"),
            opt_text(body, "Authentication").filter(|text| !text.is_empty()),
        );
        let remark = opt_text(body, "ApprovalMsg").unwrap_or_default();
        let group = self.group_mut(id)?;
        let fits = |a: &&mut Application| {
            applicant.is_none_or(|user| a.from.as_str() == user || a.who.as_str() == user)
                && invited.is_none_or(|user| a.who.as_str() == user)
                && key.is_none_or(|key| a.key == key)
                && authentication.is_none_or(|given| a.authentication == given)
        };
        let found = group.applications.iter_mut().rev().find(fits);
        let application = found.ok_or(Code::GROUP_PARAMETER)?;
        if application.handled_by.is_some() {
            return Err(Code::GROUP_HANDLED);
        }
        application.handled_by = Some(actor.user.clone());
        let (from, who) = (application.from.clone(), application.who.clone());
        let more = json!({"RemarkInfo": remark});
        if !agree {
            self.group_notice(now, id, &actor.user, Notice::Refused, &from, more);
            return Ok(ok());
        }
        if self.group(id)?.members.contains_key(&who) {
            return Ok(ok());
        }
        if from == who {
            self.enter_group(now, id, &who, Role::Member)?;
            self.group_notice(now, id, &actor.user, Notice::Accepted, &who, more);
            let joined = json!({"GroupJoinType": 1});
            self.tip(
                now,
                id,
                &who,
                Tip::Joined,
                std::slice::from_ref(&who),
                joined,
            );
        } else {
            self.enter_group(now, id, &who, Role::Member)?;
            self.welcome_invited(now, id, &from, std::slice::from_ref(&who));
        }
        Ok(ok())
    }

    /// `get_pendency`: the applications to groups that the caller manages, newest first.
    pub(crate) fn pending(&self, actor: &Caller, body: &Value, communities: bool) -> Value {
        let joined = self.groups.joined.get(&actor.user);
        let groups = joined.into_iter().flatten();
        let groups = groups.filter_map(|id| self.groups.all.get(id)).filter(|g| {
            g.role(&actor.user) >= Some(Role::Admin) && (g.kind == Kind::Community) == communities
        });
        let mut all: Vec<_> = groups
            .flat_map(|group| group.applications.iter().map(move |a| (group, a)))
            .collect();
        all.sort_by_key(|(_, application)| std::cmp::Reverse(application.key));
        let start = opt_number(body, "StartTime").unwrap_or(0);
        let limit = opt_number(body, "Limit").unwrap_or(20).clamp(1, 100);
        let limit = usize::try_from(limit).unwrap_or(100);
        let unhandled = all.iter().filter(|(_, a)| a.handled_by.is_none()).count();
        let mut page = all
            .into_iter()
            .skip_while(|(_, a)| start > 0 && a.key > start)
            .peekable();
        let mut items = Vec::new();
        while items.len() < limit
            && let Some((group, application)) = page.next()
        {
            let handled = match &application.handled_by {
                None => 0,
                Some(user) if *user != actor.user => 1,
                Some(_) => 2,
            };
            let invited = application.from != application.who;
            items.push(json!({
                "From_Account": application.from,
                "FromUserNickName": self.world.sender_profile(&application.from).0,
                "To_Account": if invited { application.who.as_str() } else { "" },
                "GroupId": group.id, "GroupName": group.name,
                "AddTime": application.key, "Time": application.key,
                "Authentication": application.authentication, "Handled": handled,
                "ApplyInviteMsg": application.words,
                "ApplicationType": if invited { 2 } else { 0 },
            }));
        }
        let next = page.peek().map_or(0, |(_, application)| application.key);
        ok_with(json!({
            "NextStartTime": next, "UnhandleNum": unhandled, "PendencyList": items,
        }))
    }

    /// `add_group_member`: returns a result for each account.
    pub(crate) fn add_members(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let role = self.role_in(id, actor)?;
        let group = self.group(id)?;
        if group.kind == Kind::Live {
            return Err(Code::GROUP_PERMISSION);
        }
        let ask = match group.invite_option.as_str() {
            _ if role >= Role::Admin => false,
            "FreeAccess" => false,
            "NeedPermission" => true,
            _ => return Err(Code::GROUP_PERMISSION),
        };
        let mut results = Vec::new();
        let mut added = Vec::new();
        for item in crate::fields::list(body, "MemberList") {
            let name = item.get("Member_Account").cloned().unwrap_or_default();
            let user = user(item, "Member_Account");
            let result = match user {
                Ok(user) if self.world.known_or_created(&user) => {
                    if self.group(id)?.members.contains_key(&user) {
                        2
                    } else if ask {
                        let words = opt_text(body, "Reason").unwrap_or_default();
                        let filed = self.file_application(now, id, &actor.user, &user, words);
                        if filed.is_ok() { 3 } else { 0 }
                    } else {
                        match self.enter_group(now, id, &user, Role::Member) {
                            Ok(()) => {
                                added.push(user);
                                1
                            }
                            Err(Code::GROUP_JOINED_LIMIT) => 4,
                            Err(Code::GROUP_FULL) if added.is_empty() => {
                                return Err(Code::GROUP_FULL);
                            }
                            Err(_) => 0,
                        }
                    }
                }
                _ => 0,
            };
            results.push(json!({"Member_Account": name, "Result": result}));
        }
        if results.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        if !added.is_empty() && !flag(body, "Silence") {
            self.welcome_invited(now, id, &actor.user, &added);
        }
        Ok(ok_with(json!({"MemberList": results})))
    }
}

//! The life of a group: create, dismiss, change owner and profile, enter and leave.
//!
//! See "Groups" in docs/src/protocol.md; the rules are in section "Sandbox choices".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{flag, list, opt_number, opt_text, pairs, text, user},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller, Group, Kind, Member, Role,
        tip::{Notice, Tip},
    },
    state::State,
};

/// The longest group ID in bytes.
pub(crate) const MAX_ID: usize = 48;

/// Prefix of generated group IDs; IDs chosen by clients must not have it.
const MADE_UP: &str = "@TGS#";

/// Prefix of Community IDs.
const COMMUNITY: &str = "@TGS#_";

/// The longest name, introduction, notification or picture address in bytes.
const MAX_TEXT: usize = 1000;

/// The most custom fields per group or member.
const MAX_FIELDS: usize = 20;

/// The longest value of a custom field, in bytes.
const MAX_FIELD: usize = 4096;

/// The most members of a Community.
const COMMUNITY_MEMBERS: usize = 100_000;

/// Returns true if `id` is allowed for a group of this type.
fn is_good_id(id: &str, kind: Kind) -> bool {
    let visible = id.bytes().all(|byte| byte.is_ascii_graphic());
    let prefix = if kind == Kind::Community {
        id.starts_with(COMMUNITY) && id.len() > COMMUNITY.len()
    } else {
        !id.starts_with(MADE_UP)
    };
    visible && prefix && id.len() <= MAX_ID && !id.contains("@TOPIC#")
}

/// Returns the given word if it is one of the allowed words.
fn one_of(given: Option<&str>, allowed: &[&str]) -> Result<Option<String>, Code> {
    match given {
        None => Ok(None),
        Some(word) if allowed.contains(&word) => Ok(Some(word.to_owned())),
        Some(_) => Err(Code::GROUP_PARAMETER),
    }
}

pub(crate) fn apply_option(body: &Value) -> Result<Option<String>, Code> {
    let given = opt_text(body, "ApplyJoinOption");
    one_of(given, &["FreeAccess", "NeedPermission", "DisableApply"])
}

pub(crate) fn invite_option(body: &Value) -> Result<Option<String>, Code> {
    let given = opt_text(body, "InviteJoinOption");
    one_of(given, &["FreeAccess", "NeedPermission", "DisableInvite"])
}

/// An optional text of limited length.
pub(crate) fn short_text(body: &Value, name: &str) -> Result<Option<String>, Code> {
    match opt_text(body, name) {
        Some(text) if text.len() > MAX_TEXT => Err(Code::GROUP_PARAMETER),
        text => Ok(text.map(str::to_owned)),
    }
}

/// Merges custom fields into a map; an empty value removes the field.
pub(crate) fn set_fields(
    fields: &mut BTreeMap<String, String>,
    given: Vec<(String, String)>,
) -> Result<(), Code> {
    for (key, value) in given {
        if key.is_empty() || key.len() > 64 || value.len() > MAX_FIELD {
            return Err(Code::GROUP_PARAMETER);
        }
        if value.is_empty() {
            fields.remove(&key);
        } else if fields.len() < MAX_FIELDS || fields.contains_key(&key) {
            fields.insert(key, value);
        } else {
            return Err(Code::GROUP_PARAMETER);
        }
    }
    Ok(())
}

pub(crate) fn register(commands: &mut Commands) {
    commands.group("create_group", |s, r| {
        s.create_group(r.now, r.caller, r.body)
    });
    commands
        .group("destroy_group", |s, r| s.dismiss_group(r))
        .membership();
    commands
        .group("change_group_owner", |s, r| s.change_owner(r))
        .membership();
    commands.group("modify_group_base_info", |s, r| s.modify_group(r));
    commands.group_rest("import_group", |s, r| {
        s.create_group(r.now, r.caller, r.body)
    });
}

impl State {
    /// `create_group`.
    pub(crate) fn create_group(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let kind = Kind::parse(text(body, "Type")?).ok_or(Code::GROUP_PARAMETER)?;
        let name = text(body, "Name")?;
        if name.len() > MAX_TEXT {
            return Err(Code::GROUP_PARAMETER);
        }
        let owner = match opt_text(body, "Owner_Account").filter(|owner| !owner.is_empty()) {
            None if actor.admin => None,
            None => Some(actor.user.clone()),
            Some(_) => Some(user(body, "Owner_Account")?),
        };
        if !actor.admin && owner.as_ref() != Some(&actor.user) {
            return Err(Code::GROUP_PERMISSION);
        }
        if let Some(owner) = &owner
            && !self.world.known_or_created(owner)
        {
            return Err(Code::GROUP_PARAMETER);
        }
        if self.groups.all.len() >= self.world.config.max_groups.max(1) {
            return Err(Code::GROUP_JOINED_LIMIT);
        }
        let id = self.new_group_id(body, kind)?;
        let mut app_data = BTreeMap::new();
        set_fields(&mut app_data, pairs(body, "AppDefinedData"))?;
        let limit = match kind {
            Kind::Live => self.world.config.max_accounts,
            Kind::Community => COMMUNITY_MEMBERS,
            Kind::Work | Kind::Public | Kind::Meeting => self.world.config.group_member_limit,
        };
        let wanted = opt_number(body, "MaxMemberCount").and_then(|n| usize::try_from(n).ok());
        let (apply, invite) = match kind {
            Kind::Work => (Some("DisableApply".to_owned()), "FreeAccess"),
            Kind::Live => (Some("FreeAccess".to_owned()), "DisableInvite"),
            Kind::Public => (apply_option(body)?, "DisableInvite"),
            Kind::Meeting | Kind::Community => (apply_option(body)?, "DisableInvite"),
        };
        let usual = if kind == Kind::Public {
            "NeedPermission"
        } else {
            "FreeAccess"
        };
        let group = Group {
            name: name.to_owned(),
            introduction: short_text(body, "Introduction")?.unwrap_or_default(),
            notification: short_text(body, "Notification")?.unwrap_or_default(),
            face_url: short_text(body, "FaceUrl")?.unwrap_or_default(),
            apply_option: apply.unwrap_or_else(|| usual.to_owned()),
            invite_option: invite_option(body)?.unwrap_or_else(|| invite.to_owned()),
            support_topic: kind == Kind::Community && flag(body, "SupportTopic"),
            app_data,
            owner: owner.clone(),
            max_members: wanted.map_or(limit, |wanted| wanted.min(limit)).max(1),
            ..Group::new(id.clone(), kind, now)
        };
        self.groups.all.insert(id.clone(), group);
        if let Some(owner) = &owner
            && let Err(code) = self.enter_group(now, &id, owner, Role::Owner)
        {
            self.groups.all.remove(&id);
            return Err(code);
        }
        let over = self.add_first_members(now, &id, actor, body, kind);
        let mut answer = json!({
            "GroupId": id, "Type": kind.name(), "OverJoinedGroupLimit_Account": over,
        });
        if kind == Kind::Live {
            crate::service::group::message::extend(&mut answer, json!({"HugeGroupFlag": 1}));
        }
        if let Ok(info) = self.group(&id).map(Group::wire_info)
            && actor.instance != 0
        {
            self.notice_to_others(now, &info, actor, Notice::Created);
        }
        Ok(ok_with(answer))
    }

    /// The requested group ID, or a generated one.
    fn new_group_id(&mut self, body: &Value, kind: Kind) -> Result<String, Code> {
        if let Some(id) = opt_text(body, "GroupId").filter(|id| !id.is_empty()) {
            if !is_good_id(id, kind) {
                return Err(Code::GROUP_BAD_ID);
            }
            if self.groups.all.contains_key(id) {
                return Err(Code::GROUP_ID_TAKEN);
            }
            return Ok(id.to_owned());
        }
        let prefix = if kind == Kind::Community {
            COMMUNITY
        } else {
            MADE_UP
        };
        loop {
            self.groups.created += 1;
            let drawn = self.world.numbers.next() % 0x1000_0000;
            let id = format!("{prefix}{:X}{drawn:07X}", self.groups.created);
            if !self.groups.all.contains_key(&id) {
                return Ok(id);
            }
        }
    }

    /// Adds the initial members of a new group. Returns the accounts that are in too many groups.
    fn add_first_members(
        &mut self,
        now: Now,
        id: &str,
        actor: &Caller,
        body: &Value,
        kind: Kind,
    ) -> Vec<UserId> {
        let mut over = Vec::new();
        let mut added = Vec::new();
        if kind == Kind::Live {
            return over;
        }
        for item in list(body, "MemberList") {
            let Ok(user) = user(item, "Member_Account") else {
                continue;
            };
            if !self.world.known_or_created(&user) {
                continue;
            }
            let admin = actor.admin && opt_text(item, "Role") == Some("Admin");
            let role = if admin { Role::Admin } else { Role::Member };
            match self.enter_group(now, id, &user, role) {
                Ok(()) => added.push(user),
                Err(Code::GROUP_JOINED_LIMIT) => over.push(user),
                Err(_) => {}
            }
        }
        if !added.is_empty() {
            self.welcome_invited(now, id, &actor.user, &added);
        }
        over
    }

    /// Notifies new members that they were added, and the group that they joined.
    pub(crate) fn welcome_invited(
        &mut self,
        now: Now,
        id: &str,
        operator: &UserId,
        added: &[UserId],
    ) {
        for user in added {
            self.group_notice(now, id, operator, Notice::Invited, user, json!({}));
        }
        let more = json!({"GroupJoinType": 2});
        self.tip(now, id, operator, Tip::Joined, added, more);
    }

    /// Adds an account to a group.
    pub(crate) fn enter_group(
        &mut self,
        now: Now,
        id: &str,
        user: &UserId,
        role: Role,
    ) -> Result<(), Code> {
        let limit = self.world.config.joined_group_limit;
        let group = self.groups.all.get_mut(id).ok_or(Code::GROUP_UNKNOWN)?;
        if group.members.contains_key(user) {
            return Err(Code::GROUP_MEMBER_ALREADY);
        }
        if group.members.len() >= group.max_members {
            return Err(Code::GROUP_FULL);
        }
        let joined = self.groups.joined.entry(user.clone()).or_default();
        if joined.len() >= limit && group.kind != Kind::Live {
            return Err(Code::GROUP_JOINED_LIMIT);
        }
        joined.insert(id.to_owned());
        group.joins += 1;
        let member = Member::new(now, group, role);
        group.members.insert(user.clone(), member);
        Ok(())
    }

    /// Removes an account from a group. A group without members is deleted.
    pub(crate) fn leave_group(&mut self, now: Now, id: &str, user: &UserId) {
        let Some(group) = self.groups.all.get_mut(id) else {
            return;
        };
        group.members.remove(user);
        if group.owner.as_ref() == Some(user) {
            group.owner = None;
        }
        let empty = group.members.is_empty() && group.kind == Kind::Work;
        if let Some(joined) = self.groups.joined.get_mut(user) {
            joined.remove(id);
            if joined.is_empty() {
                self.groups.joined.remove(user);
            }
        }
        self.end_polls_of(now, id, Some(user));
        if empty {
            self.groups.all.remove(id);
        }
    }

    /// Removes a deleted account from its groups, without tips.
    pub(crate) fn leave_all_groups(&mut self, user: &UserId) {
        for id in self.groups.joined.remove(user).unwrap_or_default() {
            for topic in self.topics_of(&id) {
                if let Some(topic) = self.groups.all.get_mut(&topic) {
                    topic.members.remove(user);
                }
            }
            if let Some(group) = self.groups.all.get_mut(&id) {
                group.members.remove(user);
                if group.owner.as_ref() == Some(user) {
                    group.owner = None;
                }
            }
        }
        self.groups.forget_polls_by(user);
    }

    /// `destroy_group`: by the owner; a Work group only by the app.
    pub(crate) fn dismiss_group(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Owner)?;
        if self.group(id)?.kind == Kind::Work && !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        let Some(group) = self.groups.all.remove(id) else {
            return Err(Code::GROUP_UNKNOWN);
        };
        let info = group.wire_info();
        for user in group.members.keys() {
            if let Some(joined) = self.groups.joined.get_mut(user) {
                joined.remove(id);
            }
            if *user == actor.user {
                self.notice_to_others(now, &info, actor, Notice::Dismissed);
            } else {
                let more = json!({});
                self.notice_to(now, &info, &actor.user, Notice::Dismissed, user, more);
            }
        }
        self.end_polls_of(now, id, None);
        Ok(ok())
    }

    /// `change_group_owner`.
    pub(crate) fn change_owner(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let new = user(body, "NewOwner_Account")?;
        self.require(id, actor, Role::Owner)?;
        let group = self.group(id)?;
        if group.kind == Kind::Live && !actor.admin {
            return Err(Code::GROUP_PERMISSION);
        }
        if group.role(&new).is_none() {
            return Err(Code::GROUP_PARAMETER);
        }
        self.hand_over(now, id, &actor.user, &new);
        Ok(ok())
    }

    /// Makes a member the owner and notifies the members.
    pub(crate) fn hand_over(&mut self, now: Now, id: &str, operator: &UserId, new: &UserId) {
        let Some(group) = self.groups.all.get_mut(id) else {
            return;
        };
        for member in group.members.values_mut() {
            if member.role == Role::Owner {
                member.role = Role::Member;
            }
        }
        if let Some(member) = group.members.get_mut(new) {
            member.role = Role::Owner;
        }
        group.owner = Some(new.clone());
        group.info_seq += 1;
        group.info_time = now.unix_secs();
        let more = json!({"MsgGroupNewInfo": {"Owner_Account": new}});
        self.tip(now, id, operator, Tip::Profile, &[], more);
    }

    /// `modify_group_base_info`.
    pub(crate) fn modify_group(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let least = if self.group(id)?.kind == Kind::Work {
            Role::Member
        } else {
            Role::Admin
        };
        self.require(id, actor, least)?;
        let (apply, invite) = (apply_option(body)?, invite_option(body)?);
        let mut texts = Vec::new();
        for (name, shown) in [
            ("Name", "GroupName"),
            ("Introduction", "GroupIntroduction"),
            ("Notification", "GroupNotification"),
            ("FaceUrl", "GroupFaceUrl"),
        ] {
            if let Some(text) = short_text(body, name)? {
                texts.push((name, shown, text));
            }
        }
        let fields = pairs(body, "AppDefinedData");
        let shut_up = one_of(opt_text(body, "ShutUpAllMember"), &["On", "Off"])?;
        let group = self.group_mut(id)?;
        if group.kind == Kind::Work && (apply.is_some() || shut_up.is_some()) {
            return Err(Code::GROUP_PERMISSION);
        }
        let mut app_data = group.app_data.clone();
        set_fields(&mut app_data, fields.clone())?;
        group.app_data = app_data;
        let mut changed = serde_json::Map::new();
        for (name, shown, text) in texts {
            let place = match name {
                "Name" => &mut group.name,
                "Introduction" => &mut group.introduction,
                "Notification" => &mut group.notification,
                _ => &mut group.face_url,
            };
            place.clone_from(&text);
            changed.insert(shown.to_owned(), text.into());
        }
        if let Some(option) = apply {
            changed.insert("GroupApplyJoinOption".to_owned(), option.clone().into());
            group.apply_option = option;
        }
        if let Some(option) = invite {
            changed.insert("GroupInviteJoinOption".to_owned(), option.clone().into());
            group.invite_option = option;
        }
        if let Some(word) = shut_up {
            group.shut_up_all = word == "On";
            changed.insert("ShutupAll".to_owned(), u8::from(word == "On").into());
        }
        if !fields.is_empty() {
            let data = fields.into_iter();
            let data: Vec<Value> = data
                .map(|(key, value)| json!({"Key": key, "Value": value}))
                .collect();
            changed.insert("MsgAppDefinedData".to_owned(), data.into());
        }
        if !changed.is_empty() {
            group.info_seq += 1;
            group.info_time = now.unix_secs();
            let more = json!({"MsgGroupNewInfo": changed});
            self.tip(now, id, &actor.user, Tip::Profile, &[], more);
        }
        Ok(ok())
    }
}

//! What others put under a message: reactions, and keys and values (extensions). C2C and groups alike.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Command, Commands, Request},
    policy::Now,
    proto::{code::Code, id::UserId},
    service::fields::{list, opt_number, opt_text, place, seqs, text},
    state::{Caller, State, snapshot::shape},
    world::{ok, ok_with},
};

/// Different reactions to one message, and users of one reaction.
const MAX_REACTIONS: usize = 30;

const MAX_USERS: usize = 1000;

/// The longest name of a reaction in bytes.
pub(crate) const MAX_NAME: usize = 128;

/// Users named with a reaction in pushes and, at most, in summaries.
const NAMED: usize = 10;

/// Messages whose reactions one request may be about.
pub(crate) const MAX_MESSAGES: usize = 20;

/// Users in one page.
pub(crate) const MAX_PAGE: u64 = 100;

/// Extensions that one change may be about, and that a message may have.
const MAX_CHANGED: usize = 20;

const MAX_EXTENSIONS: usize = 300;

/// The longest key and value in bytes.
pub(crate) const MAX_KEY: usize = 100;

pub(crate) const MAX_VALUE: usize = 1024;

/// What others have put under one message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Extras {
    /// Reactions, and who reacted so, both in the order in which they came.
    reactions: Vec<(String, Vec<UserId>)>,
    /// Values and the number of their last change. A deleted one stays, with an empty value, so that
    /// who comes back hears of it.
    extensions: BTreeMap<String, (String, u64)>,
    /// The number of the last change of extensions.
    #[serde(deserialize_with = "shape::counter")]
    changes: u64,
    /// The change that deleted all.
    cleared: u64,
}

/// Of a message under which nobody has put anything.
static NONE: Extras = Extras {
    reactions: Vec::new(),
    extensions: BTreeMap::new(),
    changes: 0,
    cleared: 0,
};

/// Which message is meant.
enum Target {
    C2c(u64),
    Group(String, u64),
}

pub(crate) fn register(commands: &mut Commands) {
    // The names say of which kind the message is, and the body says it again.
    for name in [
        "openim_msg_ext_http_svc.reaction_add",
        "openim_msg_ext_http_svc.group_reaction_add",
    ] {
        commands.both(
            name,
            |c| c,
            |state, r| state.react(r.now, r.caller, r.body, true),
        );
    }
    for name in [
        "openim_msg_ext_http_svc.reaction_del",
        "openim_msg_ext_http_svc.group_reaction_del",
    ] {
        commands.both(
            name,
            |c| c,
            |state, r| state.react(r.now, r.caller, r.body, false),
        );
    }
    for name in [
        "openim_msg_ext_http_svc.reaction_multi_stat",
        "openim_msg_ext_http_svc.group_reaction_multi_stat",
    ] {
        commands.both(name, Command::reads, |s, r| s.reactions_of(r));
    }
    for name in [
        "openim_msg_ext_http_svc.reaction_iterate",
        "openim_msg_ext_http_svc.group_reaction_iterate",
    ] {
        commands.both(name, Command::reads, |s, r| s.reaction_users(r));
    }
    for name in [
        "openim_msg_ext_http_svc.set_key_values",
        "openim_msg_ext_http_svc.group_set_key_values",
    ] {
        commands.both(name, |c| c, |s, r| s.change_extensions(r));
    }
    for name in [
        "openim_msg_ext_http_svc.get_key_values",
        "openim_msg_ext_http_svc.group_get_key_values",
    ] {
        commands.both(name, Command::reads, |s, r| s.extensions_of(r));
    }
}

impl Extras {
    /// What a message holds of them.
    pub(crate) fn of(held: Option<&Self>) -> &Self {
        held.unwrap_or(&NONE)
    }

    pub(crate) fn users(&self, reaction: &str) -> &[UserId] {
        let mut reactions = self.reactions.iter();
        reactions
            .find(|(name, _)| name == reaction)
            .map_or(&[], |(_, users)| users)
    }

    fn summary(&self, reaction: &str, named: usize, me: Option<&UserId>) -> Value {
        let users = self.users(reaction);
        let shown: Vec<&UserId> = users.iter().take(named).collect();
        let mut summary = json!({
            "Reaction": reaction, "Count": users.len(), "Reaction_Account": shown,
        });
        if let Some(me) = me {
            // A number: clients compare it with 1.
            summary["ReactedByMe"] = u8::from(users.contains(me)).into();
        }
        summary
    }

    /// True if all of these may react so.
    pub(crate) fn has_room(&self, reaction: &str, users: &[UserId]) -> bool {
        let known = self.users(reaction);
        let fresh: BTreeSet<&UserId> = users.iter().filter(|user| !known.contains(user)).collect();
        let is_known = self.reactions.iter().any(|(name, _)| name == reaction);
        let many = !is_known && self.reactions.len() >= MAX_REACTIONS;
        !many && known.len() + fresh.len() <= MAX_USERS
    }

    /// True if that changed something. Whether there is room was looked at before.
    fn react(&mut self, reaction: &str, user: &UserId, add: bool) -> bool {
        let at = self.reactions.iter().position(|(name, _)| name == reaction);
        let Some(at) = at else {
            if add {
                let first = (reaction.to_owned(), vec![user.clone()]);
                self.reactions.push(first);
            }
            return add;
        };
        let Some((_, users)) = self.reactions.get_mut(at) else {
            return false;
        };
        match (add, users.iter().position(|known| known == user)) {
            (true, None) => {
                users.push(user.clone());
                true
            }
            (false, Some(index)) => {
                users.remove(index);
                if users.is_empty() {
                    self.reactions.remove(at);
                }
                true
            }
            (true, Some(_)) | (false, None) => false,
        }
    }

    /// Sets or deletes one extension, if `known` is the number of its last change.
    fn change(&mut self, key: &str, value: &str, known: u64) -> Code {
        let now = self.extensions.get(key).map_or(0, |(_, seq)| *seq);
        if key.is_empty() || key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Code::GROUP_PARAMETER;
        }
        if now != known {
            return Code::EXTENSION_CONFLICT;
        }
        if now == 0 && self.extensions.len() >= MAX_EXTENSIONS {
            // One that was deleted long ago makes room.
            let deleted = self.extensions.iter();
            let deleted = deleted.filter(|(_, (value, _))| value.is_empty());
            let oldest = deleted.min_by_key(|(_, (_, seq))| *seq);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return Code::EXTENSIONS_FULL;
            };
            self.extensions.remove(&oldest);
        }
        self.changes += 1;
        let entry = (value.to_owned(), self.changes);
        self.extensions.insert(key.to_owned(), entry);
        Code::OK
    }

    fn extension(&self, key: &str) -> Value {
        let (value, seq) = self.extensions.get(key).cloned().unwrap_or_default();
        json!({"Key": key, "Value": value, "Seq": seq})
    }
}

impl State {
    /// Finds a message that the actor may see.
    fn extra_target(&self, actor: &Caller, body: &Value) -> Result<Target, Code> {
        if body.get("GroupId").is_some() {
            let id = place(body)?;
            let seq = opt_number(body, "MsgSeq").ok_or(Code::GROUP_PARAMETER)?;
            self.extra_in_group(actor, id, seq)?;
            return Ok(Target::Group(id.to_owned(), seq));
        }
        let key = text(body, "MsgKey")?;
        self.extra_in_c2c(actor, body, key).map(Target::C2c)
    }

    fn extra_in_group(&self, actor: &Caller, id: &str, seq: u64) -> Result<&Extras, Code> {
        let entry = self.visible_entry(actor, id, seq)?;
        let said = entry.said().ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        Ok(Extras::of(said.extras.as_deref()))
    }

    fn extra_in_c2c(&self, actor: &Caller, body: &Value, key: &str) -> Result<u64, Code> {
        let user = |name| UserId::parse(opt_text(body, name).unwrap_or_default());
        let (Ok(from), Ok(to)) = (user("From_Account"), user("To_Account")) else {
            return Err(Code::C2C_BAD_PACKET);
        };
        if !actor.admin && from != actor.user && to != actor.user {
            return Err(Code::C2C_UNKNOWN_MESSAGE);
        }
        let id = self.find_by_key(&from, &to, key);
        let message = id.and_then(|id| self.messages.get(&id));
        match message.filter(|message| message.revoker.is_none()) {
            Some(_) => id.ok_or(Code::C2C_UNKNOWN_MESSAGE),
            None => Err(Code::C2C_UNKNOWN_MESSAGE),
        }
    }

    fn extras_mut(&mut self, target: &Target) -> Option<&mut Extras> {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get_mut(id)?;
                Some(message.extras.get_or_insert_default())
            }
            Target::Group(id, seq) => self.extras_of_entry(id, *seq),
        }
    }

    fn extras(&self, target: &Target) -> Option<&Extras> {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get(id)?;
                Some(Extras::of(message.extras.as_deref()))
            }
            Target::Group(id, seq) => {
                let said = self.group_entry(id, *seq)?.said()?;
                Some(Extras::of(said.extras.as_deref()))
            }
        }
    }

    /// A message as pushes about it name it, under the name of the field.
    fn extra_name(&self, target: &Target) -> Option<Value> {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get(id)?;
                let draft = &message.draft;
                Some(json!({
                    "From_Account": draft.from, "To_Account": draft.to, "MsgSeq": draft.seq,
                    "MsgRandom": draft.random, "MsgTime": message.time,
                    "MsgClientTime": draft.client_time, "TinyId": message.tiny_id.to_string(),
                }))
            }
            Target::Group(id, seq) => self.entry_name(id, *seq),
        }
    }

    /// Pushes an event to everybody in the conversation, without the actor's own login if `quiet`.
    fn push_extra(
        &mut self,
        now: Now,
        actor: &Caller,
        target: &Target,
        event: &Value,
        quiet: bool,
    ) {
        let by = if quiet { actor.instance } else { 0 };
        let except = |user: &UserId| if *user == actor.user { by } else { 0 };
        match target {
            Target::C2c(id) => {
                let Some(message) = self.messages.get(id) else {
                    return;
                };
                let (from, to) = (message.draft.from.clone(), message.draft.to.clone());
                let mut conns = self.world.push_links(now, &from, except(&from));
                if from != to {
                    conns.extend(self.world.push_links(now, &to, except(&to)));
                }
                self.world.push_to_all(now, conns, event);
            }
            Target::Group(id, seq) => {
                self.push_about_entry(now, id, *seq, (&actor.user, by), event)
            }
        }
    }

    fn react(&mut self, now: Now, actor: &Caller, body: &Value, add: bool) -> Result<Value, Code> {
        let target = self.extra_target(actor, body)?;
        let reaction = text(body, "Reaction")?.to_owned();
        if reaction.len() > MAX_NAME {
            return Err(Code::GROUP_PARAMETER);
        }
        let field = if add { "Add_Account" } else { "Del_Account" };
        let named = list(body, field).iter().filter_map(Value::as_str);
        let users: Vec<UserId> = named.filter_map(|user| UserId::parse(user).ok()).collect();
        // Everybody speaks for itself; the app for all.
        if users.is_empty() || !actor.admin && users.iter().any(|user| *user != actor.user) {
            return Err(Code::GROUP_PARAMETER);
        }
        let extras = self.extras_mut(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        if add && !extras.has_room(&reaction, &users) {
            return Err(Code::GROUP_PARAMETER);
        }
        let mut changed = Vec::new();
        for user in users {
            if extras.react(&reaction, &user, add) {
                changed.push(user);
            }
        }
        if changed.is_empty() {
            return Ok(ok());
        }
        let summary = extras.summary(&reaction, NAMED, None);
        let name = self.extra_name(&target).unwrap_or_default();
        let field = match &target {
            Target::C2c(_) => "C2CMsgInfo",
            Target::Group(..) => "GroupMsgInfo",
        };
        for user in changed {
            let own = json!({"Event": 31, "MsgReactionNotify": {
                field: name, "Reaction": reaction, "OperateType": if add { 1 } else { 2 },
            }});
            let by = if user == actor.user {
                actor.instance
            } else {
                0
            };
            let conns = self.world.push_links(now, &user, by);
            self.world.push_to_all(now, conns, &own);
        }
        let list = [summary];
        let item = json!({field: name, "MsgReactionSummary": list, "ReactionList": list});
        let event = json!({"Event": 30, "MsgReactionNotifyList": [item]});
        self.push_extra(now, actor, &target, &event, false);
        Ok(ok())
    }

    /// The reactions to several messages; those that are not there are left out. Two generations of
    /// clients read two names for the list.
    fn reactions_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let asked = list(body, "MsgSeqList").len() + list(body, "MsgKeyList").len();
        if asked > MAX_MESSAGES {
            return Err(Code::GROUP_PARAMETER);
        }
        let named = opt_number(body, "Count").unwrap_or(10).min(NAMED as u64);
        let named = usize::try_from(named).unwrap_or(NAMED);
        let summaries = |extras: &Extras| -> Value {
            let reactions = extras.reactions.iter();
            reactions
                .map(|(name, _)| extras.summary(name, named, Some(&actor.user)))
                .collect()
        };
        let results: Vec<Value> = if body.get("GroupId").is_some() {
            let id = place(body).unwrap_or_default();
            let of = |seq: u64| {
                let extras = self.extra_in_group(actor, id, seq).ok()?;
                let list = summaries(extras);
                Some(json!({"MsgSeq": seq, "MsgReactionSummary": list, "ReactionList": list}))
            };
            seqs(body, "MsgSeqList")
                .into_iter()
                .filter_map(of)
                .collect()
        } else {
            let of = |key: &str| {
                let id = self.extra_in_c2c(actor, body, key).ok()?;
                let extras = Extras::of(self.messages.get(&id)?.extras.as_deref());
                let list = summaries(extras);
                Some(json!({"MsgKey": key, "MsgReactionSummary": list, "ReactionList": list}))
            };
            let keys = list(body, "MsgKeyList").iter();
            keys.filter_map(Value::as_str).filter_map(of).collect()
        };
        Ok(ok_with(json!({"Results": results})))
    }

    fn reaction_users(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let target = self.extra_target(actor, body)?;
        let extras = self.extras(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let users = extras.users(text(body, "Reaction")?);
        let start = usize::try_from(opt_number(body, "NextSeq").unwrap_or(0)).unwrap_or(usize::MAX);
        let count = opt_number(body, "Count")
            .unwrap_or(MAX_PAGE)
            .clamp(1, MAX_PAGE);
        let count = usize::try_from(count).unwrap_or(1);
        let page: Vec<&UserId> = users.iter().skip(start).take(count).collect();
        let end = start.saturating_add(page.len());
        let next = if end < users.len() { end } else { 0 };
        Ok(ok_with(json!({"Reaction_Account": page, "NextSeq": next})))
    }

    fn is_extensible(&self, target: &Target) -> bool {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get(id);
                message.is_some_and(|message| message.draft.extension)
            }
            Target::Group(id, seq) => self.is_extensible_entry(id, *seq),
        }
    }

    fn change_extensions(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let target = self.extra_target(actor, body)?;
        if !self.is_extensible(&target) {
            return Err(Code::EXTENSION_UNSUPPORTED);
        }
        let what = opt_number(body, "OperateType").unwrap_or(0);
        let items = list(body, "ExtensionList");
        if !matches!(what, 1..=3) || what != 3 && items.is_empty() || items.len() > MAX_CHANGED {
            return Err(Code::GROUP_PARAMETER);
        }
        let extras = self.extras_mut(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let (mut results, mut changed) = (Vec::new(), Vec::new());
        if what == 3 {
            extras.changes += 1;
            extras.cleared = extras.changes;
            extras.extensions.clear();
        }
        for item in items.iter().filter(|_| what != 3) {
            let key = opt_text(item, "Key").unwrap_or_default();
            let value = opt_text(item, "Value").filter(|_| what == 1);
            let known = opt_number(item, "Seq").unwrap_or(0);
            let code = extras.change(key, value.unwrap_or_default(), known);
            let current = extras.extension(key);
            if code.is_ok() {
                changed.push(current.clone());
            }
            results.push(json!({"ErrorCode": code.0, "Extension": current}));
        }
        let (seq, cleared) = (extras.changes, extras.cleared);
        if what == 3 || !changed.is_empty() {
            let (field, change) = match what {
                1 => ("SetKVInfo", json!({"MsgKeyValue": changed})),
                2 => ("DeleteKVInfo", json!({"MsgKeyValue": changed})),
                _ => ("ClearKVInfo", json!({"ClearMsgSeq": cleared})),
            };
            let name = self.extra_name(&target).unwrap_or_default();
            let place = match &target {
                Target::C2c(_) => "ExtensionC2cMsgInfo",
                Target::Group(..) => "ExtensionGroupMsgInfo",
            };
            let notify = json!({
                "TinyId": name["TinyId"], "MsgLastSeq": seq, "MsgOptType": what,
                place: name, field: [change],
            });
            let event = json!({"Event": 32, "MsgExtensionNotify": notify});
            self.push_extra(now, actor, &target, &event, true);
        }
        // Each has a code of its own; the answer as a whole is a success.
        Ok(ok_with(json!({
            "Seq": seq, "LatestSeq": seq, "ClearSeq": cleared, "ExtensionList": results,
        })))
    }

    fn extensions_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let target = self.extra_target(actor, body)?;
        let extras = self.extras(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let from = opt_number(body, "StartSeq").unwrap_or(0);
        let mut items: Vec<(&String, &(String, u64))> = extras
            .extensions
            .iter()
            .filter(|(_, (_, seq))| *seq >= from)
            .collect();
        items.sort_by_key(|(_, (_, seq))| *seq);
        let complete = items.len() <= usize::try_from(MAX_PAGE).unwrap_or(100);
        let page: Vec<Value> = items
            .iter()
            .take(usize::try_from(MAX_PAGE).unwrap_or(100))
            .map(|(key, (value, seq))| json!({"Key": key, "Value": value, "Seq": seq}))
            .collect();
        Ok(ok_with(json!({
            "ExtensionList": page, "CompleteFlag": u8::from(complete),
            "LatestSeq": extras.changes, "ClearSeq": extras.cleared,
        })))
    }
}

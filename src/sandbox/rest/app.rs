//! What the app does beside accounts, messages and groups: silencing accounts, robots, speaking to
//! everybody, looking after lists of conversations, correcting what was said.

use std::collections::BTreeSet;

use serde_json::{Value, json, value::RawValue, value::to_raw_value};

use super::{bounded, number, text_account};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{ByApp, Caller, Commands, Draft, Outcome, Refusal, State, is_message_body},
};

/// How the names of robots begin.
const ROBOT: &str = "@RBT#";
/// Accounts that one message to everybody reaches at most.
const MAX_REACHED: usize = 10_000;
/// Accounts in one call about tags and attributes.
const MAX_MARKED: usize = 100;

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The strings in an array.
fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn register(commands: &mut Commands) {
    commands.rest("openconfigsvr.setnospeaking", |state, r| {
        state.silence(r.now, r.body)
    });
    commands.rest("openconfigsvr.getnospeaking", |state, r| {
        state.silence_of(r.now, r.body)
    });
    // Statistics and archives are not kept here.
    commands.rest("openconfigsvr.getappinfo", |_, _| json!({"Result": []}));
    commands.rest("open_msg_svc.get_history", |_, _| json!({"File": []}));
    commands.rest("openim.modify_c2c_msg", |state, r| {
        state.rest_edit(r.now, r.body)
    });
    commands.rest("openim.clear_c2c_msg", |state, r| {
        state.rest_clear(r.now, r.body)
    });
    commands.rest("openim_robot_http_svc.create_robot", |state, r| {
        state.create_robot(r.body)
    });
    commands.rest("openim_robot_http_svc.delete_robot", |state, r| {
        state.delete_robot(r.body)
    });
    commands.rest("openim_robot_http_svc.get_all_robots", |state, _| {
        let robots = state
            .world
            .users()
            .filter(|user| user.as_str().starts_with(ROBOT));
        json!({"Robot_Account": robots.collect::<Vec<&UserId>>()})
    });
    register_push(commands);
}

/// Speaking to everybody, and the tags and attributes by which those are chosen who hear it.
fn register_push(commands: &mut Commands) {
    commands.rest("all_member_push.im_push", |state, r| {
        state.speak_to_all(r.now, &r.caller.user, r.body)
    });
    commands.rest("all_member_push.im_set_attr_name", |state, r| {
        let names = r.body.get("AttrNames").and_then(Value::as_object);
        let names = names.into_iter().flatten();
        let mut named = names.filter_map(|(number, name)| Some((number, name.as_str()?)));
        let done = named.all(|(number, name)| state.name_attribute(number, name));
        done.then(|| json!({})).ok_or(Code::REST_BODY)
    });
    commands.rest(
        "all_member_push.im_get_attr_name",
        |state, _| json!({"AttrNames": state.attribute_names()}),
    );
    commands.rest("all_member_push.im_set_attr", |state, r| {
        state.mark_all(r.body, "UserAttrs", |by_app, item| {
            let pairs = item.get("Attrs").and_then(Value::as_object);
            let mut pairs = pairs
                .into_iter()
                .flatten()
                .map(|(name, value)| match value {
                    Value::String(value) => by_app.set(name, value),
                    other => by_app.set(name, &other.to_string()),
                });
            pairs.all(|done| done)
        })
    });
    commands.rest("all_member_push.im_remove_attr", |state, r| {
        state.mark_all(r.body, "UserAttrs", |by_app, item| {
            strings(item.get("Attrs")).for_each(|name| {
                by_app.attributes.remove(name);
            });
            true
        })
    });
    commands.rest("all_member_push.im_add_tag", |state, r| {
        state.mark_all(r.body, "UserTags", |by_app, item| {
            strings(item.get("Tags")).all(|tag| by_app.tag(tag))
        })
    });
    commands.rest("all_member_push.im_remove_tag", |state, r| {
        state.mark_all(r.body, "UserTags", |by_app, item| {
            strings(item.get("Tags")).for_each(|tag| {
                by_app.tags.remove(tag);
            });
            true
        })
    });
    commands.rest("all_member_push.im_remove_all_tags", |state, r| {
        state.mark_all(r.body, "UserTags", |by_app, _| {
            by_app.tags.clear();
            true
        })
    });
    commands.rest("all_member_push.im_get_attr", |state, r| {
        let marked = state.marked(
            r.body,
            |user, by_app| json!({"To_Account": user, "Attrs": by_app.attributes}),
        );
        json!({"UserAttrs": marked})
    });
    commands.rest("all_member_push.im_get_tag", |state, r| {
        let marked = state.marked(
            r.body,
            |user, by_app| json!({"To_Account": user, "Tags": by_app.tags}),
        );
        json!({"UserTags": marked})
    });
}

impl State {
    /// Whoever may not speak: for so many seconds, or for ever with 4,294,967,295.
    fn silence(&mut self, now: Now, body: &Value) -> Outcome {
        let user = text_account(body.get("Set_Account"), Code::ACCOUNT_PARAMETER)?;
        let until = |name: &str| {
            let lasts = number(body.get(name))?;
            Some(match lasts {
                0 => 0,
                lasts if lasts == u64::from(u32::MAX) => u64::MAX,
                lasts => now.unix_secs().saturating_add(lasts),
            })
        };
        let (users, groups) = (
            until("C2CmsgNospeakingTime"),
            until("GroupmsgNospeakingTime"),
        );
        if users.is_none() && groups.is_none() {
            return Err(Code::ACCOUNT_PARAMETER.into());
        }
        let by_app = self.world.by_app_mut(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        by_app.silent_to_users = users.unwrap_or(by_app.silent_to_users);
        by_app.silent_in_groups = groups.unwrap_or(by_app.silent_in_groups);
        Ok(json!({}))
    }

    fn silence_of(&self, now: Now, body: &Value) -> Outcome {
        let user = text_account(body.get("Get_Account"), Code::ACCOUNT_PARAMETER)?;
        let by_app = self.world.by_app(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        let left = |until: u64| match until {
            u64::MAX => u64::from(u32::MAX),
            until => until.saturating_sub(now.unix_secs()),
        };
        Ok(json!({
            "C2CmsgNospeakingTime": left(by_app.silent_to_users),
            "GroupmsgNospeakingTime": left(by_app.silent_in_groups),
        }))
    }

    /// Corrects a message, as its sender would.
    fn rest_edit(&mut self, now: Now, body: &Value) -> Outcome {
        let from = text_account(body.get("From_Account"), Code::REST_SENDER)?;
        let to = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let key = text(body, "MsgKey");
        let stored = self.stored(&from, &to);
        let message = stored.into_iter().find(|message| message.key() == key);
        let message = message.ok_or(Code::REST_MESSAGE_KEY)?;
        let mut edit = json!({
            "From_Account": message.draft.from, "To_Account": message.draft.to,
            "MsgSeq": message.draft.seq, "MsgRandom": message.draft.random,
            "MsgTime": message.time, "MsgVersion": message.version,
        });
        for name in ["MsgBody", "CloudCustomData"] {
            if let Some(value) = body.get(name) {
                edit[name] = value.clone();
            }
        }
        let edited = self.call(now, &Caller::of(from), "openim.modify_c2c_msg", &edit);
        edited.map_err(|code| super::rest_code(code).into())
    }

    fn rest_clear(&mut self, now: Now, body: &Value) -> Outcome {
        let from = text_account(body.get("From_Account"), Code::REST_SENDER)?;
        let to = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let cleared = self.call(
            now,
            &Caller::of(from),
            "recentcontact.clear_msg",
            &json!({"To_Account": to}),
        );
        cleared.map_err(Refusal::from)
    }

    fn create_robot(&mut self, body: &Value) -> Outcome {
        let user = super::account_field(body, "UserID")?;
        if !user.as_str().starts_with(ROBOT) {
            let info = format!("the UserID of a robot begins with {ROBOT}");
            return Err(super::refusal(Code::ACCOUNT_PARAMETER, info));
        }
        self.import_with_profile(&user, body)?;
        if let Some(words) = body.get("SelfSignature") {
            self.set_profile(&user, "Tag_Profile_IM_SelfSignature", words);
        }
        Ok(json!({}))
    }

    fn delete_robot(&mut self, body: &Value) -> Outcome {
        let named = body.get("Robot_Account").or_else(|| body.get("UserID"));
        let user = text_account(named, Code::ACCOUNT_PARAMETER)?;
        if !user.as_str().starts_with(ROBOT) || !self.delete_account(&user) {
            return Err(Code::ACCOUNT_UNKNOWN.into());
        }
        Ok(json!({}))
    }

    /// What is set about the accounts that a call names.
    fn marked(&self, body: &Value, show: impl Fn(&UserId, &ByApp) -> Value) -> Vec<Value> {
        let users = strings(body.get("To_Account")).take(MAX_MARKED);
        let users = users.filter_map(|user| UserId::parse(user).ok());
        users
            .filter_map(|user| Some(show(&user, self.world.by_app(&user)?)))
            .collect()
    }

    /// Changes what is set about each account of a list.
    fn mark_all(
        &mut self,
        body: &Value,
        field: &str,
        change: impl Fn(&mut ByApp, &Value) -> bool,
    ) -> Outcome {
        // Of all tags only the accounts are named.
        let list = body.get(field).or_else(|| body.get("To_Account"));
        for item in bounded(list, MAX_MARKED, Code::REST_BATCH)? {
            let named = item.get("To_Account").unwrap_or(item);
            let user = text_account(Some(named), Code::REST_RECIPIENT)?;
            let by_app = self
                .world
                .by_app_mut(&user)
                .ok_or(Code::REST_RECIPIENT_UNKNOWN)?;
            if !change(by_app, item) {
                return Err(Code::REST_BODY.into());
            }
        }
        Ok(json!({}))
    }

    /// Sends a message to every account, or to those of certain tags or attributes.
    fn speak_to_all(&mut self, now: Now, caller: &UserId, body: &Value) -> Outcome {
        let from = match body.get("From_Account") {
            None => caller.clone(),
            named => text_account(named, Code::REST_SENDER)?,
        };
        let random = number(body.get("MsgRandom")).ok_or(Code::REST_RANDOM)?;
        let elements = body.get("MsgBody").ok_or(Code::REST_BODY)?;
        let elements: Box<RawValue> = to_raw_value(elements).map_err(|_| Code::REST_BODY)?;
        if !self.world.has_account(&from) {
            return Err(Code::REST_SENDER.into());
        }
        if !is_message_body(&elements) {
            return Err(Code::REST_ELEMENT.into());
        }
        let everybody = json!({});
        let condition = body.get("Condition").unwrap_or(&everybody);
        let chosen = self.world.users().filter(|user| **user != from);
        let chosen = chosen.filter(|user| self.is_chosen(user, condition));
        let chosen: Vec<UserId> = chosen.take(MAX_REACHED).cloned().collect();
        let (nick, face_url) = self.world.sender_profile(&from);
        for to in chosen {
            let draft = Draft {
                from: from.clone(),
                to,
                seq: random,
                random,
                client_time: now.unix_secs(),
                body: elements.clone(),
                cloud: text(body, "CloudCustomData").to_owned(),
                nick: nick.clone(),
                face_url: face_url.clone(),
                online_only: number(body.get("MsgLifeTime")) == Some(0),
                no_unread: false,
                no_last: false,
                need_receipt: false,
                extension: false,
                sync: false,
            };
            self.send(now, draft, 0).map_err(super::rest_code)?;
        }
        Ok(json!({"TaskId": format!("{}_{random}", now.unix_secs())}))
    }

    fn is_chosen(&self, user: &UserId, condition: &Value) -> bool {
        let Some(by_app) = self.world.by_app(user) else {
            return false;
        };
        let named = |field: &str| strings(condition.get(field)).collect::<BTreeSet<_>>();
        let (any, all) = (named("TagsOr"), named("TagsAnd"));
        let has = |tag: &&str| by_app.tags.contains(*tag);
        let pairs = |field: &str| {
            let pairs = condition.get(field).and_then(Value::as_object);
            pairs.into_iter().flatten()
        };
        let fits = |(name, value): (&String, &Value)| {
            let own = by_app.attributes.get(name);
            let wanted = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            own == Some(&wanted)
        };
        (any.is_empty() || any.iter().any(has))
            && all.iter().all(has)
            && (pairs("AttrsOr").count() == 0 || pairs("AttrsOr").any(fits))
            && pairs("AttrsAnd").all(fits)
    }
}

//! App messages to all accounts, and the tags and attributes that select their receivers.
//!
//! See "REST" in docs/src/protocol.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    commands::Commands,
    proto::{code::Code, id::UserId},
    request::Outcome,
    request::Request,
    service::app_call::{bounded, number, text_account},
    state::{Draft, State, is_message_body},
    table::push::{ByApp, MAX_LENGTH},
};

/// The most attributes that the app may name.
const MAX_NAMES: usize = 10;

/// One message to all reaches at most this many accounts.
const MAX_REACHED: usize = 10_000;

/// The most accounts in one call about tags and attributes.
const MAX_MARKED: usize = 100;

pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The strings in an array; other entries are skipped.
pub(crate) fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

pub(crate) fn register(commands: &mut Commands) {
    commands.rest("all_member_push.im_push", |s, r| s.speak_to_all(r));
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
    /// The attribute names of the app, by number.
    pub(crate) const fn attribute_names(&self) -> &BTreeMap<String, String> {
        &self.attribute_names
    }

    /// Names an attribute. Returns false if the limit is reached or the text is too long.
    pub(crate) fn name_attribute(&mut self, number: &str, name: &str) -> bool {
        let is_number = number
            .parse::<usize>()
            .is_ok_and(|number| number < MAX_NAMES);
        let fits = is_number && !name.is_empty() && name.len() <= MAX_LENGTH;
        if fits {
            self.attribute_names
                .insert(number.to_owned(), name.to_owned());
        }
        fits
    }

    /// The app's data about the accounts that a call names.
    fn marked(&self, body: &Value, show: impl Fn(&UserId, &ByApp) -> Value) -> Vec<Value> {
        let users = strings(body.get("To_Account")).take(MAX_MARKED);
        let users = users.filter_map(|user| UserId::parse(user).ok());
        users
            .filter_map(|user| Some(show(&user, self.world.by_app(&user)?)))
            .collect()
    }

    /// Changes the app's data about each account of a list.
    fn mark_all(
        &mut self,
        body: &Value,
        field: &str,
        change: impl Fn(&mut ByApp, &Value) -> bool,
    ) -> Outcome {
        // The call that removes all tags only lists accounts.
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

    /// Sends a message to every account, or to the accounts with certain tags or attributes.
    fn speak_to_all(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let caller = &request.caller.user;
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
            self.send(now, draft, 0)
                .map_err(super::app_call::rest_code)?;
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

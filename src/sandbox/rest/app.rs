//! What the app does beside accounts, messages and groups: silencing accounts, robots, speaking to
//! everybody, looking after lists of conversations, correcting what was said.

use std::collections::BTreeSet;

use serde_json::{Value, json, value::RawValue, value::to_raw_value};

use super::{Failed, Outcome, bounded, number, text_account};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{Actor, Draft, State, is_message_body},
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

impl State {
    /// Carries out a call of these services; `None` for one that is not known.
    pub(super) fn rest_app(
        &mut self,
        now: Now,
        caller: &UserId,
        command: &str,
        body: &Value,
    ) -> Option<Outcome> {
        if let Some(command) = command.strip_prefix("recentcontact/") {
            return self.rest_contacts(now, command, body);
        }
        if let Some(command) = command.strip_prefix("all_member_push/") {
            return self.rest_push(now, caller, command, body);
        }
        Some(match command {
            "openconfigsvr/setnospeaking" => self.silence(now, body),
            "openconfigsvr/getnospeaking" => self.silence_of(now, body),
            // Statistics and archives are not kept here.
            "openconfigsvr/getappinfo" => Ok(json!({"Result": []})),
            "open_msg_svc/get_history" => Ok(json!({"File": []})),
            "openim/modify_c2c_msg" => self.rest_edit(now, body),
            "openim/clear_c2c_msg" => self.rest_clear(now, body),
            "openim/modify_group_msg" => {
                let app = Actor {
                    user: caller.clone(),
                    instance: 0,
                    admin: true,
                };
                let edited = self.group_command(now, &app, "openim.modify_group_msg", body)?;
                edited.map_err(Failed::from)
            }
            "im_open_status/get_user_status" => {
                let asked = body.get("UserList").or_else(|| body.get("To_Account"));
                let ask = json!({"To_Account": asked});
                let servcmd = "im_open_status.ws_get_user_status";
                self.command_of(now, caller, servcmd, &ask)
                    .map_err(Failed::from)
            }
            "openim_robot_http_svc/create_robot" => self.create_robot(body),
            "openim_robot_http_svc/delete_robot" => self.delete_robot(body),
            "openim_robot_http_svc/get_all_robots" => {
                let robots = self.users().filter(|user| user.as_str().starts_with(ROBOT));
                let robots: Vec<&UserId> = robots.collect();
                Ok(json!({"Robot_Account": robots}))
            }
            _ => return None,
        })
    }

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
        let by_app = self.by_app_mut(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        by_app.silent_to_users = users.unwrap_or(by_app.silent_to_users);
        by_app.silent_in_groups = groups.unwrap_or(by_app.silent_in_groups);
        Ok(json!({}))
    }

    fn silence_of(&self, now: Now, body: &Value) -> Outcome {
        let user = text_account(body.get("Get_Account"), Code::ACCOUNT_PARAMETER)?;
        let by_app = self.by_app(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
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
        let edited = self.command_of(now, &from, "openim.modify_c2c_msg", &edit);
        edited.map_err(|code| super::rest_code(code).into())
    }

    fn rest_clear(&mut self, now: Now, body: &Value) -> Outcome {
        let from = text_account(body.get("From_Account"), Code::REST_SENDER)?;
        let to = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let servcmd = "recentcontact.clear_msg";
        let cleared = self.command_of(now, &from, servcmd, &json!({"To_Account": to}));
        cleared.map_err(Failed::from)
    }

    /// Lists of conversations, as the account itself would see and change them.
    fn rest_contacts(&mut self, now: Now, command: &str, body: &Value) -> Option<Outcome> {
        let (command, ask) = match command {
            "get_list" => ("page_get", json!({})),
            "delete" => {
                let clear = number(body.get("ClearRamble")).unwrap_or(0);
                let list = json!({"ContactItem": [body], "ClearRamble": clear});
                ("batch_delete", list)
            }
            "create_contact_group"
            | "del_contact_group"
            | "update_contact_group"
            | "search_contact_group"
            | "get_contact_group"
            | "mark_contact" => (command, body.clone()),
            _ => return None,
        };
        let user = match text_account(body.get("From_Account"), Code::REST_SENDER) {
            Ok(user) if self.has_account(&user) => user,
            Ok(_) => return Some(Err(Code::REST_SENDER.into())),
            Err(failed) => return Some(Err(failed)),
        };
        let servcmd = format!("recentcontact.{command}");
        let outcome = self.command_of(now, &user, &servcmd, &ask);
        Some(outcome.map_err(Failed::from))
    }

    fn create_robot(&mut self, body: &Value) -> Outcome {
        let user = super::account_field(body, "UserID")?;
        if !user.as_str().starts_with(ROBOT) {
            let info = format!("the UserID of a robot begins with {ROBOT}");
            return Err(Failed(Code::ACCOUNT_PARAMETER, info));
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

    /// Speaking to everybody, and the tags and attributes by which those are chosen who hear it.
    fn rest_push(
        &mut self,
        now: Now,
        caller: &UserId,
        command: &str,
        body: &Value,
    ) -> Option<Outcome> {
        Some(match command {
            "im_push" => self.speak_to_all(now, caller, body),
            "im_set_attr_name" => {
                let names = body.get("AttrNames").and_then(Value::as_object);
                let names = names.into_iter().flatten();
                let mut named = names.filter_map(|(number, name)| Some((number, name.as_str()?)));
                if named.all(|(number, name)| self.name_attribute(number, name)) {
                    Ok(json!({}))
                } else {
                    Err(Code::REST_BODY.into())
                }
            }
            "im_get_attr_name" => Ok(json!({"AttrNames": self.attribute_names()})),
            "im_set_attr" | "im_remove_attr" => self.mark_all(body, "UserAttrs", |by_app, item| {
                let attributes = item.get("Attrs");
                if command == "im_remove_attr" {
                    strings(attributes).for_each(|name| {
                        by_app.attributes.remove(name);
                    });
                    return true;
                }
                let pairs = attributes.and_then(Value::as_object).into_iter().flatten();
                let mut pairs = pairs.map(|(name, value)| match value {
                    Value::String(value) => by_app.set(name, value),
                    other => by_app.set(name, &other.to_string()),
                });
                pairs.all(|done| done)
            }),
            "im_add_tag" | "im_remove_tag" | "im_remove_all_tags" => {
                self.mark_all(body, "UserTags", |by_app, item| {
                    let mut tags = strings(item.get("Tags"));
                    match command {
                        "im_add_tag" => tags.all(|tag| by_app.tag(tag)),
                        "im_remove_tag" => {
                            tags.for_each(|tag| {
                                by_app.tags.remove(tag);
                            });
                            true
                        }
                        _ => {
                            by_app.tags.clear();
                            true
                        }
                    }
                })
            }
            "im_get_attr" | "im_get_tag" => {
                let users = strings(body.get("To_Account")).take(MAX_MARKED);
                let users = users.filter_map(|user| UserId::parse(user).ok());
                let marked = users.filter_map(|user| {
                    let by_app = self.by_app(&user)?;
                    Some(if command == "im_get_attr" {
                        json!({"To_Account": user, "Attrs": by_app.attributes})
                    } else {
                        json!({"To_Account": user, "Tags": by_app.tags})
                    })
                });
                let marked: Vec<Value> = marked.collect();
                let field = if command == "im_get_attr" {
                    "UserAttrs"
                } else {
                    "UserTags"
                };
                Ok(json!({field: marked}))
            }
            _ => return None,
        })
    }

    /// Changes what is set about each account of a list.
    fn mark_all(
        &mut self,
        body: &Value,
        field: &str,
        change: impl Fn(&mut crate::state::ByApp, &Value) -> bool,
    ) -> Outcome {
        // Of all tags only the accounts are named.
        let list = body.get(field).or_else(|| body.get("To_Account"));
        for item in bounded(list, MAX_MARKED, Code::REST_BATCH)? {
            let named = item.get("To_Account").unwrap_or(item);
            let user = text_account(Some(named), Code::REST_RECIPIENT)?;
            let by_app = self.by_app_mut(&user).ok_or(Code::REST_RECIPIENT_UNKNOWN)?;
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
        if !self.has_account(&from) {
            return Err(Code::REST_SENDER.into());
        }
        if !is_message_body(&elements) {
            return Err(Code::REST_ELEMENT.into());
        }
        let everybody = json!({});
        let condition = body.get("Condition").unwrap_or(&everybody);
        let chosen = self.users().filter(|user| **user != from);
        let chosen = chosen.filter(|user| self.is_chosen(user, condition));
        let chosen: Vec<UserId> = chosen.take(MAX_REACHED).cloned().collect();
        let (nick, face_url) = self.sender_profile(&from);
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
        let Some(by_app) = self.by_app(user) else {
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

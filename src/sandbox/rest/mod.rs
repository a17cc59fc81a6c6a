//! The server-side REST API: a call as text in, an answer out. Pure; the web shell is in `server`.

mod app;
mod people;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::state::{
    Caller, Commands, Draft, KickType, Outcome, Refusal, Request, Speaker, State, commands,
};
use crate::{
    policy::Now,
    proto::{
        code::Code,
        id::{IdError, UserId},
        surrogate,
    },
};

/// What a REST call is answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct RestAnswer {
    /// The HTTP status: 200 for every call the service knows the path of.
    pub status: u16,
    /// The body.
    pub json: Value,
}

/// A refusal with a text that says more than the code.
pub(super) fn refusal(code: Code, info: String) -> Refusal {
    Refusal {
        code,
        info: Some(info),
    }
}

/// What a call is answered with that is no `POST`, in the shape of every other answer.
pub(super) fn not_posted() -> Value {
    let code = Code::BAD_REQUEST;
    json!({
        "ActionStatus": "FAIL", "ErrorCode": code.0,
        "ErrorInfo": "calls are made by POST, with a JSON object as the body",
    })
}

/// Message bodies keep their text; the rest is read field by field.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendCall {
    #[serde(default)]
    sync_other_machine: u8,
    #[serde(rename = "From_Account")]
    from: Option<Value>,
    #[serde(rename = "To_Account")]
    to: Option<Value>,
    msg_seq: Option<Value>,
    msg_random: Option<Value>,
    msg_life_time: Option<Value>,
    msg_body: Option<Box<RawValue>>,
    #[serde(default)]
    cloud_custom_data: String,
    #[serde(default)]
    send_msg_control: Vec<String>,
    #[serde(default)]
    is_need_read_receipt: u8,
    #[serde(default)]
    support_message_extension: u8,
}

/// Most accounts in one call to the account commands.
const MAX_ACCOUNTS: usize = 100;
/// Most accounts in one call to the message commands.
const MAX_RECIPIENTS: usize = 500;

/// Registers the calls about accounts and messages, and those of the other files.
pub(super) fn register(commands: &mut Commands) {
    commands.rest("im_open_login_svc.account_import", |state, r| {
        state.account_import(r.body)
    });
    commands.rest("im_open_login_svc.multiaccount_import", |state, r| {
        state.multiaccount_import(r.body)
    });
    commands.rest("im_open_login_svc.account_check", |state, r| {
        state.account_check(r.body)
    });
    commands.rest("im_open_login_svc.account_delete", |state, r| {
        state.account_delete(r.body)
    });
    commands.rest("im_open_login_svc.kick", |state, r| state.kick_account(r));
    commands.rest("openim.sendmsg", |state, r| state.rest_send(r, false));
    commands.rest("openim.batchsendmsg", |state, r| state.rest_send(r, true));
    for name in ["openim.query_online_status", "openim.querystate"] {
        commands.rest(name, |state, r| state.online_status(r.now, r.body));
    }
    commands.rest("openim.admin_msgwithdraw", |state, r| {
        state.admin_withdraw(r.now, &r.caller.user, r.body)
    });
    commands.rest("openim.admin_getroammsg", |state, r| {
        state.admin_history(r.body)
    });
    people::register(commands);
    app::register(commands);
}

impl State {
    /// Carries out one REST call. `path` is the path of the URL, `query` its decoded pairs.
    pub fn rest(
        &mut self,
        now: Now,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> RestAnswer {
        self.world.count_rest_call();
        self.world.note_change();
        let outcome = self.rest_outcome(now, path, query, body);
        let json = match outcome {
            Ok(mut answer) => {
                if let Value::Object(fields) = &mut answer {
                    for (name, value) in [
                        ("ActionStatus", json!("OK")),
                        ("ErrorCode", json!(0)),
                        ("ErrorInfo", json!("")),
                    ] {
                        fields.entry(name).or_insert(value);
                    }
                }
                answer
            }
            Err(Refusal { code, info }) => {
                let info = info.as_deref().unwrap_or_else(|| code.meaning());
                json!({"ActionStatus": "FAIL", "ErrorCode": code.0, "ErrorInfo": info})
            }
        };
        RestAnswer { status: 200, json }
    }

    fn rest_outcome(
        &mut self,
        now: Now,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> Outcome {
        let get = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
        };
        let app = get("sdkappid")
            .filter(|app| !app.is_empty())
            .ok_or(Code::REST_NO_APP)?;
        if app.parse() != Ok(self.config().app.get()) {
            return Err(Code::APP_INVALID.into());
        }
        let sig = get("usersig").unwrap_or_default();
        let administrator =
            self.world
                .check_administrator(now, get("identifier").unwrap_or_default(), sig)?;
        let name = path
            .strip_prefix("/v4/")
            .unwrap_or(path)
            .replacen('/', ".", 1);
        let (service, _) = name.split_once('.').unwrap_or_default();
        let command = commands().of_app(&name).ok_or_else(|| {
            let info = "the sandbox has no such REST command".to_owned();
            refusal(Code::BAD_REQUEST, info)
        })?;
        let unreadable = if service == "im_open_login_svc" {
            Code::BAD_JSON
        } else {
            Code::REST_JSON
        };
        let text = std::str::from_utf8(body).map_err(|_| unreadable)?;
        let text = surrogate::mend(text.into());
        let body: Value = serde_json::from_str(&text)
            .ok()
            .filter(Value::is_object)
            .ok_or(unreadable)?;
        let caller = match command.speaker() {
            Speaker::App => Caller::app(administrator),
            Speaker::Account { missing, admin } => Caller {
                user: text_account(body.get("From_Account"), missing)?,
                instance: 0,
                admin,
            },
        };
        let request = Request {
            now,
            caller: &caller,
            conn: None,
            service,
            body: &body,
            text: &text,
        };
        self.run(command, &request)
    }

    fn kick_account(&mut self, request: &Request<'_>) -> Outcome {
        let user = account_of(request.body)?;
        if !self.world.has_account(&user) {
            return Err(Code::ACCOUNT_UNKNOWN.into());
        }
        self.world.kick_all(request.now, &user, KickType::Rest);
        Ok(json!({}))
    }

    fn account_import(&mut self, body: &Value) -> Outcome {
        let user = account_of(body)?;
        self.import_with_profile(&user, body)?;
        Ok(json!({}))
    }

    fn import_with_profile(&mut self, user: &UserId, body: &Value) -> Result<(), Refusal> {
        if !self.world.import(user) {
            return Err(Code::ACCOUNT_QUOTA.into());
        }
        for (field, tag) in [
            ("Nick", "Tag_Profile_IM_Nick"),
            ("FaceUrl", "Tag_Profile_IM_Image"),
        ] {
            if let Some(value) = body.get(field) {
                self.set_profile(user, tag, value);
            }
        }
        Ok(())
    }

    fn multiaccount_import(&mut self, body: &Value) -> Outcome {
        let list = body.get("AccountList").or_else(|| body.get("Accounts"));
        let mut failed = Vec::new();
        for item in bounded(list, MAX_ACCOUNTS, Code::ACCOUNT_PARAMETER)? {
            let name = item.get("UserID").or_else(|| item.get("Identifier"));
            let name = item.as_str().or_else(|| name.and_then(Value::as_str));
            let user = name.and_then(|name| UserId::parse(name).ok());
            let imported = user.is_some_and(|user| self.import_with_profile(&user, item).is_ok());
            if !imported {
                failed.push(name.unwrap_or_default());
            }
        }
        Ok(json!({"FailAccounts": failed}))
    }

    fn account_check(&self, body: &Value) -> Outcome {
        let items = bounded(body.get("CheckItem"), MAX_ACCOUNTS, Code::ACCOUNT_PARAMETER)?;
        let results: Vec<Value> = items
            .iter()
            .map(|item| match account_of(item) {
                Ok(user) => json!({
                    "UserID": user, "ResultCode": 0, "ResultInfo": "",
                    "AccountStatus": if self.world.has_account(&user) { "Imported" } else { "NotImported" },
                }),
                Err(failed) => failed_item(item, &failed),
            })
            .collect();
        Ok(json!({"ResultItem": results}))
    }

    fn account_delete(&mut self, body: &Value) -> Outcome {
        let items = bounded(
            body.get("DeleteItem"),
            MAX_ACCOUNTS,
            Code::ACCOUNT_PARAMETER,
        )?;
        let results: Vec<Value> = items
            .iter()
            .map(|item| {
                let done = account_of(item).and_then(|user| {
                    if self.delete_account(&user) {
                        Ok(user)
                    } else {
                        Err(Code::ACCOUNT_UNKNOWN.into())
                    }
                });
                match done {
                    Ok(user) => json!({"UserID": user, "ResultCode": 0, "ResultInfo": ""}),
                    Err(failed) => failed_item(item, &failed),
                }
            })
            .collect();
        Ok(json!({"ResultItem": results}))
    }

    fn rest_send(&mut self, request: &Request<'_>, batch: bool) -> Outcome {
        let (now, caller) = (request.now, &request.caller.user);
        let call: SendCall = serde_json::from_str(request.text).map_err(|_| Code::REST_JSON)?;
        let from = match &call.from {
            None => caller.clone(),
            Some(value) => text_account(Some(value), Code::REST_SENDER)?,
        };
        if !self.world.has_account(&from) {
            return Err(Code::REST_SENDER.into());
        }
        let random = number(call.msg_random.as_ref()).ok_or(Code::REST_RANDOM)?;
        let lifetime = match &call.msg_life_time {
            None => None,
            value => Some(number(value.as_ref()).ok_or(Code::REST_LIFETIME)?),
        };
        if lifetime.is_some_and(|secs| secs > 604_800) {
            return Err(Code::REST_LIFETIME.into());
        }
        let Some(body) = call.msg_body else {
            return Err(Code::REST_BODY.into());
        };
        if !body.get().starts_with('[') {
            return Err(Code::REST_BODY_ARRAY.into());
        }
        if !super::state::is_message_body(&body) {
            return Err(Code::REST_ELEMENT.into());
        }
        let seq = number(call.msg_seq.as_ref()).unwrap_or(random);
        let profile = self.world.sender_profile(&from);
        let control = |name: &str| call.send_msg_control.iter().any(|c| c == name);
        let draft = |to: UserId| Draft {
            from: from.clone(),
            to,
            seq,
            random,
            client_time: now.unix_secs(),
            body: body.clone(),
            cloud: call.cloud_custom_data.clone(),
            nick: profile.0.clone(),
            face_url: profile.1.clone(),
            online_only: lifetime == Some(0),
            no_unread: control("NoUnread"),
            no_last: control("NoLastMsg"),
            need_receipt: call.is_need_read_receipt != 0,
            extension: call.support_message_extension != 0,
            sync: call.sync_other_machine == 1,
        };
        if !batch {
            let to = text_account(call.to.as_ref(), Code::REST_RECIPIENT)?;
            let sent = self.send(now, draft(to), 0).map_err(rest_code)?;
            return Ok(json!({"MsgTime": sent.time, "MsgKey": sent.key}));
        }
        let list = bounded(call.to.as_ref(), MAX_RECIPIENTS, Code::REST_BATCH)?;
        let mut errors = Vec::new();
        let mut key = format!("{seq}_{random}_{}", now.unix_secs());
        for item in list {
            let sent = text_account(Some(item), Code::REST_RECIPIENT).and_then(|to| {
                self.send(now, draft(to), 0)
                    .map_err(|code| Refusal::from(rest_code(code)))
            });
            match sent {
                Ok(sent) => key = sent.key,
                Err(Refusal { code, .. }) => {
                    errors.push(json!({"To_Account": item, "ErrorCode": code.0}));
                }
            }
        }
        Ok(json!({"MsgKey": key, "ErrorList": errors}))
    }

    fn online_status(&self, now: Now, body: &Value) -> Outcome {
        let list = bounded(body.get("To_Account"), MAX_RECIPIENTS, Code::REST_BATCH)?;
        let detail = body.get("IsNeedDetail").and_then(Value::as_u64) == Some(1);
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for item in list {
            let user = item.as_str().and_then(|text| UserId::parse(text).ok());
            let Some(user) = user.filter(|user| self.world.has_account(user)) else {
                errors.push(json!({"To_Account": item, "ErrorCode": Code::ACCOUNT_UNKNOWN.0}));
                continue;
            };
            let platforms = self.world.platforms(now, &user);
            let status = if platforms.is_empty() {
                "Offline"
            } else {
                "Online"
            };
            let mut result = json!({"To_Account": user, "Status": status});
            if detail && let Value::Object(result) = &mut result {
                let details = platforms
                    .iter()
                    .map(|platform| json!({"Platform": platform_name(*platform), "Status": "Online"}))
                    .collect();
                result.insert("Detail".to_owned(), Value::Array(details));
            }
            results.push(result);
        }
        Ok(json!({"QueryResult": results, "ErrorList": errors}))
    }

    fn admin_withdraw(&mut self, now: Now, caller: &UserId, body: &Value) -> Outcome {
        let from = text_account(body.get("From_Account"), Code::REST_SENDER)?;
        let to = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let key = body
            .get("MsgKey")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let id = self
            .find_by_key(&from, &to, key)
            .ok_or(Code::REST_MESSAGE_KEY)?;
        self.recall(now, id, caller, None, 0)?;
        Ok(json!({}))
    }

    fn admin_history(&self, body: &Value) -> Outcome {
        let from = text_account(body.get("From_Account"), Code::REST_SENDER)?;
        let to = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let field = |name: &str| number(body.get(name));
        let count = usize::try_from(field("MaxCnt").unwrap_or(100))
            .unwrap_or(100)
            .clamp(1, 100);
        let (min, max) = (
            field("MinTime").unwrap_or(0),
            field("MaxTime").unwrap_or(u64::MAX),
        );
        let last = body
            .get("LastMsgKey")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let stored = self.stored(&from, &to);
        // Pages go back in time: the key names the oldest message of the page before.
        let end = stored
            .iter()
            .position(|m| m.key() == last)
            .unwrap_or(stored.len());
        let fitting: Vec<_> = stored[..end]
            .iter()
            .filter(|m| (min..=max).contains(&m.time))
            .collect();
        let page = &fitting[fitting.len().saturating_sub(count)..];
        let messages: Vec<Value> = page
            .iter()
            .map(|m| {
                json!({
                    "From_Account": m.draft.from, "To_Account": m.draft.to,
                    "MsgSeq": m.draft.seq, "MsgRandom": m.draft.random, "MsgTimeStamp": m.time,
                    "MsgFlagBits": if m.revoker.is_some() { 8 } else { 0 },
                    "IsPeerRead": u8::from(m.read_at.is_some()), "MsgKey": m.key(),
                    "MsgBody": serde_json::from_str::<Value>(m.draft.body.get())
                        .unwrap_or_else(|_| json!([])),
                    "CloudCustomData": m.draft.cloud,
                })
            })
            .collect();
        Ok(json!({
            "Complete": u8::from(page.len() == fitting.len()),
            "MsgCnt": page.len(),
            "LastMsgTime": page.first().map_or(0, |m| m.time),
            "LastMsgKey": page.first().map(|m| m.key()).unwrap_or_default(),
            "MsgList": messages,
        }))
    }
}

/// The code the REST API uses where the socket has another one.
pub(super) const fn rest_code(code: Code) -> Code {
    match code {
        Code::C2C_UNKNOWN_USER => Code::REST_ACCOUNT_UNKNOWN,
        Code::MESSAGE_TOO_LONG => Code::REST_TOO_LONG,
        Code::C2C_BAD_PACKET => Code::REST_BODY,
        other => other,
    }
}

fn failed_item(item: &Value, failed: &Refusal) -> Value {
    json!({
        "UserID": item.get("UserID").and_then(Value::as_str).unwrap_or_default(),
        "ResultCode": failed.code.0,
        "ResultInfo": failed.info.as_deref().unwrap_or_else(|| failed.code.meaning()),
    })
}

fn bounded(list: Option<&Value>, limit: usize, code: Code) -> Result<&Vec<Value>, Refusal> {
    list.and_then(Value::as_array)
        .filter(|items| !items.is_empty() && items.len() <= limit)
        .ok_or_else(|| refusal(code, format!("expected a list of 1 to {limit} accounts")))
}

/// The account a call is about; `Identifier` is the name of older documents.
fn account_of(body: &Value) -> Result<UserId, Refusal> {
    let older = body.get("UserID").is_none() && body.get("Identifier").is_some();
    account_field(body, if older { "Identifier" } else { "UserID" })
}

fn account_field(item: &Value, name: &str) -> Result<UserId, Refusal> {
    let text = item.get(name).and_then(Value::as_str).unwrap_or_default();
    UserId::parse(text)
        .map_err(|error: IdError| refusal(Code::ACCOUNT_PARAMETER, error.to_string()))
}

pub(super) fn text_account(value: Option<&Value>, code: Code) -> Result<UserId, Refusal> {
    let text = value.and_then(Value::as_str).ok_or(code)?;
    UserId::parse(text).map_err(|error| refusal(code, error.to_string()))
}

pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64)
}

const fn platform_name(platform: u64) -> &'static str {
    match platform {
        2 => "Android",
        3 => "iPhone",
        4 => "Mac",
        13 => "iPad",
        _ => "Web",
    }
}

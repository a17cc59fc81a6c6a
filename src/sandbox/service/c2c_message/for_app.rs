//! One-to-one messages over REST: send for accounts, import, recall, history, read states.
//!
//! See "REST" in docs/src/protocol.md.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    commands::Commands,
    policy::Now,
    proto::{code::Code, id::UserId},
    request::{Outcome, Refusal, Request},
    service::app_call::{MAX_RECIPIENTS, bounded, number, rest_code, text_account},
    service::{
        c2c_message::stored::{Message, Sent, is_message_body},
        push::text,
    },
    state::{Caller, Draft, State},
};

/// Message bodies keep their text; the other fields are parsed one by one.
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

/// `openim/importmsg`. Message bodies keep their text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportCall {
    sync_from_old_system: Option<u64>,
    #[serde(rename = "From_Account")]
    from: Option<Value>,
    #[serde(rename = "To_Account")]
    to: Option<Value>,
    msg_seq: Option<Value>,
    msg_random: Option<Value>,
    msg_time_stamp: Option<Value>,
    msg_body: Option<Box<RawValue>>,
    #[serde(default)]
    cloud_custom_data: String,
    #[serde(default)]
    support_message_extension: u8,
}

pub(crate) fn register(commands: &mut Commands) {
    commands.rest("openim.modify_c2c_msg", |s, r| s.rest_edit(r));
    commands.rest("openim.clear_c2c_msg", |s, r| s.rest_clear(r));
    commands.rest("openim.sendmsg", |state, r| state.rest_send(r, false));
    commands.rest("openim.batchsendmsg", |state, r| state.rest_send(r, true));
    commands.rest("openim.admin_msgwithdraw", |s, r| s.admin_withdraw(r));
    commands.rest("openim.admin_getroammsg", |s, r| s.admin_history(r));
    commands.rest("openim.importmsg", |s, r| s.rest_import(r));
    commands.rest("openim.admin_set_msg_read", |s, r| s.rest_read(r));
    commands.rest("openim.get_c2c_unread_msg_num", |s, r| s.rest_unread(r));
}

impl State {
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
        if !is_message_body(&body) {
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

    fn admin_withdraw(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let caller = &request.caller.user;
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

    fn admin_history(&self, request: &Request<'_>) -> Outcome {
        let body = request.body;
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
        // Pages go back in time: the key names the oldest message of the previous page.
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

    fn rest_import(&mut self, request: &Request<'_>) -> Outcome {
        let call: ImportCall = serde_json::from_str(request.text).map_err(|_| Code::REST_JSON)?;
        let from = text_account(call.from.as_ref(), Code::REST_SENDER)?;
        let to = text_account(call.to.as_ref(), Code::REST_RECIPIENT)?;
        let random = number(call.msg_random.as_ref()).ok_or(Code::REST_RANDOM)?;
        let time = number(call.msg_time_stamp.as_ref()).ok_or(Code::REST_BODY)?;
        let body = call.msg_body.ok_or(Code::REST_BODY)?;
        if !is_message_body(&body) {
            return Err(Code::REST_BODY.into());
        }
        let (nick, face_url) = self.world.sender_profile(&from);
        let draft = Draft {
            from,
            to,
            seq: number(call.msg_seq.as_ref()).unwrap_or(random),
            random,
            client_time: time,
            body,
            cloud: call.cloud_custom_data,
            nick,
            face_url,
            online_only: false,
            no_unread: false,
            no_last: false,
            need_receipt: false,
            extension: call.support_message_extension != 0,
            sync: false,
        };
        // 2 means history; the other documented values count as unread.
        let unread = call.sync_from_old_system != Some(2);
        let sent = self.import_message(request.now, draft, time, unread);
        let sent = sent.map_err(rest_code)?;
        Ok(json!({"MsgTime": sent.time, "MsgKey": sent.key}))
    }

    fn rest_read(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let user = text_account(body.get("Report_Account"), Code::REST_SENDER)?;
        let peer = text_account(body.get("Peer_Account"), Code::REST_RECIPIENT)?;
        let until = number(body.get("MsgReadTime")).unwrap_or_else(|| now.unix_secs());
        self.read(now, &user, &peer, until, 0);
        Ok(json!({}))
    }

    fn rest_unread(&self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let user = text_account(body.get("To_Account"), Code::REST_RECIPIENT)?;
        let counts = self.unread_counts(&user);
        let total: u64 = counts.iter().map(|(_, unread)| u64::from(*unread)).sum();
        let asked = body.get("Peer_Account").and_then(Value::as_array);
        let (mut items, mut errors) = (Vec::new(), Vec::new());
        for item in asked.into_iter().flatten().take(100) {
            let peer = item.as_str().and_then(|text| UserId::parse(text).ok());
            let Some(peer) = peer.filter(|peer| self.world.has_account(peer)) else {
                let code = Code::REST_ACCOUNT_UNKNOWN;
                errors.push(json!({"Peer_Account": item, "ErrorCode": code.0}));
                continue;
            };
            let unread = counts.iter().find(|(other, _)| *other == peer);
            items.push(json!({
                "Peer_Account": peer, "C2CUnreadMsgNum": unread.map_or(0, |(_, unread)| *unread),
            }));
        }
        Ok(json!({
            "AllC2CUnreadMsgNum": total, "C2CUnreadMsgNumList": items, "ErrorList": errors,
        }))
    }

    /// Edits a message as its sender.
    fn rest_edit(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
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
        edited.map_err(|code| rest_code(code).into())
    }

    fn rest_clear(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
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

    /// Inserts an old message into the history of both sides, ordered by time. Nobody is notified.
    /// `unread` counts the message as unread.
    ///
    /// # Errors
    /// The code a client would get.
    pub(crate) fn import_message(
        &mut self,
        now: Now,
        draft: Draft,
        time: u64,
        unread: bool,
    ) -> Result<Sent, Code> {
        if !is_message_body(&draft.body) {
            return Err(Code::C2C_BAD_PACKET);
        }
        if !self.world.known_or_created(&draft.to) || !self.world.known_or_created(&draft.from) {
            return Err(Code::C2C_UNKNOWN_USER);
        }
        let time = time.min(now.unix_secs());
        let known = self.find(&draft.from, &draft.to, draft.seq, draft.random, time);
        let tiny_id = self
            .world
            .accounts
            .get(&draft.from)
            .map_or(0, |account| account.tiny_id);
        let message = Message {
            draft: Draft {
                no_unread: !unread,
                ..draft
            },
            time,
            tiny_id,
            revoker: None,
            version: 0,
            read_at: None,
            marks: None,
        };
        let sent = Sent {
            time,
            key: message.key(),
        };
        if known.is_none() {
            self.world.counters.messages += 1;
            self.store(now, message, 0, !unread);
        }
        Ok(sent)
    }
}

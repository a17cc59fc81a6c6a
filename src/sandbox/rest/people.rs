//! REST calls about profiles, relations, read states and messages of the past.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{number, rest_code, text_account};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{Commands, Draft, Outcome, Request, State, is_message_body},
};

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

pub(super) fn register(commands: &mut Commands) {
    commands.rest("openim.importmsg", |state, r| state.rest_import(r));
    commands.rest("openim.admin_set_msg_read", |state, r| {
        state.rest_read(r.now, r.body)
    });
    commands.rest("openim.get_c2c_unread_msg_num", |state, r| {
        state.rest_unread(r.body)
    });
    commands.rest("profile.portrait_get", |state, r| {
        state.rest_profiles(r.body)
    });
}

impl State {
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
        // 2 is history; the other numbers of the documents count as unread.
        let unread = call.sync_from_old_system != Some(2);
        let sent = self.import_message(request.now, draft, time, unread);
        let sent = sent.map_err(rest_code)?;
        Ok(json!({"MsgTime": sent.time, "MsgKey": sent.key}))
    }

    fn rest_read(&mut self, now: Now, body: &Value) -> Outcome {
        let user = text_account(body.get("Report_Account"), Code::REST_SENDER)?;
        let peer = text_account(body.get("Peer_Account"), Code::REST_RECIPIENT)?;
        let until = number(body.get("MsgReadTime")).unwrap_or_else(|| now.unix_secs());
        self.read(now, &user, &peer, until, 0);
        Ok(json!({}))
    }

    fn rest_unread(&self, body: &Value) -> Outcome {
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

    fn rest_profiles(&self, body: &Value) -> Outcome {
        let first = body.get("To_Account").and_then(Value::as_array);
        let first = first.and_then(|users| users.first());
        let user = text_account(first, Code::REST_RECIPIENT)?;
        Ok(self.profiles(&user, body))
    }
}

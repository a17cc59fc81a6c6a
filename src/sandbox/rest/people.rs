//! REST calls about profiles, relations, read states and messages of the past.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{Failed, Outcome, number, rest_code, text_account};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{Draft, Principal, State, is_message_body},
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

impl State {
    /// Carries out a call of these services; `None` for one that is not known.
    pub(super) fn rest_people(&mut self, now: Now, command: &str, body: &[u8]) -> Option<Outcome> {
        if command == "openim/importmsg" {
            let call = serde_json::from_slice(body).map_err(|_| Failed::from(Code::REST_JSON));
            return Some(call.and_then(|call| self.rest_import(now, call)));
        }
        let is_known = matches!(
            command,
            "openim/admin_set_msg_read"
                | "openim/get_c2c_unread_msg_num"
                | "profile/portrait_get"
                | "profile/portrait_set"
        );
        let relation = ["sns/", "follow/"]
            .iter()
            .any(|service| command.starts_with(service));
        if !is_known && !relation {
            return None;
        }
        let json = serde_json::from_slice::<Value>(body).ok();
        let Some(json) = json.filter(Value::is_object) else {
            return Some(Err(Code::REST_JSON.into()));
        };
        Some(match command {
            "openim/admin_set_msg_read" => self.rest_read(now, &json),
            "openim/get_c2c_unread_msg_num" => self.rest_unread(&json),
            "profile/portrait_get" => self.rest_profiles(&json),
            _ => {
                let actor = text_account(json.get("From_Account"), Code::FRIEND_PARAMETER);
                let actor = actor.map(|user| Principal {
                    user,
                    instance: 0,
                    privileged: true,
                });
                match (actor, command.split_once('/')) {
                    (Err(failed), _) => Err(failed),
                    (Ok(actor), Some(("sns", command))) => self
                        .relations(now, &actor, command, &json)?
                        .map_err(Failed::from),
                    (Ok(actor), Some(("follow", command))) => self
                        .follows(now, &actor, command, &json)?
                        .map_err(Failed::from),
                    (Ok(actor), _) if self.has_account(&actor.user) => {
                        self.set_profiles(now, &actor, &json).map_err(Failed::from)
                    }
                    (Ok(_), _) => Err(Code::ACCOUNT_UNKNOWN.into()),
                }
            }
        })
    }

    fn rest_import(&mut self, now: Now, call: ImportCall) -> Outcome {
        let from = text_account(call.from.as_ref(), Code::REST_SENDER)?;
        let to = text_account(call.to.as_ref(), Code::REST_RECIPIENT)?;
        let random = number(call.msg_random.as_ref()).ok_or(Code::REST_RANDOM)?;
        let time = number(call.msg_time_stamp.as_ref()).ok_or(Code::REST_BODY)?;
        let body = call.msg_body.ok_or(Code::REST_BODY)?;
        if !is_message_body(&body) {
            return Err(Code::REST_BODY.into());
        }
        let (nick, face_url) = self.sender_profile(&from);
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
        let sent = self.import_message(now, draft, time, unread);
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
            let Some(peer) = peer.filter(|peer| self.has_account(peer)) else {
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

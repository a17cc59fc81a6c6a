//! What a client asks for around messages: deleting, muting, configuration.

use serde_json::{Value, json};

use super::{Caller, State, items::notice};
use crate::commands::Commands;
use crate::world::PURCHASE_BITS;
use crate::world::{ok, ok_with};
use crate::{policy::Now, proto::id::UserId};

/// The most accounts one request may ask about.
const MAX_ASKED: usize = 500;

/// The UserIDs in an array of strings; others are skipped.
pub(crate) fn user_ids(value: Option<&Value>) -> Vec<UserId> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .take(MAX_ASKED)
        .filter_map(Value::as_str)
        .filter_map(|text| UserId::parse(text).ok())
        .collect()
}

/// The UserID in a field of each object of an array.
pub(crate) fn user_ids_in(value: Option<&Value>, field: &str) -> Vec<UserId> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .take(MAX_ASKED)
        .filter_map(|item| item.get(field).and_then(Value::as_str))
        .filter_map(|text| UserId::parse(text).ok())
        .collect()
}

/// The fields of "do not disturb".
const QUIET: [&str; 4] = ["Level", "StartTime", "EndTime", "IsRepeated"];

impl State {
    /// `im_msg_db_logic.ws_set_do_not_disturb`. Nothing here notifies anybody, so it is only kept, and
    /// told to the account's other logins.
    pub(crate) fn set_do_not_disturb(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
        let numbers = QUIET.iter().map(|name| {
            let number = body.get(*name).and_then(Value::as_u64).unwrap_or(0);
            ((*name).to_owned(), Value::from(number))
        });
        let quiet = Value::Object(numbers.collect());
        let mut event = quiet.clone();
        event["Event"] = 24.into();
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            account.quiet = Some(quiet);
        }
        self.world.tell(now, &caller.user, caller.instance, &event);
        ok()
    }

    /// `im_msg_db_logic.ws_get_do_not_disturb`.
    pub(crate) fn do_not_disturb(&self, caller: &Caller) -> Value {
        let account = self.world.accounts.get(&caller.user);
        let quiet = account.and_then(|account| account.quiet.clone());
        ok_with(quiet.unwrap_or_else(|| {
            json!({
                "Level": 0, "StartTime": 0, "EndTime": 0, "IsRepeated": 0,
            })
        }))
    }

    /// Removes all history with `peer` for the caller.
    pub(crate) fn clear(&mut self, caller: &Caller, peer: &UserId) {
        let key = super::messages::conversation_key(&caller.user, peer);
        let ids: Vec<_> = self
            .conversations
            .get(&key)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        if let Some(state) = self.peer_mut(caller, peer) {
            state.deleted.extend(ids);
            state.unread = 0;
        }
        self.trim_deleted(caller, peer);
    }

    /// `openim.delete_c2c_msg_ramble`: for the caller only; unknown keys are nothing to delete.
    pub(crate) fn delete_messages(&mut self, caller: &Caller, body: &Value) -> Value {
        let peer = body.get("To_Account").and_then(Value::as_str);
        let Some(peer) = peer.and_then(|text| UserId::parse(text).ok()) else {
            return ok();
        };
        let keys = body.get("MsgKeyList").and_then(Value::as_array);
        let ids: Vec<_> = keys
            .into_iter()
            .flatten()
            .take(MAX_ASKED)
            .filter_map(Value::as_str)
            .filter_map(|key| self.find_by_key(&caller.user, &peer, key))
            .collect();
        if let Some(state) = self.peer_mut(caller, &peer) {
            state.deleted.extend(ids);
        }
        self.trim_deleted(caller, &peer);
        ok()
    }

    /// Forgets deletions of messages that are gone anyway.
    fn trim_deleted(&mut self, caller: &Caller, peer: &UserId) {
        if let Some(account) = self.world.accounts.get_mut(&caller.user)
            && let Some(state) = account.peers.get_mut(peer)
        {
            state.deleted.retain(|id| self.messages.contains_key(id));
        }
    }

    pub(crate) fn peer_mut(
        &mut self,
        caller: &Caller,
        peer: &UserId,
    ) -> Option<&mut crate::world::Peer> {
        self.world
            .accounts
            .get_mut(&caller.user)?
            .peers
            .get_mut(peer)
    }

    /// `openim.set_c2c_peer_mute_notifications`.
    pub(crate) fn set_mute(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
        let mute = body
            .get("Mute_Notifications")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        for peer in user_ids(body.get("Peer_Account")) {
            let Some(state) = self.peer_mut(caller, &peer) else {
                continue;
            };
            state.mute = mute;
            let event = notice(json!({"MuteNotificationsSync": {
                "To_Account": peer, "MuteNotifications": mute,
            }}));
            for conn in self.world.push_links(now, &caller.user, caller.instance) {
                self.world.push_event(now, conn, &event);
            }
        }
        ok_with(json!({"ErrorList": []}))
    }

    /// `openim.get_c2c_peer_mute_notifications`.
    pub(crate) fn mutes(&self, caller: &Caller, body: &Value) -> Value {
        let account = self.world.accounts.get(&caller.user);
        let items: Vec<Value> = user_ids(body.get("Peer_Account"))
            .iter()
            .map(|peer| {
                let state = account.and_then(|account| account.peers.get(peer));
                json!({
                    "Peer_Account": peer,
                    "MuteNotifications": state.map_or(0, |state| state.mute),
                })
            })
            .collect();
        ok_with(json!({"MuteNotificationsList": items}))
    }
}

/// Commands whose answer is the same for everybody, beside receive options and deletions.
pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_sdk_config_mgr.fetch_config", |state, _| {
            json!({
                "int32_error_code": 0, "str_error_message": "", "str_json_config": "{}",
                "uint32_expired_time": 7200, "uint32_sdkappid": state.world.config.app.get(),
                "uint64_version": 1,
            })
        })
        .any_body()
        .reads();
    // Generation 2.x of the official clients asks for this each second until it gets an answer, and reports
    // an expired login each time it is refused; so it is answered without a valid login.
    commands
        .socket("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", |_, _| {
            json!({
                "int32_error_code": 0, "str_error_message": "",
                "str_purchase_bits": PURCHASE_BITS, "uint32_expired_time": 7200,
            })
        })
        .any_body()
        .reads()
        .without_login();
    commands
        .socket("im_open_status.wshello", |_, _| json!({}))
        .any_body()
        .reads();
    // Deletes notices that were dealt with, not messages of a chat.
    commands
        .socket("openim.deletemsg", |_, _| json!({}))
        .any_body();
    // A key for the file servers of version 2, which are not there; without one the client uses others.
    commands
        .socket(
            "openim.authkey",
            |_, _| json!({"AuthKey": "", "ExpireTime": "0"}),
        )
        .any_body();
    commands
        .socket("im_open_speech.ws_sentence_recognition", |_, _| {
            json!({
                "BytesRequestid": "sandbox", "CmdErrorCode": {"ErrorCode": 0, "ErrorInfo": ""},
                "BytesResult": "",
            })
        })
        .any_body()
        .reads();
    commands
        .socket("im_open_translate.ws_batch_trans_text", |_, r| {
            State::translation(r.body)
        })
        .reads();
    commands.socket("openim.set_c2c_peer_mute_notifications", |state, r| {
        state.set_mute(r.now, r.caller, r.body)
    });
    commands
        .socket("openim.get_c2c_peer_mute_notifications", |state, r| {
            state.mutes(r.caller, r.body)
        })
        .reads();
    commands.socket("im_msg_db_logic.ws_set_do_not_disturb", |state, r| {
        state.set_do_not_disturb(r.now, r.caller, r.body)
    });
    commands
        .socket("im_msg_db_logic.ws_get_do_not_disturb", |state, r| {
            state.do_not_disturb(r.caller)
        })
        .any_body()
        .reads();
    commands.socket("im_long_msg.save_relay_json_msg", |state, r| {
        state.save_merged(r.body)
    });
    commands.socket("im_long_msg.get_relay_json_msg", |state, r| {
        state.merged_list(r.body)
    });
}

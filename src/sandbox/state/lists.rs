//! What a client asks for around messages: conversations, profiles, relations, configuration.

use serde_json::{Value, json};

use super::{
    State,
    items::notice,
    logins::{Caller, PURCHASE_BITS},
    outgoing::{ok, ok_with},
};
use crate::{policy::Now, proto::id::UserId};

/// The most accounts one request may ask about.
const MAX_ASKED: usize = 500;

/// The UserIDs in an array of strings; others are skipped.
pub(super) fn user_ids(value: Option<&Value>) -> Vec<UserId> {
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
fn user_ids_in(value: Option<&Value>, field: &str) -> Vec<UserId> {
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

/// The texts in a field of each object of an array.
fn texts_in<'a>(value: Option<&'a Value>, field: &str) -> Vec<&'a str> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .take(MAX_ASKED)
        .filter_map(|item| item.get(field).and_then(Value::as_str))
        .collect()
}

impl State {
    /// `profile.portrait_get_all`.
    pub(super) fn profiles(&self, caller: &Caller, body: &Value) -> Value {
        let mut asked = user_ids_in(body.get("UserItem"), "To_Account");
        if asked.is_empty() {
            asked.push(caller.user.clone());
        }
        let items: Vec<Value> = asked
            .iter()
            .map(|user| {
                let items = self.accounts.get(user).map_or_else(
                    || json!([{"Tag": "Tag_Profile_IM_Nick", "Value": ""}]),
                    |account| account.profile_items(user),
                );
                json!({
                    "To_Account": user, "ProfileItem": items, "ResultCode": 0, "ResultInfo": "",
                })
            })
            .collect();
        ok_with(json!({"UserProfileItem": items, "CurrentStandardSequence": 0}))
    }

    /// `profile.portrait_set`.
    pub(super) fn set_profiles(&mut self, caller: &Caller, body: &Value) -> Value {
        let items = body.get("ProfileItem").and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            if let (Some(tag), Some(value)) =
                (item.get("Tag").and_then(Value::as_str), item.get("Value"))
            {
                self.set_profile(&caller.user, tag, value);
            }
        }
        ok()
    }

    /// `recentcontact.page_get`: always the full list, in one page.
    pub(super) fn conversations_of(&self, caller: &Caller) -> Value {
        let Some(account) = self.accounts.get(&caller.user) else {
            return ok_with(json!({"CompleteFlag": 1}));
        };
        let mut items: Vec<(u64, Value)> = account
            .peers
            .iter()
            .filter_map(|(peer, state)| {
                let id = state.last.filter(|id| !state.deleted.contains(id))?;
                let message = self.messages.get(&id)?;
                let nick = self.accounts.get(peer);
                let read = nick
                    .and_then(|account| account.peers.get(&caller.user))
                    .map_or(0, |state| state.read_time);
                let item = json!({
                    "Type": 1,
                    "To_Account": peer,
                    "MsgTimeStamp": message.time,
                    "MsgSeq": message.draft.seq,
                    "MsgRandom": message.draft.random,
                    "UnreadMsgCount": state.unread,
                    "LastC2CMsgFrom_Account": message.draft.from,
                    "LastMsgFlags": if message.revoker.is_some() { 8 } else { 0 },
                    "LastMsg": {
                        "MsgBody": serde_json::from_str::<Value>(message.draft.body.get())
                            .unwrap_or_else(|_| json!([])),
                        "CloudCustomData": message.draft.cloud,
                    },
                    "C2cNick": nick.map_or(peer.as_str(), |account| account.nick(peer)),
                    "C2cImage": nick.map_or("", |account| account.face_url()),
                    "C2cPeerReadTime": read,
                    "TopFlags": u8::from(state.pinned),
                    "MsgRecvOption": state.mute,
                    "CustomMark": "",
                    "StandardMark": "0",
                });
                Some((id, item))
            })
            .collect();
        items.extend(self.group_sessions(&caller.user));
        items.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        let newest = items.first().map(|(_, item)| item["MsgTimeStamp"].clone());
        let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
        ok_with(json!({
            "CompleteFlag": 1, "TimeStamp": newest, "StartIndex": 0, "TopTimeStamp": 0,
            "TopStartIndex": 0, "SessionItem": items, "GroupItem": [],
        }))
    }

    /// `recentcontact.top`.
    pub(super) fn pin(&mut self, caller: &Caller, body: &Value) -> Value {
        let pinned = body.get("OperationType").and_then(Value::as_u64) == Some(1);
        let peers = user_ids_in(body.get("RecentContactItem"), "To_Account");
        if let Some(account) = self.accounts.get_mut(&caller.user) {
            for peer in peers {
                if let Some(state) = account.peers.get_mut(&peer) {
                    state.pinned = pinned;
                }
            }
        }
        for id in texts_in(body.get("RecentContactItem"), "GroupId") {
            self.pin_group(&caller.user, id, pinned);
        }
        ok()
    }

    /// `recentcontact.batch_delete`.
    pub(super) fn delete_conversations(&mut self, caller: &Caller, body: &Value) -> Value {
        let peers = user_ids_in(body.get("ContactItem"), "To_Account");
        let ramble = body.get("ClearRamble").and_then(Value::as_u64) == Some(1);
        for peer in &peers {
            if ramble {
                self.clear(caller, peer);
            } else if let Some(state) = self.peer_mut(caller, peer) {
                state.last = None;
                state.unread = 0;
            }
        }
        let mut items: Vec<Value> = peers
            .iter()
            .map(|peer| json!({"Type": 1, "To_Account": peer, "ResultCode": 0, "ResultInfo": ""}))
            .collect();
        for id in texts_in(body.get("ContactItem"), "ToGroupid") {
            if ramble {
                self.clear_group(&caller.user, id);
            }
            self.hide_group(&caller.user, id);
            let item = json!({"Type": 2, "ToGroupId": id, "ResultCode": 0, "ResultInfo": ""});
            items.push(item);
        }
        ok_with(json!({"ResultItem": items}))
    }

    /// `recentcontact.clear_msg`, of an account or of a group.
    pub(super) fn clear_conversation(&mut self, caller: &Caller, body: &Value) -> Value {
        let peer = body.get("To_Account").and_then(Value::as_str);
        if let Some(Ok(peer)) = peer.map(UserId::parse) {
            self.clear(caller, &peer);
        }
        if let Some(id) = body.get("ToGroupid").and_then(Value::as_str) {
            self.clear_group(&caller.user, id);
        }
        ok()
    }

    /// `openim.read_all_unread_msg`: conversations with accounts, and the groups that are named.
    pub(super) fn read_all(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
        let unread = self.accounts.get(&caller.user).map(|account| {
            let peers = account.peers.iter().filter(|(_, peer)| peer.unread > 0);
            peers.map(|(user, _)| user.clone()).collect::<Vec<_>>()
        });
        let only_groups = body.get("C2CReadAllMsg").and_then(Value::as_u64) == Some(0);
        let unread = unread.filter(|_| !only_groups).unwrap_or_default();
        for peer in unread {
            self.read(now, &caller.user, &peer, now.unix_secs(), caller.instance);
        }
        let groups = self.read_groups(&caller.user, body);
        ok_with(json!({"C2CReadAllMsg": 1, "GroupReadInfoArray": groups}))
    }

    /// Removes all history with `peer` for the caller.
    pub(super) fn clear(&mut self, caller: &Caller, peer: &UserId) {
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
    pub(super) fn delete_messages(&mut self, caller: &Caller, body: &Value) -> Value {
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
        if let Some(account) = self.accounts.get_mut(&caller.user)
            && let Some(state) = account.peers.get_mut(peer)
        {
            state.deleted.retain(|id| self.messages.contains_key(id));
        }
    }

    fn peer_mut(&mut self, caller: &Caller, peer: &UserId) -> Option<&mut super::accounts::Peer> {
        self.accounts.get_mut(&caller.user)?.peers.get_mut(peer)
    }

    /// `openim.set_c2c_peer_mute_notifications`.
    pub(super) fn set_mute(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
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
            for conn in self.push_links(now, &caller.user, caller.instance) {
                self.push_event(now, conn, &event);
            }
        }
        ok_with(json!({"ErrorList": []}))
    }

    /// `openim.get_c2c_peer_mute_notifications`.
    pub(super) fn mutes(&self, caller: &Caller, body: &Value) -> Value {
        let account = self.accounts.get(&caller.user);
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

    /// `im_open_status.ws_get_user_status`.
    pub(super) fn user_statuses(&self, now: Now, body: &Value) -> Value {
        let items: Vec<Value> = user_ids(body.get("To_Account"))
            .iter()
            .map(|user| {
                let status = if self.is_online(now, user) {
                    1
                } else if self
                    .accounts
                    .get(user)
                    .is_some_and(|account| !account.past.is_empty())
                {
                    2
                } else {
                    3
                };
                json!({"To_Account": user, "Status": status, "CustomStatus": ""})
            })
            .collect();
        ok_with(json!({"UserStatusList": items, "ErrorList": []}))
    }

    /// `recentcontact.search_contact_group`: nobody is in a conversation group.
    pub(super) fn contact_groups_of(body: &Value) -> Value {
        let items: Vec<Value> = body
            .get("ContactItem")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .take(MAX_ASKED)
            .map(|item| json!({"ContactItem": item, "ContactGroupId": []}))
            .collect();
        ok_with(json!({"ContactResultItem": items, "GroupItem": []}))
    }

    /// Answers that are the same for everyone, by command; `None` for a command with none.
    pub(super) fn fixed_answer(&self, servcmd: &str) -> Option<Value> {
        Some(match servcmd {
            "sns.black_list_get" => ok_with(json!({
                "BlackListItem": [], "StartIndex": 0, "CurruentSequence": 0,
            })),
            "sns.friend_get" => ok_with(json!({
                "UserDataItem": [], "StandardSequence": 0, "CustomSequence": 0, "FriendNum": 0,
                "CompleteFlag": 1, "NextStartIndex": 0,
            })),
            "sns.group_get" => ok_with(json!({"ResultItem": [], "CurrentSequence": 0})),
            "sns.pendency_get" => ok_with(json!({
                "UnreadPendencyCount": 0, "CurrentPendencySequence": 0, "PendencyItem": [],
                "StartTime": 0,
            })),
            "recentcontact.get_contact_group" => ok_with(json!({
                "CompleteFlag": 1, "NextStartIndex": 0, "GroupItem": [], "ContactItem": [],
            })),
            "im_sdk_config_mgr.fetch_config" => ok_with(json!({
                "int32_error_code": 0, "str_error_message": "", "str_json_config": "{}",
                "uint32_expired_time": 7200, "uint32_sdkappid": self.config.app.get(),
                "uint64_version": 1,
            })),
            "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2" => ok_with(json!({
                "int32_error_code": 0, "str_error_message": "",
                "str_purchase_bits": PURCHASE_BITS, "uint32_expired_time": 7200,
            })),
            "imopenstat.tim_web_report_v2"
            | "im_open_status.wshello"
            | "im_open_status.ws_set_custom_status" => ok(),
            "im_open_status.ws_status_subscribe" | "im_open_status.ws_status_unsubscribe" => {
                ok_with(json!({"ErrorList": []}))
            }
            _ => return None,
        })
    }
}

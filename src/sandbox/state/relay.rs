//! What belongs to C2C messages beside sending them: long merged messages, reading everything at
//! once, translation, and messages taken over from elsewhere.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Caller, Draft, State,
    messages::{Message, Sent, is_message_body},
    snapshot::shape,
};
use crate::world::ok_with;
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
};

/// Lists of merged messages that were too long to travel in a message, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MergedLists {
    #[serde(deserialize_with = "shape::merged")]
    lists: VecDeque<(String, Value, usize)>,
    #[serde(skip)]
    bytes: usize,
}

/// The most lists kept, and the most bytes of them. The oldest go first.
const MAX_LISTS: usize = 1000;
const MAX_BYTES: usize = 32 * 1024 * 1024;

impl MergedLists {
    /// Counts their bytes, after they were read from a snapshot.
    pub(crate) fn settle(&mut self) {
        self.bytes = self.lists.iter().map(|(.., size)| *size).sum();
    }
}

/// How far groups were read, in the form of the push.
fn group_reads(body: &Value) -> Vec<Value> {
    let items = body.get("GroupReadInfo").and_then(Value::as_array);
    let items = items.into_iter().flatten().take(MAX_LISTS);
    items
        .map(|item| json!({"GroupId": item.get("GroupId"), "LastReadMsgSeq": item.get("MsgSeq")}))
        .collect()
}

impl State {
    /// `im_long_msg.save_relay_json_msg`: keeps the list as it is, for whoever has its key.
    pub(crate) fn save_merged(&mut self, body: &Value) -> Result<Value, Code> {
        let list = body
            .get("MsgList")
            .filter(|list| list.is_array())
            .ok_or(Code::C2C_BAD_PACKET)?;
        let size = list.to_string().len();
        let key = self.world.numbers.ticket();
        let merged = &mut self.merged;
        merged.lists.push_back((key.clone(), list.clone(), size));
        merged.bytes += size;
        while merged.lists.len() > MAX_LISTS || merged.bytes > MAX_BYTES {
            let Some((_, _, size)) = merged.lists.pop_front() else {
                break;
            };
            merged.bytes = merged.bytes.saturating_sub(size);
            self.world.counters.dropped_merged += 1;
        }
        Ok(ok_with(json!({"JsonMsgKey": key, "PbMsgKey": key})))
    }

    /// `im_long_msg.get_relay_json_msg`.
    pub(crate) fn merged_list(&self, body: &Value) -> Result<Value, Code> {
        let key = body.get("JsonMsgKey").and_then(Value::as_str);
        let mut lists = self.merged.lists.iter();
        let (_, list, _) = lists
            .find(|(own, ..)| Some(&**own) == key)
            .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        Ok(ok_with(json!({"MsgList": list})))
    }

    /// `openim.read_all_unread_msg`: conversations with accounts, and the groups that are named.
    pub(crate) fn read_all(&mut self, now: Now, caller: &Caller, body: &Value) -> Value {
        let wanted = body.get("C2CReadAllMsg").and_then(Value::as_u64) != Some(0);
        if wanted {
            let unread = self.world.accounts.get(&caller.user).map(|account| {
                let peers = account.peers.iter().filter(|(_, peer)| peer.unread > 0);
                peers.map(|(user, _)| user.clone()).collect::<Vec<_>>()
            });
            for peer in unread.unwrap_or_default() {
                self.read(now, &caller.user, &peer, now.unix_secs(), caller.instance);
            }
        }
        let wanted = u8::from(wanted);
        let groups = self.read_groups(&caller.user, body);
        let event =
            json!({"Event": 14, "C2CReadAllMsg": wanted, "GroupReadInfoArray": group_reads(body)});
        self.world.tell(now, &caller.user, caller.instance, &event);
        ok_with(json!({"C2CReadAllMsg": wanted, "GroupReadInfoArray": groups}))
    }

    /// `im_open_translate.ws_batch_trans_text`: there is no translator here, so every text is its
    /// own translation.
    pub(crate) fn translation(body: &Value) -> Value {
        let texts = body.get("SourceText").cloned().unwrap_or_else(|| json!([]));
        ok_with(json!({
            "RequestId": "sandbox", "CmdErrorCode": {"ErrorCode": 0, "ErrorInfo": ""},
            "TargetText": texts,
        }))
    }

    /// Puts a message of the past into the history of both sides, in its place by time. Nobody is
    /// told. `unread` counts it as unread.
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
            extras: None,
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

    /// How many messages of each peer `user` has not read.
    pub(crate) fn unread_counts(&self, user: &UserId) -> Vec<(UserId, u32)> {
        let account = self.world.accounts.get(user);
        account
            .into_iter()
            .flat_map(|account| &account.peers)
            .map(|(peer, state)| (peer.clone(), state.unread))
            .collect()
    }
}

//! Lists of merged messages that were too long to travel in a message.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    proto::code::Code,
    state::{State, snapshot::shape},
    world::ok_with,
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
pub(crate) const MAX_LISTS: usize = 1000;

const MAX_BYTES: usize = 32 * 1024 * 1024;

pub(crate) fn register(commands: &mut Commands) {
    commands.socket("im_long_msg.save_relay_json_msg", |s, r| s.save_merged(r));
    commands.socket("im_long_msg.get_relay_json_msg", |s, r| s.merged_list(r));
}

impl MergedLists {
    /// Counts their bytes, after they were read from a snapshot.
    pub(crate) fn settle(&mut self) {
        self.bytes = self.lists.iter().map(|(.., size)| *size).sum();
    }
}

impl State {
    /// `im_long_msg.save_relay_json_msg`: keeps the list as it is, for whoever has its key.
    pub(crate) fn save_merged(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
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
    pub(crate) fn merged_list(&self, request: &Request<'_>) -> Result<Value, Code> {
        let body = request.body;
        let key = body.get("JsonMsgKey").and_then(Value::as_str);
        let mut lists = self.merged.lists.iter();
        let (_, list, _) = lists
            .find(|(own, ..)| Some(&**own) == key)
            .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        Ok(ok_with(json!({"MsgList": list})))
    }
}

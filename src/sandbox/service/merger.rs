//! Lists of merged messages that are too long for a message.
//!
//! See "C2C messages" in docs/src/protocol.md.

pub(crate) use crate::table::merger::{MAX_BYTES, MAX_LISTS};
use crate::{
    answer::ok_with, commands::Commands, proto::code::Code, request::Request, state::State,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands.socket("im_long_msg.save_relay_json_msg", |s, r| s.save_merged(r));
    commands.socket("im_long_msg.get_relay_json_msg", |s, r| s.merged_list(r));
}

impl State {
    /// `im_long_msg.save_relay_json_msg`: stores the list unchanged and returns its key.
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

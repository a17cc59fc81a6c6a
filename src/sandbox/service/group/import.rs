//! REST imports into a group: old messages and unread counts; and deletion by sender.
//!
//! See "REST" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{list, number, opt_number, text, user},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller,
        message::{Entry, What},
    },
    state::State,
};

/// The most messages in one call.
pub(crate) const MAX_MESSAGES: usize = 7;

pub(crate) fn register(commands: &mut Commands) {
    commands.group_rest("import_group_msg", |s, r| {
        s.import_messages(r.now, r.caller, r.body)
    });
    commands.group_rest("set_unread_msg_num", |s, r| s.set_unread(r.body));
    commands.group_rest("delete_group_msg_by_sender", |s, r| s.delete_by_sender(r));
}

impl State {
    /// `import_group_msg`: adds messages to the history without a push.
    pub(crate) fn import_messages(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.group(id)?;
        let limit = self.world.config.group_history_limit.max(1);
        let mut results = Vec::new();
        for item in list(body, "MsgList").iter().take(MAX_MESSAGES) {
            let time = opt_number(item, "SendTime").unwrap_or_else(|| now.unix_secs());
            let said = user(item, "From_Account").and_then(|from| {
                let said = self.read_message(id, &from, actor, item, now)?;
                Ok((from, said))
            });
            let (from, said) = match said {
                Ok(found) => found,
                Err(code) => {
                    results.push(json!({"Result": code.0}));
                    continue;
                }
            };
            let random =
                opt_number(item, "Random").unwrap_or_else(|| self.world.numbers.next() >> 32);
            let tiny_id = self
                .world
                .accounts
                .get(&from)
                .map_or(0, |account| account.tiny_id);
            let order = self.world.next_message;
            self.world.next_message += 1;
            let group = self.group_mut(id)?;
            let entry = Entry {
                seq: group.next_seq,
                random,
                client_seq: 0,
                time,
                client_time: time,
                tiny_id: tiny_id.to_string(),
                from: from.to_string(),
                what: What::Said(Box::new(said)),
                revoker: None,
            };
            group.next_seq += 1;
            group.last_order = order;
            group.last_time = group.last_time.max(time);
            results.push(json!({"MsgSeq": entry.seq, "MsgTime": time, "Result": 0}));
            self.store_entry(id, entry, limit);
        }
        Ok(ok_with(json!({"ImportMsgResult": results})))
    }

    /// `set_unread_msg_num`: marks this many of the newest messages as unread for a member.
    pub(crate) fn set_unread(&mut self, body: &Value) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        let whom = user(body, "Member_Account")?;
        let unread = number(body, "UnreadMsgNum")?;
        let group = self.group_mut(id)?;
        let last = group.last_seq();
        let member = group.members.get_mut(&whom).ok_or(Code::GROUP_PARAMETER)?;
        member.read_seq = last.saturating_sub(unread);
        Ok(ok())
    }

    /// `delete_group_msg_by_sender`: recalls the messages of one account, without a time limit.
    pub(crate) fn delete_by_sender(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        let sender: UserId = user(body, "Sender_Account")?;
        let entries = self.group(id)?.entries.iter();
        let seqs: Vec<u64> = entries
            .filter(|entry| entry.from == sender.as_str() && entry.revoker.is_none())
            .map(|entry| entry.seq)
            .collect();
        for seq in seqs {
            self.recall_group_message(now, id, actor, seq)?;
        }
        Ok(ok())
    }
}

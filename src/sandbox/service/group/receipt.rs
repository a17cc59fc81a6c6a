//! Read receipts of group messages.
//!
//! See "Groups" in docs/src/protocol.md.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{number, opt_number, place, seqs},
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{Role, SYSTEM, message::extend},
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    commands.group("group_msg_receipt", |s, r| s.send_receipts(r));
    commands.group("get_group_msg_receipt", |s, r| s.receipts(r));
    commands.group("get_group_msg_receipt_detail", |s, r| s.receipt_detail(r));
}

impl State {
    /// `group_msg_receipt`: records that the caller has read these messages and notifies their
    /// senders.
    pub(crate) fn send_receipts(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let mut read: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let group = self.group_mut(id)?;
        for seq in seqs(body, "MsgSeqList") {
            let Some(entry) = group.entry_mut(seq) else {
                continue;
            };
            let (identity, from) = (entry.identity(), entry.from.clone());
            let Some(said) = entry.said_mut() else {
                continue;
            };
            if said.audience.contains(&actor.user) && said.readers.insert(actor.user.clone()) {
                let (all, done) = (said.audience.len(), said.readers.len());
                let mut receipt = identity;
                let counts = json!({"ReadNum": done, "UnreadNum": all.saturating_sub(done)});
                extend(&mut receipt, counts);
                read.entry(from).or_default().push(receipt);
            }
        }
        let (info, outer) = (group.wire_info(), group.outer_id().to_owned());
        for (sender, receipts) in read {
            let Ok(sender) = UserId::parse(&sender) else {
                continue;
            };
            let event = json!({"Event": 5, "GroupTips": [{
                "From_Account": SYSTEM, "ToGroupId": outer, "GroupInfo": info,
                "MsgBody": {"GroupMsgReceiptList": receipts},
            }]});
            let conns = self.world.push_links(now, &sender, 0);
            self.world.push_to_all(now, conns, &event);
        }
        Ok(ok())
    }

    /// `get_group_msg_receipt`: how many members have read each message.
    pub(crate) fn receipts(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let items: Vec<Value> = seqs(body, "MsgSeqList")
            .into_iter()
            .map(|seq| {
                let said = group.entry(seq).and_then(|entry| entry.said());
                let Some(said) = said else {
                    return json!({"MsgSeq": seq, "Code": Code::GROUP_UNKNOWN_MESSAGE.0});
                };
                let (all, done) = (said.audience.len(), said.readers.len());
                json!({
                    "MsgSeq": seq, "Code": 0, "ReadNum": done,
                    "UnreadNum": all.saturating_sub(done),
                })
            })
            .collect();
        Ok(ok_with(json!({"GroupMsgReceiptList": items})))
    }

    /// `get_group_msg_receipt_detail`: who has, or has not, read one message.
    pub(crate) fn receipt_detail(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let seq = number(body, "MsgSeq")?;
        let entry = self.group(id)?.entry(seq);
        let said = entry.and_then(|entry| entry.said());
        let said = said.ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        let wants_readers = opt_number(body, "Flag").unwrap_or(0) == 0;
        let fits = |user: &&UserId| said.readers.contains(*user) == wants_readers;
        let start = opt_number(body, "Cursor").unwrap_or(0);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let count = opt_number(body, "Num").unwrap_or(100).clamp(1, 100);
        let count = usize::try_from(count).unwrap_or(100);
        let fitting: Vec<&UserId> = said.audience.iter().filter(fits).collect();
        let page: Vec<_> = fitting.iter().skip(start).take(count).collect();
        let end = start.saturating_add(page.len());
        let done = end >= fitting.len();
        let field = if wants_readers {
            "Read_Account"
        } else {
            "Unread_Account"
        };
        let items: Vec<Value> = page.iter().map(|user| json!({field: user})).collect();
        let (read, unread) = if wants_readers {
            (items, Vec::new())
        } else {
            (Vec::new(), items)
        };
        Ok(ok_with(json!({
            "Cursor": if done { String::new() } else { end.to_string() },
            "IsFinish": u8::from(done), "ReadList": read, "UnreadList": unread,
        })))
    }
}

//! Pinned messages of a group.
//!
//! See "Groups" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{number, place},
    policy::Now,
    proto::code::Code,
    request::Request,
    service::group::{Caller, Kind, Role, message::extend, tip::Tip},
    state::State,
};

/// The most pinned messages of a group.
const MAX_PINS: usize = 10;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("pin_message", |s, r| {
        s.pin_message(r.now, r.caller, r.body, true)
    });
    commands.group("unpin_message", |s, r| {
        s.pin_message(r.now, r.caller, r.body, false)
    });
    commands.group("get_pinned_messages", |s, r| s.pinned_messages(r));
}

impl State {
    /// `pin_message` and `unpin_message`: by owner and admins, in a Work group by everyone.
    pub(crate) fn pin_message(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
        pinned: bool,
    ) -> Result<Value, Code> {
        let id = place(body)?;
        let least = if self.group(id)?.kind == Kind::Work {
            Role::Member
        } else {
            Role::Admin
        };
        self.require(id, actor, least)?;
        let seq = number(body, "MsgSeq")?;
        let group = self.group_mut(id)?;
        let entry = group.entry(seq).filter(|entry| entry.revoker.is_none());
        let entry = entry.ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        if entry.said().is_none() {
            return Err(Code::GROUP_UNKNOWN_MESSAGE);
        }
        let what = if pinned {
            json!({"OpType": Tip::Pinned as u8, "PinnedMsg": entry.wire(group)})
        } else {
            json!({"OpType": Tip::Unpinned as u8, "SdkGroupMessageId": {
                "ClientTime": entry.client_time, "Random": entry.random,
                "SenderTinyId": entry.tiny_id, "ServerTime": entry.time, "Sequence": seq,
            }})
        };
        let before = group.pins.len();
        group.pins.retain(|(other, _)| *other != seq);
        if pinned {
            if group.pins.len() >= MAX_PINS {
                return Err(Code::GROUP_PARAMETER);
            }
            group.pins.push_back((seq, actor.user.clone()));
        } else if before == group.pins.len() {
            return Ok(ok());
        }
        let mut tip_body = json!({
            "Operator_Account": actor.user, "List_Account": [],
            "MsgOperatorMemberExtraInfo": {"UserId": actor.user},
        });
        extend(&mut tip_body, what);
        self.unstored_tip(now, id, &tip_body);
        Ok(ok())
    }

    /// `get_pinned_messages`, newest pin first.
    pub(crate) fn pinned_messages(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let items: Vec<Value> = group
            .pins
            .iter()
            .rev()
            .filter_map(|(seq, pinner)| {
                let entry = group.entry(*seq)?;
                let mut item = entry.is_for(&actor.user).then(|| entry.wire(group))?;
                extend(&mut item, json!({"Pinner_Account": pinner}));
                Some(item)
            })
            .collect();
        Ok(ok_with(json!({"PinnedMsgList": items})))
    }
}

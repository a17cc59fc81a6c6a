//! Group attributes: values that the app stores with a group.
//!
//! See "Groups" in docs/src/protocol.md; the guards are in section "Sandbox choices".

pub(crate) use crate::table::group::attribute::{Change, listed};
use crate::{
    commands::Commands,
    fields::text,
    policy::Now,
    proto::code::Code,
    request::Request,
    service::group::{Caller, Role},
    state::State,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands.group("set_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Set)
    });
    commands.group("modify_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Modify)
    });
    commands.group("delete_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Delete)
    });
    commands.group("clear_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Clear)
    });
    commands.group("get_group_attr", |s, r| s.attributes_of(r));
}

impl State {
    /// `set_group_attr`, `modify_group_attr`, `delete_group_attr`, `clear_group_attr`.
    pub(crate) fn change_attributes(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
        change: Change,
    ) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let attributes = &mut self.group_mut(id)?.attributes;
        let touched = attributes.apply(change, body)?;
        let items: Vec<Value> = touched
            .iter()
            .map(|key| {
                let seq = attributes.all.get(key).map_or(0, |(_, seq)| *seq);
                json!({"key": key, "seq": seq})
            })
            .collect();
        let seq = attributes.seq;
        // The tip omits the values, so clients request them.
        let news = json!({"GroupAttrSeq": seq, "PushChangedAttrValFlag": 0, "OpType": 5});
        let tip = json!({
            "OpType": 6, "Operator_Account": actor.user, "List_Account": [],
            "MsgGroupNewInfo": {"GroupAttrOption": news},
        });
        self.unstored_tip(now, id, &tip);
        Ok(listed(seq, &items))
    }

    /// `get_group_attr`.
    pub(crate) fn attributes_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let attributes = &self.group(id)?.attributes;
        let items: Vec<Value> = attributes
            .all
            .iter()
            .map(|(key, (value, seq))| json!({"key": key, "value": value, "seq": seq}))
            .collect();
        Ok(listed(attributes.seq, &items))
    }
}

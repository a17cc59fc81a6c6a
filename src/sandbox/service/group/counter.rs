//! Group counters: numbers that the app stores with a group.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use crate::{
    commands::Commands,
    policy::Now,
    proto::{
        code::Code,
        id::UserId,
        op::group_counter::{
            Counter, Counters as Answer, DeleteCounters, GetCounters, UpdateCounters,
        },
    },
    request::Request,
    service::group::Role,
    state::State,
};
use serde_json::json;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("update_group_counter", |s, r| s.update_counters(r));
    commands.group("delete_group_counter", |s, r| s.delete_counters(r));
    commands.group("get_group_counter", |s, r| s.counters_of(r));
}

impl State {
    /// `update_group_counter`.
    fn update_counters(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: UpdateCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &mut self.group_mut(&asked.group)?.counters;
        let list = counters.update(asked.counters, asked.mode)?;
        let seq = counters.seq;
        self.tell_counters(request.now, &request.caller.user, &asked.group, 0, &list);
        Ok(Answer { list, seq })
    }

    /// `delete_group_counter`: the named counters, or all.
    fn delete_counters(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: DeleteCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &mut self.group_mut(&asked.group)?.counters;
        let gone = counters.delete(&asked.keys);
        let seq = counters.seq;
        self.tell_counters(request.now, &request.caller.user, &asked.group, 1, &gone);
        Ok(Answer {
            list: Vec::new(),
            seq,
        })
    }

    /// `get_group_counter`: the named counters, or all.
    fn counters_of(&self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: GetCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &self.group(&asked.group)?.counters;
        Ok(Answer {
            list: counters.list(&asked.keys),
            seq: counters.seq,
        })
    }

    /// Notifies the group of counters that were changed (`kind` 0) or deleted (1).
    fn tell_counters(&mut self, now: Now, by: &UserId, id: &str, kind: u8, list: &[Counter]) {
        let seq = self.group(id).map_or(0, |group| group.counters.seq);
        let tip = json!({
            "OpType": 6, "Operator_Account": by, "List_Account": [], "GroupCounterInfo": [
                {"Type": kind, "GroupCounterSeq": seq, "GroupCounter": list},
            ],
        });
        self.unstored_tip(now, id, &tip);
    }
}

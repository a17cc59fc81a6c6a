//! Guests of live rooms: readers without a login. A guest receives the items of a room, is not a
//! member, is not counted, and cannot send.
//!
//! A guest has no name, so the server identifies a guest by the key it issued. The key outlives the
//! connection; beyond the limit the oldest keys are dropped.
//!
//! See "Groups" in docs/src/protocol.md.

pub(crate) use crate::table::group::live_room_guest::{ENTER, POLL, Visit, parse};
use crate::{
    answer::{failure, ok_with},
    commands::Commands,
    fields::{opt_number, opt_text, text},
    policy::Now,
    proto::code::Code,
    service::group::{Kind, live_room::Listener},
    state::{ConnId, State},
    wire::Head,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .open(ENTER, |state, now, conn, head, body| {
            let answer = parse(body).and_then(|body| state.look_in(&body));
            state
                .world
                .answer(now, conn, head, answer.unwrap_or_else(failure));
        })
        .reads();
    commands
        .open(POLL, |state, now, conn, head, body| {
            match parse(body).and_then(|body| state.poll_as_guest(now, conn, head, &body)) {
                Ok(None) => {}
                Ok(Some(answer)) => state.world.answer(now, conn, head, answer),
                Err(code) => state.world.answer(now, conn, head, failure(code)),
            }
        })
        .reads();
}

impl State {
    /// Admits a guest to a live room. Groups of other types refuse guests.
    fn look_in(&mut self, body: &Value) -> Result<Value, Code> {
        let room = text(body, "GroupId")?;
        let group = self.group(room)?;
        if group.kind != Kind::Live {
            return Err(Code::GROUP_PERMISSION);
        }
        let start = group.next_seq;
        let key = format!(
            "{:016x}{:016x}",
            self.world.numbers.next(),
            self.world.numbers.next()
        );
        let visit = Visit {
            room: room.to_owned(),
            start,
        };
        let limit = self.world.config.held_poll_limit;
        self.groups.guests.admit(key.clone(), visit, limit);
        Ok(ok_with(json!({
            "JoinedStatus": "JoinedSuccess", "HugeGroupFlag": 1, "LongPollingKey": key,
            "StartSeq": start,
        })))
    }

    fn poll_as_guest(
        &mut self,
        now: Now,
        conn: ConnId,
        head: &Head<'_>,
        body: &Value,
    ) -> Result<Option<Value>, Code> {
        let key = opt_text(body, "Key").filter(|key| !key.is_empty());
        let key = key.ok_or(Code::GROUP_PARAMETER)?;
        let visit = self.groups.guests.visits.get(key).cloned();
        let visit = visit.ok_or(Code::GROUP_UNKNOWN)?;
        self.group(&visit.room)?;
        // The SDK ignores the start number of the answer: its first poll says 0.
        let start = opt_number(body, "StartSeq").unwrap_or(0).max(visit.start);
        let guest = Listener {
            room: visit.room,
            key: key.to_owned(),
            who: None,
        };
        Ok(self.listen(now, conn, head, guest, start))
    }
}

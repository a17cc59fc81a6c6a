//! Faults of single commands: requests that are refused, answered with a given body, or ignored;
//! and pushes with arbitrary content.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use serde_json::{Map, Value, json};

use super::{ConnId, World};
use crate::answer::failure;
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    wire::Head,
};

/// What happens to requests of a command instead of executing them.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) with: Script,
    /// How many requests are left; `None` for all.
    pub(crate) left: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum Script {
    Refuse(Code),
    Answer(Value),
    Ignore,
}

impl World {
    /// Returns true if a fault has handled the request of `user`. Decrements the fault's counter.
    pub(crate) fn plays_script(
        &mut self,
        now: Now,
        conn: ConnId,
        user: &UserId,
        head: &Head<'_>,
    ) -> bool {
        let Some(commands) = self.faults.get_mut(user).map(|faults| &mut faults.commands) else {
            return false;
        };
        let Some(scripted) = commands.get_mut(&*head.servcmd) else {
            return false;
        };
        let script = scripted.with.clone();
        if let Some(left) = &mut scripted.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                commands.remove(&*head.servcmd);
            }
        }
        match script {
            Script::Refuse(code) => self.answer(now, conn, head, failure(code)),
            Script::Answer(body) => self.answer(now, conn, head, body),
            Script::Ignore => self.counters.withheld += 1,
        }
        true
    }

    /// Pushes `event` to every logged-in link of `user`, in an envelope with these fields.
    pub(crate) fn push_raw(
        &mut self,
        now: Now,
        user: &UserId,
        servcmd: &str,
        event: &Value,
        envelope: &Map<String, Value>,
    ) {
        for conn in self.online_links(user) {
            self.sessions += 1;
            let mut body = json!({
                "NeedAck": 1,
                "SessionData": format!("push-{}", self.sessions),
                "EventArray": [event],
            });
            if let Value::Object(body) = &mut body {
                body.extend(envelope.clone());
            }
            self.push(now, conn, servcmd, body);
        }
    }
}

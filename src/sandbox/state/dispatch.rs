//! From the request of a client to what answers it.

use serde_json::value::RawValue;

use super::{
    ConnId, State,
    commands::{Request, Run, commands},
    outgoing::{failure, ok, ok_with},
};
use crate::{config::Unknown, policy::Now, proto::code::Code, wire::Head};

impl State {
    /// Carries out a request whose head is in order.
    pub(super) fn dispatch(&mut self, now: Now, conn: ConnId, head: &Head, body: &RawValue) {
        let command = commands().of_client(&head.servcmd);
        if !command.is_some_and(|command| command.changes_nothing()) {
            // An unknown command is not known to change nothing.
            self.note_change();
        }
        if let Some(Run::Open(run)) = command.map(|command| &command.run) {
            return run(self, now, conn, head, body);
        }
        let caller = match self.authenticate(now, head) {
            Ok(caller) => caller,
            Err(refused) => {
                return match command.filter(|command| command.needs_no_login()) {
                    Some(command) => {
                        let answer = self.without_login(now, command, head);
                        self.answer(now, conn, head, answer);
                    }
                    None => self.refuse(now, conn, head, refused),
                };
            }
        };
        if self.plays_script(now, conn, &caller.user, head) {
            return;
        }
        let Some(command) = command else {
            self.note_unknown(&head.servcmd);
            let answer = match self.config.unknown {
                Unknown::Warn => ok(),
                Unknown::Refuse => failure(Code::BAD_REQUEST),
            };
            return self.answer(now, conn, head, answer);
        };
        let body_value = match command.read(body.get(), Code::C2C_BAD_PACKET) {
            Ok(value) => value,
            Err(code) => return self.answer(now, conn, head, failure(code)),
        };
        let (service, _) = head.servcmd.split_once('.').unwrap_or_default();
        let request = Request {
            now,
            caller: &caller,
            conn: Some(conn),
            service,
            body: &body_value,
            text: body.get(),
        };
        match command.run {
            Run::Linked(run) => run(self, &request, conn, head),
            Run::Answer(_) | Run::Open(_) => {
                let outcome = self.run(command, &request);
                let answer = outcome.map_or_else(|refusal| failure(refusal.code), ok_with);
                self.answer(now, conn, head, answer);
            }
        }
    }
}

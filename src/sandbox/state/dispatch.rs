//! From the request of a client to what answers it.

use serde_json::{Value, value::RawValue};

use super::State;
use crate::{
    commands::{Command, Request, Run, commands},
    config::Unknown,
    policy::Now,
    proto::{code::Code, id::UserId},
    wire::Head,
    world::{Caller, ConnId, failure, ok, ok_with},
};

impl State {
    /// Carries out a request whose head is in order.
    pub(crate) fn dispatch(&mut self, now: Now, conn: ConnId, head: &Head, body: &RawValue) {
        let command = commands().of_client(&head.servcmd);
        if !command.is_some_and(|command| command.changes_nothing()) {
            // An unknown command is not known to change nothing.
            self.world.note_change();
        }
        if let Some(Run::Open(run)) = command.map(|command| &command.run) {
            return run(self, now, conn, head, body);
        }
        let caller = match self.world.authenticate(now, head) {
            Ok(caller) => caller,
            Err(refused) => {
                return match command.filter(|command| command.needs_no_login()) {
                    Some(command) => {
                        let answer = self.without_login(now, command, head);
                        self.world.answer(now, conn, head, answer);
                    }
                    None => self.world.refuse(now, conn, head, refused),
                };
            }
        };
        if self.world.plays_script(now, conn, &caller.user, head) {
            return;
        }
        let Some(command) = command else {
            self.world.note_unknown(&head.servcmd);
            let answer = match self.world.config.unknown {
                Unknown::Warn => ok(),
                Unknown::Refuse => failure(Code::BAD_REQUEST),
            };
            return self.world.answer(now, conn, head, answer);
        };
        let body_value = match command.read(body.get(), Code::C2C_BAD_PACKET) {
            Ok(value) => value,
            Err(code) => return self.world.answer(now, conn, head, failure(code)),
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
                self.world.answer(now, conn, head, answer);
            }
        }
    }

    /// Answers a command that needs no login.
    fn without_login(&mut self, now: Now, command: &Command, head: &Head) -> Value {
        let user = UserId::parse(&head.identifier).or_else(|_| UserId::parse("nobody"));
        let Ok(user) = user else {
            return failure(Code::USERSIG_WRONG_USER);
        };
        let caller = Caller::of(user);
        let (service, _) = head.servcmd.split_once('.').unwrap_or_default();
        let request = Request {
            now,
            caller: &caller,
            conn: None,
            service,
            body: &Value::Null,
            text: "",
        };
        let outcome = self.run(command, &request);
        outcome.map_or_else(|refusal| failure(refusal.code), ok_with)
    }
}

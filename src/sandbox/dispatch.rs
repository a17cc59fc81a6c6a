//! Dispatches client requests to their handlers.

use std::borrow::Cow;

use serde_json::{Value, value::RawValue};

use crate::{
    answer::{Success, failure, ok, ok_with},
    commands::{Command, Run},
    config::Unknown,
    policy::Now,
    proto::{checksum, code::Code, id::UserId, surrogate},
    request::{Outcome, Request},
    service::commands,
    state::State,
    wire::{self, Head},
    world::{Caller, ConnId, clipped},
};

impl State {
    /// Handles a frame of the right type. The payload is untrusted.
    pub fn receive(&mut self, now: Now, conn: ConnId, payload: &[u8]) {
        self.take_frame(now, conn, payload);
        self.forget_gone();
    }

    fn take_frame(&mut self, now: Now, conn: ConnId, payload: &[u8]) {
        let Some(link) = self.world.links.get_mut(&conn) else {
            return;
        };
        link.last_frame = now.mono;
        self.world.counters.frames += 1;
        let Ok(request) = wire::decode(payload) else {
            self.world.garbage(now, conn);
            return;
        };
        let (head, body) = (request.head, request.body);
        let wrong_app = link.wrong_app || head.sdkappid != u64::from(self.world.config.app.get());
        self.world.note_user(conn, &head);
        let user = self
            .world
            .links
            .get(&conn)
            .and_then(|link| link.user.clone());
        if user.is_some_and(|user| self.world.is_silent(now, &user)) {
            self.world.counters.withheld += 1;
            return;
        }
        let in_time = self.world.take_from_bucket(now, conn);
        if !self.world.links.contains_key(&conn) {
            return;
        }
        // The official SDK answers an error to a ping with a reconnect storm.
        if head.servcmd == "heartbeat.alive" {
            self.world.answer(now, conn, &head, Success::OK);
            return;
        }
        let refused = if !in_time {
            self.world.counters.throttled += 1;
            Some(Code::TOO_FREQUENT)
        } else if wrong_app {
            Some(Code::APP_INVALID)
        } else if !checksum::fits(&head.servcmd, body.get(), head.cs) {
            self.world.counters.bad_checksums += 1;
            if self.world.counters.bad_checksums == 1 {
                tracing::warn!(servcmd = %clipped(&head.servcmd), "a request has a wrong checksum");
            }
            self.world
                .config
                .strict_checksum
                .then_some(Code::BAD_REQUEST)
        } else {
            None
        };
        match refused {
            Some(code) => self.world.answer(now, conn, &head, failure(code)),
            None => {
                self.world.answering = Some((conn, head.seq.clone()));
                // After the checksum, which covers the body as sent.
                let text = Cow::Borrowed(body.get());
                let has_escapes = text.as_bytes().contains(&b'\\');
                let mended = if has_escapes {
                    surrogate::mend(text)
                } else {
                    text
                };
                match &mended {
                    Cow::Borrowed(_) => self.dispatch(now, conn, &head, body),
                    Cow::Owned(text) => match serde_json::from_str(text) {
                        Ok(body) => self.dispatch(now, conn, &head, body),
                        Err(_) => self.world.garbage(now, conn),
                    },
                }
                self.world.end_answering(now);
            }
        }
    }

    /// Executes a request whose head has been checked.
    pub(crate) fn dispatch(&mut self, now: Now, conn: ConnId, head: &Head<'_>, body: &RawValue) {
        let command = commands().of_client(&head.servcmd);
        if !command.is_some_and(|command| command.changes_nothing()) {
            // An unknown command might change anything.
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

    /// Executes a command that needs no login.
    fn without_login(&mut self, now: Now, command: &Command, head: &Head<'_>) -> Value {
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

impl State {
    /// Runs a command after checking its requirements.
    pub(crate) fn run(&mut self, command: &Command, request: &Request<'_>) -> Outcome {
        let Run::Answer(handler) = &command.run else {
            return Err(Code::BAD_REQUEST.into());
        };
        if let Some(code) = command.unknown_caller()
            && !self.has_account(&request.caller.user)
        {
            return Err(code.into());
        }
        let group = command.is_about_membership().then_some(request.body);
        let group = group.and_then(|body| body.get("GroupId")?.as_str());
        // A topic cannot be joined, left or dismissed on its own.
        if group.is_some_and(|id| self.is_topic(id)) {
            return Err(Code::GROUP_UNKNOWN.into());
        }
        let outcome = handler(self, request);
        // A request of a member may succeed in part. A refused request of another account changes
        // nothing, and must not cost a scan of a large Community.
        if let Some(id) = group
            && (outcome.is_ok() || self.is_in_group(id, request.caller))
        {
            self.align_topics(request.now, id);
        }
        outcome
    }

    /// Executes a command as if a client of `caller` had sent it, without a login.
    pub(crate) fn call(
        &mut self,
        now: Now,
        caller: &Caller,
        servcmd: &str,
        body: &Value,
    ) -> Result<Value, Code> {
        let command = commands().of_client(servcmd).ok_or(Code::BAD_REQUEST)?;
        let text = command.text_of(body);
        let (service, _) = servcmd.split_once('.').unwrap_or_default();
        let request = Request {
            now,
            caller,
            conn: None,
            service,
            body,
            text: &text,
        };
        let outcome = self.run(command, &request);
        outcome.map(ok_with).map_err(|refusal| refusal.code)
    }
}

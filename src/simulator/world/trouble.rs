//! Injected faults of the fleet.

use super::World;
use crate::ledger::Place;
use crate::options::Action;
use crate::trouble::Nudge;
use botroupe_proto::command;
use botroupe_proto::id::UserId;
use botroupe_sandbox::state::Fault;
use serde_json::json;
use std::time::Duration;

/// The number of users who write to accounts from time to time.
const FRIENDS: u64 = 3;

impl World {
    /// Makes the server reject or ignore the requests of a command.
    pub(super) fn refuse(
        &mut self,
        node: usize,
        servcmd: &str,
        code: Option<i64>,
        length: Duration,
    ) {
        let (user, servcmd) = (self.users[node].clone(), servcmd.to_owned());
        let count = None;
        self.fault(match code {
            Some(code) => Fault::Refuse {
                user,
                servcmd,
                code,
                count,
            },
            None => Fault::Ignore {
                user,
                servcmd,
                count,
            },
        });
        self.ledger.trouble(node, self.now + length);
    }

    /// Makes the server process the requests of a command again.
    pub(super) fn allow(&mut self, node: usize, servcmd: &str) {
        self.fault(Fault::Ignore {
            user: self.users[node].clone(),
            servcmd: servcmd.to_owned(),
            count: Some(0),
        });
    }

    pub(super) fn nudge(&mut self, node: usize, nudge: Nudge) {
        let user = self.users[node].clone();
        let (servcmd, envelope) = match nudge {
            Nudge::Confirm => (command::KICK_OTHER, json!({})),
            Nudge::Missed => (command::MSG_PUSH, json!({"Flag": 1})),
        };
        self.fault(Fault::Push {
            user,
            event: json!({"Event": 999}),
            servcmd: servcmd.to_owned(),
            envelope: envelope.as_object().cloned().unwrap_or_default(),
        });
    }

    /// Plans `count` nudges within `length`, from `start` on.
    pub fn storm(
        &mut self,
        start: Duration,
        account: usize,
        nudge: Nudge,
        count: u32,
        length: Duration,
    ) {
        for n in 0..count {
            let at = start + length.mul_f64(f64::from(n) / f64::from(count));
            self.at(at, Action::Nudge(account, nudge));
        }
    }

    /// Plans that a command of an account is rejected with a code, or left unanswered without one,
    /// for `length` from `start` on.
    pub fn refuse_for(
        &mut self,
        start: Duration,
        account: usize,
        servcmd: &'static str,
        code: Option<i64>,
        length: Duration,
    ) {
        let refuse = Action::Refuse {
            account,
            servcmd,
            code,
            length,
        };
        self.at(start, refuse);
        self.at(start + length, Action::Allow(account, servcmd));
    }

    /// Sends a message to an account, from one of a few users.
    pub(super) fn say(&mut self, node: usize) {
        let friend = self.rng.u64(0..FRIENDS);
        self.say_as(node, &format!("friend-{friend}"));
        self.serve();
    }

    fn say_as(&mut self, node: usize, peer: &str) {
        let Ok(peer) = UserId::parse(peer) else {
            return;
        };
        self.server.import(&peer);
        let name = node % self.options.accounts;
        let user = self.users[name].clone();
        self.server.import(&user);
        let number = self.ledger.next();
        let text = format!("{user}#{number}");
        let now = self.clock();
        self.owe(name, number, Place::C2c(peer.clone()));
        let _ = self.server.say(now, &peer, &user, &text);
    }

    /// Sends many messages to an account at once, from one or many users.
    pub(super) fn burst(&mut self, node: usize, people: u32, each: u32) {
        for _ in 0..each {
            for person in 0..people {
                self.say_as(node, &format!("person-{person}"));
            }
        }
        self.serve();
    }
}

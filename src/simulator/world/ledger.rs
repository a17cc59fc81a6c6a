//! Bookkeeping of owed, delivered and handled messages.

use super::World;
use crate::ledger::{Owed, Place};
use crate::sim_account::Note;
use botroupe_core::account::Phase;
use botroupe_core::session::Receipt;
use botroupe_proto::message::Message;
use std::time::Duration;

/// The maximum time for which an account that is online, has queue space and suffers no fault may
/// lack a message: three times the longest pause before a failed fetch is retried.
const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// Returns the number of a message from a simulated user; `None` for a message from a bot.
fn number(text: &str) -> Option<u64> {
    if text.starts_with("re:") {
        return None;
    }
    number_in(text)
}

/// Returns the number in a message or in the reply to it.
pub(super) fn number_in(text: &str) -> Option<u64> {
    text.rsplit_once('#')?.1.parse().ok()
}

impl World {
    /// Records that an account must receive this message.
    pub(super) fn owe(&mut self, name: usize, number: u64, place: Place) {
        let second = self.clock().unix_secs();
        let user = &self.users[name];
        if let Place::C2c(peer) = &place
            && self.server.read_time(user, peer) >= second
        {
            let what = format!("message {number} was reported as read before it was said");
            self.violate(Some(name), what);
        }
        let owed = Owed {
            at: self.now,
            second,
            place,
        };
        self.summary.said += 1;
        let account = &mut self.ledger.accounts[name];
        if self.options.exactly_once {
            let in_group = matches!(owed.place, Place::Group(..));
            account.unanswered.insert(number, in_group);
        }
        account.owed.insert(number, owed);
    }

    /// Records that a message reaches a bot.
    pub(super) fn handed(&mut self, node: usize, message: &Message) {
        let key = message.key();
        let read = format!("{}_{}_{}", key.seq, key.random, key.time);
        if self.nodes[node].settled.contains(&read) {
            let what = format!("handed what was reported as read before its login: {message}");
            self.violate(Some(node), what);
        }
        let id = Receipt::of(message).id();
        if !self.nodes[node].handed.insert(id) {
            self.violate(Some(node), format!("handed twice: {message}"));
        }
        let Some(text) = message.text() else {
            return; // A tip or notice from the server.
        };
        let name = node % self.options.accounts;
        let Some(number) = number(text) else {
            let what = format!("hears another account of the fleet: {message}");
            return self.violate(Some(node), what);
        };
        let copy = &mut self.ledger.copies[node];
        copy.got.insert(number);
        let before = copy.done.get(&number).copied();
        let account = &mut self.ledger.accounts[name];
        let first = account.first.get(&number).copied();
        account.first.entry(number).or_insert(node);
        let is_owed = account.owed.contains_key(&number) || account.gone.contains(&number);
        match (before, first) {
            (Some(life), _) => {
                self.summary.handled_again += 1;
                let keeps = !self.disks.is_empty();
                if keeps || !self.ledger.copies[node].excused.contains(&life) {
                    let what = if keeps {
                        format!("handled, as the store knows, and again: {message}")
                    } else {
                        format!("handled before an orderly restart, and again: {message}")
                    };
                    self.violate(Some(node), what);
                }
            }
            (None, Some(other)) if other != node => {
                self.summary.handed_again += 1;
                if self.server.read_keys(&self.users[node]).contains(&read) {
                    self.summary.handed_again_though_read += 1;
                }
            }
            _ if !is_owed => {
                self.violate(Some(node), format!("handed what was not owed: {message}"));
            }
            (None, Some(_)) => {} // By a process that did not finish it.
            (None, None) => self.summary.handed += 1,
        }
    }

    /// Records that a bot has finished a message.
    pub(super) fn handled(&mut self, node: usize, note: &Note) {
        let Note::Handled {
            message,
            full,
            crowded,
        } = note
        else {
            return;
        };
        let now = self.now;
        let copy = &mut self.ledger.copies[node];
        if *full {
            copy.full.insert(message.conversation.clone(), now);
        }
        if *crowded {
            copy.crowded = now;
        }
        if let Some(number) = message.text().and_then(number) {
            copy.done.insert(number, self.lives[node]);
            let name = node % self.options.accounts;
            if self.ledger.accounts[name].owed.remove(&number).is_some() {
                self.summary.handled += 1;
            }
        }
    }

    /// Records that a message comes to the bots again, and that the store knows it as handled.
    pub(super) fn known(&mut self, node: usize, message: &Message) {
        self.summary.known += 1;
        if let Some(number) = message.text().and_then(number) {
            self.ledger.copies[node].got.insert(number);
        }
        self.settle_debt(node, message);
    }

    /// Records that the store has it that a message is handled: it need not come again.
    pub(super) fn settle_debt(&mut self, node: usize, message: &Message) {
        if let Some(number) = message.text().and_then(number) {
            let name = node % self.options.accounts;
            if self.ledger.accounts[name].owed.remove(&number).is_some() {
                self.summary.handled += 1;
            }
        }
    }

    /// Records the end of the process of an account's copy. `clean` tells whether the server
    /// accepted its logout.
    pub(super) fn gone(&mut self, node: usize, clean: bool) {
        let name = node % self.options.accounts;
        let owes = !self.ledger.accounts[name].owed.is_empty();
        let copy = &mut self.ledger.copies[node];
        copy.got.clear();
        copy.full.clear();
        if !clean || owes || copy.faulty >= self.now {
            copy.excused.insert(self.lives[node]);
        }
    }

    /// Checks a read report of an account: the bots must have finished all messages that it covers.
    pub(super) fn check_read(&mut self, node: usize) {
        let name = node % self.options.accounts;
        let user = &self.users[name];
        let covered: Vec<u64> = self.ledger.accounts[name]
            .owed
            .iter()
            .filter(|(_, owed)| match &owed.place {
                Place::C2c(peer) => self.server.read_time(user, peer) >= owed.second,
                Place::Group(group, number) => self.server.group_read(group, user) >= *number,
            })
            .map(|(number, _)| *number)
            .collect();
        for number in covered {
            self.violate(
                Some(node),
                format!("message {number} is read but not handled"),
            );
        }
    }

    /// Checks that an account that is online, has queue space and suffers no fault has received all
    /// older messages.
    pub(super) fn check_silence(&mut self, node: usize) {
        let is_online = self.nodes[node].core.phase() == Phase::Online;
        let is_true = self.server.is_online(self.clock(), &self.users[node]);
        if !is_online || !is_true {
            self.ledger.copies[node].untrue = self.now;
            return;
        }
        let (now, name) = (self.now, node % self.options.accounts);
        let copy = &self.ledger.copies[node];
        let online = self.online_since[node].unwrap_or(now);
        let clear = online.max(copy.faulty).max(copy.untrue).max(copy.crowded);
        if now < clear + LONGEST_WAIT {
            return;
        }
        let mut silent = Vec::new();
        for (number, owed) in &self.ledger.accounts[name].owed {
            if owed.at + LONGEST_WAIT > now || copy.got.contains(number) {
                continue;
            }
            let conversation = owed.conversation();
            let full = copy.full.get(&conversation).copied().unwrap_or_default();
            if full + LONGEST_WAIT > now && !full.is_zero()
                || self.nodes[node].bots.is_full(&conversation)
            {
                continue;
            }
            silent.push((*number, conversation));
        }
        for (number, conversation) in silent {
            let what = if conversation.is_group() {
                "a followed group is silent"
            } else {
                "a user is not heard"
            };
            self.violate(
                Some(node),
                format!("{what}: {conversation}, message {number}"),
            );
        }
    }
}

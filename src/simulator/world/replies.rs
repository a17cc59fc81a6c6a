//! Whether each message is answered exactly once, as the other side sees it: by what the server has accepted.

use super::World;
use super::ledger::number_in;

impl World {
    /// Looks at what the server has accepted since the last time.
    pub(super) fn watch_replies(&mut self) {
        if !self.options.exactly_once {
            return;
        }
        for entry in self.server.ledger(self.ledger.seen, usize::MAX) {
            self.ledger.seen = entry.number + 1;
            let Some(name) = self.name_of(entry.from.as_str()) else {
                continue;
            };
            let Some(number) = number_in(&entry.text) else {
                continue;
            };
            if entry.group.is_some() && number <= self.ledger.forgotten {
                continue; // Nobody can know of the first one.
            }
            self.log(Some(name), &format!("answered {}", entry.text));
            let account = &mut self.ledger.accounts[name];
            account.unanswered.remove(&number);
            if account.answered.insert(number) {
                self.summary.answered += 1;
            } else {
                self.summary.doubled += 1;
                self.violate(Some(name), format!("answered twice: message {number}"));
            }
        }
    }

    fn name_of(&self, user: &str) -> Option<usize> {
        let number = user.strip_prefix("bot-")?.parse().ok()?;
        (number < self.options.accounts).then_some(number)
    }

    /// Records that a reply will not be sent any more, or that nobody knows whether it arrived.
    pub(super) fn dead(&mut self, node: usize, text: &str, is_unknown: bool) {
        let count = if is_unknown {
            &mut self.summary.unknown
        } else {
            &mut self.summary.refused
        };
        *count += 1;
        if let Some(number) = number_in(text) {
            let name = node % self.options.accounts;
            self.ledger.accounts[name].excused.insert(number);
        }
    }

    /// Checks at the end that no message is left without a reply. What is a dead letter is visible to its owner, so
    /// that it is not lost.
    pub(super) fn check_unanswered(&mut self) {
        if !self.options.exactly_once {
            return;
        }
        self.summary.lost = 0;
        for name in 0..self.options.accounts {
            let account = &self.ledger.accounts[name];
            let lost = account.unanswered.keys();
            let lost: Vec<u64> = lost
                .filter(|number| !account.excused.contains(number))
                .copied()
                .collect();
            for number in lost {
                self.summary.lost += 1;
                self.violate(Some(name), format!("message {number} is not answered"));
            }
        }
        let unrecorded = self.server.counters().unrecorded;
        if unrecorded > 0 {
            self.violate(None, format!("{unrecorded} messages could not be watched"));
        }
    }
}

//! Who has to tell a host how a handler ended.

use super::Host;
use crate::bot::ledger::Exchange;
use crate::bot::lines::Job;
use crate::bot::run::Outcome;
use std::sync::{Arc, Weak};

/// The right and the duty to tell the host how a handler ended. If nobody does, dropping it does: the handler is
/// done if it had begun, also after a panic of its bot, and has not run otherwise.
pub(in crate::bot) struct Ticket {
    pub(super) host: Weak<Host>,
    pub(super) job: Job,
    /// The actor in whose turn the handler was started.
    pub(super) life: Option<u64>,
    /// Code of the bot has run: whatever becomes of it, the event is not handled a second time.
    pub(super) began: bool,
    pub(super) settled: bool,
}

impl Ticket {
    /// Code of the bot is about to run.
    pub(in crate::bot) const fn begin(&mut self) {
        self.began = true;
    }

    /// Tells the host, from another thread than that of the account.
    pub(in crate::bot) fn settle(
        mut self,
        handler: &'static str,
        outcome: Outcome,
        exchange: Option<Arc<Exchange>>,
    ) {
        self.settled = true;
        if let Some(host) = self.host.upgrade() {
            host.ended(&self.job, handler, outcome, exchange, None);
        }
    }

    /// Tells the host in the turn of its account.
    pub(in crate::bot) fn settle_here(
        mut self,
        handler: &'static str,
        outcome: Outcome,
        exchange: Option<Arc<Exchange>>,
    ) {
        self.settled = true;
        if let Some(host) = self.host.upgrade() {
            host.ended(&self.job, handler, outcome, exchange, self.life);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled
            && let Some(host) = self.host.upgrade()
        {
            let outcome = if self.began {
                Outcome::Ended {
                    answers: Vec::new(),
                    has_said: false,
                    succeeded: false,
                }
            } else {
                Outcome::NotRun
            };
            host.ended(&self.job, "none", outcome, None, None);
        }
    }
}

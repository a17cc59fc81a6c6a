//! Processes. Each copy of the fleet is one process, which can be stopped or killed and then
//! restarts.

use super::{Ending, Happening, World};
use crate::sim_account::SimAccount;
use botroupe_core::account::{Core, CoreConfig, Credential, GroupPaces};
use botroupe_core::ledger::Recovered;
use botroupe_core::policy::Governor;
use botroupe_core::session::Memory;
use botroupe_proto::endpoint::HostWalk;
use std::time::Duration;

/// The grace period of an orderly stop, for handlers and then for logouts.
const GRACE: Duration = Duration::from_secs(5);

impl World {
    /// Creates an account of a new process, with what the store has `found`.
    pub(super) fn new_node(&mut self, node: usize, found: Recovered) -> SimAccount {
        let config = CoreConfig {
            app: self.app,
            name: self.users[node].clone().into(),
            credential: Credential::Minted {
                key: self.key.clone(),
                lifetime: self.options.user_sig_lifetime,
            },
            hosts: HostWalk::fixed("ws://simulated"),
            policy: self.policy.clone(),
            probes: false,
        };
        let bots = crate::bots::BotsConfig {
            limits: self.options.inbox,
            work: self.options.work,
            echoes: self.options.echo,
            fleet: self.fleet.clone(),
            hears_fleet: self.options.hear_own_accounts,
        };
        let seed = self.rng.u64(..);
        SimAccount::new(
            config,
            Memory::new(self.options.inbox),
            seed,
            self.clock_of(node),
            (bots, self.new_book(node, found)),
        )
    }

    pub(super) fn nodes_of(&self, copy: usize) -> std::ops::Range<usize> {
        let names = self.options.accounts;
        copy * names..(copy + 1) * names
    }

    /// Starts an orderly stop of a copy's process. It restarts `away` after its end.
    pub(super) fn stop_process(&mut self, copy: usize, away: Duration) {
        if std::mem::replace(&mut self.stopping[copy], true) {
            return;
        }
        for node in self.nodes_of(copy) {
            self.nodes[node].bots.drain();
            if !self.disks.is_empty() {
                self.with(node, SimAccount::give_up);
            }
        }
        let number = self.processes[copy];
        let (first, then) = (Ending::Drained, Ending::Gone(away));
        self.schedule(self.now + GRACE, Happening::Ends(copy, number, first));
        self.schedule(self.now + GRACE * 2, Happening::Ends(copy, number, then));
    }

    pub(super) fn ends(&mut self, copy: usize, process: u32, ending: Ending) {
        if self.processes[copy] != process {
            return; // The process was killed while stopping.
        }
        match ending {
            Ending::Drained => {
                for node in self.nodes_of(copy) {
                    self.catch_up(node);
                    let now = self.clock_of(node);
                    self.nodes[node].core(now, Core::stop);
                    self.settle(node);
                }
            }
            Ending::Gone(away) => self.end_process(copy, away, false),
        }
    }

    /// Ends the process of a copy at once, for its machine `loses_power` or for another reason. It restarts after
    /// `away`.
    pub(super) fn end_process(&mut self, copy: usize, away: Duration, loses_power: bool) {
        self.summary.restarts += 1;
        self.stopping[copy] = false;
        self.processes[copy] += 1;
        self.paces[copy] = GroupPaces::default();
        self.governors[copy] = Governor::new(self.options.rate, self.options.burst);
        let start = self.now + away.max(Duration::from_secs(2));
        let mut found = self.crash_disk(copy, loses_power);
        for node in self.nodes_of(copy) {
            let account = self.account_number(node);
            self.end_node(node, found.remove(&account).unwrap_or_default());
            let life = self.lives[node];
            self.schedule(start, Happening::Start(node, life));
        }
    }

    fn end_node(&mut self, node: usize, found: Recovered) {
        self.log(Some(node), "its process is gone");
        let clean = std::mem::take(&mut self.farewells[node]);
        self.gone(node, clean);
        if self.online_since[node].is_some() {
            self.went_offline(node, "killed");
            self.shares[node % self.options.accounts].changed(self.now, false);
        }
        if let Some(link) = self.nodes[node].link.take() {
            self.hung_up(link);
        }
        self.disbelief.remove(&node);
        self.last_login[node] = None;
        self.lives[node] += 1;
        self.alive[node] = false;
        let mut fresh = self.new_node(node, found);
        // Dial numbers continue, so that the new node ignores the outcomes of the old node's dial
        // attempts.
        fresh.dials = self.nodes[node].dials + 1;
        self.nodes[node] = fresh;
    }
}

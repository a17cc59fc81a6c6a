//! The disks of processes.

use super::{EPOCH, Happening, World};
use crate::book::Book;
use crate::disk::{Owner, StoreCounts};
use botroupe_core::ledger::{AccountNo, Change, Recovered};
use botroupe_core::policy::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a store forgets what nobody needs any more.
const PRUNE: Duration = Duration::from_secs(3600);

/// The time that is written to a store, in Unix seconds. Machines have clocks of their own in a simulation, and a
/// store has one.
pub(crate) fn store_time(now: Now) -> u64 {
    (EPOCH + now.mono).as_secs()
}

impl World {
    /// The number by which the store of a copy knows an account.
    pub(super) fn account_number(&self, node: usize) -> AccountNo {
        let name = node % self.options.accounts;
        AccountNo(u32::try_from(name).unwrap_or(u32::MAX))
    }

    /// What a new process of an account goes on with.
    pub(super) fn new_book(&self, node: usize, found: Recovered) -> Option<Book> {
        let disk = self.disks.get(node / self.options.accounts)?;
        let account = self.account_number(node);
        Some(Book::recovered(account, disk.numbers(), found))
    }

    /// Writes changes of an account down.
    pub(super) fn submit(&mut self, node: usize, tag: Option<u64>, changes: Vec<Change>) {
        let copy = node / self.options.accounts;
        let Some(disk) = self.disks.get_mut(copy) else {
            return;
        };
        if let Some(wait) = disk.submit(Owner { node, tag }, changes) {
            let process = self.processes[copy];
            self.schedule(self.now + wait, Happening::Disk(copy, process));
        }
        self.step_of_reply(node);
    }

    /// The time of the next step of a disk has come.
    pub(super) fn disk_steps(&mut self, copy: usize, process: u32) {
        if self.processes[copy] != process {
            return; // What the process wanted written down is lost.
        }
        let stepped = self.disks[copy].step(self.now);
        if let Some(wait) = stepped.next {
            self.schedule(self.now + wait, Happening::Disk(copy, process));
        }
        for owner in stepped.acknowledged {
            if let Some(tag) = owner.tag {
                self.with(owner.node, |account, now, wants| {
                    account.written(now, tag, wants);
                });
            }
        }
        if let Some(node) = stepped.first {
            self.step_of_reply(node);
        }
    }

    /// The process of a copy ends. Returns what the next one finds.
    pub(super) fn crash_disk(
        &mut self,
        copy: usize,
        loses_power: bool,
    ) -> BTreeMap<AccountNo, Recovered> {
        let Some(disk) = self.disks.get_mut(copy) else {
            return BTreeMap::new();
        };
        disk.crash(loses_power);
        let queued = disk.queued();
        let found = disk.found();
        self.log(None, &format!("found {queued} letters"));
        found
    }

    pub(super) fn fill_disk(&mut self, copy: usize, length: Duration) {
        if let Some(disk) = self.disks.get_mut(copy) {
            disk.fill(self.now + length);
            self.disk_trouble(copy, length);
        }
    }

    pub(super) fn slow_disk(&mut self, copy: usize, length: Duration) {
        if let Some(disk) = self.disks.get_mut(copy) {
            disk.slow_down(self.now + length);
            self.disk_trouble(copy, length);
        }
    }

    pub(super) fn fail_syncs(&mut self, copy: usize, count: u32) {
        if let Some(disk) = self.disks.get_mut(copy) {
            disk.fail_syncs(count);
        }
    }

    /// Handlers of a copy cannot end, so that its bots may have no room.
    fn disk_trouble(&mut self, copy: usize, length: Duration) {
        for node in self.nodes_of(copy) {
            self.ledger.trouble(node, self.now + length);
        }
    }

    pub(super) fn prune_later(&mut self) {
        if !self.disks.is_empty() {
            self.schedule(self.now + PRUNE, Happening::Prune);
        }
    }

    pub(super) fn prune(&mut self) {
        let now = (EPOCH + self.now).as_secs();
        for disk in &mut self.disks {
            disk.prune(now);
        }
        self.prune_later();
    }

    /// What happened to all disks.
    pub(super) fn store_counts(&self) -> StoreCounts {
        let mut all = StoreCounts::default();
        for counts in self.disks.iter().map(|disk| disk.counts) {
            all.committed += counts.committed;
            all.full += counts.full;
            all.failed_syncs += counts.failed_syncs;
            all.slow_syncs += counts.slow_syncs;
            all.power_losses += counts.power_losses;
            all.torn += counts.torn;
            all.reordered += counts.reordered;
            all.surprises += counts.surprises;
            all.dropped += counts.dropped;
        }
        all
    }
}

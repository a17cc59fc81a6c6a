//! Restores derived data of groups after a snapshot is read, and enforces the limits.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    config::SandboxConfig,
    table::group::{Group, Groups, Kind},
};

/// Removes the oldest entries beyond `limit`.
fn trim<T>(list: &mut VecDeque<T>, limit: usize) {
    list.drain(..list.len().saturating_sub(limit.max(1)));
}

impl Groups {
    /// The number of groups.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Rebuilds the index of members and enforces the limits of the configuration. `next` is the
    /// first unused sequence position.
    pub(crate) fn settle(&mut self, config: &SandboxConfig, next: u64) {
        let all = std::mem::take(&mut self.all);
        let communities: BTreeSet<String> = all
            .values()
            .filter(|group| group.kind == Kind::Community && group.community.is_none())
            .map(|group| group.id.clone())
            .collect();
        for mut group in all.into_values().filter(|group| !group.id.is_empty()) {
            group.settle(config, next);
            // A topic cannot be joined or left on its own, and needs its Community.
            if let Some(community) = &group.community {
                if communities.contains(community) {
                    self.all.insert(group.id.clone(), group);
                }
                continue;
            }
            for user in group.members.keys() {
                let joined = self.joined.entry(user.clone()).or_default();
                joined.insert(group.id.clone());
            }
            self.all.insert(group.id.clone(), group);
        }
    }
}

impl Group {
    fn settle(&mut self, config: &SandboxConfig, next: u64) {
        // Numbers start at one.
        self.next_seq = self.next_seq.max(1);
        self.last_order = self.last_order.min(next);
        let end = self.next_seq;
        self.entries.retain(|entry| entry.seq < end);
        // Entries are found by binary search.
        let entries = self.entries.make_contiguous();
        entries.sort_by_key(|entry| entry.seq);
        self.live.retain(|(seq, _)| *seq < end);
        self.live.make_contiguous().sort_by_key(|(seq, _)| *seq);
        trim(&mut self.entries, config.group_history_limit);
        trim(&mut self.live, config.live_backlog);
    }
}

//! The order in which accounts get their login turns.

use super::World;
use crate::login_pacing::Comeback;
use botroupe_core::account::Phase;
use std::collections::HashSet;

impl World {
    /// Starts to watch all recovering accounts, after the server has returned.
    pub(super) fn await_return(&mut self) {
        let on_the_way =
            |phase| matches!(phase, Phase::Waiting | Phase::Connecting | Phase::LoggingIn);
        let away: HashSet<usize> = (0..self.nodes.len())
            .filter(|node| self.alive[*node] && on_the_way(self.nodes[*node].core.phase()))
            .collect();
        self.turns.start(self.now, away);
    }

    pub(super) fn returned(&mut self, node: usize) {
        let Some(comeback) = self.turns.returned(node, self.now) else {
            return;
        };
        let size = |comeback: &Comeback| (comeback.accounts, comeback.took);
        let largest = self.summary.comeback.as_ref().map(size);
        if largest.is_none_or(|largest| size(&comeback) > largest) {
            self.summary.comeback = Some(comeback);
        }
    }
}

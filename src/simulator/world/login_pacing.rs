//! In which order accounts get their turns to log in.

use super::World;
use crate::login_pacing::Comeback;
use botroupe_core::account::Phase;
use std::collections::HashSet;

impl World {
    /// The server is there again: who is on the way to it is watched until all are back.
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

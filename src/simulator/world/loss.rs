//! Packet loss, as a WebSocket experiences it.
//!
//! TCP sends a lost packet again, after 0.2 s, then 0.4 s and so on, and hands out nothing that came
//! behind it before. So nothing is ever missing or out of order on a link; it stalls, mostly for 0.2
//! to 3 s, rarely for longer than a heartbeat may take, and then the account has to find out.
//!
//! A link that an account gives up while it stalls is reset: what was under way on it is gone. Were it
//! sent on to the end instead, a resume could arrive after the one on the next link, and move the
//! login back to a link that nobody listens to; neither a heartbeat nor a hello would tell.

use super::World;
use botroupe_core::policy::Now;
use botroupe_sandbox::state::ConnId;
use std::time::Duration;

/// After this long a packet that was not acknowledged is sent again; doubled each time.
const RETRANSMIT_AFTER: Duration = Duration::from_millis(200);
/// Nothing stalls for longer in one piece.
const LONGEST_STALL: Duration = Duration::from_secs(60);
/// A link on which packets wait for longer than this, both ways together, could fail a heartbeat,
/// which has 3 s: from here on heartbeats are played.
const SHORT_STALL: Duration = Duration::from_secs(2);
/// Where packets are lost more often than this, heartbeats are played one by one. Below, one in ten
/// million would take too long.
const HEARTBEATS_FROM: f64 = 0.02;

impl World {
    fn loss_of(&self, node: usize) -> f64 {
        let (until, loss) = self.lossy[node];
        let general = self.options.network.loss;
        if until > self.now {
            general.max(loss)
        } else {
            general
        }
    }

    /// How long a packet of an account takes, the tries that were lost included.
    pub(super) fn delay(&mut self, node: usize) -> Duration {
        let (mut total, mut wait) = (self.latency(), RETRANSMIT_AFTER);
        let loss = self.loss_of(node);
        while loss > 0.0 && total < LONGEST_STALL && self.rng.f64() < loss {
            total += wait;
            wait *= 2;
            self.has_stalled = true;
        }
        total.min(LONGEST_STALL)
    }

    /// True while nothing can come of the heartbeats of an account's link, so that they need not be
    /// played.
    pub(super) fn is_healthy(&self, node: usize) -> bool {
        let link = self.nodes[node].link.and_then(|link| self.links.get(&link));
        link.is_some_and(|link| {
            let waits = |due: Duration| due.saturating_sub(self.now);
            !link.dead && waits(link.up_due) + waits(link.down_due) <= SHORT_STALL
        }) && self.loss_of(node) < HEARTBEATS_FROM
    }

    /// From now on the heartbeats of an account are played: the last one was answered some time
    /// within the last ten seconds.
    pub(super) fn play_heartbeats(&mut self, node: usize) {
        let ago = Duration::from_millis(self.rng.u64(0..10_000)).min(self.now);
        let now = self.clock_of(node);
        let heard = Now::new(now.mono - ago, now.unix.saturating_sub(ago));
        self.nodes[node].session.heard(heard);
    }

    /// Puts a packet on its way to the server (`up`) or from it.
    pub(super) fn carry(&mut self, link: ConnId, up: bool, packet: Vec<u8>) {
        let Some(node) = self.links.get(&link).filter(|l| !l.dead).map(|l| l.node) else {
            return;
        };
        let was_healthy = self.is_healthy(node);
        let arrives = self.now + self.delay(node);
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        let due = if up {
            &mut state.up_due
        } else {
            &mut state.down_due
        };
        *due = arrives.max(*due);
        let due = *due;
        self.schedule(due, super::Happening::packet(link, up, packet));
        if was_healthy && !self.is_healthy(node) {
            self.play_heartbeats(node);
            self.arm(node);
        }
    }

    /// When the server would hear that an account closed a link: behind all that was sent on it
    /// before. Of a link that stalls nothing more arrives: the account resets it.
    pub(super) fn closing_time(&self, link: ConnId) -> Duration {
        let due = self.links.get(&link).map_or(self.now, |link| link.up_due);
        if due > self.now + SHORT_STALL {
            self.now
        } else {
            due.max(self.now)
        }
    }

    /// Packets of an account, or of all, are lost with this probability for so long.
    pub(super) fn lose(&mut self, account: Option<usize>, loss: f64, length: Duration) {
        let all = 0..self.nodes.len();
        let nodes = account.map_or(all, |account| account..account + 1);
        for node in nodes {
            let was_healthy = self.is_healthy(node);
            self.lossy[node] = (self.now + length, loss);
            self.ledger.trouble(node, self.now + length);
            if was_healthy && !self.is_healthy(node) {
                self.play_heartbeats(node);
            }
            self.settle(node);
        }
    }
}

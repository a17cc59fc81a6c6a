//! Packet loss, as a WebSocket connection experiences it.
//!
//! TCP retransmits a lost packet after 0.2 s, then 0.4 s and so on, and delivers no later packets
//! before it. So a link never loses or reorders packets. Instead it stalls, usually for 0.2 to 3 s,
//! and rarely for longer than the heartbeat timeout; the account must then detect it.
//!
//! If an account gives up a stalled link, the link is reset and its packets in transit are lost. If
//! they were delivered instead, a resume could arrive after the resume on the next link, and move
//! the login back to a link that nobody reads. Neither a heartbeat nor a hello would detect that.
//! sent on to the end instead, a resume could arrive after the one on the next link, and move the
//! login back to a link that nobody listens to; neither a heartbeat nor a hello would tell.

use super::World;
use botroupe_core::policy::Now;
use botroupe_sandbox::state::ConnId;
use std::time::Duration;

/// The time after which an unacknowledged packet is retransmitted. It doubles each time.
const RETRANSMIT_AFTER: Duration = Duration::from_millis(200);
/// The maximum duration of a stall.
const LONGEST_STALL: Duration = Duration::from_secs(60);
/// If packets on a link wait for longer than this in total, in both directions, a heartbeat could
/// exceed its timeout of 3 s. From then on heartbeats are simulated.
const SHORT_STALL: Duration = Duration::from_secs(2);
/// The loss rate from which heartbeats are simulated one by one. Below it, only one in ten million
/// exceeds its timeout.
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

    /// Returns the latency of a packet of an account, including retransmissions.
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

    /// Returns whether the heartbeats of an account's link cannot fail, so that they need not be
    /// simulated.
    pub(super) fn is_healthy(&self, node: usize) -> bool {
        let link = self.nodes[node].link.and_then(|link| self.links.get(&link));
        link.is_some_and(|link| {
            let waits = |due: Duration| due.saturating_sub(self.now);
            !link.dead && waits(link.up_due) + waits(link.down_due) <= SHORT_STALL
        }) && self.loss_of(node) < HEARTBEATS_FROM
    }

    /// Starts to simulate the heartbeats of an account. The last one was answered at a random time
    /// within the last ten seconds.
    pub(super) fn play_heartbeats(&mut self, node: usize) {
        let ago = Duration::from_millis(self.rng.u64(0..10_000)).min(self.now);
        let now = self.clock_of(node);
        let heard = Now::new(now.mono - ago, now.unix.saturating_sub(ago));
        self.nodes[node].session.heard(heard);
    }

    /// Sends a packet to the server (`up`) or from it.
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

    /// Returns when the server learns that an account has closed a link: after all packets sent on
    /// it before. On a stalled link no more packets arrive, because the account resets it.
    pub(super) fn closing_time(&self, link: ConnId) -> Duration {
        let due = self.links.get(&link).map_or(self.now, |link| link.up_due);
        if due > self.now + SHORT_STALL {
            self.now
        } else {
            due.max(self.now)
        }
    }

    /// Sets the packet loss of an account, or of all accounts, for a time.
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

//! Packets in transit, broken links, and injected network faults.

use super::{Happening, Link, World};
use crate::options::{Action, NetworkConfig};
use crate::sim_account::Want;
use botroupe_core::account::Core;
use botroupe_sandbox::state::{ConnId, Fault, Frames, KickType, Output};
use std::time::Duration;

impl World {
    pub(super) fn latency(&mut self) -> Duration {
        let NetworkConfig {
            latency_min,
            latency_max,
            ..
        } = self.options.network;
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.rng.u64(micros(latency_min)..=micros(latency_max)))
    }

    pub(super) fn open(&mut self, node: usize) -> ConnId {
        self.next_link += 1;
        let link = ConnId(self.next_link);
        self.links.insert(
            link,
            Link {
                node,
                ..Link::default()
            },
        );
        let now = self.clock();
        self.server.connect(
            now,
            link,
            Frames::Binary,
            &[("sdkappid".into(), "1400000001".into())],
        );
        self.tick_later();
        link
    }

    /// Simulates the heartbeats that were skipped while the link was healthy.
    pub(super) fn catch_up(&mut self, node: usize) {
        if self.is_healthy(node) {
            let now = self.clock_of(node);
            self.nodes[node].session.heard(now);
        }
    }

    pub(super) fn settle(&mut self, node: usize) {
        let now = self.clock_of(node);
        let mut wants = Vec::new();
        self.nodes[node].drain(now, &mut wants);
        while !wants.is_empty() {
            for want in std::mem::take(&mut wants) {
                self.grant(node, want);
            }
            self.nodes[node].drain(now, &mut wants);
        }
        self.arm(node);
    }

    pub(super) fn arm(&mut self, node: usize) {
        let is_healthy = self.is_healthy(node);
        let at = self.nodes[node]
            .deadline(is_healthy)
            .map(|at| at.max(self.now));
        if let Some(at) = at
            && self.nodes[node]
                .wake_at
                .is_none_or(|armed| armed > at || armed < self.now)
        {
            self.nodes[node].wake_at = Some(at);
            self.schedule(at, Happening::Wake(node));
        }
    }

    pub(super) fn grant(&mut self, node: usize, want: Want) {
        match want {
            Want::Turn => {
                self.turns.asked(node, self.now);
                let wait = self.governors[node / self.options.accounts].reserve(self.now);
                let life = self.lives[node];
                self.schedule(self.now + wait, Happening::Turn(node, life));
            }
            Want::GroupTurn(token, group) => {
                let (copy, now) = (node / self.options.accounts, self.clock_of(node));
                let wait = self.paces[copy].reserve(now.mono, &group);
                self.nodes[node].core.group_turn(now, token, wait);
            }
            Want::SlowDown(delay) => {
                let copy = node / self.options.accounts;
                self.governors[copy].slow_down(self.now, delay);
            }
            Want::Dial => {
                let dial = self.nodes[node].dials;
                let limit = self.options.policy.connect_limit;
                let round_trip = self.delay(node) + self.delay(node);
                let late = round_trip > limit;
                let at = self.now + round_trip.min(limit);
                self.schedule(at, Happening::Dialled { node, dial, late });
            }
            Want::Submit { tag, changes } => self.submit(node, tag, changes),
            Want::Later(at) => {
                let life = self.lives[node];
                self.schedule(at.max(self.now), Happening::Later(node, life));
            }
            Want::Send(link, packet) => {
                self.count_request(node, &packet);
                self.sends(node, &packet);
                self.carry(link, true, packet.into_bytes());
            }
            Want::Closed(link) => self.hung_up(link),
            Want::Work { conversation, run } => {
                let (work, life) = (self.options.work, self.lives[node]);
                let at = self.now + work.draw(&mut self.rng);
                let done = Happening::Worked(node, life, conversation.into(), run);
                self.schedule(at, done);
            }
            Want::Stopped => self.log(Some(node), "stopped"),
            Want::Note(note) => self.note(node, note),
        }
    }

    /// Processes the end of a link that the client has closed.
    pub(super) fn hung_up(&mut self, link: ConnId) {
        let due = self.closing_time(link);
        let latency = self.latency();
        let dead = self.links.get(&link).is_some_and(|state| state.dead);
        // The server closes a dead link much later, after its own timeout.
        let late = if dead {
            Duration::from_secs(60)
        } else {
            latency
        };
        self.schedule(due + late, Happening::CutAtServer(link));
    }

    pub(super) fn serve(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { conn, bytes, .. } => self.carry(conn, false, bytes),
                Output::Close { conn, .. } | Output::Drop { conn } => self.break_link(conn),
            }
        }
        self.tick_later();
    }

    pub(super) fn tick_later(&mut self) {
        // The server's other periodic checks are for idle links, and healthy links pass them.
        let at = self.now + self.options.audit_every;
        if self.tick_at.is_none() {
            self.tick_at = Some(at);
            self.schedule(at, Happening::ServerTick);
        }
    }

    pub(super) fn break_link(&mut self, link: ConnId) {
        let latency = self.latency();
        let Some(state) = self.links.get(&link) else {
            return;
        };
        let (node, due, dead) = (state.node, state.down_due.max(self.now), state.dead);
        if node < self.nodes.len() && self.nodes[node].link == Some(link) {
            self.catch_up(node);
        }
        if !dead {
            self.schedule(due + latency, Happening::CutAtClient(link));
        }
        self.schedule(self.now, Happening::CutAtServer(link));
    }

    pub(super) fn carry_out(&mut self, action: &Action) {
        let now = self.clock();
        self.log(None, &format!("{action:?}"));
        match *action {
            Action::CutLink(node) => {
                if let Some(link) = self.nodes[node].link {
                    self.break_link(link);
                }
            }
            Action::DeadenLink(node) => {
                if let Some(link) = self.nodes[node].link {
                    self.play_heartbeats(node);
                    if let Some(state) = self.links.get_mut(&link) {
                        state.dead = true;
                    }
                    self.settle(node);
                }
            }
            Action::Outage(length) => {
                self.server_up = false;
                self.break_all();
                self.schedule(self.now + length, Happening::ServerBack);
            }
            Action::Restart(forget_logins) => {
                self.fault(Fault::Restart { forget_logins });
                self.break_all();
            }
            Action::Kick(node, kind) => {
                let user = self.users[node].clone();
                self.server.kick_all(now, &user, kind);
                self.serve();
            }
            Action::Expire(node) => self.fault(Fault::Expire {
                user: self.users[node].clone(),
            }),
            Action::RefuseLogins {
                account,
                code,
                count,
            } => {
                let user = self.users[account].clone();
                self.fault(Fault::RefuseLogin {
                    user,
                    code,
                    count: Some(count),
                });
            }
            Action::Overload(node, servcmd, length) => {
                self.ledger.trouble(node, self.now + length);
                let user = self.users[node].clone();
                self.fault(Fault::Overload {
                    user,
                    servcmd: servcmd.into(),
                    seconds: length.as_secs(),
                });
            }
            Action::Duplicate(node, count) => {
                self.fault(Fault::Duplicate {
                    user: self.users[node].clone(),
                    count,
                });
            }
            Action::Say(node) => self.say(node),
            // The group rejects the message if it receives too many; then no message was sent.
            Action::SayIn(group) => drop(self.say_in(group)),
            Action::Burst {
                account,
                people,
                each,
            } => self.burst(account, people, each),
            Action::Hang(node) => self.nodes[node].bots.hang(),
            Action::Refuse {
                account,
                servcmd,
                code,
                length,
            } => self.refuse(account, servcmd, code, length),
            Action::Allow(node, servcmd) => self.allow(node, servcmd),
            Action::Nudge(node, nudge) => self.nudge(node, nudge),
            Action::ForgetGroups => {
                self.ledger.forget_groups();
                self.server.forget_group_messages();
                self.fault(Fault::Restart {
                    forget_logins: true,
                });
                self.break_all();
            }
            Action::Stop(copy, away) => self.stop_process(copy, away),
            Action::Kill(copy, away) => self.end_process(copy, away, false),
            Action::PowerLoss(copy, away) => self.end_process(copy, away, true),
            Action::FillDisk(copy, length) => self.fill_disk(copy, length),
            Action::SlowDisk(copy, length) => self.slow_disk(copy, length),
            Action::FailSyncs(copy, count) => self.fail_syncs(copy, count),
            Action::Crash(node) if !self.alive[node] => {}
            Action::Crash(node) => {
                let seed = self.rng.u64(..);
                let mut wants = Vec::new();
                let now = self.clock_of(node);
                self.nodes[node].crash(now, seed, &mut wants);
                for want in wants {
                    self.grant(node, want);
                }
                self.settle(node);
            }
            Action::Intrude(node) => {
                // Another login of the same account has this effect.
                let user = self.users[node].clone();
                self.server.kick_all(now, &user, KickType::Account);
                self.serve();
            }
            Action::Resume(node) if !self.alive[node] => {}
            Action::Resume(node) => {
                let now = self.clock_of(node);
                self.nodes[node].core(now, Core::resume);
                self.settle(node);
            }
            Action::Lossy {
                account,
                loss,
                length,
            } => self.lose(account, loss, length),
            Action::JumpClock(node, by) => {
                // The account is not notified, as in a real program.
                self.offsets[node] = self.offsets[node].saturating_add(by);
            }
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        let now = self.clock();
        // The server does not know an account that never logged in; the fault then has no effect.
        let _ = self.server.fault(now, fault);
        self.serve();
    }

    pub(super) fn break_all(&mut self) {
        let all: Vec<ConnId> = self.links.keys().copied().collect();
        for link in all {
            self.break_link(link);
        }
    }
}

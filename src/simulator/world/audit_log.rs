//! The event log, and the checks of invariants.

use super::World;
use crate::audit::Violation;
use crate::sim_account::Note;
use botroupe_core::account::{Cause, Phase};
use botroupe_core::session;
use botroupe_proto::command;
use std::time::Duration;

/// The maximum number of recorded violations.
const MAX_VIOLATIONS: usize = 100;
/// The maximum time for which an account may consider itself online after the server has dropped
/// its login, in addition to the hello interval: the idle time before a heartbeat (10 s), its
/// timeout (3 s), and the network delay. An account only learns from an answer that its login has
/// expired, at the latest from the answer to the next hello.
const LONGEST_BELIEF: Duration = Duration::from_secs(15);
/// The maximum number of requests for missed messages per minute, whatever the server pushes.
pub(super) const MOST_PAGES: usize = 120;

impl World {
    pub(super) fn log(&mut self, node: Option<usize>, what: &str) {
        self.hash.add(&self.now.as_nanos().to_le_bytes());
        self.hash.add(&node.unwrap_or(usize::MAX).to_le_bytes());
        self.hash.add(what.as_bytes());
        if self.trace.is_some() && (node.is_none() || node == self.trace) {
            self.story
                .push(format!("{:>14.3} s  {what}", self.now.as_secs_f64()));
        }
    }

    pub(super) fn violate(&mut self, account: Option<usize>, what: String) {
        if self.summary.violations.len() < MAX_VIOLATIONS {
            self.summary.violations.push(Violation {
                at: self.now,
                account,
                what,
            });
        }
    }

    pub(super) fn note(&mut self, node: usize, note: Note) {
        match note {
            Note::SetOut => self.set_out(node),
            Note::Login { remembers } => self.login(node, remembers),
            Note::Changed { online } => self.changed(node, online),
            Note::Handed(message) => {
                self.log(Some(node), &format!("handed {message}"));
                self.handed(node, &message);
            }
            Note::Handled { ref message, .. } => {
                self.log(Some(node), &format!("handled {message}"));
                self.handled(node, &note);
            }
            Note::Written(message) => self.settle_debt(node, &message),
            Note::Known(message) => {
                self.log(Some(node), &format!("known {message}"));
                self.known(node, &message);
            }
            Note::Dead {
                text,
                reason,
                is_unknown,
            } => {
                self.log(Some(node), &format!("not sent: {text}: {reason}"));
                self.dead(node, &text, is_unknown);
            }
            Note::Replied { ok } => {
                self.step_of_reply(node);
                let count = if ok {
                    &mut self.summary.replied
                } else {
                    &mut self.summary.unreplied
                };
                *count += 1;
            }
        }
    }

    /// Records a request that an account sends.
    pub(super) fn count_request(&mut self, node: usize, packet: &str) {
        // A server with small pages needs many requests.
        if self.options.sync_page.is_some() || !packet.contains(command::GET_MSG) {
            return;
        }
        let count = self.pages[node].add(self.now);
        if count > MOST_PAGES {
            let what = format!("asked for missed messages {count} times within a minute");
            self.violate(Some(node), what);
        }
    }

    /// Records that an account is no longer online.
    pub(super) fn went_offline(&mut self, node: usize, cause: &str) {
        if let Some(since) = self.online_since[node].take() {
            self.summary.online += self.now - since;
        }
        self.offline_since[node] = self.now;
        self.turns.lost(node);
        *self
            .summary
            .offline_by_cause
            .entry(cause.to_owned())
            .or_default() += 1;
    }

    /// Records a login. If it `remembers`, it contains the cookie from which it continues.
    pub(super) fn login(&mut self, node: usize, remembers: bool) {
        let settled = if remembers {
            Vec::new()
        } else {
            self.server.read_keys(&self.users[node])
        };
        self.nodes[node].settled = settled.into_iter().collect();
        self.log(Some(node), "login sent");
        self.summary.logins += 1;
        let rate = self.window.add(self.now);
        self.summary.worst_login_rate = self.summary.worst_login_rate.max(rate);
        let network = self.options.network;
        // A login is sent at most one round trip after its turn, so the logins of one second got
        // their turns within one second plus a round trip.
        let span = 1.0 + (network.latency_max * 2).as_secs_f64();
        let each = self.options.rate * span + f64::from(self.options.burst);
        // There is no such bound if dial attempts can stall.
        if !self.has_stalled && rate as f64 > each * self.options.copies as f64 {
            self.violate(None, format!("{rate} logins sent within a second"));
        }
    }

    /// Records that an account starts to log in: it dials, or renews its login.
    pub(super) fn set_out(&mut self, node: usize) {
        let spacing = self.options.policy.login_spacing;
        if let Some(last) = self.last_login[node].replace(self.now)
            && self.now - last < spacing
        {
            self.violate(
                Some(node),
                format!("two logins within {:?}", self.now - last),
            );
        }
    }

    /// Records that the governor grants an account a turn.
    pub(super) fn granted(&mut self, node: usize) {
        let rate = self.turns.granted(node / self.options.accounts, self.now);
        self.summary.worst_turn_rate = self.summary.worst_turn_rate.max(rate);
        if rate as f64 > self.options.rate + f64::from(self.options.burst) {
            self.violate(None, format!("{rate} turns within a second"));
        }
    }

    pub(super) fn changed(&mut self, node: usize, online: Option<bool>) {
        let status = self.nodes[node].status(self.clock_of(node));
        self.log(
            Some(node),
            &format!("{} ({})", status.phase.word(), status.cause.word()),
        );
        let share = &mut self.shares[node % self.options.accounts];
        if let Some(online) = online {
            share.changed(self.now, online);
        }
        if matches!(status.cause, Cause::Kicked(_)) && online == Some(false) {
            share.kicked(self.now);
        }
        match online {
            Some(true) => {
                let silent = self.now - self.offline_since[node];
                self.summary.longest_silence = self.summary.longest_silence.max(silent);
                self.online_since[node] = Some(self.now);
                self.returned(node);
                // After a new login, the account's view is correct again.
                self.disbelief.remove(&node);
            }
            Some(false) => {
                self.went_offline(node, &status.cause.word());
            }
            None => {}
        }
        let waits = matches!(
            status.phase,
            Phase::Waiting | Phase::CoolingDown | Phase::Contested
        );
        if waits && status.next.is_none() {
            self.violate(Some(node), "waits without a next action".to_owned());
        }
    }

    /// Checks the invariants: no account has two logins in flight, or considers itself online for
    /// long although the server has dropped its login.
    pub(super) fn audit(&mut self) {
        let now = self.clock();
        for node in 0..self.nodes.len() {
            if self.nodes[node].session.logins_in_flight() > 1 {
                self.violate(Some(node), "two logins in flight".to_owned());
            }
            let believes = self.nodes[node].core.phase() == Phase::Online;
            let ready = self.nodes[node].session.state().is_ready();
            let is_true = self.server.is_online(now, &self.users[node]);
            if believes && !ready {
                self.violate(
                    Some(node),
                    "shown as online while its session is not ready".to_owned(),
                );
            }
            if !believes || is_true {
                self.disbelief.remove(&node);
            } else {
                let since = *self.disbelief.entry(node).or_insert(self.now);
                if self.now - since > LONGEST_BELIEF + self.options.hello_interval {
                    self.violate(
                        Some(node),
                        "shown as online, and the server says otherwise".to_owned(),
                    );
                }
            }
            let now = self.clock_of(node);
            let timer =
                self.nodes[node].session(now, |session, _, memory| session.poll_timeout(memory));
            if let Some(at) = timer
                && !self.is_healthy(node)
                && at < self.now
                && self.nodes[node].session.state() != session::SessionState::Disconnected
            {
                self.violate(Some(node), "a timer in the past".to_owned());
            }
            self.check_silence(node);
        }
    }
}

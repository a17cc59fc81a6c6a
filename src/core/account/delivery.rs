//! What an account sends: messages and requests from its outbox, reports of what was read, and notices
//! that it types no longer.

use super::effect::Effect;
use super::outbox::{Moment, Outbox, OutboxError, OutboxItem, Outcome};
use super::read_reports::ReadReports;
use super::typing::Typing;
use crate::policy::Now;
use crate::proto::command;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, SendC2c};
use crate::session::{Memory, RequestError};
use std::collections::VecDeque;
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(super) struct Delivery {
    outbox: Outbox,
    read_reports: ReadReports,
    typing: Typing,
    sent: u64,
    unsent: u64,
}

/// The way out, at one moment.
#[derive(Debug)]
pub(super) struct Outlet<'a> {
    pub(super) now: Now,
    pub(super) is_online: bool,
    pub(super) me: &'a UserId,
    /// The server's time as messages show it, Unix seconds.
    pub(super) server_secs: u64,
    /// The server's time as it was heard last, Unix seconds.
    pub(super) service_secs: u64,
    pub(super) effects: &'a mut VecDeque<Effect>,
}

impl Delivery {
    /// From now on; see [`Outbox::new`].
    pub(super) const fn trust_keys(&mut self, trusts_keys: bool) {
        self.outbox.trust_keys(trusts_keys);
    }

    /// `rng` decides the keys of messages; `trusts_keys`: see [`Outbox::new`].
    pub(super) fn new(rng: fastrand::Rng, trusts_keys: bool) -> Self {
        Self {
            outbox: Outbox::new(rng, trusts_keys),
            read_reports: ReadReports::default(),
            typing: Typing::default(),
            sent: 0,
            unsent: 0,
        }
    }

    /// Messages sent so far.
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Messages that could not be sent so far.
    pub(super) const fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Messages and requests that had to wait for a limit of the service so far.
    pub(super) const fn paced(&self) -> u64 {
        self.outbox.paced()
    }

    /// The account is online, or is not: time runs only while it is.
    pub(super) fn set_online(&mut self, now: Now, online: bool) {
        self.outbox.set_online(now, online);
    }

    // ── messages and requests ────────────────────────────────────────────────────────────────

    /// Takes something to send within `limit`.
    pub(super) fn send(
        &mut self,
        outlet: &mut Outlet<'_>,
        token: u64,
        item: OutboxItem,
        limit: Duration,
    ) {
        let is_message = matches!(item, OutboxItem::Message { .. });
        let typed = self.note_typing(outlet.now, &item);
        match self.outbox.push(outlet.now, token, item, limit) {
            Ok(None) => self.pump(outlet),
            Ok(Some(group)) => {
                let reserve = Effect::ReserveGroupTurn { token, group };
                outlet.effects.push_back(reserve);
            }
            Err(error) => self.refuse(outlet, token, is_message, error),
        }
        if let Some(user) = typed {
            self.types_no_longer(outlet, &user);
        }
    }

    /// Refuses something to send: the account is away and does not come back by itself.
    pub(super) fn refuse_offline(
        &mut self,
        outlet: &mut Outlet<'_>,
        token: u64,
        item: &OutboxItem,
        cause: String,
    ) {
        let is_message = matches!(item, OutboxItem::Message { .. });
        let typed = self.note_typing(outlet.now, item);
        self.refuse(outlet, token, is_message, OutboxError::Offline(cause));
        if let Some(user) = typed {
            self.types_no_longer(outlet, &user);
        }
    }

    fn refuse(
        &mut self,
        outlet: &mut Outlet<'_>,
        token: u64,
        is_message: bool,
        error: OutboxError,
    ) {
        let outcome = Outcome {
            token,
            is_message,
            outcome: Err(error),
        };
        self.reply(outlet, outcome);
    }

    /// The message of this token may go to its group after so long a wait.
    pub(super) fn group_turn(&mut self, outlet: &mut Outlet<'_>, token: u64, wait: Duration) {
        self.outbox.group_turn(outlet.now, token, wait);
        self.pump(outlet);
    }

    /// What became of something that was sent.
    pub(super) fn settled(
        &mut self,
        outlet: &mut Outlet<'_>,
        memory: &mut Memory,
        token: u64,
        outcome: Result<String, RequestError>,
    ) {
        if ReadReports::is_token(token) {
            let error = outcome.as_ref().err();
            if self.read_reports.settled(outlet.now, memory, token, error) {
                outlet.effects.push_back(Effect::AllRead);
            }
            return;
        }
        for outcome in self.outbox.settle(outlet.now, outlet.me, token, outcome) {
            self.reply(outlet, outcome);
        }
        self.pump(outlet);
    }

    /// The connection died without settling anything.
    pub(super) fn connection_died(&mut self, now: Now, memory: &mut Memory) {
        self.outbox.forget_flights();
        self.read_reports.lost(now, memory);
    }

    /// Gives up what has waited for too long.
    pub(super) fn expire(&mut self, outlet: &mut Outlet<'_>) {
        while let Some(outcome) = self.outbox.take_expired(outlet.now) {
            self.reply(outlet, outcome);
        }
    }

    /// Gives up everything: the account will not be back by itself.
    pub(super) fn fail(&mut self, outlet: &mut Outlet<'_>, cause: &str) {
        for outcome in self.outbox.take_all(cause) {
            self.reply(outlet, outcome);
        }
    }

    /// Sends what waits and may go now.
    pub(super) fn pump(&mut self, outlet: &mut Outlet<'_>) {
        if !outlet.is_online {
            return;
        }
        let moment = Moment::new(outlet.now, outlet.service_secs);
        while let Some((token, attempt)) = self.outbox.next(outlet.now, moment) {
            let transmit = Effect::Transmit { token, attempt };
            outlet.effects.push_back(transmit);
        }
    }

    fn reply(&mut self, outlet: &mut Outlet<'_>, outcome: Outcome) {
        let Outcome {
            token,
            is_message,
            outcome,
        } = outcome;
        if is_message {
            let count = match outcome {
                Ok(_) => &mut self.sent,
                Err(_) => &mut self.unsent,
            };
            *count += 1;
        }
        outlet.effects.push_back(Effect::Reply { token, outcome });
    }

    // ── read reports ─────────────────────────────────────────────────────────────────────────

    /// Reports everything read since the last report.
    pub(super) fn report_read(&mut self, outlet: &mut Outlet<'_>, memory: &mut Memory) {
        for (token, attempt) in self.read_reports.report(outlet.now, memory) {
            let transmit = Effect::Transmit { token, attempt };
            outlet.effects.push_back(transmit);
        }
    }

    // ── typing ───────────────────────────────────────────────────────────────────────────────

    /// Notes what an item says about typing. Returns who is to be told that the account types no longer.
    fn note_typing(&mut self, now: Now, item: &OutboxItem) -> Option<Box<str>> {
        match item {
            OutboxItem::Message {
                to: Conversation::C2c(user),
                draft,
                ..
            } => self.typing.said(now, user, draft.is_typing()),
            _ => None,
        }
    }

    /// Tells those who have been shown the account as typing for long enough.
    pub(super) fn end_typing(&mut self, outlet: &mut Outlet<'_>) {
        while let Some(user) = self.typing.take_due(outlet.now) {
            self.types_no_longer(outlet, &user);
        }
    }

    /// Tells `user` that the account types no longer. The outcome does not matter.
    fn types_no_longer(&mut self, outlet: &mut Outlet<'_>, user: &str) {
        if !outlet.is_online {
            return self.typing.later(outlet.now, user);
        }
        let (me, draft) = (outlet.me.as_str(), Draft::typing(false));
        let key = self.outbox.draw_key();
        let notice = SendC2c::new(me, user, &draft, key, outlet.server_secs);
        if let Ok(body) = serde_json::to_string(&notice) {
            let servcmd = command::SEND_C2C.into();
            outlet.effects.push_back(Effect::Note { servcmd, body });
        }
    }

    // ── time ─────────────────────────────────────────────────────────────────────────────────

    /// When something waits no longer, whether the account is online or not.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.outbox.next_deadline()
    }

    /// When something may go or somebody is to be told, while the account is online.
    pub(super) fn next_online(&self) -> Option<Duration> {
        let (retry, typing) = (self.outbox.next_try(), self.typing.next());
        retry.into_iter().chain(typing).min()
    }
}

//! An account and its flight recorder.

use crate::account::{Cause, Counters, Record, RecordedEvent, Status};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The service tells its time in whole seconds, so a difference up to one says nothing; in milliseconds.
const CLOCK_NOISE: i64 = 1000;

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its UserID.
    pub account: String,
    /// Its state: `waiting`, `connecting`, `logging in`, `online`, `renewing`, `cooling down`, `contested`, `held`,
    /// `quarantined`, `stopping` or `stopped`.
    pub state: String,
    /// It is logged in.
    pub online: bool,
    /// Since when it has been in this state, in Unix seconds.
    pub since: u64,
    /// Why it is not online, or was not when it last was away, in one word: `link_lost`, `login_refused:70009`; null
    /// when it never was away.
    #[schema(required)]
    pub cause: Option<String>,
    /// The same for people, with what to do about it.
    #[schema(required)]
    pub detail: Option<String>,
    /// When it tries again by itself, in Unix seconds.
    #[schema(required)]
    pub next: Option<u64>,
    /// What it waits for, when that is neither time nor the server.
    #[schema(required)]
    pub waits_for: Option<String>,
    /// What it does not hear although it is online, each with the reason.
    pub degraded: Vec<String>,
    /// Messages that are with its bots: waiting, or being handled.
    pub open: usize,
    /// It came online by resuming the login it had.
    pub resumed: bool,
    /// When its UserSig ends, in Unix seconds.
    #[schema(required)]
    pub user_sig_ends: Option<u64>,
    /// By how many milliseconds the service's clock is ahead; 0 up to a second.
    pub clock_offset_ms: i64,
    /// What it has counted.
    pub counters: CountersOf,
    /// The bots that it runs, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bots: Option<Vec<String>>,
    /// The last things that happened to it, oldest first; left out of lists that do not ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<RecordOf>>,
}

impl Account {
    /// Without the flight recorder and the bots.
    #[must_use]
    pub fn new(status: &Status) -> Self {
        // An account that is online and was never offline has no cause.
        let cause = Some(&status.cause)
            .filter(|cause| !(status.phase.is_online() && **cause == Cause::NotStarted));
        Self {
            account: status.account.to_string(),
            state: status.phase.word().to_owned(),
            online: status.phase.is_online(),
            since: status.since.as_secs(),
            cause: cause.map(|cause| cause.word().into_owned()),
            detail: cause.map(ToString::to_string),
            next: status.next.map(|at| at.as_secs()),
            waits_for: status.waits_for.clone(),
            degraded: status.degraded.clone(),
            open: status.open,
            resumed: status.resumed,
            user_sig_ends: status.user_sig_ends,
            clock_offset_ms: match status.clock_offset {
                offset if offset.abs() <= CLOCK_NOISE => 0,
                offset => offset,
            },
            counters: CountersOf::new(&status.counters),
            bots: None,
            records: None,
        }
    }

    /// With the flight recorder.
    #[must_use]
    pub fn with_records(mut self, status: &Status) -> Self {
        self.records = Some(status.records.iter().map(RecordOf::new).collect());
        self
    }

    /// With the names of the bots that it runs.
    #[must_use]
    pub fn with_bots(mut self, bots: Option<&Arc<[Arc<str>]>>) -> Self {
        self.bots = bots.map(|bots| bots.iter().map(ToString::to_string).collect());
        self
    }
}

/// What happened to an account since the process started, or since the account was started anew after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountersOf {
    /// Full logins.
    pub logins: u64,
    /// Logins resumed.
    pub resumes: u64,
    /// Logins replaced ahead of their end.
    pub renewals: u64,
    /// Links lost while online.
    pub lost_links: u64,
    /// Kicks by another web login.
    #[serde(rename = "multipleAccount")]
    pub multiple_account: u64,
    /// Kicks by another device.
    #[serde(rename = "multipleDevice")]
    pub multiple_device: u64,
    /// Kicks by an administrator.
    #[serde(rename = "REST_API_Kick")]
    pub rest_api_kick: u64,
    /// Logins found expired.
    #[serde(rename = "userSigExpired")]
    pub user_sig_expired: u64,
    /// Messages received, each once.
    pub received: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that could not be sent.
    pub unsent: u64,
    /// Messages of which nobody knows whether they arrived.
    pub unknown: u64,
    /// Messages and requests that waited for a rate limit.
    pub paced: u64,
    /// Messages and updates that no bot will handle, for want of room.
    pub dropped: u64,
    /// Packets and events that were not understood.
    pub ignored: u64,
    /// Handlers that returned an error, panicked or took too long.
    pub failed_handlers: u64,
}

impl CountersOf {
    const fn new(counters: &Counters) -> Self {
        Self {
            logins: counters.logins,
            resumes: counters.resumes,
            renewals: counters.renewals,
            lost_links: counters.lost_links,
            multiple_account: counters.kicked_by_account,
            multiple_device: counters.kicked_by_device,
            rest_api_kick: counters.kicked_by_rest,
            user_sig_expired: counters.expired,
            received: counters.received,
            sent: counters.sent,
            unsent: counters.unsent,
            unknown: counters.unknown,
            paced: counters.paced,
            dropped: counters.dropped,
            ignored: counters.ignored,
            failed_handlers: counters.failed_handlers,
        }
    }
}

/// An entry of the flight recorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RecordOf {
    /// It came online.
    Online {
        /// When, in Unix seconds.
        at: u64,
        /// The connection, counted from 1.
        connection: u64,
        /// By resuming the login it had.
        resumed: bool,
    },
    /// A connection ended, or could not be made.
    Ended {
        /// When, in Unix seconds.
        at: u64,
        /// The connection, counted from 1.
        connection: u64,
        /// Why, in one word.
        cause: String,
        /// Why, for people.
        detail: String,
        /// The state that followed.
        then: String,
        /// Where it was, or tried to be, connected to; may be empty.
        host: String,
        /// Failures in a row before it.
        failures: u32,
    },
}

impl RecordOf {
    fn new(record: &Record) -> Self {
        let (at, connection) = (record.at.as_secs(), record.connection);
        match &record.event {
            RecordedEvent::Online(resumed) => Self::Online {
                at,
                connection,
                resumed: *resumed,
            },
            RecordedEvent::Ended { cause, then, host } => Self::Ended {
                at,
                connection,
                cause: cause.word().into_owned(),
                detail: cause.to_string(),
                then: then.word().to_owned(),
                host: host.to_string(),
                failures: record.failures,
            },
        }
    }
}

/// Some of the accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountPage {
    /// In the order of the config.
    pub accounts: Vec<Account>,
    /// How many there are that the filter lets through.
    pub total: usize,
    /// The value of `from` for the next page; null on the last one.
    #[schema(required)]
    pub next: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Phase;
    use crate::proto::id::UserId;

    #[test]
    fn one_that_is_online_and_never_was_away_has_no_reason() {
        let user = UserId::parse("a").unwrap();
        let mut status = Status::new(user, std::time::Duration::ZERO);
        status.phase = Phase::Online;
        status.clock_offset = -948;
        let told = Account::new(&status);
        assert_eq!((&told.cause, &told.detail), (&None, &None));
        assert_eq!(told.clock_offset_ms, 0, "whole seconds are told");
        status.cause = Cause::Crashed;
        status.clock_offset = -1948;
        let told = Account::new(&status);
        assert_eq!(told.cause.as_deref(), Some("crashed"));
        assert_eq!(told.clock_offset_ms, -1948);
    }
}

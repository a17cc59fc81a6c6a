//! What an account logs about its connection and about itself.

use crate::session::{Event, Ignored};
use botroupe_core::account::{Cause, Core, Off, Phase, Report, Status};
use std::mem::{Discriminant, discriminant};

/// Difference to the server's clock that is worth a warning, in milliseconds.
const MAX_SKEW: i64 = 60_000;

/// Logs what the connection reports, where that is of interest.
pub(super) fn report(core: &Core, report: &Report) {
    let Report::Session(event) = report else {
        return;
    };
    let (account, connection) = (core.name(), core.connection());
    match event {
        Event::Synced { messages, .. } => {
            tracing::debug!(%account, connection, messages, "caught up");
        }
        Event::Ready(ready) if ready.clock_offset.abs() > MAX_SKEW => {
            tracing::warn!(
                %account, connection, skew_ms = ready.clock_offset,
                "this machine's clock is off: {}; UserSigs are made by the server's time", Off(ready.clock_offset)
            );
        }
        Event::SyncFailed { part, error } => {
            tracing::debug!(%account, connection, %part, %error, "not fetched; trying again");
        }
        Event::Trouble {
            part,
            reason: Some(reason),
        } => {
            tracing::warn!(%account, connection, reason, "degraded: {part}; trying again");
        }
        Event::Trouble { part, reason: None } => {
            tracing::info!(%account, connection, "no longer degraded: {part} is over");
        }
        Event::HistoryGone { group, count } => {
            tracing::warn!(%account, connection, group, count, "the history of a group does not have these messages any more");
        }
        Event::Dropped(conversation) => {
            // What is lost is told together, see `Effect::Lost`.
            tracing::debug!(%account, connection, %conversation, "message dropped");
        }
        Event::Skipped { group, count } => {
            tracing::warn!(%account, connection, group, count, "too many unread messages in a group; the oldest are left to its history");
        }
        Event::RoomLost { room, reason } => {
            tracing::warn!(%account, connection, room, reason, "a live room is not heard");
        }
        Event::Ignored(what @ (Ignored::Undecodable(_) | Ignored::Malformed(_))) => {
            tracing::warn!(%account, connection, ?what, "what came cannot be read; it is left out");
        }
        Event::Ignored(what) => tracing::debug!(%account, connection, ?what, "ignored"),
        Event::Overloaded { servcmd, delay } => {
            tracing::warn!(%account, connection, servcmd, ?delay, "server asks for rest");
        }
        _ => {}
    }
}

/// Logs the changes of an account's status, each kind of cause once.
#[derive(Debug, Default)]
pub(super) struct StatusLog {
    /// The kind of cause that was last logged for being offline.
    told: Option<Discriminant<Cause>>,
}

impl StatusLog {
    /// The status changed; `online` says that it went online or offline just now.
    pub(super) fn changed(&mut self, status: &Status, online: Option<bool>, connection: u64) {
        let account = &status.account;
        match (online, status.phase) {
            (Some(true), _) => {
                tracing::info!(%account, connection, resumed = status.resumed, "online");
            }
            (Some(false), Phase::Stopping) => {
                tracing::info!(%account, connection, "logging out");
            }
            (Some(false), phase) => {
                tracing::warn!(%account, connection, cause = %status.cause, phase = phase.word(), "offline");
            }
            (None, Phase::Held | Phase::Quarantined | Phase::Contested) => {
                tracing::warn!(%account, connection, cause = %status.cause, phase = status.phase.word(), "stays offline");
            }
            (None, Phase::Waiting | Phase::CoolingDown) if status.cause != Cause::NotStarted => {
                // Each kind of cause is logged once; the supervisor reports now and then how many accounts wait.
                if self.told == Some(discriminant(&status.cause)) {
                    tracing::debug!(%account, connection, cause = %status.cause, "not online; trying again");
                } else {
                    tracing::warn!(%account, connection, cause = %status.cause, "not online; trying again");
                }
            }
            (None, phase) => tracing::debug!(%account, connection, phase = phase.word(), "phase"),
        }
        match online {
            Some(true) => self.told = None,
            Some(false) => self.told = Some(discriminant(&status.cause)),
            None if status.phase == Phase::Waiting && status.cause != Cause::NotStarted => {
                self.told = Some(discriminant(&status.cause));
            }
            None => {}
        }
    }
}

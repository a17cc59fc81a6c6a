//! Shows that the account is typing while a handler runs.

use super::event::Event;
use super::pool::Pool;
use super::seat::Seat;
use crate::proto::message::{Conversation, Draft};
use std::future::pending;
use std::time::Duration;

/// When it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How long a handler runs before; most answer sooner.
    pub(super) after: Duration,
    /// How often it is shown again: clients forget it after a while.
    pub(super) every: Duration,
}

impl Pace {
    pub(super) const USUAL: Self = Self {
        after: Duration::from_secs(1),
        every: Duration::from_secs(4),
    };
}

/// Shows it until this is dropped, if the bot wants that and the event is something that somebody said in a one-to-one
/// chat. Never ends.
pub(super) async fn show(event: &Event, pool: &Pool) {
    let pace = event.bot().choices.typing;
    let message = event.message().filter(|message| !message.is_own);
    let place = message.map(|message| &message.conversation);
    let (Some(pace), Some(seat), Some(Conversation::C2c(_))) = (pace, event.seat(), place) else {
        return pending().await;
    };
    let Some(place) = place else {
        return pending().await;
    };
    let mut wait = pace.after;
    loop {
        pool.sleep(wait).await;
        wait = pace.every;
        if seat.account.is_ready() || seat.recording.is_some() {
            notice(seat, place.clone()).await;
        }
    }
}

/// It is in no ledger and no journal of a dialogue: nothing of it lasts.
async fn notice(seat: &Seat, to: Conversation) {
    let draft = Draft::typing(true);
    match &seat.recording {
        Some(recording) => drop(recording.send(to, draft)),
        // The next one comes soon.
        None => drop(seat.account.send(to, draft).await),
    }
}
